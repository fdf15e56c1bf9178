"""Read texts as numbers as people write them: grouped, with units, in parentheses, or missing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descenso.data._table_units import factors
from descenso.data.figures import (
    BY_COMMA,
    BY_POINT,
    COMMA,
    POINT,
    SIGNED,
    Cell,
    Unit,
    are_telephones,
    in_figures,
    is_ip,
    plain_signs,
    read_cell,
)
from descenso.data.missing import missing_places
from descenso.language import N_

if TYPE_CHECKING:
    from pandas import Series

MOSTLY = 0.9  # the share of texts that tells what all of them are meant to be
_SAMPLE = 400
_FEWEST = 3  # whole numbers and grouped ones that tell a point that separates thousands
_BARE = ("", "")

_SEPARATED = {
    ",": N_("{name}: commas are taken to separate thousands"),
    ".": N_("{name}: points are taken to separate thousands"),
    "'": N_("{name}: apostrophes are taken to separate thousands"),
    " ": N_("{name}: spaces are taken to separate thousands"),
    "_": N_("{name}: underscores are taken to separate thousands"),
}
_DECIMAL_COMMAS = N_("{name}: commas are taken for decimal signs")
_OR_COMMA = N_("{name}: commas could be decimal signs; --column {name}=number-comma takes them so")
_OR_POINT = N_("{name}: points could be decimal signs; --column {name}=number-point takes them so")
_ONE_UNIT = N_("{name}: numbers in {unit}")
_WITHOUT = N_("{name}: values without {unit} are taken to be in it: {count}")
_UNITS = N_("{name}: units are put into one: {units}")
_LIMITS = N_("{name}: limits such as <5 are taken as their number: {count}")
_REMARKS = N_("{name}: what stands behind a number, such as ± 0.1 or *, is not read: {count}")
_FLAGS = N_("{name}: letters behind numbers are taken for remarks, not for units: {units}")
_BOTH = N_("{name}: commas and points are both taken for decimal signs")
_OR_THOUSANDS = N_(
    "{name}: points are taken for decimal signs; --column {name}=number-comma takes them to separate "
    "thousands"
)
_BY_SIXTEEN = N_("{name}: hexadecimal numbers")
_HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]{1,13}")  # exact as float64
_MISSING = N_("{name}: signs that count as missing: {signs}: {count}")

Note = tuple[str, dict[str, Any]]
Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Numbers:
    """Texts read as numbers.

    Attributes
    ----------
    values : float64, NaN where a text is missing or no number.
    known : the texts that are neither missing nor a sign for it.
    decimal : the decimal sign; empty where no text has a sign that could be one.
    certain : whether no other decimal sign would do.
    notes : what was inferred, each with its values; a text names the column as {name}.
    units : the units found, where they cannot be put into one.
    measured : whether a number has a unit or a currency.
    """

    values: Series
    known: NDArray[np.bool_]
    decimal: str = ""
    certain: bool = True
    notes: tuple[Note, ...] = ()
    units: tuple[str, ...] = ()
    measured: bool = False

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Which texts are no numbers, though something stands there."""
        lost: NDArray[np.bool_] = self.known & np.isnan(self.values.to_numpy())
        return lost

    @property
    def share(self) -> float:
        """The share of numbers among the texts that are not missing; 0 where all are."""
        count = int(self.known.sum())
        return 1 - int(self.lost.sum()) / count if count else 0.0


def read_numbers(texts: Series, decimal: str = "") -> Numbers:
    """Return texts as numbers, with what was inferred.

    Which sign is the decimal one is inferred from all texts: from those that have two signs, or one
    that cannot separate thousands. 1,200 beside 800 is taken for thousands: a decimal comma would
    rarely leave three digits in every number that has one; so is 1.200 beside whole numbers.

    Parameters
    ----------
    texts : NaN or None where missing; any index.
    decimal : ``"."`` or ``","``; inferred where empty.
    """
    import pandas

    codes, distinct = pandas.factorize(texts)
    if not len(distinct) or not _may_hold_numbers(distinct):
        return Numbers(pandas.Series(np.nan, texts.index), codes >= 0)
    if all(map(_HEXADECIMAL.fullmatch, map(str, distinct))):
        values = np.array([int(str(text), 16) for text in distinct] + [np.nan], np.float64)
        read_all = pandas.Series(values[codes], texts.index, name=texts.name)
        return Numbers(read_all, codes >= 0, notes=((_BY_SIXTEEN, {}),))
    counts = np.bincount(codes[codes >= 0], minlength=len(distinct))
    read = _Reading(plain_signs(distinct.tolist()), counts)
    read.run(decimal)
    present = codes >= 0
    return Numbers(
        pandas.Series(np.where(present, read.values[codes], np.nan), texts.index, name=texts.name),
        present & ~read.missing[codes],
        read.decimal,
        read.certain,
        tuple(read.notes),
        read.units,
        read.measured,
    )


