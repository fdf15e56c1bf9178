"""Read a table from a file: CSV and its kin, Parquet, or NumPy's npz."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.errors import DataError, nearest
from descenso.language import _

if TYPE_CHECKING:
    from pandas import DataFrame

Say = Callable[[str], None]
TEXT_FILES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")
PARQUET_FILES = (".parquet", ".pq")
TABLE_FILES = (*TEXT_FILES, *PARQUET_FILES, ".npz")
DELIMITERS = {",": ",", ";": ";", "\t": "\\t", "|": "|", " ": "' '"}
_LINES_LOOKED_AT = 20


def is_table_file(path: str) -> bool:
    """Whether a file of this name is read as a table."""
    return path.lower().endswith(TABLE_FILES)


def read_table(path: Path, delimiter: str | None, encoding: str, say: Say) -> DataFrame:
    """Return a CSV or Parquet file as a frame whose columns are named by texts.

    Parameters
    ----------
    delimiter : what separates columns; told from the first lines, and said, where ``None``.
    say : takes each inference in words.

    Raises
    ------
    DataError
        If the file is absent, empty or unreadable, has one column only or a column twice.
    """
    if not path.is_file():
        raise DataError(_("there is no file {path}").format(path=path))
    frame = (
        _read_parquet(path)
        if path.name.lower().endswith(PARQUET_FILES)
        else _read_text(path, delimiter, encoding, say)
    )
    check_frame(frame, str(path))
    return frame


def check_frame(frame: DataFrame, where: str) -> None:
    """Check that a frame has rows, and columns of different names, which become texts.

    Raises
    ------
    DataError
        If it has not.
    """
    frame.columns = frame.columns.map(str)
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise DataError(
            _("{where}: two columns are named {name!r}; each needs a name of its own").format(
                where=where, name=twice[0]
            )
        )
    if not len(frame):
        raise DataError(_("{where}: the table has no rows").format(where=where))


def _read_text(path: Path, delimiter: str | None, encoding: str, say: Say) -> DataFrame:
    import pandas

    lines = _first_lines(path, encoding)
    if delimiter is None:
        delimiter = likely_delimiter(lines) or ","
        shown = DELIMITERS.get(delimiter, delimiter)
        say(_("{path}: columns are separated by {shown}").format(path=path, shown=shown))
    names = next(csv.reader(lines[:1], delimiter=delimiter))
    _check_names(names, lines, delimiter, path)
    try:
        frame = pandas.read_csv(path, sep=delimiter, encoding=encoding, low_memory=False)
    except (pandas.errors.ParserError, ValueError, OSError) as error:
        raise _unreadable(path, error) from error
    if not isinstance(frame.index, pandas.RangeIndex):
        raise DataError(
            _("{path}: the rows have more values than the {count} names of the first line").format(
                path=path, count=len(names)
            )
        )
    frame.columns = frame.columns.str.strip()
    return frame


def _first_lines(path: Path, encoding: str) -> list[str]:
    import pandas

    try:
        with pandas.io.common.get_handle(path, "r", encoding=encoding, compression="infer") as file:
            lines = [line for line in islice(file.handle, _LINES_LOOKED_AT) if line.strip()]
    except UnicodeError as error:
        raise _undecodable(path, encoding, error) from error
    except LookupError as error:
        raise DataError(_("there is no encoding {name!r}").format(name=encoding)) from error
    except (OSError, EOFError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not lines:
        raise DataError(_("{path}: the file is empty").format(path=path))
    return lines


def _undecodable(path: Path, encoding: str, error: UnicodeError) -> DataError:
    with path.open("rb") as file:
        start = file.read(2)
    likely = "utf-16" if start in (b"\xff\xfe", b"\xfe\xff") else "latin-1"
    return DataError(
        _(
            "{path}: it cannot be read as {encoding} ({error}); name its encoding, such as {likely}"
        ).format(path=path, encoding=encoding, error=error, likely=likely)
    )


def _unreadable(path: Path, error: Exception) -> DataError:
    if isinstance(error, UnicodeError):
        return _undecodable(path, "utf-8", error)
    line = str(error).strip().splitlines()[0]
    return DataError(_("{path}: it cannot be read: {error}").format(path=path, error=line))


def likely_delimiter(lines: list[str]) -> str:
    """Return the sign that cuts all lines into the same number of columns, or an empty text."""
    counts = {}
    for sign in DELIMITERS:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=sign))
        width, agreeing = widths.most_common(1)[0]
        if width > 1 and agreeing >= 0.8 * len(lines):
            counts[sign] = (sign != " ", agreeing, width)
    return max(counts, key=counts.__getitem__) if counts else ""


def _check_names(names: list[str], lines: list[str], delimiter: str, path: Path) -> None:
    shown = DELIMITERS.get(delimiter, delimiter)
    if len(names) < 2:
        likely = likely_delimiter(lines)
        hint = (
            _("; the delimiter is probably {likely}").format(likely=DELIMITERS[likely])
            if likely and likely != delimiter
            else ""
        )
        raise DataError(
            _("{path}: only one column is found with the delimiter {shown}").format(
                path=path, shown=shown
            )
            + hint
        )
    stripped = [name.strip() for name in names]
    for name in stripped:
        if name and stripped.count(name) > 1:
            raise DataError(
                _("{where}: two columns are named {name!r}; each needs a name of its own").format(
                    where=path, name=name
                )
            )
    if all(_is_number(name) for name in stripped):
        raise DataError(
            _("{path}: the first line holds numbers; it must name the columns").format(path=path)
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_parquet(path: Path) -> DataFrame:
    import pandas

    try:
        return pandas.read_parquet(path)
    except ImportError as error:
        raise DataError(
            _("{path}: reading Parquet needs pyarrow: pip install 'descenso[tables]'").format(
                path=path
            )
        ) from error
    except Exception as error:  # pyarrow's own errors, of many kinds
        raise _unreadable(path, error) from error


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
    if not path.is_file():
        raise DataError(_("there is no file {path}").format(path=path))
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except Exception as error:  # zip, zlib and NumPy each have their own
        raise _unreadable(path, error) from error
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
    close = nearest(name, {k.lower(): k for k in known})
    original = next((k for k in known if k.lower() == close), "")
    hint = _(" Did you mean {name!r}?").format(name=original) if original else ""
    few = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
    text = _("{where}: there is no column {name!r}; there are {known}.")
    return DataError(text.format(where=where, name=name, known=few) + hint)
