"""Signs that stand for a missing value, and numbers that may."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Signs that are never a level of a category.
SIGNS = (
    "", "?", "??", "???", "#", "#n/a", "#n/a n/a", "#na", "#value!", "#div/0!", "#ref!", "#name?",
    "#num!", "#null!", "#valor!", "#¡valor!", "#¡div/0!", "#¡ref!", "#¿nombre?", "#¡num!", "#¡nulo!",
    "#wert!", "#bezug!", "#zahl!", "#valeur!", "-1.#ind", "1.#ind", "-1.#qnan", "1.#qnan", "1.#inf",
    "nan", "-nan", "+nan", "<na>", "<null>", "(null)", "[null]", "null", "nat", "\\n", "n/a", "na",
    "n.a.", "n.a", "n. a.", "n/d", "n.d.", "n.d", "s/d", "s.d.", "k.a.", "k. a.", "k.a", "n/r", "n.r.",
)  # fmt: skip
#: Signs that may be levels: the result of a test, a mark.
MARKS = ("-", "--", "---", "----", ".", "..", "...", "*", "**", "***", "_", "/", "//", "…", "\\")
_STATA = tuple(f".{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")
# Words that may be levels.
_WORDS = (
    "none", "nil", "missing", "unknown", "unk", "not available", "not applicable", "not reported",
    "not recorded", "not measured", "not known", "no data", "no value", "undefined", "empty", "blank",
    "void", "invalid", "error", "err", "tbd", "tba", "nd", "nc", "n.c.", "n/c", "n/m", "nr", "ns", "ka",
    "sin dato", "sin datos", "sd", "sin información", "sin informacion", "s/i", "no disponible",
    "no aplica", "no informado", "no registrado", "no medido", "desconocido", "desconocida", "nulo",
    "vacío", "vacio", "ninguno", "ninguna", "faltante", "perdido", "no hay", "no consta", "pendiente",
    "keine angabe", "keine angaben", "unbekannt", "fehlt", "fehlend", "leer", "entfällt",
    "nicht verfügbar", "inconnu", "inconnue", "manquant", "non renseigné", "non disponible", "vide",
    "(missing)", "(unknown)", "(none)", "(blank)", "(empty)", "(leer)", "(en blanco)", "not a number",
)  # fmt: skip
_NEVER_LEVELS = frozenset(SIGNS)
_AMONG_NUMBERS = frozenset((*SIGNS, *MARKS, *_STATA, *_WORDS))


# What instruments, databases and grids write where nothing was measured, beside runs of nines.
_CODES = frozenset((-32768.0, -2147483648.0, 2147483647.0))
_ENDLESS = 1e30  # the fill of grids: 1e30, 9.96921e36, -3.4e38, 1.8e308


def stand_ins(values: NDArray[Any]) -> list[tuple[float, int]]:
    """Return numbers such as -999 that lie far from all others, each with how often it occurs.

    Far is farther from the nearest other number than these are from each other. They may stand for a
    missing value; nothing but their distance says so.

    Parameters
    ----------
    values : float64, shape (rows,), NaN where missing.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return []
    distinct, counts = np.unique(known, return_counts=True)
    ends = [*range(min(4, len(distinct))), *range(max(4, len(distinct) - 4), len(distinct))]
    coded = [place for place in ends if _is_code(float(distinct[place]))]
    others = np.delete(distinct, coded)
    if not coded or len(others) < 2:
        return []
    low, high = float(others[0]), float(others[-1])
    far = [p for p in coded if max(low - distinct[p], distinct[p] - high) > high - low]
    return [(float(distinct[place]), int(counts[place])) for place in far]


def _is_code(value: float) -> bool:
    digits = f"{abs(value):.15g}".replace(".", "")
    nines = len(digits) >= 2 and set(digits) == {"9"}
    return nines or value in _CODES or abs(value) >= _ENDLESS


def missing_places(texts: list[str], *, among_numbers: bool) -> list[int]:
    """Return the places of those texts, stripped, that stand for a missing value.

    Parameters
    ----------
    among_numbers : whether all else are numbers or dates; a word or a dash may else be a level.
    """
    signs = _AMONG_NUMBERS if among_numbers else _NEVER_LEVELS
    return [place for place, text in enumerate(texts) if text.casefold() in signs]
