"""Read the sheets of a spreadsheet: Excel and OpenDocument files, within bounds."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING
from xml.etree import ElementTree

from descenso.data.file_kinds import check_expanded
from descenso.data.text_tables import Say, different_names, header_index, unreadable
from descenso.errors import DataError
from descenso.language import _

if TYPE_CHECKING:
    from pandas import DataFrame

#: The reader takes memory for the rectangle that holds all cells of a sheet. Its area is bounded
#: where the cells fill less than a fiftieth of it.
_MOST_AREA = 5_000_000
_THINNEST = 50
_CHUNK = 2**20
_CELL = re.compile(rb"""<(?:\w+:)?c\b[^>]*?\br=["']([A-Z]{1,3})(\d{1,7})["']""")
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"


def read_sheets(path: Path, *, as_written: bool = False) -> list[tuple[str, DataFrame]]:
    """Return the name and the cells of each sheet that has any, shape (rows, columns).

    A header, if there is one, is a row like the others.

    Parameters
    ----------
    as_written : keep texts such as ``nan`` and empty cells apart, an empty text where nothing is.

    Raises
    ------
    DataError
        If the file cannot be read, expands beyond measure, or a few cells of it lie so far apart
        that the sheet between them would not fit into memory.
    """
    import pandas

    check_expanded(path)
    try:
        _check_areas(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and the like
            with pandas.ExcelFile(io.BytesIO(path.read_bytes()), engine="calamine") as book:
                kept = {"dtype": object, "keep_default_na": False} if as_written else {}
                sheets = {str(n): book.parse(n, header=None, **kept) for n in book.sheet_names}
    except DataError:
        raise
    except ImportError as error:
        raise DataError(
            _(
                "{path}: it is a spreadsheet, and reading it needs python-calamine: "
                "pip install 'descenso[tables]', or save the sheet as CSV"
            ).format(path=path)
        ) from error
    except Exception as error:  # calamine's own errors, of many kinds
        raise unreadable(path, error) from error
    empty = "" if as_written else None
    filled = [(n, s) for n, s in sheets.items() if (s.notna() & (s != empty)).any(axis=None)]
    if not filled:
        raise DataError(_("{path}: no sheet has cells").format(path=path))
    return filled


def with_header(sheet: DataFrame, path: Path, say: Say) -> DataFrame:
    """Return the rows below the header, which names their columns."""
    texts = sheet.head(200).astype(object).where(sheet.head(200).notna(), "").astype(str)
    header = header_index(texts.to_numpy().tolist())
    names = [
        " ".join(str(cell).split()) or f"Unnamed: {place}"
        for place, cell in enumerate(texts.iloc[header])
    ]
    if header:
        say(
            _("{path}: skipped before the header: {count} (the first is {text!r})").format(
                path=path, count=header, text=" ".join(texts.iloc[0]).strip()[:60]
            )
        )
    rows = sheet.iloc[header + 1 :].reset_index(drop=True)
    rows.columns = different_names(names, str(path), say)
    return rows.infer_objects()


def _check_areas(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        return  # the old binary format ends at 65,536 rows of 256 columns
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".bin"):
                raise DataError(_("{path}: save the binary workbook as .xlsx").format(path=path))
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                with archive.open(name) as sheet:
                    _check_area(path, *_excel_area(sheet))
            elif name == "content.xml":
                with archive.open(name) as document:
                    for filled, rows, columns in _open_document_areas(document):
                        _check_area(path, filled, rows, columns)


def _check_area(path: Path, filled: int, rows: int, columns: int) -> None:
    if rows * columns > max(_MOST_AREA, _THINNEST * filled):
        raise DataError(
            _(
                "{path}: a sheet has {filled} cells, spread over {rows} rows and {columns} columns; "
                "delete the cells far from the table, or save the table as CSV"
            ).format(path=path, filled=filled, rows=rows, columns=columns)
        )


def _excel_area(sheet: IO[bytes]) -> tuple[int, int, int]:
    """Return how many cells are there, and how many rows and columns lie between them."""
    filled, rows, columns = 0, [2**31, 0], [2**31, 0]
    kept = b""
    while chunk := sheet.read(_CHUNK):
        text = kept + chunk
        tag = text.rfind(b"<")  # the last tag may go on in the next chunk
        for found in _CELL.finditer(text, 0, tag):
            row, column = int(found[2]), _column(found[1])
            filled += 1
            rows = [min(rows[0], row), max(rows[1], row)]
            columns = [min(columns[0], column), max(columns[1], column)]
        kept = text[tag:]
    return filled, max(0, rows[1] - rows[0] + 1), max(0, columns[1] - columns[0] + 1)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number


def _open_document_areas(document: IO[bytes]) -> Iterator[tuple[int, int, int]]:
    """Return the same of each table of an OpenDocument file, whose cells and rows may repeat."""
    filled = rows = columns = row = 0
    cells: list[tuple[int, bool]] = []
    for _event, part in ElementTree.iterparse(document, ("end",)):
        if part.tag in (_TABLE + "table-cell", _TABLE + "covered-table-cell"):
            holds = bool(len(part)) or any(name.endswith("}value-type") for name in part.attrib)
            cells.append((_repeats(part, "columns"), holds))
            part.clear()
        elif part.tag == _TABLE + "table-row":
            times = _repeats(part, "rows")
            row += times
            while cells and not cells[-1][1]:
                cells.pop()
            if cells:
                rows, columns = row, max(columns, sum(count for count, _holds in cells))
                filled += sum(holds for _count, holds in cells)
            cells = []
            part.clear()
        elif part.tag == _TABLE + "table":
            yield filled, rows, columns
            filled = rows = columns = row = 0
            part.clear()


def _repeats(part: ElementTree.Element, what: str) -> int:
    text = part.get(f"{_TABLE}number-{what}-repeated", "1")
    return int(text) if text.isdigit() else 1
