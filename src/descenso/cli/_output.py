"""What commands print: tables and paragraphs, wide and plain where no terminal is watching."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from descenso.errors import ReportError
from descenso.language import _
from descenso.report.writing import check_writable, write_whole

_PLAIN_WIDTH = 160


def console(stderr: bool = False) -> Console:
    """Return a console on the standard output (or error) as it is now."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PLAIN_WIDTH
    return Console(file=stream, width=width, highlight=False, emoji=False, markup=False)


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
    """Print a table; the first column is a name, the others follow."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for i, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", no_wrap=i == 0)
    for row in rows:
        table.add_row(*row)
    console().print(table)


def print_paragraph(text: str) -> None:
    """Print text, wrapped to the terminal."""
    console().print(text, soft_wrap=not sys.stdout.isatty())


def write_json(value: Any, place: str) -> None:
    """Write JSON to a file, or to the standard output for ``-``.

    Raises
    ------
    ReportError
        If the file cannot be written.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if place == "-":
        sys.stdout.write(text)
        return
    write_whole(place, text)


def check_places(report: str | Path | None, json: str | None) -> None:
    """Refuse what could not be written in the end before anything is trained.

    Raises
    ------
    ReportError
        If a file cannot be written, or both are one.
    """
    files = [place for place in (report, None if json == "-" else json) if place is not None]
    for place in files:
        check_writable(place)
    if len(files) == 2 and Path(files[0]).resolve() == Path(files[1]).resolve():
        raise ReportError(
            _("the report and the JSON cannot both be written to {path}").format(path=files[0])
        )
