"""Find a problem by its name, or in the user's own code."""

from __future__ import annotations

from collections.abc import Callable

from descenso.errors import UnknownNameError
from descenso.language import _, did_you_mean
from descenso.problems import _descents, _images, _own, _table_names, _tables, surfaces
from descenso.problems._problem import Problem

_BUILT_IN: dict[str, Callable[[], Problem]] = {
    "digits": _tables.digits,
    "breast-cancer": _tables.breast_cancer,
    "wine": _tables.wine,
    "diabetes": _tables.diabetes,
    "line": _descents.line,
    "digits-cnn": _images.digits_cnn,
    "mnist-dense": _images.mnist_dense,
    "mnist-cnn": _images.mnist_cnn,
    "mnist-cnn-wide": _images.mnist_cnn_wide,
    "fashion-mnist-dense": _images.fashion_mnist_dense,
    "fashion-mnist-cnn": _images.fashion_mnist_cnn,
    "cifar10-cnn": _images.cifar10_cnn,
    "cifar10-cnn-same": _images.cifar10_cnn_same,
}


def names() -> list[str]:
    """Return the names of the problems that come with descenso."""
    return [*_BUILT_IN, *surfaces.names()]


def get(text: str) -> Problem:
    """Return the problem that ``text`` names.

    Parameters
    ----------
    text : a built-in name, such as ``digits`` or ``ravine(condition=100)``, or a place in the
        user's own code, ``module:object`` or ``path/to/file.py:object``, where the object is a
        :class:`Problem` or a function without parameters that returns one; or a table with the
        column to learn, ``houses.csv(target=price)`` (see :func:`from_table`).

    Raises
    ------
    UnknownNameError
        If there is no built-in problem of that name.
    SettingError
        If a surface's setting is wrong.
    ProblemError
        If the user's code cannot be imported, or does not hold a problem there.
    """
    if text in _BUILT_IN:
        return _BUILT_IN[text]()
    if surfaces.is_surface(text):
        return _descents.descent(surfaces.get(text))
    if _table_names.is_table(text):
        return _table_names.load(text)
    if ":" in text:
        return _own.load(text)
    hint = did_you_mean(text, names())
    raise UnknownNameError(
        _(
            "there is no problem named {name!r}; there are {known}, or module:object for your own."
        ).format(name=text, known=", ".join(names()))
        + hint
    )


def summary(problem: Problem) -> str:
    """Return the problem's one line in the language in use."""
    return _(problem.summary) if problem.summary else ""
