"""What is known of a surface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Point = tuple[float, float]
Floats = NDArray[np.float64]


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
