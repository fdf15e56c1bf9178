"""Read a table from a text as people export it: CSV and its kin.

A spreadsheet's ``sep=;``, titles before the header, trailing delimiters, headers that come again
where files were joined, blank rows and a last row of totals are recognised, and reported.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from descenso.data._table_keys import are_codes
from descenso.data._table_numbers import read_numbers
from descenso.data.file_kinds import open_bytes, wide_encoding
from descenso.data.missing import missing_places
from descenso.errors import DataError, DescensoError, first_line
from descenso.language import _

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Say = Callable[[str], None]
MOSTLY = 0.9
DELIMITERS = {",": ",", ";": ";", "\t": "\\t", "|": "|", " ": "' '"}
_SELDOM = "^~\x01\x1f\xa6\xa7:"  # taken only where they cut every record alike
_SAMPLE = 2**18  # characters from which the layout is read
_CHUNK = 2**20
_FOOTERS = 5  # rows at the end that may hold no data
# A cell of a line drawn between rows, as databases and Markdown draw it.
_RULE = re.compile(r"[-=+:|_]{2,}")
_QUOTED_ALONE = re.compile(r"\s*'[^']*'(?:\s*[,;\t|]\s*'[^']*')+\s*")
_BACKSLASHED = re.compile(r'(?<!\\)\\"')
_TOTALS = frozenset((
    "total", "totals", "totales", "totale", "totaal", "grand total", "gran total",
    "total general", "total nacional", "total général", "sum", "suma", "summe", "somme",
    "gesamt", "insgesamt", "gesamtsumme", "ensemble",
))  # fmt: skip
# These are names of groups too, so that the figures must agree.
_MEANS = frozenset((
    "average", "avg", "mean", "promedio", "media", "mittelwert", "durchschnitt", "moyenne",
))  # fmt: skip
_SEPARATOR_LINE = re.compile(r'\s*"?sep=(.|\\t)"?[;,]*\s*', re.IGNORECASE)

# Encodings that are told apart from Windows-1252 by their letters.
_FOREIGN = ("shift_jis", "euc_jp", "euc_kr", "gb18030", "big5", "cp1251", "koi8_r", "cp1253")

Record = Sequence[str]
ReadAgain = Callable[["DataFrame"], "DataFrame"]


@dataclass(frozen=True)
class _Layout:
    """How a text is laid out.

    Attributes
    ----------
    skipped : records before the header, which is the record after them.
    extra : whether rows have one cell more than the header, an empty one at the end.
    codes : the columns whose numbers begin with zeros, in the sample.
    """

    delimiter: str
    skipped: int
    names: tuple[str, ...]
    extra: bool
    codes: tuple[str, ...] = ()


def read_text_table(path: Path, delimiter: str | None, encoding: str | None, say: Say) -> DataFrame:
    """Return the table that a text file holds, its columns named by the header.

    Parameters
    ----------
    path : a text file, plain or compressed.
    delimiter : what separates columns; inferred, and reported, where ``None``.
    encoding : inferred where ``None``: UTF-8, UTF-16 or UTF-32 by their marks, else Windows-1252.
    say : takes each inference in words.

    Raises
    ------
    DataError
        If the file is empty, cannot be decoded or decompressed, has no header or one column only,
        or has a row of more cells than the header.
    """
    frame, layout = _read(path, delimiter, encoding, say, as_text=False)
    if delimiter is None:
        shown = DELIMITERS.get(layout.delimiter, layout.delimiter)
        say(_("{path}: columns are separated by {shown}").format(path=path, shown=shown))
    return tidy(frame, str(path), say, points=layout.delimiter != ",")


def read_as_written(path: Path, say: Say) -> tuple[DataFrame, str]:
    """Return the table of a text file and its delimiter, both inferred; each cell is a text.

    An empty cell is an empty text, and so are those that a row lacks.

    Raises
    ------
    DataError
        As :func:`read_text_table`.
    """
    frame, layout = _read(path, None, None, say, as_text=True)
    return tidy(frame.astype(object), str(path), say, as_text=True), layout.delimiter


def _read(
    path: Path, delimiter: str | None, encoding: str | None, say: Say, *, as_text: bool
) -> tuple[DataFrame, _Layout]:
    shown = encoding
    try:
        encoding = encoding or _encoding(path, say)
        with _open_text(path, encoding) as file:
            sample = file.read(_SAMPLE)
        text = _Text(path, encoding, _requoting(sample, delimiter, path, say))
        layout = _layout(text.requote(sample), delimiter, path, say)
        return _parse(text, layout, as_text), layout
    except UnicodeError as error:
        raise DataError(
            _("{path}: it cannot be read as {encoding} ({error}); name its encoding").format(
                path=path, encoding=shown, error=error
            )
        ) from error
    except LookupError as error:
        raise DataError(_("there is no encoding {name!r}").format(name=shown)) from error
    except DescensoError:
        raise
    except Exception as error:  # each compression has errors of its own
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> DataError:
    """Return the error that says why a file cannot be read, in a line."""
    return DataError(
        _("{path}: it cannot be read: {error}").format(path=path, error=first_line(error))
    )


# ---- encoding ---------------------------------------------------------------------------------


def _encoding(path: Path, say: Say) -> str:
    """Return the encoding in which the whole file can be read."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open_bytes(path) as file:
        chunk = file.read(_CHUNK)
        wide = wide_encoding(chunk[:4096])
        if wide:
            say(_("{path}: read as {encoding}").format(path=path, encoding=wide.upper()))
            return wide
        sample, place, undefined = b"", 0, False
        utf8 = True
        while chunk:
            if utf8:
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError as error:
                    utf8, sample = False, chunk
                    place += max(0, error.start)
                else:
                    place += len(chunk)
            undefined = undefined or any(byte in chunk for byte in b"\x81\x8d\x8f\x90\x9d")
            chunk = file.read(_CHUNK)
    if utf8:
        return "utf-8-sig"
    encoding = "latin-1" if undefined else "cp1252"
    shown = "Latin-1" if undefined else "Windows-1252"
    say(
        _(
            "{path}: read as {encoding}, for it is no UTF-8 (byte {place}); --encoding names another"
        ).format(path=path, encoding=shown, place=place)
    )
    foreign = _foreign_encoding(sample)
    if foreign:
        say(_("{path}: it is probably {encoding}: give --encoding {encoding}").format(
            path=path, encoding=foreign
        ))  # fmt: skip
    return encoding


