"""Read texts as dates as people write them: any order, with months' names, times and zones."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descenso.data._table_months import month_number, without_accents, without_weekday
from descenso.data._table_numbers import MOSTLY, Note
from descenso.data.figures import plain_signs
from descenso.data.missing import missing_places
from descenso.language import N_

if TYPE_CHECKING:
    from pandas import Series

DMY, MDY, YMD = "dmy", "mdy", "ymd"
ORDERS = (DMY, MDY, YMD)
#: Years that a date of a table may have.
YEARS = (1500, 2200)
_ORDERS_OF = {
    "fixed": (YMD,), "brief": (YMD,), "first": (YMD, "ydm"), "last": (DMY, MDY), "short": ORDERS,
}  # fmt: skip
_CENTURY = 69  # two digits from here on are of the twentieth century, as in POSIX
_SAMPLE = 60

DATES = N_("{name}: dates, taken as a number of days")
_NONE = N_("{name}: dates that count as missing: {signs}: {count}")
_TWO_DIGITS = N_("{name}: two-digit years are taken for 1969 to 2068")
_DAY_FIRST = N_(
    "{name}: every date could have the day or the month first; taken as day first; "
    "--column {name}=date-mdy reads the month first"
)
_YEAR_OR_DAY = N_(
    "{name}: every date could have the day, the month or the year first; taken as {order}; "
    "--column {name}=date-ymd, date-mdy or date-dmy says it"
)
_AS_ROWS_RISE = N_("{name}: read as {order}: only so do the dates rise from row to row")
_AS_ELSEWHERE = N_("{name}: read as {order}, the only order that another column allows")

_ZONE = r"(?:z|(?:utc|gmt)?[+-][0-9]{1,2}(?::?[0-9]{2})?|[a-z]{3,4})"
_TIME = re.compile(
    rf"""(?:t|(?<=[0-9]):|[ ,;]+(?:a\ las\ |at\ |um\ )?)
    (?:(?P<H>[0-9]{{1,2}})[:h.](?P<M>[0-9]{{2}})(?:[:.m](?P<S>[0-9]{{2}})(?:[.,:](?P<f>[0-9]+))?)?
      |(?P<H2>[0-9]{{2}})(?P<M2>[0-9]{{2}})(?P<S2>[0-9]{{2}})?
      |(?P<H3>[0-9]{{1,2}})(?=\ ?[ap]))
    (?:\ ?[hs]|\ uhr|\ hrs)?(?:\ ?(?P<half>[ap])\.?\ ?m\.?)?(?:\ ?(?P<zone>{_ZONE}))?$""",
    re.VERBOSE,
)
# Wed Oct 10 13:55:36 +0000 2018, as the C library and logs write it.
_YEAR_LAST = re.compile(
    rf"^(.*?)( [0-9]{{1,2}}:[0-9]{{2}}(?::[0-9]{{2}})?)( {_ZONE})? ([0-9]{{4}})$"
)
_NUMBERS = re.compile(r"([0-9]{4}|[0-9]{1,2})( ?[-/.] ?| )([0-9]{1,2})\2([0-9]{4}|[0-9]{1,2})\.?")
_YEAR = r"'?([0-9]{4}|[0-9]{2})"
_LINK = r"[-/. ,]*(?:del? |of )?"
_DAY_NAME = re.compile(
    rf"([0-9]{{1,2}})(?:st|nd|rd|th|er|[ºª.])?{_LINK}([a-z]{{3,}})\.?{_LINK}{_YEAR}"
)
_NAME_DAY = re.compile(rf"([a-z]{{3,}})\.?[-/ ]+([0-9]{{1,2}})(?:st|nd|rd|th)?(?:[-/ ]|, ?){_YEAR}")
_YEAR_NAME = re.compile(r"([0-9]{4})[-/. ,]+([a-z]{3,})\.?[-/. ]+([0-9]{1,2})")
_NAME_YEAR = re.compile(rf"([a-z]{{3,}})\.?{_LINK}{_YEAR}")
_YEAR_MONTH = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})")
_MONTH_YEAR = re.compile(r"([0-9]{1,2})[-/.]([0-9]{4})")
_OF_YEAR = rf"[-/ ]*(?:del? |of )?{_YEAR}"
_QUARTERS = (
    re.compile(rf"(?:q|t|qtr|quarter|trimestre|trim\.?|quartal)[ .]?([1-4]){_OF_YEAR}"),
    re.compile(rf"([1-4])\.?[ºo]? ?(?:q|t|er trim\.?|trimestre|quartal|quarter){_OF_YEAR}"),
)
_YEAR_QUARTER = re.compile(r"([0-9]{4})[-/ ]*(?:q|t)([1-4])")
_WEEK = re.compile(r"([0-9]{4})-?w([0-9]{2})(?:-?([1-7]))?")
_COMPACT = re.compile(r"((?:1[5-9]|20|21)[0-9]{2})([0-9]{2})([0-9]{2})")
# What databases write where there is none, and where no end is known.
_NO_DATE = re.compile(
    r"0000[-/]00[-/]00.*|00?[./-]00?[./-]0000.*|(?:9999[-/]12[-/]31|(?:31[./-]12|12[./-]31)[./-]9999)"
    r"(?:[ t].*)?|0001-01-01(?:[ t]00:00.*)?"
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Dates:
    """Texts read as dates.

    Attributes
    ----------
    days : float64, days since 1970 in UTC; NaN where a text is missing or no date.
    known : the texts that are neither missing nor a sign for it.
    order : in which order day, month and year stand, if numbers alone had to tell it.
    """

    days: Series
    known: NDArray[np.bool_]
    order: str = ""
    certain: bool = True
    notes: tuple[Note, ...] = ()

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Which texts are no dates, though something stands there."""
        lost: NDArray[np.bool_] = self.known & np.isnan(self.days.to_numpy())
        return lost


