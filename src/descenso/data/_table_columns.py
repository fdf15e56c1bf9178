"""Infer what each column of a table is: a number, a category, a date, or nothing to learn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.data._table_dates import DATES, Dates, read_compact, read_dates
from descenso.data._table_keys import CODES, FEW, HASHES, are_codes, are_hashes, what_names_rows
from descenso.data._table_numbers import MOSTLY, Note, Numbers, read_numbers
from descenso.data._table_spelling import SPELLINGS, one_spelling
from descenso.data._table_times import read_times
from descenso.data.figures import COMMA, POINT
from descenso.data.missing import missing_places, stand_ins
from descenso.errors import DataError, UnknownNameError
from descenso.language import N_, _, did_you_mean

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Say = Callable[[str], None]
NUMBER, CATEGORY, DATE, DROP = "number", "category", "date", "drop"
#: number → its decimal sign, and date → its order, where the kind says it.
DECIMALS = {"number-point": POINT, "number-comma": COMMA}
DATE_ORDERS = {"date-dmy": "dmy", "date-mdy": "mdy", "date-ymd": "ymd"}
KINDS = (NUMBER, CATEGORY, DATE, DROP, *DECIMALS, *DATE_ORDERS)
#: Levels of a category that have an input of their own; the others share one.
MOST_LEVELS = 20
#: Columns that the same thing is said of one by one; of more it is said once.
_MOST_LINES = 12
_MOST_UNITS = 6  # more different words beside digits are no units
_SAMPLE = 200
STAND_IN = N_(
    "{name}: {value} lies far from all other values: {count}; if it stands for a missing one, empty "
    "these cells"
)
_YES_AND_NO = {
    frozenset(pair): pair[1]
    for pair in (
        ("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("no", "sí"), ("no", "si"),
        ("n", "s"), ("falso", "verdadero"), ("f", "v"), ("nein", "ja"), ("n", "j"), ("falsch", "wahr"),
        ("non", "oui"), ("n", "o"), ("faux", "vrai"), ("não", "sim"), ("nao", "sim"), ("no", "sì"),
        ("off", "on"), ("0", "1"),
    )
}  # fmt: skip


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
    asked : column → ``number``, ``category``, ``date`` or ``drop``, which goes before inference;
        ``number-point`` and ``number-comma`` say the decimal sign, ``date-dmy``, ``date-mdy`` and
        ``date-ymd`` in which order day, month and year stand.

    Raises
    ------
    DataError
        If no column is left, or a column is not what was asked for.
    UnknownNameError
        If there is no such kind.
    """
    for kind in asked.values():
        check_kind(kind)
    table = _Table(frame, asked)
    lines = Lines()
    columns = []
    for name in frame.columns:
        column = _Reader(name, frame[name], asked.get(name, ""), table, lines).read()
        if column is not None:
            columns.append(column)
    _say_what_is_filled_in(columns, lines)
    lines.say(say)
    if not columns:
        raise DataError(
            _("no column is left to learn from; --column NAME=number or NAME=category keeps one")
        )
    for kind, text in ((NUMBER, _("numbers: {names}")), (CATEGORY, _("categories: {names}"))):
        names = [c.name for c in columns if c.kind == kind]
        if names:
            say(text.format(names=_listed(names)))
    return columns


def check_kind(kind: str) -> None:
    """Raise an :class:`UnknownNameError` if a column cannot be of this kind."""
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS)
        text = _("a column is one of {known}; got {kind!r}.")
        raise UnknownNameError(text.format(known=", ".join(KINDS), kind=kind) + hint)


class Lines:
    """What is to be said of columns, in their order; one thing of many columns is said once."""

    def __init__(self) -> None:
        self.texts: dict[tuple[str, str], list[tuple[str, dict[str, Any]]]] = {}

    def add(self, text: str, name: str, **values: Any) -> None:
        """Add a text that names the column as {name}."""
        uses = self.texts.setdefault((text, values.get("why", "")), [])
        uses.append((name or "''", values))

    def say(self, say: Say) -> None:
        """Say all, in the order in which each thing was first said."""
        for (text, _why), uses in self.texts.items():
            if len(uses) <= _MOST_LINES:
                for name, values in uses:
                    say(_(text).format(name=name, **values))
                continue
            first, values = uses[0]
            say(_(text).format(name=first, **values))
            names = _listed([name for name, _values in uses[1:]])
            say(_("the same of {n} more: {names}").format(n=len(uses) - 1, names=names))


