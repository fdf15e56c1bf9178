"""The options of a problem that is a table."""

from __future__ import annotations

import csv
from typing import Annotated, NamedTuple

import typer

from descenso.cli._usage import UsageError
from descenso.language import _


class Table(NamedTuple):
    """How to read a problem that is a table."""

    target: Annotated[
        str | None,
        typer.Option(
            metavar=_("COLUMN"), help=_("of a table (CSV, Parquet, npz): the column to learn")
        ),
    ] = None
    task: Annotated[
        str | None,
        typer.Option(metavar=_("TASK"), help=_("of a table: classification or regression")),
    ] = None
    drop: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN,...",
            help=_("of a table: columns not to learn from; a name with a comma as in '\"a, b\",c'"),
        ),
    ] = None
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar=_("COLUMN=KIND"),
            help=_(
                "of a table: number, category or date, such as zip=category; number-comma and "
                "number-point say the decimal sign, date-dmy, date-mdy and date-ymd the order of a date; "
                "may be given again"
            ),
        ),
    ] = None
    delimiter: Annotated[
        str | None,
        typer.Option(metavar=_("SIGN"), help=_("of a table: what separates its columns")),
    ] = None
    encoding: Annotated[
        str | None, typer.Option(metavar=_("NAME"), help=_("of a table: utf-8, latin-1 ..."))
    ] = None
    hidden: Annotated[
        str | None,
        typer.Option(
            metavar=_("WIDTHS"), help=_("of a table: widths of the hidden layers, as in 64-32")
        ),
    ] = None


_SINGLE = ("target", "task", "delimiter", "encoding", "hidden")


def named(problem: str, table: Table) -> str:
    """Return the problem's name with the options that were given.

    Raises
    ------
    UsageError
        If options of a table are given for what is none.
    """
    from descenso.problems import table_name

    given = [(name, getattr(table, name)) for name in _SINGLE if getattr(table, name) is not None]
    given += [("drop", name) for text in table.drop or () for name in _names(text)]
    given += [("column", text) for text in table.column or ()]
    if not given:
        return problem
    written = table_name(problem, given)
    if written is None:
        raise UsageError(
            _("--{option} is for a table (a CSV, Parquet or npz file); got {problem!r}").format(
                option=given[0][0], problem=problem
            )
        )
    return written


def _names(text: str) -> list[str]:
    """Return the names of a list, where one that holds a comma is in quotes."""
    names = next(csv.reader([text], skipinitialspace=True), [])
    return [name.strip() for name in names if name.strip()]
