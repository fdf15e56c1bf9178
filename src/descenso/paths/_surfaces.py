"""What can be descended: a built-in surface, a small regression, a formula, or one's own object."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from descenso.errors import DescensoError, ProblemError, SettingError, UnknownNameError
from descenso.language import N_, _, did_you_mean
from descenso.paths._formula import WINDOW, Window, from_formula
from descenso.paths._minima import find_minima
from descenso.problems import _own, surfaces
from descenso.problems.surfaces import Minimum, Surface

REGRESSION = "regression"
FURTHEST = 1e9  # the largest coordinate of a window
NARROWEST = 1e-9  # of that coordinate: a narrower window shows the grid of doubles

# Forty examples of y = 1.5 x − 0.5 with noise; x is off centre, so that the valley is a ravine.
_RNG = np.random.default_rng(6)
_X = _RNG.uniform(-0.5, 2.5, 40)
_Y = 1.5 * _X - 0.5 + _RNG.normal(0, 0.6, 40)


def names() -> list[str]:
    """Return the names of all that can be descended by name."""
    return [*surfaces.names(), REGRESSION]


def get(
    text: str | None = None,
    *,
    function: str | None = None,
    window: Window | None = None,
    start: tuple[float, float] | None = None,
) -> Surface:
    """Return a surface by its name, a formula, or ``module:object``; with another view or start.

    Raises
    ------
    DescensoError
        If there is no such surface, or the window, the start or the function is unusable.
    """
    if (text is None) == (function is None):
        raise SettingError(_("name a surface or give a function: one of the two"))
    if window is not None:
        _check_window(window)
    if function is not None:
        found = from_formula(function, window=window, start=start)
    elif text is not None and ":" in text:
        found = _from_object(text, window, start)
    elif text == REGRESSION:
        found = _regression()
    else:
        found = _built_in(str(text))
    found = _checked(replace(found, window=window or found.window, start=start or found.start))
    check_inside(found, found.start)
    return found


def check_inside(surface: Surface, start: tuple[float, float]) -> None:
    """Refuse a start that a picture of the surface would not show.

    Raises
    ------
    SettingError
        If it lies outside the window.
    """
    if all(low <= x <= high for x, (low, high) in zip(start, surface.window, strict=True)):
        return
    (left, right), (bottom, top) = surface.window
    raise SettingError(
        _(
            "the start ({x}, {y}) lies outside the view, x from {left} to {right}, y from {bottom} "
            "to {top}; give another start or a wider window"
        ).format(
            **{name: f"{value:g}" for name, value in zip(
                ("x", "y", "left", "right", "bottom", "top"),
                (*start, left, right, bottom, top), strict=True,
            )}
        )
    )  # fmt: skip


def _built_in(text: str) -> Surface:
    try:
        return surfaces.get(text)
    except UnknownNameError:
        hint = did_you_mean(text.partition("(")[0], names())
        if set(text) & set("*+/^"):
            hint = _(" A formula is given by --function, in Python by function=.")
        raise UnknownNameError(
            _("there is no surface named {name!r}; there are {known}.").format(
                name=text[:80], known=", ".join(names())
            )
            + hint
        ) from None


def seen_through(surface: Surface, window: Window) -> Surface:
    """Return the surface with another view.

    Raises
    ------
    SettingError
        If the window is none.
    """
    _check_window(window)
    return replace(surface, window=window)


def _checked(surface: Surface) -> Surface:
    if not all(map(math.isfinite, surface.start)):
        raise SettingError(
            _("a start is two finite numbers; got {value}").format(value=surface.start)
        )
    with np.errstate(all="ignore"):
        value = surface.function(surface.start)
    if not math.isfinite(value):
        raise ProblemError(
            _("{name} is not finite at the start {start}; choose another start").format(
                name=surface.name, start=surface.start
            )
        )
    return surface


def _check_window(window: Window) -> None:
    for low, high in window:
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise SettingError(
                _("a window is x low, x high, y low, y high, each low below its high; got {value}")
                .format(value=window)
            )  # fmt: skip
        if max(-low, high) > FURTHEST or high - low < NARROWEST * max(-low, high, FURTHEST**-1):
            raise SettingError(
                _(
                    "a window lies between −{furthest:g} and {furthest:g}, and its sides can be told "
                    "apart in double precision; got {value}"
                ).format(furthest=FURTHEST, value=window)
            )


def _regression() -> Surface:
    """Return the mean squared error of the line y = w x + b on forty noisy examples."""
    best_w, best_b = np.polyfit(_X, _Y, 1)
    lowest = float(np.mean((best_w * _X + best_b - _Y) ** 2))

    def value(point: Any) -> Any:
        w, b = point[0], point[1]
        wide = np.asarray(w)[..., None] * _X + np.asarray(b)[..., None] - _Y
        return np.mean(wide**2, axis=-1)

    return Surface(
        name=REGRESSION,
        formula=r"J(w, b) = \frac{1}{n} \sum_i (w x_i + b - y_i)^2",
        summary=N_("a straight line fitted to forty noisy points: weight w and bias b"),
        value=value,
        slope=lambda point: example_slope(point, np.arange(len(_X))),
        minima=(Minimum((float(best_w), float(best_b)), lowest),),
        start=(-1.0, 2.5),
        window=((-2.0, 4.0), (-3.5, 3.5)),
    )


def example_slope(point: Any, chosen: Any) -> tuple[Any, Any]:
    """Return the gradient of the regression on the examples ``chosen`` alone."""
    w, b = (np.asarray(u)[..., None] for u in point)
    rest = w * _X[chosen] + b - _Y[chosen]
    return 2 * np.mean(rest * _X[chosen], axis=-1), 2 * np.mean(rest, axis=-1)


def examples(surface: Surface) -> int:
    """Return how many examples a surface is the mean of; 0 where it is not made of examples."""
    return len(_X) if surface.name == REGRESSION else 0


def _from_object(text: str, window: Window | None, start: tuple[float, float] | None) -> Surface:
    place, _colon, attribute = text.rpartition(":")
    if not place or not attribute:
        raise ProblemError(
            _("a surface of your own is written module:object or file.py:object; got {text!r}")
            .format(text=text)
        )  # fmt: skip
    found = _own.find(place, attribute)
    if isinstance(found, Surface):
        return found
    if not callable(found):
        raise ProblemError(
            _("{text} is of type {kind}, neither a surface nor a function of a point").format(
                text=text, kind=type(found).__name__
            )
        )
    return find_minima(_of_function(found, text, window or WINDOW, start))


def _of_function(
    function: Callable[[Any], Any], name: str, window: Window, start: tuple[float, float] | None
) -> Surface:
    """Return the surface of a plain function of a point, shape (2,); its gradient by differences."""

    def one(point: Any) -> float:
        try:
            return float(function(np.array(point, np.float64)))
        except DescensoError:
            raise
        except Exception as error:
            raise ProblemError(
                _("calling {name} at {point} failed: {kind}: {error}").format(
                    name=name,
                    point=np.asarray(point).tolist(),
                    kind=type(error).__name__,
                    error=error,
                )
            ) from error

    def value(point: Any) -> Any:
        point = np.asarray(point, np.float64)
        flat = [one(p) for p in point.reshape(2, -1).T]
        return np.array(flat).reshape(point.shape[1:])

    def slope(point: Any) -> tuple[Any, Any]:
        point = np.asarray(point, np.float64)
        h = np.cbrt(np.finfo(np.float64).eps) * np.maximum(1.0, np.abs(point))
        x, y = np.array([1.0, 0.0]), np.array([0.0, 1.0])
        shape = (2,) + (1,) * (point.ndim - 1)
        return tuple(
            (value(point + d.reshape(shape) * h) - value(point - d.reshape(shape) * h)) / (2 * h[i])
            for i, d in enumerate((x, y))
        )

    left, right = window[0]
    bottom, top = window[1]
    at = start or (left + 0.15 * (right - left), bottom + 0.8 * (top - bottom))
    return Surface(name, "", "", value, slope, (), at, window)