def _foreign_encoding(sample: bytes) -> str:
    """Return the encoding of Asia, of Cyrillic or Greek that a sample is probably in, or none."""
    from charset_normalizer import from_bytes

    lines = [line for line in sample.splitlines() if not line.isascii()]
    best = from_bytes(b"\n".join(lines)[:_SAMPLE], cp_isolation=["cp1252", *_FOREIGN]).best()
    return best.encoding if best and best.encoding in _FOREIGN else ""


def _open_text(path: Path, encoding: str) -> IO[str]:
    codecs.lookup(encoding)
    return io.TextIOWrapper(open_bytes(path), encoding=encoding, newline="")


# ---- quoting ----------------------------------------------------------------------------------

Requote = Callable[[str], str]


@dataclass(frozen=True)
class _Text:
    """A text file whose cells are quoted by double quotes, which stand doubled within them."""

    path: Path
    encoding: str
    requote: Requote

    def open(self) -> IO[str]:
        file = _open_text(self.path, self.encoding)
        if self.requote is str:
            return file
        with file:
            return io.StringIO(self.requote(file.read()), newline="")


def _requoting(sample: str, delimiter: str | None, path: Path, say: Say) -> Requote:
    """Return what makes the quoting usual; ``str`` where it is so already."""
    first = next((line for line in sample.splitlines() if line.strip()), "")
    if _QUOTED_ALONE.fullmatch(first):
        say(_("{path}: cells are quoted by '").format(path=path))
        return partial(_without_single_quotes, delimiter or likely_delimiter(first) or ",")
    lines = sample.splitlines()[1:-1]
    wrapped = sum(len(line) > 2 and line[0] == line[-1] == '"' for line in lines)
    if len(lines) > 2 and wrapped >= MOSTLY * len(lines) and not likely_delimiter(sample):
        if delimiter or likely_delimiter(_unwrapped(sample)):
            say(_("{path}: each line is quoted as a whole; it is read without these quotes").format(
                path=path
            ))  # fmt: skip
            return _unwrapped
    elif _BACKSLASHED.search(sample):
        doubled = _doubled_quotes(sample)
        if _even(doubled, delimiter) > _even(sample, delimiter):
            say(_('{path}: \\" in a cell is taken for a quote').format(path=path))
            return _doubled_quotes
    return str


