"""Tell what each column of a table is: a number, a category, a date, or nothing to learn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.data._table_numbers import MOSTLY, read_numbers
from descenso.errors import DataError, UnknownNameError, nearest
from descenso.language import _

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Say = Callable[[str], None]
NUMBER, CATEGORY, DATE, DROP = "number", "category", "date", "drop"
KINDS = (NUMBER, CATEGORY, DATE, DROP)
#: Levels of a category that have an input of their own; the others share one.
MOST_LEVELS = 20
FEW = 20  # distinct values that may still be categories written as numbers
_SAMPLE = 1000
_DATES = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y%m%dT%H%M%S")
_TIMES = ("", " %H:%M", " %H:%M:%S")


@dataclass(frozen=True)
class Column:
    """A column that is learnt from.

    Attributes
    ----------
    kind : ``number`` (values are float64, NaN where missing) or ``category`` (texts, None where
        missing).
    """

    name: str
    kind: str
    values: Series

    @property
    def has_missing(self) -> bool:
        """Whether a value is missing anywhere."""
        return bool(self.values.isna().any())


def read_columns(frame: DataFrame, asked: Mapping[str, str], say: Say) -> list[Column]:
    """Return what to learn from, each column as what it is; every inference is said.

    Parameters
    ----------
    asked : column → ``number``, ``category``, ``date`` or ``drop``, which goes before inference.

    Raises
    ------
    DataError
        If no column is left, or a column is not what was asked for.
    UnknownNameError
        If there is no such kind.
    """
    for kind in asked.values():
        _check_kind(kind)
    columns = []
    for name in frame.columns:
        told = _Told(name, say)
        read = _READERS[asked[name]] if name in asked else _infer
        column = read(frame[name], told)
        if column is not None:
            columns.append(column)
    if not columns:
        raise DataError(_("no column is left to learn from"))
    _say_what_is_filled_in(columns, say)
    for kind, text in ((NUMBER, _("numbers: {names}")), (CATEGORY, _("categories: {names}"))):
        names = [c.name for c in columns if c.kind == kind]
        if names:
            say(text.format(names=_listed(names)))
    return columns


def _say_what_is_filled_in(columns: list[Column], say: Say) -> None:
    for column in columns:
        missing = int(column.values.isna().sum())
        if missing and column.kind == NUMBER:
            text = _("{name}: missing values become the median, and are marked: {count}")
            say(text.format(name=column.name, count=missing))
        elif missing:
            text = _("{name}: missing values become the most frequent, and are marked: {count}")
            say(text.format(name=column.name, count=missing))
        if column.kind == CATEGORY and column.values.nunique() > MOST_LEVELS:
            say(
                _(
                    "{name}: {n} different values; all but the {most} most frequent share one input"
                ).format(name=column.name, n=column.values.nunique(), most=MOST_LEVELS)
            )


@dataclass(frozen=True)
class _Told:
    """Says what is done with a column."""

    name: str
    say: Say

    def __call__(self, text: str, **values: Any) -> None:
        """Say ``text``, which names the column as {name}."""
        self.say(text.format(name=self.name, **values))

    def dropped(self, why: str) -> Column | None:
        """Say that the column is left out; there is none then."""
        self.say(_("{name}: left out: {why}").format(name=self.name, why=why))
        return None


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:40])
    return (
        shown
        if len(names) <= 40
        else _("{names} and {n} more").format(names=shown, n=len(names) - 40)
    )


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        close = nearest(kind, KINDS)
        hint = _(" Did you mean {name!r}?").format(name=close) if close else ""
        text = _("a column is one of {known}; got {kind!r}.")
        raise UnknownNameError(text.format(known=", ".join(KINDS), kind=kind) + hint)


# ---- what a column is told to be -------------------------------------------------------------


def _infer(values: Series, told: _Told) -> Column | None:
    from pandas.api import types

    present = values.dropna()
    if not len(present):
        return told.dropped(_("all values are missing"))
    if not _is_single(present):
        return told.dropped(_("its values are no single numbers or texts"))
    if present.nunique() == 1:
        return told.dropped(_("all values are {value}").format(value=present.iloc[0]))
    if types.is_datetime64_any_dtype(values):
        return _as_date(values, told)
    if types.is_timedelta64_dtype(values):
        return Column(told.name, NUMBER, values.dt.total_seconds())
    if types.is_numeric_dtype(values):
        if _counts_rows(values):
            return told.dropped(_("it counts the rows"))
        return _number(values, told)
    return _infer_text(values, present, told)


def _is_single(present: Series) -> bool:
    try:
        present.nunique()
    except TypeError:  # lists and mappings, as Parquet may hold
        return False
    return True


def _infer_text(values: Series, present: Series, told: _Told) -> Column | None:
    texts = present.astype(str).str.strip()
    distinct = texts.nunique()
    numbers, _commas = read_numbers(texts)
    share = float(numbers.notna().mean())
    if share == 1 or (share >= MOSTLY and distinct > FEW):
        return _as_number(values, told)
    if _date_format(texts):
        return _as_date(values, told)
    if distinct > max(FEW, MOSTLY * len(texts)):
        return told.dropped(_("nearly every value is different, as in a name or a key"))
    return _as_category(values, told)


def _counts_rows(values: Series) -> bool:
    """Whether a column is 0, 1, 2, ... or another run of whole numbers, hardly one left out."""
    array = values.to_numpy(np.float64, na_value=np.nan)
    steps = np.diff(array)
    rising = len(array) > FEW and bool((steps >= 1).all() and (steps == np.floor(steps)).all())
    return rising and bool(array[-1] - array[0] < 1.5 * len(array))


# ---- how a column of each kind is read -------------------------------------------------------


def _number(values: Series, told: _Told) -> Column:
    numbers = values.astype("float64")
    endless = np.isinf(numbers)
    if endless.any():
        told(_("{name}: infinite values count as missing: {count}"), count=int(endless.sum()))
        numbers = numbers.mask(endless)
    return Column(told.name, NUMBER, numbers)


def _as_number(values: Series, told: _Told) -> Column:
    from pandas.api import types

    if types.is_numeric_dtype(values):
        return _number(values, told)
    texts = values.astype(str).str.strip().where(values.notna())
    numbers, commas = read_numbers(texts)
    lost = texts[numbers.isna() & texts.notna()]
    if len(lost) == texts.notna().sum():
        raise DataError(
            _("{name}: it holds no numbers; its first value is {value!r}").format(
                name=told.name, value=lost.iloc[0]
            )
        )
    if commas:
        told(_(commas))
    if len(lost):
        told(
            _("{name}: mixed; what is no number counts as missing: {count}, the first {value!r}"),
            count=len(lost), value=lost.iloc[0],
        )  # fmt: skip
    return _number(numbers, told)


def _as_category(values: Series, told: _Told) -> Column:
    # str of a missing value would be a level of its own.
    texts = values.astype(str).str.strip().astype(object).where(values.notna(), None)
    return Column(told.name, CATEGORY, texts)


def _as_date(values: Series, told: _Told) -> Column:
    """Return the time in days, counted from 1970."""
    import pandas
    from pandas.api import types

    if types.is_datetime64_any_dtype(values):
        dates = values
    else:
        texts = values.astype(str).str.strip().where(values.notna())
        form = _date_format(texts.dropna())
        if not form:
            raise DataError(
                _("{name}: these are no dates that are understood; the first is {value!r}").format(
                    name=told.name, value=texts.dropna().iloc[0]
                )
            )
        dates = pandas.to_datetime(texts, format=form, errors="coerce", utc=True)
    dates = dates.dt.tz_localize(None) if dates.dt.tz is not None else dates
    told(_("{name}: dates, taken as a number of days"))
    days = (dates - pandas.Timestamp(0)) / pandas.Timedelta(days=1)
    return Column(told.name, NUMBER, days.astype("float64"))


def _date_format(texts: Series) -> str:
    """Return the form of dates that nearly all texts have, or an empty text."""
    import pandas

    sample = texts.iloc[:: max(1, len(texts) // _SAMPLE)]
    if sample.str.contains(r"\d.*[-/.T].*\d", regex=True).mean() < MOSTLY:
        return ""
    for form in ("ISO8601", *(date + time for date in _DATES for time in _TIMES)):
        read = pandas.to_datetime(sample, format=form, errors="coerce", utc=True)
        if read.notna().mean() >= MOSTLY:
            return form
    return ""


def _leave_out(values: Series, told: _Told) -> Column | None:
    return told.dropped(_("as asked"))


_READERS: dict[str, Callable[[Any, _Told], Column | None]] = {
    NUMBER: _as_number,
    CATEGORY: _as_category,
    DATE: _as_date,
    DROP: _leave_out,
}