def read_dates(texts: Series, order: str = "", elsewhere: Sequence[str] = ()) -> Dates | None:
    """Return texts as dates, or ``None`` where less than nine in ten are.

    Parameters
    ----------
    texts : NaN or None where missing.
    order : ``dmy``, ``mdy`` or ``ymd``; told from the texts where empty: by fields above 12 and
        31, then by rows that rise in one order only, then by ``elsewhere``.
    elsewhere : orders of other columns of the table, which decide where this one cannot.
    """
    import pandas

    codes, distinct = pandas.factorize(texts)
    if not len(distinct) or not _may_hold_dates(distinct):
        return None
    plain = _in_plain_letters(distinct.tolist())
    known = np.ones(len(plain), bool)
    known[missing_places(plain, among_numbers=True)] = False
    none = [place for place, text in enumerate(plain) if _NO_DATE.fullmatch(text)]
    known[none] = False
    counts = np.bincount(codes[codes >= 0], minlength=len(plain)) * known
    read = _Reading(plain)
    days = read.days(counts, codes, order, elsewhere)
    if counts[~np.isnan(days)].sum() < max(1, MOSTLY * counts.sum()) or read.is_season():
        return None
    present = codes >= 0
    values = pandas.Series(np.where(present, days[codes], np.nan), texts.index, name=texts.name)
    notes = (*read.notes, (DATES, {}))
    if none:
        signs, count = (
            ", ".join(plain[place] for place in none[:4]),
            int(np.isin(codes, none).sum()),
        )
        notes = (*notes, (_NONE, {"signs": signs, "count": count}))
    return Dates(values, present & known[codes], read.order, read.certain, notes)


