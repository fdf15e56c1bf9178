"""Choose a learning rate for a method on a surface, in one and the same way for every method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from descenso.paths._sweep import Floats, Gradient, sweep
from descenso.problems.surfaces import Surface
from descenso.rules import Rule

#: The learning rates tried: twelve to a decade.
TRIED = np.logspace(-5, 2, 7 * 12 + 1)
SETTLED = 0.01  # share of the start's height above the minimum
FIRST_STEP = 0.02  # share of the view's diagonal

#: Why a learning rate was chosen: it ``settles`` first, none settles and its end is the ``lowest``
#: in view, or its ``first_step`` is as long as every other method's.
Reason = Literal["settles", "lowest", "first_step"]


class Tuned(NamedTuple):
    """A learning rate chosen for a method, and why."""

    lr: float
    reason: Reason


def tuned_learning_rate(
    surface: Surface,
    rule: Rule,
    settings: Mapping[str, float | bool],
    start: tuple[float, float],
    steps: int,
    gradient: Gradient | None = None,
) -> Tuned:
    """Return the learning rate, of :data:`TRIED`, with which the method settles first.

    A descent has settled when its height above the lowest value known is, and stays, under 1% of
    the start's. Where none settles, the lowest end within the view decides. A surface without a
    minimum has nothing to settle in: there every method is given the same length of first step, a
    fiftieth of the view's diagonal.
    """
    places, values = sweep(surface, rule, {**settings, "lr": TRIED}, start, steps, gradient)
    if not surface.minima:
        return Tuned(_by_first_step(surface, places), "first_step")
    lowest = min(m.value for m in surface.minima)
    height = np.where(np.isfinite(values), values - lowest, np.inf)
    settled = _settles_at(height <= SETTLED * max(height[0, 0], 1e-12))
    if np.isfinite(settled).any():
        best = np.flatnonzero(settled == settled.min())
        return Tuned(float(TRIED[best[np.argmin(height[-1, best])]]), "settles")
    seen = np.where(_in_view(surface, places[-1]), height[-1], np.inf)
    return Tuned(float(TRIED[int(np.argmin(seen))]), "lowest")


def _settles_at(low: np.ndarray) -> Floats:
    """Return the first step from which a column stays true; infinity where it does not."""
    steps = len(low)
    stays = np.logical_and.accumulate(low[::-1])[::-1]
    first = np.where(stays.any(axis=0), steps - stays.sum(axis=0), np.inf)
    return np.asarray(first, np.float64)


def _in_view(surface: Surface, places: Floats) -> np.ndarray:
    (left, right), (bottom, top) = surface.window
    with np.errstate(invalid="ignore"):
        inside = (left <= places[0]) & (places[0] <= right)
        return np.asarray(inside & (bottom <= places[1]) & (places[1] <= top))


def _by_first_step(surface: Surface, places: Floats) -> float:
    (left, right), (bottom, top) = surface.window
    diagonal = float(np.hypot(right - left, top - bottom))
    lengths = np.hypot(*(places[1] - places[0]))
    with np.errstate(divide="ignore", invalid="ignore"):
        miss = np.abs(np.log(lengths / (FIRST_STEP * diagonal)))
    return float(TRIED[int(np.nanargmin(np.where(np.isfinite(miss), miss, np.inf)))])