@dataclass
class _Reading:
    """The different texts of a column, each with how often it occurs, and what they are read as."""

    texts: list[str]
    counts: NDArray[np.intp]
    values: Floats = field(init=False)
    missing: NDArray[np.bool_] = field(init=False)
    decimal: str = ""
    certain: bool = True
    notes: list[Note] = field(default_factory=list)
    units: tuple[str, ...] = ()
    measured: bool = False
    both: bool = False  # commas and points are decimal signs, each in some texts

    def run(self, decimal: str) -> None:
        import pandas

        texts = pandas.Series(self.texts, dtype=object)
        plain = pandas.to_numeric(texts, errors="coerce").astype("float64")
        self.values = plain.to_numpy(copy=True)
        self.missing = np.zeros(len(self.texts), bool)
        self._find_missing()
        rest = np.flatnonzero(np.isnan(self.values) & ~self.missing)
        if not self._is_worth_reading(rest):
            return
        self._choose_decimal(rest)
        if decimal:
            self.decimal, self.certain, self.both = decimal, True, False
        if len(rest) or self.decimal == COMMA:
            self._read(rest)
        elif self.decimal == POINT and not self.certain:
            self.notes.append((_OR_THOUSANDS, {}))

    def _count(self, where: Any) -> int:
        return int(self.counts[where].sum())

    def _find_missing(self) -> None:
        self.missing[missing_places(self.texts, among_numbers=True)] = True
        if self.missing.any():
            signs = ", ".join(self.texts[i] or "''" for i in np.flatnonzero(self.missing)[:8])
            self.notes.append((_MISSING, {"signs": signs, "count": self._count(self.missing)}))

    def _is_worth_reading(self, rest: Places) -> bool:
        """Whether a sample of the texts promises numbers, so that not all texts are matched."""
        if not len(rest):
            return True
        sample = [self.texts[i] for i in _spread(rest, _SAMPLE)]
        if all(map(is_ip, sample)) or are_telephones(sample):
            return False
        promising = sum(read_cell(text) is not None for text in sample) / len(sample)
        known, unread = self._count(~self.missing), self._count(rest)
        return bool(promising * unread + known - unread > 0.05 * known)

    # ---- which sign is the decimal one --------------------------------------------------------

    def _choose_decimal(self, rest: Places) -> None:
        """Infer the decimal sign from those texts that have one sign or two."""
        cells = [read_cell(self.texts[i]) for i in _spread(rest, 10 * _SAMPLE)]
        read = _spread(np.flatnonzero(~np.isnan(self.values)), 10 * _SAMPLE)
        cores = [cell.core for cell in cells if cell]
        cores += [self.texts[i].lstrip("+-") for i in read]
        signed = [core for core in cores if "," in core or "." in core]
        if not signed:
            return
        by_point = np.array([BY_POINT.fullmatch(core) is not None for core in signed])
        by_comma = np.array([BY_COMMA.fullmatch(core) is not None for core in signed])
        only_point = int((by_point & ~by_comma).sum())
        only_comma = int((by_comma & ~by_point).sum())
        self.decimal = POINT if only_point >= only_comma else COMMA
        self.both = (
            only_point + only_comma == len(signed)
            and min(only_point, only_comma) > 0
            and all(core.count(",") + core.count(".") == 1 for core in signed)
        )
        if only_point == only_comma and not self.both:  # all have their sign before three digits
            grouped = _are_grouped(signed, cores)
            commas = any("," in core for core in signed)
            self.certain = commas and grouped
            self.decimal = COMMA if grouped and not commas else POINT

    # ---- the values ---------------------------------------------------------------------------

    def _read(self, rest: Places) -> None:
        if self.decimal == COMMA:  # 1.234 has been read as a number already
            read = np.flatnonzero(~np.isnan(self.values))
            pointed = [i for i in read if "." in self.texts[i]]
            self.values[pointed] = np.nan
            rest = np.union1d(rest, np.array(pointed, np.intp))
        figures = np.full(len(self.texts), np.nan)
        groups = self._read_alike(rest, figures)
        cells = self._read_others(rest[np.isnan(figures[rest])], figures)
        for place, cell in cells:
            groups.setdefault(cell.unit, (cell.spelt, []))[1].append(place)
        limits = [place for place, cell in cells if cell.limit]
        remarks = [place for place, cell in cells if cell.remark]
        if self._count(limits) > 0.5 * self._count(~self.missing):
            return  # classes such as <=50K and >50K
        bare = np.abs(np.append(self.values, figures[groups.get(_BARE, ("", []))[1]]))
        sizes = {unit: (s, self._count(p)) for unit, (s, p) in groups.items()}
        scale = self._scale(sizes, bare[~np.isnan(bare)])
        self.measured = any(unit != _BARE for unit in groups)
        if not groups.keys() <= scale.keys():
            self.units = tuple(spelt for spelt, _places in groups.values() if spelt)
        if any(currency for currency, _unit in groups):
            self.certain = True  # no price has three decimals
        for unit, (_spelt, places) in groups.items():
            if unit in scale:
                self.values[places] = scale[unit] * figures[places]
        self._say_signs(rest, figures)
        if remarks:
            self.notes.append((_REMARKS, {"count": self._count(remarks)}))
        if limits:
            self.notes.append((_LIMITS, {"count": self._count(limits)}))

    def _read_alike(self, rest: Places, figures: Floats) -> dict[Unit, tuple[str, list[int]]]:
        """Read the texts that have the commonest signs around their figures, many at once."""
        sample = [cell for i in _spread(rest, _SAMPLE) if (cell := read_cell(self.texts[i]))]
        around = Counter((c.before, c.after) for c in sample if c.sign > 0 and not c.limit)
        if len(rest) < _SAMPLE or not around:
            return {}
        before, after = around.most_common(1)[0][0]
        first = next(c for c in sample if (c.before, c.after) == (before, after))
        alike = re.compile(
            f"{re.escape(before)}({SIGNED[self.decimal or POINT]}){re.escape(after)}"
        )
        match, texts, decimal = alike.fullmatch, self.texts, self.decimal
        places = [i for i in rest.tolist() if match(texts[i])]
        cut = slice(len(before), -len(after) or None)
        figures[places] = in_figures([texts[i][cut] for i in places], decimal)
        return {first.unit: (first.spelt, places)} if places else {}

    def _read_others(self, rest: Places, figures: Floats) -> list[tuple[int, Cell]]:
        matched = [(i, cell) for i in rest.tolist() if (cell := read_cell(self.texts[i]))]
        fitting: list[tuple[int, Cell]] = []
        for decimal in (self.decimal, *self._other_decimal()):
            style = BY_COMMA if decimal == COMMA else BY_POINT
            cells = [(i, c) for i, c in matched if np.isnan(figures[i]) and style.fullmatch(c.core)]
            read = in_figures([cell.core for _i, cell in cells], decimal)
            for (place, cell), figure in zip(cells, read, strict=True):
                figures[place] = cell.sign * figure * 10.0**cell.exponent
            fitting += cells
        return fitting

    def _other_decimal(self) -> tuple[str, ...]:
        if not self.both:
            return ()
        return (POINT,) if self.decimal == COMMA else (COMMA,)

    def _say_signs(self, rest: Places, figures: Floats) -> None:
        read = _spread(rest[~np.isnan(figures[rest])], 10 * _SAMPLE)
        written = "\n".join([self.texts[i] for i in read])
        if self.both:
            self.notes.append((_BOTH, {}))
        elif self.decimal == COMMA and COMMA in written:
            self.notes.append((_DECIMAL_COMMAS, {}))
        separators = {
            s: t for s, t in _SEPARATED.items() if not (self.both and s in (COMMA, POINT))
        }
        for sign, text in separators.items():
            if sign != (self.decimal or POINT) and re.search(
                rf"[0-9]{re.escape(sign)}[0-9]", written
            ):
                self.notes.append((text, {}))
        if not self.certain and (self.decimal == COMMA or COMMA in written):
            self.notes.append((_OR_POINT if self.decimal == COMMA else _OR_COMMA, {}))

    # ---- units --------------------------------------------------------------------------------

    def _scale(self, groups: dict[Unit, tuple[str, int]], sizes: Floats) -> dict[Unit, float]:
        """Return by what a number in each unit is multiplied; a unit that is absent fits no other.

        Parameters
        ----------
        groups : unit → how it is spelt, and how many values have it.
        sizes : of the numbers without a unit.
        """
        read = ~np.isnan(self.values)
        bare = groups.get(_BARE, ("", 0))[1] + self._count(read)
        named = {unit: group for unit, group in groups.items() if unit != _BARE}
        if not named:
            return {_BARE: 1.0}
        main = max(named, key=lambda unit: named[unit][1])
        spelt = named[main][0]
        known = _factors(list(named), main, bare > 0)
        if not known and _are_remarks(
            list(named), bare, self._count(read) + sum(n for _s, n in groups.values())
        ):
            spelt = ", ".join(sorted(group[0] for group in named.values()))
            self.notes.append((_FLAGS, {"units": spelt}))
            return dict.fromkeys((_BARE, *named), 1.0)
        alone = len(known.keys() - {_BARE}) == 1
        if not known or (alone and not _multiplies(main, sizes)):
            self.notes.append((_ONE_UNIT, {"unit": spelt}))
            if bare and spelt != "+":
                self.notes.append((_WITHOUT, {"unit": spelt, "count": bare}))
            return {_BARE: 1.0, main: 1.0}
        shown = ", ".join(sorted({group[0] for unit, group in named.items() if unit in known}))
        self.notes.append((_UNITS, {"units": shown}))
        return known


