"""Read texts as times of day, durations, and other quantities written in two units or more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from descenso.data._table_numbers import MOSTLY, Note, Numbers
from descenso.data._table_units import family_of, quantity
from descenso.data.figures import plain_signs
from descenso.data.missing import missing_places
from descenso.language import N_

if TYPE_CHECKING:
    from pandas import Series

_SAMPLE = 60
_HOURS = N_("{name}: times, taken as a number of hours")
_COMPOUND = N_("{name}: quantities of several units, put into one: {units}")

_ANGLES = N_("{name}: degrees, minutes and seconds of arc, taken as a number of degrees")

# 13:45, 1:45 pm, 125:10:05.2, 0 days 00:03:25
_CLOCK = re.compile(
    r"(-)?(?:([0-9]+) ?d(?:ays?|ías?|ias?)?,? ?)?([0-9]{1,3}):([0-5][0-9])(?::([0-5][0-9](?:[.,][0-9]+)?))?"
    r"(?: ?(h|hrs?|uhr|[ap]\.? ?m\.?))?"
)
# 1:02.45, of minutes and seconds
_LAP = re.compile(r"(-)?([0-9]{1,3}):([0-5]?[0-9][.,][0-9]{1,6})")
_SECONDS = re.compile(r"[0-9]{1,2}[.,][0-9]{1,6}")
# 40° 26' 46" N, 3°42.5'W
_DEGREES = re.compile(
    r"""(-)?([0-9]{1,3})\ ?°\ ?([0-5]?[0-9](?:[.,][0-9]+)?)\ ?(?:'|min)
        (?:\ ?([0-5]?[0-9](?:[.,][0-9]+)?)\ ?(?:"|''|s))?\ ?([nsewo])?""",
    re.VERBOSE,
)
# PT1H30M, P3DT2H
_ISO = re.compile(
    r"(-)?p(?:([0-9.]+)w)?(?:([0-9.]+)d)?(?:t(?:([0-9.]+)h)?(?:([0-9.]+)m)?(?:([0-9.]+)s)?)?"
)
# 2h 50m, 13h45, 1 h 30 min, 5'7", 6 ft 2 in
_PIECE = re.compile(r"([0-9]+(?:[.,][0-9]+)?) ?([^0-9\s.,]+)\.?,? ?(?:and |y |und )?")
_LAST = {"h": "min", "'": '"', "ft": "in", "min": "s"}


def read_times(texts: Series) -> Numbers | None:
    """Return texts as times in hours, or as sums of units; ``None`` where less than nine in ten are.

    Parameters
    ----------
    texts : NaN or None where missing.
    """
    import pandas

    codes, distinct = pandas.factorize(texts)
    sample = plain_signs(distinct[:: max(1, len(distinct) // _SAMPLE)].tolist())
    tests = (_clock, _compound, _degrees)
    if not any(test(text.casefold()) is not None for text in sample for test in tests):
        return None
    plain = [text.casefold() for text in plain_signs(distinct.tolist())]
    missing = np.zeros(len(plain), bool)
    missing[missing_places(plain, among_numbers=True)] = True
    for read in (_read_clocks, _read_compounds, _read_degrees):
        figures, note = read(plain)
        values = np.where(codes >= 0, np.array(figures)[codes], np.nan)
        known = (codes >= 0) & ~missing[codes]
        numbers = Numbers(pandas.Series(values, texts.index, name=texts.name), known, notes=(note,))
        if numbers.share >= MOSTLY:
            return numbers
    return None


def _read_clocks(texts: list[str]) -> tuple[list[float], Note]:
    read = [_clock(text) for text in texts]
    found = [fields for fields in read if fields]
    # 3:45 beside 1:02:10 is of minutes and seconds, else of hours and minutes.
    short = 60.0 if any(third for _f, _s, third in found) else 3600.0
    fractions = any(_LAP.fullmatch(text) for text in texts)
    figures = []
    for text, fields in zip(texts, read, strict=True):
        if fields is None and fractions and _SECONDS.fullmatch(text):
            figures.append(float(text.replace(",", ".")) / 3600)  # 58.31 beside 1:02.45
        elif fields is None:
            figures.append(np.nan)
        else:
            first, second, third = fields
            figures.append((first + second / 60) * (3600 if third else short) / 3600)
    return figures, (_HOURS, {})


def _clock(text: str) -> tuple[float, float, bool] | None:
    """Return hours, minutes with their share of seconds, and whether seconds are written."""
    if found := _CLOCK.fullmatch(text):
        minus, days, hours, minutes, seconds, half = found.groups()
        first = float(hours)
        if half and half[0] in "ap":
            if not 1 <= first <= 12:
                return None
            first = first % 12 + (12 if half[0] == "p" else 0)
        first += 24 * float(days or 0)
        second = float(minutes) + float((seconds or "0").replace(",", ".")) / 60
        return (-first, -second, bool(seconds)) if minus else (first, second, bool(seconds))
    if found := _LAP.fullmatch(text):
        minutes, seconds = float(found[2]), float(found[3].replace(",", "."))
        minutes += seconds / 60
        return (-0.0, -minutes, True) if found[1] else (0.0, minutes, True)
    found = _ISO.fullmatch(text)
    if found is None or not any(found.groups()[1:]):
        return None
    try:
        weeks, days_, hours_, minutes_, seconds_ = (float(g or 0) for g in found.groups()[1:])
    except ValueError:  # two points in a number
        return None
    sign = -1 if found[1] else 1
    return sign * (168 * weeks + 24 * days_ + hours_), sign * (minutes_ + seconds_ / 60), True


def _read_compounds(texts: list[str]) -> tuple[list[float], Note]:
    read = [_compound(text) for text in texts]
    names = {name for pieces in read if pieces for _figure, name in pieces}
    family = dict(family_of(frozenset(names - {"m"})))
    if "h" in family:
        family["m"] = family["min"]  # else they are metres
    if not names <= family.keys():
        return [np.nan] * len(texts), (_COMPOUND, {})
    figures = [
        sum(figure * family[name] for figure, name in pieces) if pieces else np.nan
        for pieces in read
    ]
    return figures, (_COMPOUND, {"units": ", ".join(sorted(names))})


def _read_degrees(texts: list[str]) -> tuple[list[float], Note]:
    east = any(text.endswith("w") for text in texts)  # then O is Ost, else Oeste or Ouest
    read = [_degrees(text.replace("o", "e") if east else text) for text in texts]
    return [np.nan if figure is None else figure for figure in read], (_ANGLES, {})


def _degrees(text: str) -> float | None:
    """Return degrees, minutes and seconds of arc in degrees; south and west are below zero."""
    found = _DEGREES.fullmatch(text)
    if found is None:
        return None
    degrees, minutes, seconds = (float((g or "0").replace(",", ".")) for g in found.groups()[1:4])
    below = bool(found[1]) or (found[5] or "n") in "swo"
    return (-1 if below else 1) * (degrees + minutes / 60 + seconds / 3600)


def _compound(text: str) -> list[tuple[float, str]] | None:
    """Return the pieces of a quantity, each a figure and its unit; the last unit may be left off."""
    pieces, place = [], 0
    while found := _PIECE.match(text, place):
        named = quantity(found[2])
        if named is None or named[0] or not named[1]:
            return None
        pieces.append((float(found[1].replace(",", ".")), named[1]))
        place = found.end()
    rest = text[place:].strip()
    if pieces and rest.isdecimal() and pieces[-1][1] in _LAST:
        pieces.append((float(rest), _LAST[pieces[-1][1]]))
        rest = ""
    return None if rest else pieces or None
