"""Run one rule from one start at many settings at once: rules are formulas and take arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descenso.ops import numpy as xp
from descenso.problems.surfaces import Surface
from descenso.rules import Rule

Floats = NDArray[np.float64]
Gradient = Callable[[Floats, int], Floats]  # (points of shape (2, ...), step from 0) -> gradients


def sweep(
    surface: Surface,
    rule: Rule,
    settings: Mapping[str, Any],
    start: tuple[float, float],
    steps: int,
    gradient: Gradient | None = None,
) -> tuple[Floats, Floats]:
    """Return every position and value of descents that differ in their settings alone.

    Parameters
    ----------
    settings : a value for every hyperparameter; arrays of shapes that broadcast to one another.
    gradient : what each step sees; the surface's own gradient if not given.

    Returns
    -------
    positions of shape (steps + 1, 2, ...) and values of shape (steps + 1, ...); what has
    overflowed is not finite.
    """
    shape = np.broadcast_shapes(*(np.shape(v) for v in settings.values()))
    theta = np.empty((2, *shape))
    theta[0], theta[1] = start
    seen = gradient or (lambda theta, step: surface.gradient(theta))
    with np.errstate(all="ignore"):
        state = _start(rule, theta, settings)
        places, values = [theta], [np.asarray(surface.function(theta))]
        for step in range(steps):
            theta, state = rule.update(xp, theta, seen(theta, step), state, step + 1, settings)
            places.append(theta)
            values.append(np.asarray(surface.function(theta)))
    return np.stack(places), np.stack(values)


def _start(rule: Rule, theta: Floats, settings: Mapping[str, Any]) -> dict[str, Floats]:
    truth = {name: bool(np.any(value)) for name, value in settings.items()}
    return {name: np.zeros_like(theta) for name in rule.state_names(truth)}
