"""Read one file into tables whose cells are as they are written."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from descenso.data.file_kinds import check_regular, open_bytes
from descenso.data.sheets import read_sheets as spreadsheets
from descenso.data.sheets import with_header
from descenso.errors import DataError, first_line
from descenso.language import _, reason
from descenso.study.external._files import kind_of
from descenso.study.external._records import tables_of

if TYPE_CHECKING:
    import pandas as pd

_DELIMITERS = ",;\t|"
#: A cell is a Python object here, some fifty times its text; Parquet's are counted by their number.
_MOST_BYTES = 2**27
_MOST_CELLS = 20_000_000
_LINES = 50


@dataclass
class Sheet:
    """A table of one file, or of one run in it.

    ``label`` names the run or method that the table is of, empty where its columns do;
    ``settings`` are columns known to hold what was chosen, ``metrics`` what was measured.
    """

    frame: pd.DataFrame
    file: Path
    label: str = ""
    delimiter: str = ""
    kind: str = ""
    settings: frozenset[str] = frozenset()
    metrics: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)


def read_sheets(file: Path) -> list[Sheet]:
    """Return the tables of a file.

    Raises
    ------
    DataError
        If the file cannot be read, is not what its name says, or holds no rows.
    """
    try:
        check_regular(file)
        sheets = _read(file)
    except DataError:
        raise
    except OSError as error:
        raise DataError(
            _("{path} cannot be read: {reason}").format(path=file, reason=reason(error))
        ) from error
    except (ValueError, ImportError, UnicodeError, EOFError, csv.Error, RecursionError) as error:
        raise DataError(
            _("{path} is not the table its name says: {reason}").format(
                path=file, reason=first_line(error)
            )
        ) from error
    if not any(len(sheet.frame) for sheet in sheets):
        raise DataError(_("{path} holds no rows").format(path=file))
    for sheet in sheets:
        sheet.frame.columns = _unique([str(name).strip() for name in sheet.frame.columns])
    return sheets


def _unique(names: list[str]) -> list[str]:
    """Give columns of one name numbers, so that none is lost."""
    seen: Counter[str] = Counter()
    made = []
    for name in names:
        seen[name] += 1
        made.append(name if seen[name] == 1 else f"{name}.{seen[name] - 1}")
    return made


def _read(file: Path) -> list[Sheet]:

    kind = kind_of(file)
    if kind in (".parquet", ".pq"):
        return [Sheet(_of_parquet(file), file)]
    if kind in (".xlsx", ".xlsm", ".xls", ".ods"):
        return _of_spreadsheet(file)
    text = _text(file)
    if kind in (".jsonl", ".ndjson", ".json"):
        return [Sheet(frame, file, label) for label, frame in tables_of(_parsed(text, kind))]
    frame, delimiter = _of_text(text)
    return [Sheet(frame, file, delimiter=delimiter)]


def _of_spreadsheet(file: Path) -> list[Sheet]:
    """Return the first sheet, and those that have its columns: people keep a sheet a method."""
    notes: list[str] = []
    found = [
        (name, with_header(cells, file, notes.append))
        for name, cells in spreadsheets(file, as_written=True)
    ]
    alike = [name for name, frame in found if list(frame.columns) == list(found[0][1].columns)]
    if len(alike) < len(found):
        notes.append(
            _("{path}: read are the sheets {names}; others have other columns").format(
                path=file.name, names=", ".join(alike)
            )
        )
    return [
        Sheet(
            frame.map(lambda cell: None if cell == "" else cell),
            file,
            name if len(alike) > 1 else "",
            notes=notes,
        )
        for name, frame in found
        if name in alike
    ]


def _of_parquet(file: Path) -> pd.DataFrame:
    """Return a table whose nulls are ``None``, apart from NaN, which means diverged."""
    import pandas as pd

    try:
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise ImportError(_("Parquet needs pyarrow: pip install 'descenso[tables]'")) from error
    opened = parquet.ParquetFile(file)
    if opened.metadata.num_rows * opened.metadata.num_columns > _MOST_CELLS:
        raise _too_large(file, _("{count} cells").format(count=_MOST_CELLS))
    table = opened.read()
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    return pd.DataFrame({n: pd.Series(cells, dtype=object) for n, cells in columns.items()})


def _too_large(file: Path, most: str) -> DataError:
    return DataError(
        _("{path} holds more than {most}; keep the columns and steps that judge a run").format(
            path=file, most=most
        )
    )


def _text(file: Path) -> str:
    with open_bytes(file) as opened:
        raw = opened.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise _too_large(file, f"{_MOST_BYTES >> 20} MB")
    if raw[:4] == b"PK\x03\x04":
        raise ValueError(_("it is a spreadsheet or an archive; save it as CSV"))
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _parsed(text: str, kind: str) -> Any:
    if kind == ".json":
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            if "Extra data" not in str(error):
                raise
    return [json.loads(line) for line in text.splitlines() if line.strip()]  # a record in each line


def _of_text(text: str) -> tuple[pd.DataFrame, str]:
    """Return a table of texts, so that an empty cell (missing) and nan (diverged) stay apart."""
    import pandas as pd

    lines = text.splitlines(keepends=True)
    start, delimiter = 0, ""
    while start < len(lines) and _is_preamble(lines[start]):
        named = re.match(r"(?i)sep=(.)", lines[start].strip().strip('"'))
        delimiter = named[1] if named else delimiter
        start += 1
    delimiter = delimiter or _delimiter(lines[start : start + _LINES])
    rows = _rows(lines[start:], delimiter)
    if not rows:
        raise ValueError(_("the file is empty"))
    names, width = rows[0], len(rows[0])
    for number, row in enumerate(rows[1:], 2):
        if len(row) > width and any(cell.strip() for cell in row[width:]):
            raise ValueError(
                _("row {row} has {n} cells for {width} columns").format(
                    row=number, n=len(row), width=width
                )
            )
    cells = [
        (row + [None] * width)[:width]
        for row in rows[1:]
        if row != names  # joined files
    ]
    return pd.DataFrame(cells, columns=names, dtype=object), delimiter


def _rows(lines: list[str], delimiter: str) -> list[list[Any]]:
    if delimiter == " ":
        return [line.split() for line in lines if line.strip()]
    csv.field_size_limit(2**27)  # a cell may hold a configuration
    read = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter,
                      skipinitialspace=True)  # fmt: skip
    return [row for row in read if any(cell.strip() for cell in row) or len(row) > 1]


def _is_preamble(line: str) -> bool:
    bare = line.strip().strip('"')
    return not bare or bare.startswith("#") or bool(re.fullmatch(r"(?i)sep=.?", bare))


def _delimiter(lines: list[str]) -> str:
    """Return what separates the names in the first line, as often in the lines below."""
    rows = [line for line in lines if line.strip()]
    if not rows:
        return ","

    def agreement(sign: str) -> tuple[float, int]:
        widths = [len(row) for row in csv.reader(rows, delimiter=sign)]
        if not widths or widths[0] < 2:
            return (0.0, 0)
        return (sum(w == widths[0] for w in widths) / len(widths), widths[0])

    best = max(_DELIMITERS, key=agreement)
    if agreement(best)[1] >= 2:
        return best
    return " " if len(rows[0].split()) > 1 and _same_width(rows) else ","


def _same_width(rows: list[str]) -> bool:
    return len({len(row.split()) for row in rows}) == 1
