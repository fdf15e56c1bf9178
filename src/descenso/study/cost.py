"""What a method costs: time and memory of a step, and how soon it reaches the target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from descenso import rules
from descenso.study._results import MethodResult
from descenso.study.statistics import ALPHA

_BYTES = 4  # engine, bindings and frameworks keep optimizer state in float32


@dataclass(frozen=True)
class Cost:
    """Cost of a step of a method at its chosen settings.

    ``seconds_per_step`` is measured, a member's share of the machine; ``state_bytes`` is what the
    rule keeps from step to step, beside parameters and gradients.
    """

    seconds_per_step: float
    seconds_per_run: float
    state_arrays: int  # each as large as the parameters
    state_bytes: int


@dataclass(frozen=True)
class TimeToTarget:
    """How soon runs reach the target. A run that never does counts as infinite, never as absent.

    ``median`` is infinite where half of the runs or more miss. ``low`` and ``high`` are its 95%
    interval, infinite where the runs do not bound it; NaN for fewer than six runs.
    """

    median: float
    low: float
    high: float
    reached: int
    runs: int


def cost(method: MethodResult, parameters: int) -> Cost:
    """Return what a step of the method costs on a problem of so many parameters."""
    runs = method.tuned.curves
    seconds, steps = sum(c.seconds for c in runs), sum(c.steps for c in runs)
    arrays = len(rules.get(method.rule).state_names(method.settings))
    return Cost(
        seconds_per_step=seconds / steps if steps else math.nan,
        seconds_per_run=seconds / len(runs),
        state_arrays=arrays,
        state_bytes=arrays * parameters * _BYTES,
    )


def time_to_target(epochs: Sequence[float]) -> TimeToTarget | None:
    """Return the median number of epochs to the target with its interval; ``None`` without one.

    Runs are censored at one common budget, so order statistics need no estimate of survival: a
    miss lies beyond every hit. Source of the interval: Conover (1999), Practical Nonparametric
    Statistics, section 3.2 (binomial bounds on ranks).
    """
    if not epochs:
        return None
    ordered = sorted(epochs)
    n = len(ordered)
    middle = ordered[(n - 1) // 2 : n // 2 + 1]
    median = math.inf if math.inf in middle else float(np.mean(middle))
    rank = int(stats.binom.ppf(ALPHA / 2, n, 0.5))  # of the lower bound, counted from one
    known = rank >= 1
    return TimeToTarget(
        median=median,
        low=ordered[rank - 1] if known else math.nan,
        high=ordered[n - rank] if known else math.nan,
        reached=sum(map(math.isfinite, ordered)),
        runs=n,
    )
