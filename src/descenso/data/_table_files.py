"""Read a table from a file: text, Parquet, Feather, spreadsheet, or NumPy's npz."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.data import parquet
from descenso.data.file_kinds import FEATHER, PARQUET, SHEET_FILES, SHEETS, check_expanded, kind_of
from descenso.data.sheets import read_sheets, with_header
from descenso.data.text_tables import Say, different_names, read_text_table, tidy, unreadable
from descenso.errors import DataError, DescensoError
from descenso.language import _, did_you_mean

if TYPE_CHECKING:
    from pandas import DataFrame

#: Cells that Parquet may hold, or twenty for each byte of the file if that is more.
_MOST_CELLS = 100_000_000
_TEXTS = (".csv", ".tsv", ".txt", ".tab", ".dat", ".data")
_COMPRESSIONS = ("", ".gz", ".zip", ".xz", ".bz2", ".zst")
TEXT_FILES = tuple(text + end for text in _TEXTS for end in _COMPRESSIONS)
TABLE_FILES = (*TEXT_FILES, ".parquet", ".pq", ".feather", *SHEET_FILES, ".npz")


def is_table_file(path: str) -> bool:
    """Whether a file of this name is read as a table."""
    return path.lower().endswith(TABLE_FILES)


def read_table(path: Path, delimiter: str | None, encoding: str | None, say: Say) -> DataFrame:
    """Return the table of a file as a frame whose columns are named by texts.

    The file's first bytes decide how it is read, whatever its name ends with.

    Parameters
    ----------
    delimiter, encoding : of a text; inferred where ``None``.
    say : takes each inference in words.

    Raises
    ------
    DataError
        If the file is absent, empty or unreadable, has one column only or a column twice.
    """
    try:
        kind = kind_of(path)
    except DescensoError:
        raise
    except Exception as error:  # each compression has errors of its own
        raise unreadable(path, error) from error
    ending = path.suffix.lower()
    if ending in _ENDINGS[PARQUET]:
        kind = PARQUET
    if kind in _READERS:
        if ending not in _ENDINGS[kind]:
            say(_("{path}: read as {kind}, for it begins as such a file does").format(
                path=path, kind=_KIND_NAMES[kind]
            ))  # fmt: skip
        frame = _READERS[kind](path, say)
    else:
        frame = read_text_table(path, delimiter, encoding, say)
    check_frame(frame, str(path), say)
    return frame


def check_frame(frame: DataFrame, where: str, say: Say) -> None:
    """Check that a frame has rows; its columns get different names, which are texts.

    Raises
    ------
    DataError
        If it has none.
    """
    frame.columns = different_names(list(map(str, frame.columns)), where, say)
    if not len(frame):
        raise DataError(_("{where}: the table has no rows").format(where=where))


def _read_arrow(path: Path, read: str) -> DataFrame:
    import pandas

    try:
        if read == "read_parquet":
            parquet.check_expanded(path, max(_MOST_CELLS, 20 * path.stat().st_size))
        frame: DataFrame = getattr(pandas, read)(path)
    except DataError:
        raise
    except ImportError as error:
        raise DataError(
            _("{path}: reading Parquet needs pyarrow: pip install 'descenso[tables]'").format(
                path=path
            )
        ) from error
    except Exception as error:  # pyarrow's own errors, of many kinds
        raise unreadable(path, error) from error
    return frame


def _read_sheets(path: Path, say: Say) -> DataFrame:
    """Return the first sheet that has cells; the rows before its header are skipped."""
    filled = read_sheets(path)
    name, sheet = filled[0]
    if len(filled) > 1:
        say(
            _("{path}: read is the sheet {name!r}; it also has {others}").format(
                path=path, name=name, others=", ".join(repr(other) for other, _s in filled[1:])
            )
        )
    return tidy(with_header(sheet, path, say), str(path), say)


_READERS: dict[str, Callable[[Path, Say], DataFrame]] = {
    PARQUET: lambda path, _say: _read_arrow(path, "read_parquet"),
    FEATHER: lambda path, _say: _read_arrow(path, "read_feather"),
    SHEETS: _read_sheets,
}
_ENDINGS = {PARQUET: (".parquet", ".pq"), FEATHER: (".feather",), SHEETS: SHEET_FILES}
_KIND_NAMES = {PARQUET: "Parquet", FEATHER: "Feather", SHEETS: "Excel or ODS"}


def read_arrays(path: Path, target: str | None, say: Say) -> tuple[Any, Any, str]:
    """Return inputs of shape (examples, columns), targets and the name of these from an npz file.

    Parameters
    ----------
    target : the array to learn; ``y`` where ``None``. The inputs are ``x`` or ``X``, or the only
        other array; more than two axes are laid out flat, which is said.

    Raises
    ------
    DataError
        If the file is absent or unreadable, or the arrays are not there or do not fit.
    """
    check_expanded(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except Exception as error:  # zip, zlib and NumPy each have their own
        raise unreadable(path, error) from error
    name = target or "y"
    if name not in arrays:
        raise missing_column(name, list(arrays), str(path))
    others = [n for n in arrays if n != name]
    chosen = next((n for n in ("x", "X") if n in others), others[0] if len(others) == 1 else "")
    if not chosen:
        raise DataError(
            _("{path}: name the inputs x; it has the arrays {names}").format(
                path=path, names=", ".join(arrays)
            )
        )
    say(_("{path}: inputs are {x}, targets are {y}").format(path=path, x=chosen, y=name))
    return _flat(arrays[chosen], chosen, say), arrays[name], name


def _flat(inputs: Any, name: str, say: Say) -> Any:
    if inputs.ndim == 0 or not inputs.size:
        raise DataError(_("{name}: there are no examples").format(name=name))
    if inputs.ndim > 2:
        say(
            _("{name}: each example, of shape {shape}, is laid out as one row").format(
                name=name, shape=inputs.shape[1:]
            )
        )
    return inputs.reshape(len(inputs), -1)


def missing_column(name: str, known: list[str], where: str) -> DataError:
    """Return the error that says there is no such column, with the nearest there is."""
    hint = did_you_mean(name, known)
    few = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
    text = _("{where}: there is no column {name!r}; there are {known}.")
    return DataError(text.format(where=where, name=name, known=few) + hint)
