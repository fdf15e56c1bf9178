"""The settings a search tries: a log-spaced grid of learning rates per method."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from descenso.methods import Method
from descenso.rules import Hyperparameter

#: Learning rates added beyond an edge of the grid when the best one lies there.
ADDED_AT_EDGE = 3
#: How many times an edge may be widened.
WIDENINGS = 3


def learning_rates(method: Method, trials: int) -> list[float]:
    """Return the learning rates a method is first tried with, lowest first.

    The rule's default is tried beside the grid, so that no search ends with a setting that it has
    seen to be worse. A method whose learning rate is fixed is tried with that one.
    """
    if "lr" in method.fixed:
        return [float(method.fixed["lr"])]
    low, high = _search_range(method)
    default = float(_learning_rate(method).default)
    if trials == 1:
        return [default]
    grid = {round_setting(lr) for lr in np.geomspace(low, high, trials)}
    return sorted(grid | {default})


def beyond_edge(method: Method, tried: Sequence[float], edge: str) -> list[float]:
    """Return learning rates that continue the grid past its ``"low"`` or ``"high"`` edge."""
    rates = sorted(tried)
    if len(rates) < 2:
        return []
    ratio = rates[-1] / rates[-2] if edge == "high" else rates[1] / rates[0]
    powers = range(1, ADDED_AT_EDGE + 1)
    new = [rates[-1] * ratio**k if edge == "high" else rates[0] / ratio**k for k in powers]
    h = _learning_rate(method)
    return [round_setting(lr) for lr in new if np.isfinite(lr) and h.admits(lr)]


def round_setting(value: float) -> float:
    """Return ``value`` with three significant digits: what is printed is what was run."""
    return float(f"{value:.3g}")


def _learning_rate(method: Method) -> Hyperparameter:
    return method.definition().hyperparameters["lr"]


def _search_range(method: Method) -> tuple[float, float]:
    return _learning_rate(method).search or (1e-5, 1.0)