def _without_single_quotes(delimiter: str, text: str) -> str:
    requoted = io.StringIO(newline="")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar="'")
    csv.writer(requoted, delimiter=delimiter).writerows(reader)
    return requoted.getvalue()


def _unwrapped(text: str) -> str:
    wrapped = csv.reader(text.splitlines(), delimiter="\0")
    return "".join(f"{record[0] if record else ''}\n" for record in wrapped)


def _doubled_quotes(text: str) -> str:
    return _BACKSLASHED.sub('""', text)


def _even(sample: str, delimiter: str | None) -> int:
    """Return how many records have as many cells as the first."""
    records = _records(sample, delimiter or likely_delimiter(sample) or ",", True)
    return sum(len(record) == len(records[0]) for record in records)


# ---- layout -----------------------------------------------------------------------------------


def _layout(sample: str, delimiter: str | None, path: Path, say: Say) -> _Layout:
    whole = len(sample) < _SAMPLE
    if not sample.strip():
        raise DataError(_("{path}: the file is empty").format(path=path))
    stated = _SEPARATOR_LINE.fullmatch(sample[:80].splitlines()[0])
    if delimiter is None:
        delimiter = stated[1].replace("\\t", "\t") if stated else likely_delimiter(sample, whole)
        delimiter = delimiter or ","
    records = _records(sample, delimiter, whole)
    first = 1 if stated else 0
    header = first + header_index(records[first:])
    body = [record for record in records[header + 1 :] if any(map(str.strip, record))]
    named = [_name(cell, place) for place, cell in enumerate(records[header])]
    names = tuple(different_names(named, str(path), say))
    width, extra = _width(body, len(names)), False
    if width == len(names) + 1:
        if not any(record[-1].strip() for record in body if len(record) == width):
            extra = True
        elif len({r[0] for r in body}) == len(body) and {len(r) for r in body} == {width}:
            # as R writes row names
            names = ("Unnamed: 0", *names)
            say(_("{path}: the first column has no name in the header").format(path=path))
    _check_header(names, records[header], body, sample, delimiter, path)
    if header > first:
        say(
            _("{path}: skipped before the header: {count} (the first is {text!r})").format(
                path=path, count=header - first, text=delimiter.join(records[first])[:60]
            )
        )
    codes = [
        name
        for place, name in enumerate(names)
        if are_codes([r[place].strip() for r in body if len(r) > place and r[place].strip()])
    ]
    return _Layout(delimiter, header, names, extra, tuple(codes))


def _name(cell: str, place: int) -> str:
    return " ".join(cell.split()) or f"Unnamed: {place}"


def _width(body: list[Record], names: int) -> int:
    """Return how many cells rows have; one more than the header only where no row has none."""
    widths = Counter(map(len, body))
    if not widths:
        return names
    more = [record for record in body if len(record) == names + 1]
    if more and not any(record[-1].strip() for record in more):
        return names + 1
    return widths.most_common(1)[0][0]


def _records(sample: str, delimiter: str, whole: bool) -> list[Record]:
    """Return the records of the sample, a blank line as one without cells."""
    if delimiter == " ":
        sample = sample.replace("\t", " ")
    reader = csv.reader(
        io.StringIO(sample, newline=""), delimiter=delimiter, skipinitialspace=delimiter == " "
    )
    records: list[Record] = []
    try:
        records.extend(reader)
    except csv.Error:  # a cell beyond the limit of csv, as an open quote makes
        whole = True
    return records if whole or len(records) < 2 else records[:-1]