def _say_what_is_filled_in(columns: list[Column], lines: Lines) -> None:
    for column in columns:
        missing = int(column.values.isna().sum())
        if missing and column.kind == NUMBER:
            text = N_("{name}: missing values become the median, and are marked: {count}")
            lines.add(text, column.name, count=missing)
        elif missing:
            text = N_("{name}: missing values become the most frequent, and are marked: {count}")
            lines.add(text, column.name, count=missing)
        if column.kind == CATEGORY and (distinct := column.values.nunique()) > MOST_LEVELS:
            text = N_(
                "{name}: {n} different values; all but the {most} most frequent share one input"
            )
            lines.add(text, column.name, n=distinct, most=MOST_LEVELS)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:40])
    if len(names) <= 40:
        return shown
    return _("{names} and {n} more").format(names=shown, n=len(names) - 40)


@dataclass(frozen=True)
class _Table:
    """The whole table, which tells what one column leaves open."""

    frame: DataFrame
    asked: Mapping[str, str]

    @cached_property
    def _texts(self) -> list[Series]:
        from pandas.api import types

        columns = [self.frame[name] for name in self.frame.columns]
        texts = [c for c in columns if not types.is_numeric_dtype(c) and types.is_string_dtype(c)]
        return [c.dropna().iloc[:: max(1, len(c) // _SAMPLE)] for c in texts]

    @cached_property
    def date_orders(self) -> tuple[str, ...]:
        """The orders of day, month and year that are certain in a column."""
        given = {DATE_ORDERS[kind] for kind in self.asked.values() if kind in DATE_ORDERS}
        dates = [read_dates(texts.astype(str)) for texts in self._texts]
        return tuple(given | {d.order for d in dates if d and d.certain and d.order})

    @cached_property
    def decimals(self) -> tuple[str, ...]:
        """The decimal signs that are certain in a column."""
        given = {DECIMALS[kind] for kind in self.asked.values() if kind in DECIMALS}
        numbers = [read_numbers(texts.astype(str)) for texts in self._texts]
        certain = {n.decimal for n in numbers if n.certain and n.share >= MOSTLY and n.decimal}
        return tuple(given | certain)


@dataclass
class _Reader:
    """Reads one column."""

    name: str
    values: Series
    asked: str
    table: _Table
    lines: Lines

    def read(self) -> Column | None:
        """Return the column, or ``None`` where nothing is learnt from it."""
        if self.asked == DROP:
            return self._dropped(N_("as asked"))
        if self.asked == CATEGORY:
            return self._category()
        if self.asked in (DATE, *DATE_ORDERS):
            return self._as_date()
        if self.asked:
            return self._as_number()
        return self._infer()

    def _say(self, text: str, **values: Any) -> None:
        self.lines.add(text, self.name, **values)

    def _say_all(self, notes: tuple[Note, ...]) -> None:
        for text, values in notes:
            self._say(text, **values)

    def _dropped(self, why: str, **values: Any) -> Column | None:
        why = _(why).format(name=self.name, **values)
        self._say(N_("{name}: left out: {why}"), why=why)
        return None

    # ---- what a column is inferred to be ------------------------------------------------------

    def _infer(self) -> Column | None:
        from pandas.api import types

        values = self.values
        present = values.dropna()
        if not len(present):
            return self._dropped(N_("all values are missing"))
        try:
            distinct = present.nunique()
        except TypeError:  # lists and mappings, as Parquet may hold
            return self._dropped(N_("its values are no single numbers or texts"))
        if distinct == 1:
            return self._dropped(N_("all values are {value}"), value=present.iloc[0])
        if types.is_datetime64_any_dtype(values):
            return self._days(values)
        if types.is_timedelta64_dtype(values):
            return Column(self.name, NUMBER, values.dt.total_seconds())
        if types.is_bool_dtype(values) or not types.is_numeric_dtype(values):
            return self._infer_text(distinct)
        days = read_compact(values.to_numpy(np.float64, na_value=np.nan))
        if days is not None:
            self._say(DATES)
            return Column(self.name, NUMBER, _like(values, days))
        return self._number(values)

    def _infer_text(self, distinct: int) -> Column | None:
        from pandas.api import types

        if types.is_bool_dtype(self.values):
            return Column(self.name, NUMBER, self.values.astype("float64"))
        texts = self._texts()
        known = texts.dropna()
        if are_codes(known) and not self._are_times(texts):
            self._say(CODES, width=len(known.iloc[0]))
            return self._infer_levels(texts, distinct)
        numbers = self._numbers(texts)
        if self._are_numbers(numbers):
            return self._from_numbers(numbers, texts)
        dates = self._dates(texts)
        if dates is not None:
            return self._from_dates(dates, texts)
        times = read_times(texts)
        if times is not None:
            return self._from_numbers(times, texts)
        if 0 < len(numbers.units) <= _MOST_UNITS and distinct > MOST_LEVELS:
            units = ", ".join(numbers.units)
            return self._dropped(
                N_(
                    "its numbers are in different units: {units}; --column {name}=number reads those of "
                    "the commonest"
                ),
                units=units,
            )
        return self._infer_levels(texts, distinct)

    def _are_times(self, texts: Series) -> bool:
        """Whether digits alone, as codes have, are dates or times."""
        compact = read_compact(texts.astype("float64").to_numpy())
        dated = compact is not None or self._dates(texts) is not None
        return dated or read_times(texts) is not None

    def _are_numbers(self, numbers: Numbers) -> bool:
        """Whether a text column is of numbers: all, nearly all, or all but a word or two."""
        if numbers.share in (0, 1):
            return numbers.share == 1
        if numbers.values.nunique() <= FEW:
            return False
        return numbers.share >= MOSTLY or self.values[numbers.lost].nunique() <= 2

    def _infer_levels(self, texts: Series, distinct: int) -> Column | None:
        counts = texts.value_counts()
        boolean = self._yes_or_no(texts, counts)
        if boolean is not None:
            return boolean
        present = int(counts.sum())
        if distinct > max(FEW, 0.5 * present) and are_hashes(counts.index[:_SAMPLE].tolist()):
            return self._dropped(HASHES)
        if distinct > max(FEW, MOSTLY * present):
            return self._dropped(N_("nearly every value is different, as in a name or a key"))
        # The same floor as that of the levels which have an input, in six of ten rows.
        if distinct > FEW and 0.6 * counts.iloc[0] < max(2, 0.0012 * present):
            return self._dropped(N_("no value is frequent enough to be learnt from"))
        return self._category()

    def _yes_or_no(self, texts: Series, counts: Series) -> Column | None:
        levels = counts.index.astype(str).tolist()
        known = set(range(len(levels))) - set(missing_places(levels, among_numbers=True))
        words = frozenset(levels[place].casefold() for place in known)
        yes = _YES_AND_NO.get(words) if len(known) <= 6 else None
        if yes is None:
            return None
        spelt = {level: float(level.casefold() == yes) for level in (levels[i] for i in known)}
        self._say(
            N_("{name}: {no} and {yes} are taken as 0 and 1"),
            yes=next(level for level, value in spelt.items() if value),
            no=next(level for level, value in spelt.items() if not value),
        )
        return Column(self.name, NUMBER, texts.map(spelt).astype("float64"))

    # ---- how a column of each kind is read ----------------------------------------------------

    def _texts(self) -> Series:
        values = self.values
        return values.astype(str).str.strip().where(values.notna())

    def _numbers(self, texts: Series) -> Numbers:
        numbers = read_numbers(texts, DECIMALS.get(self.asked, ""))
        if numbers.certain:
            return numbers
        others = self.table.decimals
        if len(others) != 1:
            return numbers
        read = read_numbers(texts, others[0])
        note = (N_("{name}: the decimal sign is {sign}, as in other columns"), {"sign": others[0]})
        return replace(read, notes=(*read.notes, note))

    def _dates(self, texts: Series) -> Dates | None:
        order = DATE_ORDERS.get(self.asked, "")
        dates = read_dates(texts, order)
        if dates is None or dates.certain or order:
            return dates
        return read_dates(texts, "", self.table.date_orders)

    def _number(self, values: Series, *, measured: bool = False) -> Column | None:
        numbers = values.astype("float64")
        endless = np.isinf(numbers)
        if endless.any():
            text = N_("{name}: infinite values count as missing: {count}")
            self._say(text, count=int(endless.sum()))
            numbers = numbers.mask(endless)
        why = "" if self.asked or measured else what_names_rows(self.name, numbers.to_numpy())
        if why:
            return self._dropped(why, n=int(numbers.notna().sum()))
        if numbers.nunique() == 1 and not self.asked and not numbers.isna().any():
            return self._dropped(N_("all values are {value}"), value=numbers.iloc[0])
        if not self.asked:
            for value, count in stand_ins(numbers.to_numpy()):
                self._say(STAND_IN, value=f"{value:g}", count=count)
        return Column(self.name, NUMBER, numbers)

    def _as_number(self) -> Column | None:
        from pandas.api import types

        if types.is_numeric_dtype(self.values):
            return self._number(self.values)
        texts = self._texts()
        numbers = self._numbers(texts)
        if not numbers.share:
            numbers = read_times(texts) or numbers
        if not numbers.share:
            raise DataError(
                _("{name}: it holds no numbers; its first value is {value!r}").format(
                    name=self.name, value=next(iter(texts.dropna()), "")
                )
            )
        return self._from_numbers(numbers, texts)

    def _from_numbers(self, numbers: Numbers, texts: Series) -> Column | None:
        days = None if self.asked else read_compact(numbers.values.to_numpy())
        if days is not None:
            self._say(DATES)
            return Column(self.name, NUMBER, _like(numbers.values, days))
        column = self._number(numbers.values, measured=numbers.measured)
        if column is not None:
            self._say_all(numbers.notes)
            self._say_lost(
                N_(
                    "{name}: mixed; what is no number counts as missing: {count}, the first {value!r}"
                ),
                texts[numbers.lost],
            )
        return column

    def _say_lost(self, text: str, lost: Series) -> None:
        if len(lost):
            self._say(text, count=len(lost), value=lost.iloc[0])

    def _category(self) -> Column:
        # str of a missing value would be a level of its own.
        texts = self.values.astype(str).str.strip().astype(object)
        texts = texts.where(self.values.notna(), None)
        if not self.asked:
            texts = self._without_signs(texts)
            texts, spellings = one_spelling(texts)
            if spellings:
                self._say(SPELLINGS, spellings=spellings)
        return Column(self.name, CATEGORY, texts)

    def _without_signs(self, texts: Series) -> Series:
        """Take the signs that are never a level for missing values."""
        levels = [str(level) for level in texts.dropna().unique()]
        signs = [levels[place] for place in missing_places(levels, among_numbers=False)]
        if not signs or len(levels) - len(signs) < 2:
            return texts
        missing = texts.isin(signs)
        self._say(
            N_("{name}: signs that count as missing: {signs}: {count}"),
            signs=", ".join(sign or "''" for sign in signs), count=int(missing.sum()),
        )  # fmt: skip
        return texts.mask(missing, None)

    def _as_date(self) -> Column:
        from pandas.api import types

        if types.is_datetime64_any_dtype(self.values):
            return self._days(self.values)
        if types.is_numeric_dtype(self.values):
            days = read_compact(self.values.to_numpy(np.float64, na_value=np.nan))
            dates = None if days is None else Dates(_like(self.values, days), self.values.notna())
        else:
            dates = self._dates(self._texts())
        if dates is None:
            raise DataError(
                _("{name}: these are no dates that are understood; the first is {value!r}").format(
                    name=self.name, value=next(iter(self.values.dropna()), "")
                )
            )
        return self._from_dates(dates, self.values)

    def _from_dates(self, dates: Dates, texts: Series) -> Column:
        self._say_all(dates.notes)
        self._say_lost(
            N_("{name}: what is no date counts as missing: {count}, the first {value!r}"),
            texts[dates.lost],
        )
        return Column(self.name, NUMBER, dates.days)

    def _days(self, values: Series) -> Column:
        """Return the time in days, counted from 1970."""
        import pandas

        dates = values.dt.tz_localize(None) if values.dt.tz is not None else values
        self._say(DATES)
        days = (dates - pandas.Timestamp(0)) / pandas.Timedelta(days=1)
        return Column(self.name, NUMBER, days.astype("float64"))


def _like(values: Series, numbers: Any) -> Series:
    import pandas

    return pandas.Series(numbers, values.index, name=values.name, dtype="float64")
