"""Values and gradients of the surfaces.

A point is an array of shape (2, ...): its first axis holds x and y. Values are written with the
closed list of operations, so that every framework can differentiate them; gradients are given as
the pair (∂f/∂x, ∂f/∂y) on NumPy arrays.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np

from descenso import ops

Array: TypeAlias = Any


def ravine(point: Array, condition: float) -> Array:
    r"""Return :math:`\tfrac12 (x^2 + \kappa y^2)`; κ is the condition number of its Hessian."""
    x, y = point[0], point[1]
    return 0.5 * (x**2 + condition * y**2)


def ravine_slope(point: Array, condition: float) -> tuple[Array, Array]:
    """Return the gradient of :func:`ravine`."""
    x, y = point
    return x, condition * y


def rosenbrock(point: Array) -> Array:
    r"""Return :math:`(1-x)^2 + 100 (y-x^2)^2` (Rosenbrock 1960, Comput. J. 3, 175)."""
    x, y = point[0], point[1]
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def rosenbrock_slope(point: Array) -> tuple[Array, Array]:
    """Return the gradient of :func:`rosenbrock`."""
    x, y = point
    return -2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)


def beale(point: Array) -> Array:
    r"""Return :math:`\sum_{i=1}^3 (c_i - x + x y^i)^2`, c = 1.5, 2.25, 2.625 (Beale 1958)."""
    x, y = point[0], point[1]
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def beale_slope(point: Array) -> tuple[Array, Array]:
    """Return the gradient of :func:`beale`."""
    x, y = point
    rests = [(c - x + x * y**i, i) for i, c in ((1, 1.5), (2, 2.25), (3, 2.625))]
    along_x = sum(2 * rest * (y**i - 1) for rest, i in rests)
    along_y = sum(2 * rest * i * x * y ** (i - 1) for rest, i in rests)
    return along_x, along_y


def himmelblau(point: Array) -> Array:
    r"""Return :math:`(x^2 + y - 11)^2 + (x + y^2 - 7)^2` (Himmelblau 1972)."""
    x, y = point[0], point[1]
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def himmelblau_slope(point: Array) -> tuple[Array, Array]:
    """Return the gradient of :func:`himmelblau`."""
    x, y = point
    first, second = x**2 + y - 11, x + y**2 - 7
    return 4 * x * first + 2 * second, 2 * first + 4 * y * second


def rastrigin(point: Array) -> Array:
    r"""Return :math:`20 + \sum_{u \in \{x, y\}} u^2 - 10 \cos 2\pi u` (Rastrigin 1974)."""
    x, y = point[0], point[1]
    xp = ops.namespace(x)
    waves = xp.cos(2 * math.pi * x) + xp.cos(2 * math.pi * y)
    return 20 + x**2 + y**2 - 10 * waves


def rastrigin_slope(point: Array) -> tuple[Array, Array]:
    """Return the gradient of :func:`rastrigin`."""
    x, y = (2 * u + 20 * math.pi * np.sin(2 * math.pi * u) for u in point)
    return x, y


def saddle(point: Array) -> Array:
    """Return x² − y²: unbounded below along y, so that it has no minimum."""
    x, y = point[0], point[1]
    return x**2 - y**2


def saddle_slope(point: Array) -> tuple[Array, Array]:
    """Return the gradient of :func:`saddle`."""
    x, y = point
    return 2 * x, -2 * y