def likely_delimiter(sample: str, whole: bool = True) -> str:
    """Return the sign that cuts nearly all records into one number of cells, or an empty text."""
    scores = {}
    for sign in DELIMITERS:
        records = [r for r in _records(sample, sign, whole) if any(map(str.strip, r))]
        widths = Counter(map(len, records))
        if not widths:
            continue
        width, agreeing = max(widths.items(), key=lambda item: (item[0] > 1, item[1]))
        start = next(i for i, record in enumerate(records) if len(record) == width)
        near = sum(n for w, n in widths.items() if w > 1 and abs(w - width) <= 1)
        if width > 1 and near >= 0.8 * (len(records) - start):
            # Spaces are in texts too; they cut those into any number of cells.
            even = len(records) > 2 and agreeing == len(records)
            space = sign == " "
            scores[sign] = (
                not space or (even and width > 2), even, not space, near / len(records), agreeing, width
            )  # fmt: skip
    return max(scores, key=scores.__getitem__) if scores else _seldom_delimiter(sample, whole)


def _seldom_delimiter(sample: str, whole: bool) -> str:
    for sign in _SELDOM:
        widths = {len(r) for r in _records(sample, sign, whole) if any(map(str.strip, r))}
        if len(widths) == 1 and widths.pop() > 1:
            return sign
    return ""


