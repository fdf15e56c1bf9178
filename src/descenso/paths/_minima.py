"""Look for the minima of a surface that nobody has written down."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from descenso.errors import ProblemError
from descenso.language import _
from descenso.problems.surfaces import Minimum, Surface

_GRID = 81
_MOST = 16
_LARGEST = 1e300  # beyond it, not even the range of two values is finite
_MOST_STEPS = 100  # of BFGS from one of them
_NEAR = 0.02  # of the window's sides: two minima nearer than that are one


def find_minima(surface: Surface) -> Surface:
    """Return the surface with the local minima found inside its window, the lowest first.

    The lowest points of a grid are polished by BFGS; what ends on the rim of the window, or has a
    neighbour that is lower, is no minimum.

    Raises
    ------
    ProblemError
        If no point of the grid has a finite value.
    """
    axes = [np.linspace(low, high, _GRID) for low, high in surface.window]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"))
    values = np.asarray(surface.function(grid))
    if not (np.abs(values) <= _LARGEST).any():
        raise ProblemError(_("{name} has no finite value in its window").format(name=surface.name))
    found: list[Minimum] = []
    for i, j in _lowest_of_neighbours(values):
        minimum = _polish(surface, grid[:, i, j])
        if minimum and not any(_same(surface, minimum, other) for other in found):
            found.append(minimum)
    return replace(surface, minima=tuple(sorted(found, key=lambda m: m.value)))


def _lowest_of_neighbours(values: np.ndarray) -> list[tuple[int, int]]:
    """Return the inner points that no neighbour undercuts, the lowest first."""
    inner = values[1:-1, 1:-1]
    steps = [(a, b) for a in (0, 1, 2) for b in (0, 1, 2) if (a, b) != (1, 1)]
    n = len(values) - 2
    low = np.isfinite(inner)
    for a, b in steps:
        low &= ~(values[a : a + n, b : b + n] < inner)
    places = [(int(i) + 1, int(j) + 1) for i, j in np.argwhere(low)]
    return sorted(places, key=lambda p: float(values[p]))[:_MOST]


def _polish(surface: Surface, start: np.ndarray) -> Minimum | None:
    from scipy.optimize import minimize

    with np.errstate(all="ignore"):
        end = minimize(
            surface.function,
            start,
            jac=surface.gradient,
            method="BFGS",
            options={"maxiter": _MOST_STEPS},
        )
    inside = all(low < u < high for u, (low, high) in zip(end.x, surface.window, strict=True))
    if not (inside and np.isfinite(end.fun)) or float(end.fun) > float(surface.function(start)):
        return None
    sides = np.array([high - low for low, high in surface.window])
    ring = [
        end.x + 1e-4 * sides * np.array([np.cos(a), np.sin(a)]) for a in np.arange(8) * np.pi / 4
    ]
    if min(float(surface.function(p)) for p in ring) <= float(end.fun):
        return None  # a plain, or a way further down
    # Rounding leaves an end at 3e-9 rather than 0: say where it is no finer than it is known.
    place = np.round(np.round(end.x / sides, 7) * sides, 9) + 0.0
    return Minimum((float(place[0]), float(place[1])), float(end.fun))


def _same(surface: Surface, one: Minimum, other: Minimum) -> bool:
    sides = [high - low for low, high in surface.window]
    apart = [abs(a - b) / s for a, b, s in zip(one.position, other.position, sides, strict=True)]
    return max(apart) < _NEAR
