"""Read one file into tables whose cells are as they are written."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from descenso.data import file_kinds, parquet
from descenso.data.file_kinds import PARQUET, SHEETS, check_regular
from descenso.data.sheets import read_sheets as spreadsheets
from descenso.data.sheets import with_header
from descenso.data.text_tables import different_names, read_as_written
from descenso.errors import DataError, first_line
from descenso.language import _, reason
from descenso.study.external._files import kind_of
from descenso.study.external._records import tables_of

if TYPE_CHECKING:
    import pandas as pd

#: A cell is a Python object here, some fifty times its text; Parquet's are counted by their number.
_MOST_BYTES = 2**27
_MOST_CELLS = 20_000_000


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
    except Exception as error:  # each compression and kind of file has errors of its own
        raise DataError(
            _("{path} is not the table its name says: {reason}").format(
                path=file, reason=first_line(error)
            )
        ) from error
    if not any(len(sheet.frame) for sheet in sheets):
        raise DataError(_("{path} holds no rows").format(path=file))
    for sheet in sheets:
        names = [str(name).strip() for name in sheet.frame.columns]
        sheet.frame.columns = different_names(names, str(file), sheet.notes.append)
    return sheets


def _read(file: Path) -> list[Sheet]:
    ending = kind_of(file)
    if ending in (".jsonl", ".ndjson", ".json"):
        parsed = _parsed(_text(file), ending)
        return [Sheet(frame, file, label) for label, frame in tables_of(parsed)]
    kind = PARQUET if ending in (".parquet", ".pq") else file_kinds.kind_of(file)
    if kind == PARQUET:
        return [Sheet(_of_parquet(file), file)]
    if kind == SHEETS:
        return _of_spreadsheet(file)
    notes: list[str] = []
    file_kinds.read_bytes(file, _MOST_BYTES)  # which refuses more
    frame, delimiter = read_as_written(file, notes.append)
    return [Sheet(frame, file, delimiter=delimiter, notes=notes)]


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
        parquet.check_expanded(file, _MOST_CELLS)
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise ImportError(_("Parquet needs pyarrow: pip install 'descenso[tables]'")) from error
    with ParquetFile(file) as opened:
        table = opened.read()
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    return pd.DataFrame({n: pd.Series(cells, dtype=object) for n, cells in columns.items()})


def _text(file: Path) -> str:
    raw = file_kinds.read_bytes(file, _MOST_BYTES)
    wide = file_kinds.wide_encoding(raw[:4096])
    try:
        return raw.decode(wide or "utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _parsed(text: str, kind: str) -> Any:
    parsed = _records(text, kind)
    if "\\ud" not in text.lower():
        return parsed
    # Half a surrogate pair, which JSON can spell and no file can hold, becomes a question mark.
    return json.loads(json.dumps(parsed, ensure_ascii=False).encode("utf-8", "replace"))


def _records(text: str, kind: str) -> Any:
    if kind == ".json":
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            if "Extra data" not in str(error):
                raise
    return [json.loads(line) for line in text.splitlines() if line.strip()]  # a record in each line
