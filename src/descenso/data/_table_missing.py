"""Signs that stand for a missing value."""

from __future__ import annotations

# Signs that are never a level of a category.
_SIGNS = (
    "", "?", "??", "???", "#", "#n/a", "#n/a n/a", "#na", "#value!", "#div/0!", "#ref!", "#name?",
    "#num!", "#null!", "#valor!", "#¡valor!", "#¡div/0!", "#¡ref!", "#¿nombre?", "#¡num!", "#¡nulo!",
    "#wert!", "#bezug!", "#zahl!", "#valeur!", "-1.#ind", "1.#ind", "-1.#qnan", "1.#qnan", "1.#inf",
    "nan", "-nan", "+nan", "<na>", "<null>", "(null)", "[null]", "null", "nat", "\\n", "n/a", "na",
    "n.a.", "n.a", "n. a.", "n/d", "n.d.", "n.d", "s/d", "s.d.", "k.a.", "k. a.", "k.a", "n/r", "n.r.",
)  # fmt: skip
# Signs that may be levels: the result of a test, a mark.
_MARKS = ("-", "--", "---", "----", ".", "..", "...", "*", "**", "***", "_", "/", "//", "…", "\\")
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
_NEVER_LEVELS = frozenset(_SIGNS)
_AMONG_NUMBERS = frozenset((*_SIGNS, *_MARKS, *_WORDS))


def missing_places(texts: list[str], *, among_numbers: bool) -> list[int]:
    """Return the places of those texts, stripped, that stand for a missing value.

    Parameters
    ----------
    among_numbers : whether all else are numbers or dates; a word or a dash may else be a level.
    """
    signs = _AMONG_NUMBERS if among_numbers else _NEVER_LEVELS
    return [place for place, text in enumerate(texts) if text.casefold() in signs]
