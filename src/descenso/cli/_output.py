"""What commands print: tables and paragraphs, wide and plain where no terminal is watching."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from descenso.errors import ReportError
from descenso.files import check_writable, write_whole
from descenso.language import _, printable

_PLAIN_WIDTH = 160


def console(stderr: bool = False) -> Console:
    """Return a console on the standard output (or error) as it is now."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PLAIN_WIDTH
    return Console(file=stream, width=width, highlight=False, emoji=False, markup=False)


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
    """Print a table; the first column is a name, the others follow.

    Where the terminal is too narrow for whole words, each row becomes a block of lines.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    headings = [printable(heading) for heading in headings]
    columns = [*zip(*[headings, *cells], strict=True)]
    words = [max(map(_longest_word, column)) for column in columns]
    whole = sum(max(map(cell_len, column)) for column in columns)
    room = console().width - len(columns)
    if sum(words) > room:
        _print_blocks(headings, cells, title)
        return
    gap = 2 if whole + len(columns) <= room else 1
    table = Table(
        title=printable(title) or None,
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, gap, 0, 0),
    )
    for i, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", no_wrap=i == 0, min_width=words[i])
    for row in cells:
        table.add_row(*row)
    console().print(table)


def _print_blocks(headings: Sequence[str], rows: list[list[str]], title: str) -> None:
    """Print a block for each row: its name, then a line for each other cell that is filled."""
    if title:
        console().print(printable(title))
    for row in rows:
        block = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        block.add_column(overflow="fold")
        block.add_column(overflow="fold")
        for heading, cell in zip(headings[1:], row[1:], strict=True):
            if cell:
                block.add_row(f"  {heading}", cell)
        console().print(row[0])
        console().print(block)


def _longest_word(text: str) -> int:
    return max(map(cell_len, text.split()), default=0)


def print_paragraph(text: str) -> None:
    """Print text, wrapped to the terminal."""
    console().print(printable(text), soft_wrap=not sys.stdout.isatty())


def print_help(text: str) -> None:
    """Print help as the parser of the command line has laid it out."""
    print(text)


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
