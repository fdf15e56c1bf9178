"""Find a problem by its name, or in the user's own code."""

from __future__ import annotations

from collections.abc import Callable

from descenso.errors import UnknownNameError, nearest
from descenso.language import _
from descenso.problems import _tables
from descenso.problems._problem import Problem

_BUILT_IN: dict[str, Callable[[], Problem]] = {
    "digits": _tables.digits,
    "breast-cancer": _tables.breast_cancer,
    "wine": _tables.wine,
    "diabetes": _tables.diabetes,
}


def names() -> list[str]:
    """Return the names of the problems that come with descenso."""
    return list(_BUILT_IN)


def get(text: str) -> Problem:
    """Return the problem that ``text`` names.

    Raises
    ------
    UnknownNameError
        If there is no built-in problem of that name.
    """
    if text in _BUILT_IN:
        return _BUILT_IN[text]()
    close = nearest(text, names())
    hint = _(" Did you mean {name!r}?").format(name=close) if close else ""
    raise UnknownNameError(
        _("there is no problem named {name!r}; there are {known}.").format(
            name=text, known=", ".join(names())
        )
        + hint
    )
