"""Take one text apart: sign, figures, exponent, and what stands before and behind them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from descenso.data._table_units import LIMITS, quantity

POINT, COMMA = ".", ","
Unit = tuple[str, str]  # a currency and a unit, either of which may be empty

_SPACES = "\u00a0\u202f\u2009\u2007\u2008\u200a\u2002\u2003\u2004\u2005\u2006\u3000\t\r\n"  # thin, no-break
# The digits of Arabic, Persian, Devanagari, Bengali and Thai, and those of full width.
_ZEROS = (0x660, 0x6F0, 0x966, 0x9E6, 0xE50, 0xFF10)
_PLAIN_SIGNS = str.maketrans(
    {
        **{chr(zero + n): str(n) for zero in _ZEROS for n in range(10)},
        **dict.fromkeys(_SPACES, " "),
        **dict.fromkeys("\u200b\ufeff\u200e\u200f\u2060\u00ad", ""),
        **dict.fromkeys("\u2212\u2013\u2014\u2012\u2010\u2011\ufe63\uff0d", "-"),
        **dict.fromkeys("\u2019\u2018\u02bc\u2032\u00b4`\u02b9\uff07", "'"),
        "\uff0b": "+", "\u066b": ".", "\u066c": "'", "\u00b7": ".", "\u2033": '"',
    }
)  # fmt: skip
_CELL = re.compile(
    r"""([^0-9]*)
        ([0-9](?:[0-9.,'_\ ]*[0-9])?)
        (?:(?:[eE]|[dD](?=[-+])|\ ?[x×*.]\ ?10\^)([-+]?[0-9]+))?
        ([^0-9]*(?:(?<=[a-z])[23](?:[^0-9]*)?)?)""",
    re.VERBOSE,
)
_GROUPED = r"[1-9][0-9]{0,2}(?:SIGN[0-9]{3})+"
_INDIAN = r"[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}"


def _whole(signs: str) -> str:
    return "|".join(["[0-9]+", *(_GROUPED.replace("SIGN", re.escape(sign)) for sign in signs)])


_POINTED = r"(?:(?:" + _whole(",'_ ") + f"|{_INDIAN})" + r"(?:\.[0-9]*)?|\.[0-9]+)"
_WITH_COMMA = r"(?:(?:" + _whole(".'_ ") + r")(?:,[0-9]*)?|,[0-9]+)"
#: Figures whose decimal sign is the point, and whose is the comma.
BY_POINT, BY_COMMA = re.compile(_POINTED), re.compile(_WITH_COMMA)
SIGNED = {POINT: f"[-+]?{_POINTED}", COMMA: f"[-+]?{_WITH_COMMA}"}
_NO_COMMAS = str.maketrans("", "", ", '_")
_NO_POINTS = str.maketrans(",", ".", ". '_")
_HEMISPHERE = re.compile(r" ?° ?([NSEW])")
_TELEPHONE = re.compile(r"\+?[0-9](?: ?[0-9]){8,14}")
# What stands behind a figure and does not change it: 0.91 ± 0.02, 12.3*, 450[a], 7[12]
_REMARK = re.compile(
    r"(?<=[0-9%)]) ?(?:(?:±|\+/-|\+-) ?[0-9].*|[*†‡§]{1,3}|\[(?:[0-9]{1,3}|[a-z])\])"
)
_IP_ADDRESS = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}")
# How prices leave off the cents: 120.-, 120.--, 120,-, 1200/-
_CENTS = re.compile(r"(?:[.,] ?-{0,2}|/-)(?= |$)")


@dataclass(slots=True)
class Cell:
    """What a text that may be a number is made of.

    Attributes
    ----------
    core : the digits with the signs among them.
    spelt : the unit as it is written.
    limit : whether it stands for what is above or below it.
    remark : whether something stands behind that does not change it, and is not read.
    before, after : all that is before and behind the core.
    """

    sign: float
    core: str
    exponent: int
    unit: Unit
    spelt: str
    limit: bool
    before: str
    after: str
    remark: bool = False


def plain(text: str) -> str:
    """Return a text, stripped, whose spaces, dashes and apostrophes are those of a keyboard."""
    return (text if text.isascii() else text.translate(_PLAIN_SIGNS)).strip()


def plain_signs(texts: Iterable[Any]) -> list[str]:
    """Return texts, stripped, whose spaces, dashes and apostrophes are those of a keyboard."""
    values = list(map(str, texts))
    joined = "\x00".join(values)
    if joined.isascii() and "\t" not in joined:
        return [value.strip() for value in values]
    cells = joined.translate(_PLAIN_SIGNS).split("\x00")
    if len(cells) != len(values):  # a cell holds the separator itself
        cells = [value.translate(_PLAIN_SIGNS) for value in values]
    return [cell.strip() for cell in cells]


def read_cell(text: str) -> Cell | None:
    """Return what a text is made of, or ``None`` where it is no number."""
    remark = (
        _REMARK.search(text) if not text[-1:].isdecimal() or "±" in text or "+" in text else None
    )
    if remark and remark.end() == len(text):
        bare = read_cell(text[: remark.start()])
        return bare and replace(bare, remark=True)
    found = _CELL.fullmatch(text)
    if found is None:
        return None
    before, core, power, after = found.groups()
    sign, first, last = 1.0, before, after
    if found := _HEMISPHERE.fullmatch(after):
        sign, last = (-1.0 if found[1] in "SW" else 1.0), "°"
    if before.startswith("(") and after.endswith(")"):
        sign, first, last = -1.0, before[1:], after[:-1]
    first, core = _with_leading_decimal(first, core)
    cents = _CENTS.match(last)
    if cents:
        last = last[cents.end() :]
    elif last.rstrip().endswith("-"):
        sign, last = -sign, last.rstrip()[:-1]
    first, minus = _without_sign(first)
    limit = first.rstrip(".").casefold() in LIMITS
    first, last = "" if limit else first, last.strip()
    unit = _unit(first, last)
    exponent = int(power or 0)
    if unit is None or abs(exponent) > 300:
        return None
    spelt = f"{first} {last}".strip()
    return Cell(-sign if minus else sign, core, exponent, unit, spelt, limit, before, after)


def _with_leading_decimal(before: str, core: str) -> tuple[str, str]:
    """Give the sign of .5 to its digits; that of an abbreviation, as in Rs.5, stays before."""
    bare = before[:-1]
    if before.endswith((POINT, COMMA)) and not bare[-1:].isalpha():
        return bare, f"{before[-1]}{core}"
    return before, core


def _without_sign(before: str) -> tuple[str, bool]:
    plain = before.strip()
    if plain[:1] in ("+", "-"):
        return plain[1:].strip(), plain[0] == "-"
    if plain[-1:] in ("+", "-"):
        return plain[:-1].strip(), plain[-1] == "-"
    return plain, False


def _unit(before: str, after: str) -> Unit | None:
    """Return currency and unit, ``None`` where what stands beside the figures is neither."""
    first, last = quantity(before), quantity(after)
    if first and last and first[0] and last[0] and not before.strip().isalpha():
        return last[0], last[1]  # $ 12 MXN: the sign says less than the code
    if first is None or last is None or (before and not first[0]) or (first[0] and last[0]):
        return None
    return first[0] or last[0], first[1] or last[1]


def in_figures(cores: list[str], decimal: str) -> list[float]:
    """Return the numbers that digits with separated thousands stand for."""
    joined = "\n".join(cores).translate(_NO_COMMAS if decimal != COMMA else _NO_POINTS)
    return list(map(float, joined.split("\n"))) if cores else []


def is_ip(text: str) -> bool:
    """Whether a text is written as an IP address (version 4)."""
    return _IP_ADDRESS.fullmatch(text) is not None


def are_telephones(texts: list[str]) -> bool:
    """Whether all are of nine digits or more, grouped by spaces, with a + or equally many."""
    if not all(map(_TELEPHONE.fullmatch, texts)):
        return False
    lengths = {sum(map(str.isdigit, text)) for text in texts}
    return all(text[0] == "+" for text in texts) or (
        len(texts) > 1 and len(lengths) == 1 and all(" " in text for text in texts)
    )