def _may_hold_dates(distinct: Any) -> bool:
    """Whether most of a sample of texts are dates, or signs for a missing one."""
    sample = _in_plain_letters(distinct[:: max(1, len(distinct) // _SAMPLE)].tolist())
    missing = set(missing_places(sample, among_numbers=True))
    others = [
        text
        for place, text in enumerate(sample)
        if place not in missing and not _NO_DATE.fullmatch(text)
    ]
    return sum(_fields(text) is not None for text in others) >= 0.8 * len(others)


def _in_plain_letters(texts: list[Any]) -> list[str]:
    # Logs put a date into brackets.
    plain = [t[1:-1] if t[:1] == "[" and t[-1:] == "]" else t for t in plain_signs(texts)]
    return without_accents("\x00".join(plain)).split("\x00") if plain else []


def read_compact(values: NDArray[np.float64]) -> Floats | None:
    """Return whole numbers such as 20210105 or 202103 as days, or ``None`` if one is no such date.

    Parameters
    ----------
    values : NaN where missing.
    """
    present = values[~np.isnan(values)]
    if not len(present) or (present != np.floor(present)).any():
        return None
    low, high = float(present.min()), float(present.max())
    if low >= YEARS[0] * 1e4 and high < YEARS[1] * 1e4:
        year, rest = np.divmod(values, 10_000)
        month, day = np.divmod(rest, 100)
    elif low >= YEARS[0] * 100 and high < YEARS[1] * 100 and len(np.unique(present[:1000])) >= 12:
        year, month = np.divmod(values, 100)
        day = np.ones_like(values)
    else:
        return None
    days = _days(year, month, day)
    return None if (np.isnan(days) & ~np.isnan(values)).any() else days


@dataclass(frozen=True)
class _Fields:
    """The numbers of a date: year, month and day, or three whose order is open (``kind`` says)."""

    kind: str  # fixed, brief (so too, of two-digit years), first (the year is first), last, short
    a: int
    b: int
    c: int
    seconds: float = 0.0


def _fields(text: str) -> _Fields | None:
    if not text or not any(sign.isdigit() for sign in text):
        return None
    moved = _YEAR_LAST.match(text)
    if moved:
        text = f"{moved[1]} {moved[4]}{moved[2]}{moved[3] or ''}"
    time = _TIME.search(text)
    for end, seconds in ((len(text), 0.0), (time.start() if time else 0, _seconds(time))):
        if not end or seconds is None:
            continue
        written = text[:end].rstrip(" ,")
        found = _date(written) or _date(without_weekday(written))
        if found:
            return _Fields(*found, seconds)
    return None


def _seconds(found: re.Match[str] | None) -> float | None:
    if found is None:
        return None
    hours = int(found["H"] or found["H2"] or found["H3"])
    minutes = int(found["M"] or found["M2"] or 0)
    seconds = int(found["S"] or found["S2"] or 0) + float(f"0.{found['f'] or 0}")
    if found["half"]:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if found["half"] == "p" else 0)
    if hours > 24 or minutes > 59 or seconds >= 61:
        return None
    return 3600 * hours + 60 * minutes + seconds - _offset(found["zone"] or "")


def _offset(zone: str) -> float:
    """Return how many seconds a numeric zone is before UTC; a named zone is that of all rows."""
    found = re.search(r"([+-])([0-9]{1,2}):?([0-9]{2})?$", zone)
    if not found:
        return 0.0
    ahead = 3600 * int(found[2]) + 60 * int(found[3] or 0)
    return float(-ahead if found[1] == "-" else ahead)


def _date(text: str) -> tuple[str, int, int, int] | None:
    if found := _NUMBERS.fullmatch(text):
        return _numeric(found[1], found[3], found[4])
    if found := _DAY_NAME.fullmatch(text):
        return _named(found[3], found[2], found[1])
    if found := _NAME_DAY.fullmatch(text):
        return _named(found[3], found[1], found[2])
    if found := _COMPACT.fullmatch(text) or _YEAR_MONTH.fullmatch(text):
        groups = [*map(int, found.groups()), 1]
        return "fixed", groups[0], groups[1], groups[2]
    if found := _MONTH_YEAR.fullmatch(text):
        return "fixed", int(found[2]), int(found[1]), 1
    return _seldom(text)


def _seldom(text: str) -> tuple[str, int, int, int] | None:
    for quarters in _QUARTERS:
        if found := quarters.fullmatch(text):
            return _fixed(found[2]), _year(found[2]), 3 * int(found[1]) - 2, 1
    if found := _YEAR_QUARTER.fullmatch(text):
        return "fixed", int(found[1]), 3 * int(found[2]) - 2, 1
    if found := _YEAR_NAME.fullmatch(text):
        return _named(found[1], found[2], found[3])
    if found := _NAME_YEAR.fullmatch(text):
        return _named(found[2], found[1], "1")
    if found := _WEEK.fullmatch(text):
        return _of_week(int(found[1]), int(found[2]), int(found[3] or 1))
    return None


def _numeric(first: str, second: str, third: str) -> tuple[str, int, int, int] | None:
    if len(first) == 4 and len(third) <= 2:
        return "first", int(first), int(second), int(third)
    if len(third) == 4 and len(first) <= 2:
        return "last", int(first), int(second), int(third)
    if len(third) == 2 and len(first) <= 2:
        return "short", int(first), int(second), int(third)
    return None


def _named(year: str, month: str, day: str) -> tuple[str, int, int, int] | None:
    number = month_number(month)
    return (_fixed(year), _year(year), number, int(day)) if number else None


def _fixed(year: str) -> str:
    return "fixed" if len(year) == 4 else "brief"


def _year(text: str) -> int:
    number = int(text)
    return number if len(text) == 4 else number + (1900 if number >= _CENTURY else 2000)


def _of_week(year: int, week: int, day: int) -> tuple[str, int, int, int] | None:
    from datetime import date

    try:
        found = date.fromisocalendar(year, week, day)
    except ValueError:
        return None
    return "fixed", found.year, found.month, found.day


def _cut_before_time(texts: list[str]) -> tuple[list[str], list[str]]:
    """Cut each text into its date and its time, which begins where the first colon belongs."""
    heads, tails = [], []
    for text in texts:
        colon = text.find(":")
        cut = max(text.rfind(" ", 0, colon), text.rfind("t", 0, colon)) if colon > 0 else -1
        heads.append(text if cut < 0 else text[:cut])
        tails.append("" if cut < 0 else text[cut:])
    return heads, tails


def _of_different(texts: list[str], read: Callable[[str], _Fields]) -> tuple[Any, Floats]:
    """Return the kinds of texts and their figures, reading each different text once."""
    import pandas

    codes, distinct = pandas.factorize(np.array(texts, object))
    fields = [read(text) for text in distinct]
    kinds = np.array([field.kind for field in fields], "<U6")
    table = np.array([(f.a, f.b, f.c, f.seconds) for f in fields], float).reshape(-1, 4)
    return kinds[codes], table[codes]


def _of_date(text: str) -> _Fields:
    written = text.rstrip(" ,")
    return _Fields(*(_date(written) or _date(without_weekday(written)) or ("", 0, 0, 0)))


def _of_time(text: str) -> _Fields:
    seconds = _seconds(_TIME.fullmatch(text)) if text else 0.0
    return _Fields("", 0, 0, 0, np.nan if seconds is None else seconds)


class _Reading:
    """Different texts of a column as fields, and the order that they are found to have."""

    def __init__(self, texts: list[str]) -> None:
        heads, tails = _cut_before_time(texts)
        self.kinds, numbers = _of_different(heads, _of_date)
        self.a, self.b, self.c = numbers[:, :3].T
        _none, times = _of_different(tails, _of_time)
        self.seconds = times[:, 3]
        others = np.flatnonzero((self.kinds == "") | np.isnan(self.seconds))
        for place in others:  # a time without a colon, a year behind it
            fields = _fields(texts[place]) or _Fields("", 0, 0, 0)
            self.kinds[place] = fields.kind
            self.a[place], self.b[place], self.c[place] = fields.a, fields.b, fields.c
            self.seconds[place] = fields.seconds
        self.order, self.certain = "", True
        self.notes: list[Note] = []

    def is_season(self) -> bool:
        """Whether these are seasons such as 2009-10, 2010-11: a year and the next."""
        fixed = self.kinds == "fixed"
        return (
            bool(fixed.all())
            and len(fixed) > 1
            and bool(((self.a + 1) % 100 == self.b)[fixed].all() and (self.c == 1).all())
        )

    def days(self, counts: Any, codes: Any, order: str, elsewhere: Sequence[str]) -> Floats:
        """Return the days since 1970 of each text, NaN where it is no date."""
        days = np.full(len(self.kinds), np.nan)
        for kind in ("fixed", "brief", "first", "last", "short"):
            where = self.kinds == kind
            if where.any():
                days[where] = self._of_kind(kind, where, counts, codes, order, elsewhere)
        return days + self.seconds / 86400

    def _of_kind(
        self, kind: str, where: Any, counts: Any, codes: Any, asked: str, elsewhere: Sequence[str]
    ) -> Floats:
        orders = _ORDERS_OF[kind]
        if asked in orders:
            orders = (asked,)
        read = {order: self._in_order(order, where, kind) for order in orders}
        fitting = {o: int(counts[where][~np.isnan(d)].sum()) for o, d in read.items()}
        best = [o for o in orders if fitting[o] == max(fitting.values())]
        if kind in ("brief", "short"):
            self.notes.append((_TWO_DIGITS, {}))
        if kind in ("last", "short"):
            self.order = asked or self._settle(best, read, where, codes, elsewhere)
            return read[self.order if self.order in read else best[0]]
        return read[best[0]]

    def _settle(
        self, best: list[str], read: Any, where: Any, codes: Any, elsewhere: Sequence[str]
    ) -> str:
        first, last = self.a[where], self.c[where]
        if YMD in best and MDY not in best and len(set(first)) != len(set(last)):
            # Years differ less than days do.
            return DMY if len(set(first)) > len(set(last)) else YMD
        same = all(np.array_equal(read[best[0]], read[o], equal_nan=True) for o in best[1:])
        if len(best) == 1 or same:
            return best[0]
        rising = [order for order in best if _rises(read[order], where, codes)]
        if len(rising) == 1:
            self.notes.append((_AS_ROWS_RISE, {"order": rising[0]}))
            return rising[0]
        agreed = [order for order in best if order in elsewhere]
        if len(agreed) == 1:
            self.notes.append((_AS_ELSEWHERE, {"order": agreed[0]}))
            return agreed[0]
        self.certain = False
        text = _DAY_FIRST if YMD not in best else _YEAR_OR_DAY
        self.notes.append((text, {"order": best[0]}))
        return best[0]

    def _in_order(self, order: str, where: Any, kind: str) -> Floats:
        fields = dict(zip(order, (self.a[where], self.b[where], self.c[where]), strict=True))
        year = fields["y"]
        if kind == "short":
            year = np.where(year >= _CENTURY, year + 1900, year + 2000)
        return _days(year, fields["m"], fields["d"])


def _rises(days: Floats, where: Any, codes: Any) -> bool:
    """Whether dates never fall, or never rise, from row to row, and are many."""
    whole = np.full(len(where), np.nan)
    whole[where] = days
    rows = whole[codes[codes >= 0]]
    rows = rows[~np.isnan(rows)]
    steps = np.diff(rows)
    moves = int((steps != 0).sum())
    return moves >= 5 and bool((steps >= 0).all() or (steps <= 0).all())


def _days(year: Any, month: Any, day: Any) -> Floats:
    """Return days since 1970 of the Gregorian calendar, NaN where there is no such date."""
    year, month, day = (np.asarray(x, float) for x in (year, month, day))
    sound = (year >= YEARS[0]) & (year < YEARS[1]) & (month >= 1) & (month <= 12) & (day >= 1)
    months = (np.where(sound, year, 1970) - 1970) * 12 + np.where(sound, month, 1) - 1
    first = months.astype("int64").astype("datetime64[M]")
    starts = first.astype("datetime64[D]").astype(float)
    length = (first + 1).astype("datetime64[D]").astype(float) - starts
    return np.where(sound & (day <= length), starts + day - 1, np.nan)
