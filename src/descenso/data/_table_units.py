"""What stands beside the figures of a cell: currencies, units of one quantity, signs for limits."""

from __future__ import annotations

import re
from functools import cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CURRENCY_SIGNS = "$€£¥₹₽₩₺₫₴₦₱฿₪₡₲₵₸₼₾₿¢ƒ₨元円원"
_CURRENCY_WORDS = _words(
    "usd eur gbp jpy chf cny rmb inr brl mxn cad aud nzd ars clp cop pen uyu bob crc gtq dop pyg "
    "sek nok dkk isk pln czk huf ron bgn rub uah try zar krw twd hkd sgd thb idr myr php vnd ils "
    "aed sar qar kwd egp ngn kes pkr lkr bdt fr sfr rs rp kr zł kč lei tl s/ q gs bs dkr nkr "
    "skr euro dollar peso pesos euros dollars pound yen btc eth"
)  # fmt: skip
_WHOSE = _words("us r c ca a au nz hk s mx ar cl col u nt tt j")
#: Signs before a figure that make it a limit or an estimate.
LIMITS = ("<", ">", "<=", ">=", "≤", "≥", "~", "≈", "±", "ca", "approx", "aprox")

# One quantity, and what stands for how much of it, in the first unit.
_FAMILIES: tuple[dict[str, float], ...] = (
    {
        "": 1, "k": 1e3, "tsd": 1e3, "mil": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6,
        "mln": 1e6, "mio": 1e6, "mill": 1e6, "million": 1e6, "millones": 1e6, "millón": 1e6,
        "b": 1e9, "bn": 1e9, "mrd": 1e9, "billion": 1e9, "t": 1e12, "tn": 1e12, "trillion": 1e12,
        "lac": 1e5, "lakh": 1e5, "cr": 1e7, "crore": 1e7,
    },
    {
        "b": 1, "byte": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "pb": 1e15,
        "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
    },
    {
        "m": 1, "nm": 1e-9, "µm": 1e-6, "um": 1e-6, "mm": 1e-3, "cm": 1e-2, "dm": 0.1, "km": 1e3,
        "in": 0.0254, "inch": 0.0254, '"': 0.0254, "ft": 0.3048, "feet": 0.3048, "'": 0.3048,
        "yd": 0.9144, "mi": 1609.344, "mile": 1609.344,
    },
    {
        "kg": 1, "µg": 1e-9, "ug": 1e-9, "mcg": 1e-9, "mg": 1e-6, "g": 1e-3, "gr": 1e-3, "t": 1e3,
        "lb": 0.45359237, "oz": 0.028349523125,
    },
    {"l": 1, "ml": 1e-3, "cl": 1e-2, "dl": 0.1, "µl": 1e-6, "hl": 100},
    {
        "s": 1, "ns": 1e-9, "µs": 1e-6, "us": 1e-6, "ms": 1e-3, "sec": 1, "second": 1, "segundo": 1,
        "min": 60, "minute": 60, "minuto": 60, "h": 3600, "hr": 3600, "hour": 3600, "hora": 3600,
        "d": 86400, "day": 86400, "día": 86400, "tag": 86400, "week": 604800, "semana": 604800,
        "wk": 604800, "month": 2629746, "mes": 2629746, "monat": 2629746, "mo": 2629746,
        "year": 31556952, "yr": 31556952, "año": 31556952, "jahr": 31556952,
    },
    {"m²": 1, "m2": 1, "sqm": 1, "qm": 1, "cm²": 1e-4, "cm2": 1e-4, "km²": 1e6, "km2": 1e6,
     "ha": 1e4, "sqft": 0.09290304, "ft²": 0.09290304, "ft2": 0.09290304, "acre": 4046.8564224},
    {"hz": 1, "khz": 1e3, "mhz": 1e6, "ghz": 1e9},
    {"w": 1, "kw": 1e3, "hp": 745.7, "ps": 735.49875, "cv": 735.49875, "bhp": 745.7},
    {"pa": 1, "hpa": 100, "kpa": 1e3, "mbar": 100, "bar": 1e5},
    {"km/h": 1, "kmh": 1, "kph": 1, "m/s": 3.6, "mph": 1.609344, "kn": 1.852, "kt": 1.852},
)  # fmt: skip
_SHORT = _words(
    "% ‰ ° °c °f ºc ºf c f k v a w j n pa h s d x dpi fps bpm rpm mmhg ppm ppb ppi cc ml/min iu u/l "
    "kwh mwh wh kcal cal kj kpl kmpl km/kg mg/dl g/dl g/l mg/l mmol/l µmol/l g/cm3 g/cm³ kg/m3 kg/m³ "
    "w/m² w/m2 kg/m² kg/m2 mpg l/100km m³ m3 cm³ cm3 db mah ma mv kv nm pp pts px mp "
    "bhk sq.ft sq.m sqyrd +"
)  # fmt: skip
_ORDINALS = frozenset(("", "st", "nd", "rd", "th", "º", "ª"))
_WORD = re.compile(r"[^\W\d_]{3,}\.?(?:[ /][^\W\d_]+\.?){0,2}")


@cache
def quantity(affix: str) -> tuple[str, str] | None:
    """Return the currency and the unit that stand beside figures, each empty where there is none.

    ``Mio. €`` gives €, mio. Signs and short units must be known; a longer word, such as rooms, is
    a unit by itself. The ending of an ordinal is no unit. ``None`` where it is neither.
    """
    plain = affix.strip().casefold()
    if _is_currency(plain):
        return plain.strip(".").upper(), ""
    sign = next((sign for sign in plain if sign in _CURRENCY_SIGNS), "")
    if sign:
        named = _unit(plain.replace(sign, "", 1).strip())
        return None if named is None else (sign, named)
    rest, _space, last = plain.rpartition(" ")
    if rest and _is_currency(last):
        named = _unit(rest)
        return None if named is None else (last.strip(".").upper(), named)
    only = _unit(plain)
    return None if only is None else ("", only)


def _is_currency(plain: str) -> bool:
    word = plain.strip(".")
    if word in _CURRENCY_WORDS:
        return True
    bare = plain.strip(_CURRENCY_SIGNS)  # the letters of US$ and R$ say whose dollars these are
    return bool(plain) and bare != plain and (not bare or bare in _WHOSE)


def _unit(plain: str) -> str | None:
    plain = plain if plain in _SHORT else plain.rstrip(".")
    if plain in _ORDINALS:
        return ""
    if plain in _SHORT or any(plain in family for family in _FAMILIES):
        return plain
    for ending in ("es", "s", "e", "en"):
        single = plain.removesuffix(ending)
        if single != plain and len(single) > 1 and any(single in family for family in _FAMILIES):
            return single
    return plain.removesuffix("s") if _WORD.fullmatch(plain) else None


def family_of(units: frozenset[str]) -> dict[str, float]:
    """Return the units of the quantity that all of these measure, each in the first; else nothing."""
    return next((family for family in _FAMILIES if units and units <= family.keys()), {})


def factors(units: frozenset[str]) -> dict[str, float]:
    """Return how much each unit stands for, where all are of one quantity; else nothing."""
    family = family_of(units)
    return {name: family[name] for name in units} if family else {}
