"""The surfaces that come with descenso: where they are lowest, where to start, where to look."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from descenso.errors import SettingError
from descenso.language import N_, _
from descenso.problems import _surface_functions as functions
from descenso.problems._surface import Minimum, Surface


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


#: Name → maker, whose parameters are the surface's settings.
SURFACES: dict[str, Callable[..., Surface]] = {
    "ravine": _ravine,
    "rosenbrock": _rosenbrock,
    "beale": _beale,
    "himmelblau": _himmelblau,
    "rastrigin": _rastrigin,
    "saddle": _saddle,
}
