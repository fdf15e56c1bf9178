"""Find columns that name or count rows: a new row has no value there that was seen before."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descenso.language import N_

COUNTS_ROWS = N_("it counts the rows")
KEY = N_(
    "{n} whole numbers of which none occurs twice, as in a key; --column {name}=number keeps it"
)
SAVED_INDEX = N_("it has no name, as a saved index; --column {name!r}=number keeps it")
HASHES = N_("its values are keys (UUIDs, hashes)")

CODES = N_(
    "{name}: codes of {width} digits that begin with zeros are taken for categories; "
    "--column {name}=number takes them for numbers"
)

FEW = 20  # rows that tell nothing of how values repeat
_CHANCE = 1e-7  # of whole numbers drawn at random, that none occurs twice
_YEARS = (1500, 2200)
_SECONDS = (1e8, 5e9)  # since 1970: to 2128; also in milliseconds, microseconds and nanoseconds
_UNNAMED = re.compile(r"(unnamed: ?[0-9]+.*|index|level_[0-9]+|__index_level_[0-9]+__|x|)", re.I)
_KEY_NAME = re.compile(
    r"(.*[_\-. ])?(id|ids|uid|uuid|guid|key|pk|idx|rowid|folio|clave|identificador|identifier)"
    r"|.*[a-z0-9](Id|ID|Uuid|UUID|Key)|id[_\-. ].*"
    r"|(.*[_\-. ])?(row|record|customer|client|account|order|invoice|ticket|policy|passenger|patient"
    r"|student|employee|member|case|serial|phone|tel|telephone|mobile)[_\-. ]?(id|no|nr|num|number)?"
    r"|.*(nummer|matr[ií]cula|tel[eé]fono|telefon)"
)
_HASH = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\{?[0-9a-f]{16,}\}?|0x[0-9a-f]{16,}",
    re.I,
)


def what_names_rows(name: str, values: NDArray[np.float64]) -> str:
    """Return why numbers name or count rows, with {n} and {name} in it, or an empty text.

    Whole numbers of a range in which as many drawn at random would repeat, and of which none does,
    were given out one by one: row numbers in any order, a part of them, keys.

    Parameters
    ----------
    values : float64, NaN where missing.
    """
    present = values[~np.isnan(values)]
    if len(present) <= FEW or not (present[:50] == np.floor(present[:50])).all():
        return ""
    if not np.isfinite(present).all() or (present != np.floor(present)).any():
        return ""
    unnamed = _UNNAMED.fullmatch(name) is not None
    if unnamed and _steps_by_one(present):
        return SAVED_INDEX
    distinct = len(np.unique(present))
    if unnamed and name.lower().startswith("unnamed") and distinct == len(present):
        return SAVED_INDEX
    if distinct < len(present):
        named_key = _KEY_NAME.fullmatch(name) is not None
        return KEY if named_key and distinct >= 0.98 * len(present) else ""
    low, high = float(present.min()), float(present.max())
    if high - low < 1.5 * len(present) and not _are_years(low, high):
        return COUNTS_ROWS
    if _KEY_NAME.fullmatch(name):
        return KEY
    never_twice = _log_chance_of_no_repeat(len(present), high - low + 1) < math.log(_CHANCE)
    return KEY if never_twice and not _are_times(low, high) and not _are_years(low, high) else ""


def _steps_by_one(values: NDArray[np.float64]) -> bool:
    """Whether most rows are one more than the row before, as in an index that begins again."""
    return float(np.mean(np.diff(values) == 1)) > 0.5


def _log_chance_of_no_repeat(count: int, size: float) -> float:
    """Return ln of the chance that ``count`` draws from ``size`` equally likely values all differ."""
    if count > size:
        return -math.inf
    drawn = math.lgamma(size + 1) - math.lgamma(size - count + 1) - count * math.log(size)
    # lgamma of large numbers cancels: the leading term of the birthday problem is exact enough.
    return drawn if size < 1e6 else -count * (count - 1) / (2 * size)


def _are_years(low: float, high: float) -> bool:
    return _YEARS[0] <= low and high <= _YEARS[1]


def _are_times(low: float, high: float) -> bool:
    return any(
        _SECONDS[0] * unit <= low and high <= _SECONDS[1] * unit for unit in (1, 1e3, 1e6, 1e9)
    )


def are_hashes(texts: list[Any]) -> bool:
    """Whether all texts are UUIDs or hashes in hexadecimal digits."""
    return bool(texts) and all(_HASH.fullmatch(str(text)) for text in texts)


def are_codes(texts: Iterable[str]) -> bool:
    """Whether all texts are three digits or more, equally many, and some begin with a zero."""
    known = list(texts)
    width = len(known[0]) if known else 0
    return (
        width >= 3
        and any(text[:1] == "0" for text in known)
        and all(len(text) == width and text.isascii() and text.isdecimal() for text in known)
    )
