"""Surfaces: two-parameter test functions whose minima are known, to watch a method descend.

>>> surface = get("ravine(condition=100)")
>>> surface.function([1.0, 0.1])
1.0
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descenso.errors import SettingError, UnknownNameError, nearest
from descenso.language import N_, _
from descenso.problems import _surface_functions as functions

Point = tuple[float, float]
Floats = NDArray[np.float64]

_WRITTEN = re.compile(r"^\s*(?P<name>[\w-]+)\s*(?:\((?P<settings>[^()]*)\))?\s*$")


@dataclass(frozen=True)
class Minimum:
    """Where a surface is lowest, and its value there."""

    position: Point
    value: float = 0.0


@dataclass(frozen=True)
class Surface:
    """A function of two parameters, with what is known of it.

    Attributes
    ----------
    name : how a user names it, with its settings.
    formula : LaTeX.
    summary : one line, in English; translated when shown.
    value : (point of shape (2, ...)) → values of shape (...), on any framework's arrays.
    slope : the gradient of ``value``, shape (2, ...), on NumPy arrays.
    minima : its global minima; empty where it has none.
    start : the usual starting point.
    window : the usual view, ((x low, x high), (y low, y high)).
    settings : of the function, such as the ravine's condition.
    """

    name: str
    formula: str
    summary: str
    value: Callable[[Any], Any]
    slope: Callable[[Any], Any]
    minima: tuple[Minimum, ...]
    start: Point
    window: tuple[Point, Point]
    settings: Mapping[str, float] = field(default_factory=dict)

    def function(self, point: ArrayLike) -> Any:
        """Return the value at ``point``, shape (2,), or on a grid of points, shape (2, ...)."""
        value = self.value(np.asarray(point, np.float64))
        return float(value) if np.ndim(value) == 0 else value

    def gradient(self, point: ArrayLike) -> Floats:
        """Return the gradient at ``point``, of the same shape."""
        return np.stack(self.slope(np.asarray(point, np.float64)))


def _ravine(condition: float = 100.0) -> Surface:
    if not (math.isfinite(condition) and condition >= 1):
        raise SettingError(
            _("ravine: condition must be a finite number ≥ 1; got {value}").format(value=condition)
        )
    return Surface(
        name="ravine" if condition == 100 else f"ravine(condition={condition:g})",
        formula=r"f(x, y) = \tfrac{1}{2}(x^2 + \kappa y^2)",
        summary=N_("a long narrow valley: a quadratic κ times steeper across than along"),
        value=partial(functions.ravine, condition=condition),
        slope=partial(functions.ravine_slope, condition=condition),
        minima=(Minimum((0.0, 0.0)),),
        start=(-10.0, 1.0),
        window=((-12.0, 12.0), (-3.0, 3.0)),
        settings={"condition": condition},
    )


def _rosenbrock() -> Surface:
    return Surface(
        name="rosenbrock",
        formula=r"f(x, y) = (1 - x)^2 + 100\,(y - x^2)^2",
        summary=N_("Rosenbrock's curved valley: easy to enter, slow to follow"),
        value=functions.rosenbrock,
        slope=functions.rosenbrock_slope,
        minima=(Minimum((1.0, 1.0)),),
        start=(-1.2, 1.0),
        window=((-2.0, 2.0), (-1.0, 3.0)),
    )


def _beale() -> Surface:
    return Surface(
        name="beale",
        formula=r"f(x, y) = (1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2",
        summary=N_("Beale's plateau with steep walls"),
        value=functions.beale,
        slope=functions.beale_slope,
        minima=(Minimum((3.0, 0.5)),),
        start=(1.0, 1.0),
        window=((-4.5, 4.5), (-4.5, 4.5)),
    )


def _himmelblau() -> Surface:
    return Surface(
        name="himmelblau",
        formula=r"f(x, y) = (x^2 + y - 11)^2 + (x + y^2 - 7)^2",
        summary=N_("Himmelblau's four equal minima"),
        value=functions.himmelblau,
        slope=functions.himmelblau_slope,
        minima=(
            Minimum((3.0, 2.0)),
            Minimum((-2.805118086952745, 3.131312518250573)),
            Minimum((-3.779310253377747, -3.283185991286170)),
            Minimum((3.584428340330492, -1.848126526964404)),
        ),
        start=(0.0, 0.0),
        window=((-5.0, 5.0), (-5.0, 5.0)),
    )


def _rastrigin() -> Surface:
    return Surface(
        name="rastrigin",
        formula=r"f(x, y) = 20 + x^2 - 10 \cos 2\pi x + y^2 - 10 \cos 2\pi y",
        summary=N_("Rastrigin's egg box: many local minima around the global one"),
        value=functions.rastrigin,
        slope=functions.rastrigin_slope,
        minima=(Minimum((0.0, 0.0)),),
        start=(2.6, -3.4),
        window=((-5.12, 5.12), (-5.12, 5.12)),
    )


def _saddle() -> Surface:
    return Surface(
        name="saddle",
        formula=r"f(x, y) = x^2 - y^2",
        summary=N_("a saddle: it has no minimum, only a way out that a method must find"),
        value=functions.saddle,
        slope=functions.saddle_slope,
        minima=(),
        start=(-1.5, 0.01),
        window=((-2.0, 2.0), (-2.0, 2.0)),
    )


_SURFACES: dict[str, Callable[..., Surface]] = {
    "ravine": _ravine,
    "rosenbrock": _rosenbrock,
    "beale": _beale,
    "himmelblau": _himmelblau,
    "rastrigin": _rastrigin,
    "saddle": _saddle,
}


def names() -> list[str]:
    """Return the names of all surfaces."""
    return list(_SURFACES)


def is_surface(text: str) -> bool:
    """Whether ``text`` names a surface, with or without settings."""
    match = _WRITTEN.match(text)
    return match is not None and match["name"] in _SURFACES


def get(text: str) -> Surface:
    """Return a surface by its name, with settings if it has any: ``ravine(condition=100)``.

    Raises
    ------
    UnknownNameError
        If there is no surface of that name.
    SettingError
        If a setting is unknown, not a number or out of its range (condition: finite, ≥ 1).
    """
    match = _WRITTEN.match(text)
    if not match or match["name"] not in _SURFACES:
        close = nearest(text, names())
        hint = _(" Did you mean {name!r}?").format(name=close) if close else ""
        raise UnknownNameError(
            _("there is no surface named {name!r}; there are {known}.").format(
                name=text, known=", ".join(names())
            )
            + hint
        )
    name = match["name"]
    return _SURFACES[name](**_settings(name, match["settings"] or ""))


def _settings(name: str, text: str) -> dict[str, float]:
    known = _SURFACES[name]().settings
    given: dict[str, float] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        setting, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not value:
            raise SettingError(
                _("{name}: a setting is written setting=value; got {part!r}").format(
                    name=name, part=part
                )
            )
        if setting not in known:
            raise SettingError(
                _("{name} has no setting {setting!r}; it has {known}").format(
                    name=name, setting=setting, known=", ".join(known) or _("none")
                )
            )
        if setting in given:
            raise SettingError(
                _("{name}: {setting} is given twice").format(name=name, setting=setting)
            )
        given[setting] = _number(name, setting, value)
    return given


def _number(name: str, setting: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise SettingError(
            _("{name}: {setting} must be a number; got {value!r}").format(
                name=name, setting=setting, value=value
            )
        ) from None
