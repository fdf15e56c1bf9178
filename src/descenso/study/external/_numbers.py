"""Read cells of results as numbers: only nan and ±inf diverge, a text is missing or no number."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from descenso.data.figures import COMMA, POINT, SIGNED, in_figures, plain
from descenso.data.missing import MARKS, SIGNS
from descenso.errors import DataError
from descenso.language import _, ngettext

_MISSING = frozenset((
    *SIGNS, *MARKS, "none", "nil", "missing", "tbd", "undefined", "unknown", "pd.na", "sin dato",
))  # fmt: skip
_NAN = frozenset((
    "nan", "nanq", "nans", "qnan", "snan", "nan(ind", "nan(snan", ".nan", "np.nan", "math.nan", "1.#qnan",
    "1.#ind", "1.#snan", "1.#nan", "nan%", "not a number",
))  # fmt: skip
_INF = frozenset(("inf", "infinity", "infty", "∞", ".inf", "1.#inf", "np.inf", "math.inf", "inf%"))
_DIVERGED = re.compile(r"(?i)\s*(?:diverge[ds]?|divergió|divergio|exploded|blew up|blown up)\W*")
_WRAPPED = re.compile(
    r"(?:(?:torch\.)?tensor|(?:np\.|numpy\.|jnp\.)?(?:array|float\d*|int\d+|Array)|tf\.Tensor|float"
    r"|Decimal|DeviceArray)\(\s*['\"]?(?P<inner>[^,()'\"\s]+)['\"]?\s*(?:,.*)?\)",
    re.DOTALL,
)
_EXPONENT = r"(?:[eE][-+]?\d+)?"
_BY_POINT, _BY_COMMA = (re.compile(SIGNED[sign] + _EXPONENT) for sign in (POINT, COMMA))
_NUMBER = r"[-+]?[\d.,]*\d[\d.,]*(?:[eE][-+]?\d+)?\s*%?"
_SUMMARY = re.compile(
    rf"[$*\s]*{_NUMBER}\s*(?:"
    rf"(?:±|\+\s*/\s*-|\+-|\\pm|\\textpm|&plusmn;|&#177;|\bsd\b|\bstd\b|\bsem\b)[\s{{]*{_NUMBER}"
    rf"|[(\[{{]\s*(?:±|\+/-|\+-|sd|std|ci:?)?\s*{_NUMBER}(?:\s*(?:,|;|-|to|–|\.\.)\s*{_NUMBER})?\s*[)\]}}]"
    rf"|_\{{?\s*(?:±|\\pm)?\s*{_NUMBER}\}}?(?=\s*\$)"
    r")[}$*\s]*",
    re.IGNORECASE,
)


@dataclass
class Numbers:
    """The cells of a column as numbers.

    ``values`` holds ``None`` where a cell is missing or no number; NaN and infinities are as
    written. ``wrong`` counts the texts that are no numbers.
    """

    values: list[float | None]
    wrong: Counter[str] = field(default_factory=Counter)
    percent: bool = False
    truths: bool = False

    @property
    def known(self) -> int:
        """Return how many cells are numbers, nan and infinities among them."""
        return sum(v is not None for v in self.values)


def as_number(cell: Any, decimal: str = POINT) -> float | None:
    """Return the number a cell holds; ``None`` where it is missing or holds no number.

    NaN and infinities are returned only where the cell says so.
    """
    if cell is None or isinstance(cell, bool):
        return None if cell is None else float(cell)
    if isinstance(cell, float):
        return cell
    if not isinstance(cell, str):
        return _of_object(cell)
    text = plain(cell).strip('"*').strip()
    special = _special(text)
    if special is not None:
        return special
    if text.lower() in _MISSING:
        return None
    wrapped = _WRAPPED.fullmatch(text)
    if wrapped:
        return as_number(wrapped["inner"])
    percent = text.endswith("%")
    return _plain_number(text[:-1].rstrip() if percent else text, decimal, percent)


def _of_object(cell: Any) -> float | None:
    try:
        return float(cell)  # whole numbers, Decimal and the scalars of NumPy
    except OverflowError:  # 10**400
        return math.inf if cell > 0 else -math.inf
    except (TypeError, ValueError):
        return None


def _plain_number(text: str, decimal: str, percent: bool) -> float | None:
    by_comma = bool(_BY_COMMA.fullmatch(text))
    if not by_comma and not _BY_POINT.fullmatch(text):
        return None
    if decimal == POINT or not by_comma:  # a cell that fits one way only is read that way
        decimal = POINT if _BY_POINT.fullmatch(text) else COMMA
    value = in_figures([text], decimal)[0]
    return value / 100 if percent else value


def _special(text: str) -> float | None:
    """Return NaN or an infinity where a text spells one."""
    low = text.lower().replace('"', "").replace("'", "").removeprefix("float").strip("() ")
    sign = -1.0 if low.startswith("-") else 1.0
    bare = low.lstrip("+-").strip("() ")
    if bare in _NAN or low in _NAN:
        return math.nan
    return sign * math.inf if bare in _INF else None


def read_numbers(cells: Sequence[Any], decimal: str = POINT) -> Numbers:
    """Return the cells of a column as numbers; percents become shares, truths 1 and 0."""
    known: dict[str, float | None] = {}
    numbers = Numbers([])
    for cell in cells:
        if isinstance(cell, str):
            if cell not in known:
                known[cell] = _truth(cell) if _truth(cell) is not None else as_number(cell, decimal)
            value = known[cell]
            if value is None and not is_missing(cell):
                numbers.wrong[cell.strip()] += 1
        else:
            value = as_number(cell)
            if value is None and cell is not None and not _is_na(cell):
                numbers.wrong[str(cell)] += 1
        numbers.values.append(value)
    numbers.percent = any(text.rstrip().endswith("%") for text, v in known.items() if v is not None)
    numbers.truths = any(_truth(text) is not None for text in known)
    return numbers


def _truth(text: str) -> float | None:
    return {"true": 1.0, "false": 0.0}.get(text.strip().lower())


def _is_na(cell: Any) -> bool:
    return type(cell).__name__ in ("NAType", "NaTType")


def is_missing(cell: Any) -> bool:
    """Whether a cell is empty or holds a sign for what is missing; nan is no such sign."""
    if cell is None or _is_na(cell):
        return True
    if not isinstance(cell, str):
        return False
    text = plain(cell).lower()
    return text in _MISSING and _special(text) is None


def is_summary(cell: Any) -> bool:
    """Whether a cell sums up several runs, such as ``0.91 ± 0.02`` or ``0.91 (0.02)``."""
    return isinstance(cell, str) and bool(_SUMMARY.fullmatch(plain(cell)))


def decimal_sign(columns: Iterable[Sequence[Any]], delimiter: str) -> str:
    """Return the decimal sign of a file, told by all its cells.

    A comma that cannot separate thousands is a decimal one. Where every comma could, it separates
    thousands, save in a file whose columns semicolons separate: there commas are decimal.
    """
    doubtful = False
    for cells in columns:
        for text in {c.strip().rstrip("% ") for c in cells if isinstance(c, str) and "," in c}:
            by_point, by_comma = _BY_POINT.fullmatch(text), _BY_COMMA.fullmatch(text)
            if by_comma and (not by_point or text.lstrip("+-").startswith("0")):
                return COMMA
            if by_point and not by_comma:
                return POINT
            doubtful = doubtful or bool(by_comma)
    return COMMA if doubtful and delimiter == ";" else POINT


def refuse_what_is_no_number(name: str, cells: Sequence[Any], numbers: Numbers) -> None:
    """Refuse a column of values that sums up runs, tells a divergence in words, or is no numbers.

    Raises
    ------
    DataError
        In each of these cases, with a cell as it is written.
    """
    summary = next((text for text in numbers.wrong if is_summary(text)), None)
    if summary is not None:
        raise DataError(
            _(
                "column {name!r} holds summaries of several runs, such as {text!r}; a verdict needs "
                "the runs themselves: a row for each run, with its seed and its value"
            ).format(name=name, text=summary)
        )
    words = next((text for text in numbers.wrong if _DIVERGED.fullmatch(text)), None)
    if words is not None:
        raise DataError(
            _(
                "column {name!r} says {text!r}; write nan where a run diverged, and leave the cell "
                "empty where its value is missing"
            ).format(name=name, text=words)
        )
    wrong = sum(numbers.wrong.values())
    if wrong and wrong >= numbers.known:
        raise DataError(
            _("column {name!r} holds no numbers, such as {text!r}").format(
                name=name, text=next(iter(numbers.wrong))
            )
        )


def notes_of(name: str, numbers: Numbers) -> list[str]:
    """Return what is to be said of how the values of a column were read."""
    notes = []
    if numbers.percent:
        notes.append(_("{name}: percents are taken as shares, 97% as 0.97.").format(name=name))
    if numbers.truths:
        notes.append(_("{name}: true counts as 1 and false as 0.").format(name=name))
    n = sum(numbers.wrong.values())
    if n:
        texts = ", ".join(repr(t) for t, _n in numbers.wrong.most_common(3))
        notes.append(
            ngettext(
                "{name}: {n} cell is no number ({texts}) and counts as missing, not as diverged.",
                "{name}: {n} cells are no numbers ({texts}) and count as missing, not as diverged.",
                n,
            ).format(name=name, n=n, texts=texts)
        )
    return notes