def header_index(records: Sequence[Record]) -> int:
    """Return which record is the header: titles, remarks and blank lines may come before it."""
    filled = [sum(bool(cell.strip()) for cell in record) for record in records]
    body = [count for count in filled if count]
    if not body:
        return 0
    usual = Counter(body[len(body) // 5 :] or body).most_common(1)[0][0]
    behind = _behind_fields(records, filled, usual)
    if behind:
        return behind
    for place, (record, count) in enumerate(zip(records, filled, strict=True)):
        if count < max(2, 0.6 * usual):
            continue
        remark = count < usual or record[0].lstrip().startswith(("#", "%"))
        if not remark or not _names_columns(records[place + 1 : place + 2], usual):
            return place
    return next(place for place, count in enumerate(filled) if count)


def _behind_fields(records: Sequence[Record], filled: Sequence[int], usual: int) -> int:
    """Return the first full record if it names columns behind lines such as ``Station:,Madrid``.

    0 where it does not, or where nothing but one record with an empty cell is before it.
    """
    place = next((i for i, count in enumerate(filled) if count >= usual), 0)
    before = [record for record, count in zip(records[:place], filled, strict=False) if count > 1]
    if not before or (len(before) == 1 and len(before[0]) >= usual):
        return 0
    if any(_is_number(record[0]) for record in before):
        return 0
    below = [r for r, count in zip(records[place + 1 :], filled[place + 1 :], strict=True) if count]
    numbers = any(map(_is_number, below[0])) if below else False
    return place if numbers and _names_columns(records[place : place + 1], usual) else 0


def _names_columns(records: Sequence[Record], usual: int) -> bool:
    """Whether a record could be the header: as many cells as usual, and no number."""
    return any(len(record) >= usual and not any(map(_is_number, record)) for record in records)


def _check_header(
    names: tuple[str, ...], header: Record, body: list[Record], sample: str, delimiter: str,
    path: Path,
) -> None:  # fmt: skip
    if len(names) < 2:
        shown = DELIMITERS.get(delimiter, delimiter)
        likely = likely_delimiter(sample)
        hint = (
            _("; the delimiter is probably {likely}").format(likely=DELIMITERS.get(likely, likely))
            if likely and likely != delimiter
            else ""
        )
        raise DataError(
            _("{path}: only one column is found with the delimiter {shown}").format(
                path=path, shown=shown
            )
            + hint
        )
    if _holds_data(header, body):
        raise DataError(
            _(
                "{path}: the first line holds data ({text!r}); it must name the columns: "
                "add a line of {count} names"
            ).format(path=path, text=delimiter.join(header)[:60], count=len(header))
        )


def different_names(names: Sequence[str], where: str, say: Say) -> list[str]:
    """Return names of columns, numbered as pandas does where two are alike: ``a``, ``a.1``."""
    made: list[str] = []
    taken, seen = set(names), Counter[str]()
    for name in names:
        given = name
        while seen[name] and given in taken:
            given = f"{name}.{seen[name]}"
            seen[name] += 1
        seen[name] += not seen[name]
        taken.add(given)
        made.append(given)
    numbered = [new for new, name in zip(made, names, strict=True) if new != name]
    if numbered:
        say(
            _("{where}: columns of one name are numbered: {names}").format(
                where=where, names=", ".join(numbered[:10]) + (", …" if len(numbered) > 10 else "")
            )
        )
    return made


def _holds_data(header: Record, body: list[Record]) -> bool:
    """Whether the header is a row of data: a number wherever the rows below have numbers.

    Numbers that grow by one step, as years or weeks, may name columns.
    """
    numbers = [cell for cell in header if _is_number(cell)]
    if not numbers or _grows_evenly(numbers):
        return False
    few = [record for record in body[:50] if len(record) == len(header)]
    numeric = [
        place
        for place in range(len(header))
        if few and sum(_is_number(record[place]) for record in few) > 0.8 * len(few)
    ]
    return len(numbers) == len(header) or (
        bool(numeric) and all(_is_number(header[place]) for place in numeric)
    )


def _grows_evenly(numbers: list[str]) -> bool:
    values = [float(number) for number in numbers]
    steps = {b - a for a, b in pairwise(values)}
    return len(values) > 2 and len(steps) == 1 and steps.pop() > 0


def _is_number(text: str) -> bool:
    try:
        float(text.strip().replace(",", "."))
    except ValueError:
        return False
    return True


# ---- cells ------------------------------------------------------------------------------------


def _parse(text: _Text, layout: _Layout, as_text: bool) -> DataFrame:
    import pandas

    path = text.path
    names = list(layout.names) + (["Unnamed: end"] if layout.extra else [])
    how: dict[str, Any] = {"dtype": dict.fromkeys(layout.codes, str)}
    if as_text:
        how = {"dtype": str, "keep_default_na": False}
    with text.open() as file:
        lines = _skip(file, layout)
        try:
            frame = _read_csv(file, layout, names, low_memory=False, **how)
        except pandas.errors.EmptyDataError:
            return pandas.DataFrame(columns=names)
        except pandas.errors.ParserError as error:
            row, cells = _too_wide(error)
            opened = re.search(r"EOF inside string starting at row (\d+)", str(error))
            if opened:
                raise DataError(
                    _(
                        "{path}: a quote that opens in row {row} does not close; the file is cut "
                        "off, or a quote in a cell is not doubled"
                    ).format(path=path, row=lines + int(opened[1]) + 1)
                ) from error
            if not row:
                raise unreadable(path, error) from error
            if cells == len(names) + 1 and not layout.extra:  # a trailing delimiter further down
                frame = _parse(text, replace(layout, extra=True), as_text)
                if not frame["Unnamed: end"].replace("", None).notna().any():
                    return frame
            raise DataError(
                _(
                    "{path}: row {row} has {cells} cells, and the header names {names}; quote "
                    "cells that hold the delimiter"
                ).format(path=path, row=lines + row, cells=cells, names=len(layout.names))
            ) from error
    if isinstance(frame.index, pandas.RangeIndex):
        if layout.delimiter != "," and not as_text:
            _keep_points(frame, text, layout, names)
    else:
        raise DataError(
            _(
                "{path}: the rows have more cells than the {count} names of the header; name every "
                "column, and quote cells that hold the delimiter"
            ).format(path=path, count=len(layout.names))
        )
    return frame


def _read_csv(file: IO[str], layout: _Layout, names: list[str], **how: Any) -> DataFrame:
    import pandas

    separator = r"\s+" if layout.delimiter == " " else layout.delimiter
    return pandas.read_csv(file, sep=separator, names=names, header=None, **how)


def _keep_points(frame: DataFrame, text: _Text, layout: _Layout, names: list[str]) -> None:
    """Leave numbers as text whose points may separate thousands, as in 1.234: three digits each."""
    doubtful = [name for name in frame.columns if _may_be_thousands(frame[name])]
    if not doubtful:
        return
    with text.open() as file:
        _skip(file, layout)
        texts = _read_csv(file, layout, names, usecols=doubtful, dtype=str)
    for name in doubtful:
        frame[name] = texts[name]


def _may_be_thousands(values: Series) -> bool:
    """Whether every number is whole in thousandths and some are not whole."""
    import numpy as np

    if values.dtype != np.float64:
        return False
    known = values[np.isfinite(values)]
    fractions = known[known != np.floor(known)]
    thousandths = fractions * 1000
    return (
        len(fractions) > 0
        and bool((fractions.abs() < 1000).all())
        and bool((fractions.abs() >= 1).all())
        and bool((thousandths.round() / 1000 == fractions).all())
    )


def _skip(file: IO[str], layout: _Layout) -> int:
    """Read up to the end of the header, and return how many lines that were."""
    reader = csv.reader(
        iter(file.readline, ""),
        delimiter=layout.delimiter,
        skipinitialspace=layout.delimiter == " ",
    )
    for _record in range(layout.skipped + 1):
        next(reader)
    return reader.line_num


def _too_wide(error: Exception) -> tuple[int, int]:
    """Return the row after the header that has too many cells, and how many; zeros if none."""
    found = re.search(r"Expected \d+ fields in line (\d+), saw (\d+)", str(error))
    return (int(found[1]), int(found[2])) if found else (0, 0)


def tidy(
    frame: DataFrame, where: str, say: Say, *, as_text: bool = False, points: bool = False
) -> DataFrame:
    """Return the table without what exports add to it: each removal is reported.

    Columns without name and cells, rows without cells, lines drawn between rows, a row of units
    below the header, headers that come again, rows at the end of which only the first cell is
    filled, and sums of all rows.
    """
    read_again: ReadAgain = _as_it_is if as_text else partial(_read_types_again, points=points)
    frame = _without_rules(frame, where, say, read_again)
    missing = frame == "" if as_text else frame.isna()
    empty = [
        name
        for name, none in zip(frame.columns, missing.all(axis=0), strict=True)
        if none and str(name).startswith("Unnamed: ")
    ]
    if empty and len(frame):
        frame, missing = frame.drop(columns=empty), missing.drop(columns=empty)
        say(
            _("{where}: columns without a name and without cells are left out: {count}").format(
                where=where, count=len(empty)
            )
        )
    blank = missing.all(axis=1)
    again = _repeats_header(frame)
    footer = _footer(missing)
    totals = _totals(frame, footer)
    for rows, text in (
        (blank, _("{where}: rows without cells are left out: {count}")),
        (again, _("{where}: the header comes again in rows, which are left out: {count}")),
        (footer, _("{where}: the last rows hold one cell and are left out: {count}")),
        (totals, _("{where}: rows that sum up the others are left out: {count}")),
    ):
        if rows.any():
            say(text.format(where=where, count=int(rows.sum())))
    keep = ~(blank | again | footer | totals)
    if not keep.all():
        frame = frame[keep].reset_index(drop=True)
    units = _names_units(frame)
    if units:
        cells = ", ".join(str(cell) for cell in frame.iloc[0].dropna())[:60]
        say(
            _("{where}: the row below the header holds no values and is left out: {cells}").format(
                where=where, cells=cells
            )
        )
        frame = frame.iloc[1:].reset_index(drop=True)
    return frame if keep.all() and not units else read_again(frame)


def _without_rules(frame: DataFrame, where: str, say: Say, read_again: ReadAgain) -> DataFrame:
    """Leave out rows of ``---`` and ``+---+``."""
    import pandas

    rules = pandas.Series(False, frame.index)
    for name in frame.columns[:2]:
        if frame[name].dtype == object or pandas.api.types.is_string_dtype(frame[name]):
            starts = (
                frame[name].astype(str).str.strip().str.startswith(("--", "==", "+-", ":-", "+="))
            )
            for place in frame.index[starts]:
                cells = [str(cell).strip() for cell in frame.loc[place].dropna()]
                rules[place] = all(_RULE.fullmatch(cell) for cell in cells if cell)
    if not rules.any():
        return frame
    say(
        _("{where}: lines drawn between rows are left out: {count}").format(
            where=where, count=int(rules.sum())
        )
    )
    return read_again(frame[~rules].reset_index(drop=True))


def _totals(frame: DataFrame, footer: Series) -> Series:
    """Return which rows are named as sums: of a group of rows, or, first or last, of all others."""
    import pandas

    rows = pandas.Series(False, frame.index)
    if frame.shape[1] < 3 or len(frame) <= 2 * _FOOTERS:
        return rows
    for name in frame.columns[:2]:
        if pandas.api.types.is_numeric_dtype(frame[name]):
            continue
        partial_sums = frame[name].astype(str).str.strip(" .:*").str.fullmatch(_SUBTOTAL)
        if partial_sums.any() and partial_sums.mean() < _MOST_SUBTOTALS:
            rows |= partial_sums
        ends = frame[name].iloc[[0, *range(len(frame) - _FOOTERS, len(frame))]].dropna()
        named = ends.index[[_sums_up(frame, place, cell) for place, cell in ends.items()]]
        named = [place for place in named if not footer[place] and not rows[place]]
        # A group may be named so: then it comes again, or its rows are among others.
        if named and int(frame[name].isin(list(ends[named])).sum()) == len(named):
            rows[named] = True
    return rows


#: Names of a sum of some rows, which stands below each group of them; no group is named so.
_SUBTOTAL = re.compile(
    r"(?i)(?:sub[- ]?total(?:es|s)?|zwischensumme|sous-total|total parcial)(?:\b.*)?"
)
_MOST_SUBTOTALS = 1 / 3  # of the rows: what is more is data


def _sums_up(frame: DataFrame, place: Any, cell: object) -> bool:
    named = str(cell).strip(" .:*").casefold()
    return named in _TOTALS or (named in _MEANS and _holds_means(frame, place))


def _holds_means(frame: DataFrame, place: Any) -> bool:
    """Whether a number in a row is the mean of those in the others, but for rounding."""
    for name in frame.columns:
        values = read_numbers(frame[name].astype(str)).values
        cell, mean = float(values[place]), float(values.drop(place).mean())
        if abs(cell - mean) <= 1e-3 * abs(mean):  # False where one is NaN
            return True
    return False


def _names_units(frame: DataFrame) -> bool:
    """Whether the first row holds a text wherever the rows below hold numbers, twice at least."""
    import pandas

    if len(frame) < 5:
        return False
    first, below = frame.iloc[0], frame.iloc[1:50]
    texts = 0
    for name in frame.columns:
        if pandas.api.types.is_numeric_dtype(frame[name]):
            if not pandas.isna(first[name]):
                return False
            continue
        cells = below[name].dropna().astype(str)
        if not len(cells) or not all(map(_is_number, cells)):
            continue
        if pandas.isna(first[name]):
            continue
        cell = str(first[name]).strip()
        if _is_number(cell) or missing_places([cell], among_numbers=True):
            return False
        texts += 1
    return texts >= 2


def _repeats_header(frame: DataFrame) -> Series:
    import pandas

    rows = pandas.Series(False, frame.index)
    texts = [name for name in frame.columns if not pandas.api.types.is_numeric_dtype(frame[name])]
    if len(texts) < len(frame.columns):  # a header among the rows leaves no column of numbers
        return rows
    candidates = frame.index[frame.iloc[:, 0] == str(frame.columns[0])]
    for place in candidates:
        cells = [" ".join(str(cell).split()) for cell in frame.loc[place]]
        rows[place] = cells == [str(name) for name in frame.columns]
    return rows


def _footer(missing: DataFrame) -> Series:
    import pandas

    rows = pandas.Series(False, missing.index)
    if missing.shape[1] < 3 or len(missing) <= 2 * _FOOTERS:
        return rows
    only_first = ~missing.iloc[:, 0] & missing.iloc[:, 1:].all(axis=1)
    if only_first.iloc[:-_FOOTERS].any():  # rows of this kind are data here
        return rows
    rows.iloc[-_FOOTERS:] = only_first.iloc[-_FOOTERS:]
    return rows


def _as_it_is(frame: DataFrame) -> DataFrame:
    return frame


def _read_types_again(frame: DataFrame, *, points: bool) -> DataFrame:
    """Return the columns as numbers that are all numbers now that rows have left.

    Parameters
    ----------
    points : leave those as text whose points may separate thousands.
    """
    import pandas

    for name in frame.columns:
        if not pandas.api.types.is_numeric_dtype(frame[name]) and frame[name].notna().any():
            if are_codes([text for text in frame[name].dropna() if isinstance(text, str)]):
                continue
            try:
                numbers = pandas.to_numeric(frame[name])
            except (TypeError, ValueError):
                continue
            if not (points and _may_be_thousands(numbers)):
                frame[name] = numbers
    return frame