def _may_hold_numbers(distinct: Any) -> bool:
    """Whether a few of very many texts hold a number at all."""
    if len(distinct) < 20 * _SAMPLE:
        return True
    sample = plain_signs(distinct[:: len(distinct) // _SAMPLE].tolist())
    return any(read_cell(text) is not None for text in sample)


def _spread(places: Places, most: int) -> Places:
    """Return about ``most`` of the places, from the first to the last."""
    return places[:: max(1, len(places) // most)]


def _are_grouped(signed: list[str], cores: Iterable[str]) -> bool:
    # Three decimals in each number that has any, and whole numbers beside them: decimals that
    # are rounded or cut would leave whole numbers once in a thousand.
    bare = {int(core) for core in cores if core.isdigit()}
    return min(len(signed), len(bare)) >= _FEWEST and 100 <= max(bare) < 1000


def _multiplies(unit: Unit, bare: Floats) -> bool:
    """Whether a unit multiplies its numbers only, as in 1.2M beside 850000 and 0."""
    fits = bool(unit[1]) and bool(factors(frozenset((unit[1], ""))))
    return fits and bool(len(bare)) and bool((bare >= 1000).any())


def _are_remarks(named: list[Unit], bare: int, count: int) -> bool:
    """Whether most numbers have no unit, and the others a letter each of different quantities."""
    letters = all(not currency and len(unit) == 1 for currency, unit in named)
    return len(named) > 1 and letters and 2 * bare > count


def _factors(named: list[Unit], main: Unit, bare: bool) -> dict[Unit, float]:
    """Return how much each unit of the main one's currency stands for, if they are of one kind."""
    same = [unit for unit in named if unit[0] in ("", main[0])]
    units = frozenset({unit[1] for unit in same} | ({""} if bare else set()))
    known = factors(units) or factors(units - {""})
    if not known:
        return {}
    return {
        _BARE: known.get("", 1.0),
        **{unit: known[unit[1]] for unit in same if unit[1] in known},
    }
