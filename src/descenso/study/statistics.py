"""The statistics of a verdict: intervals, paired differences, correction for many comparisons.

All functions are pure. Seeds are the sample: what is said holds for other seeds on this split of
this data set, not for other data.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from descenso.records import Comparison, Estimate

#: Share of studies that may claim a difference where there is none.
ALPHA = 0.05
_RESAMPLES = 9999
_BOOTSTRAP_SEED = 20150413  # fixed, so that the same values always give the same interval
_MOST_SEEDS = 1000


def estimate(values: Sequence[float]) -> Estimate:
    """Return the mean of ``values`` with its 95% bootstrap interval (BCa).

    The interval is NaN for fewer than two values, and the mean itself where all are equal.
    Source: Efron (1987), Better Bootstrap Confidence Intervals.
    """
    sample = np.asarray(values, dtype=float)
    mean = float(sample.mean()) if len(sample) else math.nan
    if len(sample) < 2 or not np.isfinite(sample).all():
        return Estimate(mean, math.nan, math.nan, tuple(map(float, values)))
    low, high = _bootstrap(sample)
    return Estimate(mean, low, high, tuple(map(float, values)))


def _bootstrap(sample: NDArray[Any]) -> tuple[float, float]:
    if np.ptp(sample) == 0:
        return float(sample[0]), float(sample[0])
    generator = np.random.default_rng(_BOOTSTRAP_SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # BCa is undefined for some tiny samples: handled below
        interval = stats.bootstrap(
            (sample,), np.mean, n_resamples=_RESAMPLES, rng=generator, method="BCa"
        ).confidence_interval
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return float(sample.min()), float(sample.max())
    return float(interval.low), float(interval.high)


def paired_p_value(first: Sequence[float], second: Sequence[float], resolution: float) -> float:
    """Return the two-sided p-value of a paired t-test of equal means; NaN for fewer than two pairs.

    Parameters
    ----------
    resolution : the smallest difference the metric can show (one test example for accuracy).
        The spread of the differences is taken to be at least half of it: two seeds that
        happen to agree on a coarse metric prove nothing.
    """
    difference = np.subtract(first, second)
    n = len(difference)
    if n < 2:
        return math.nan
    if not difference.any():
        return 1.0
    spread = max(float(difference.std(ddof=1)), resolution / 2)
    if spread == 0:
        return 0.0
    t = float(difference.mean()) / (spread / math.sqrt(n))
    return float(2 * stats.t.sf(abs(t), n - 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values corrected for being a family; NaN stays NaN.

    Source: Holm (1979), A Simple Sequentially Rejective Multiple Test Procedure.
    """
    p = np.asarray(p_values, dtype=float)
    corrected = np.full(len(p), np.nan)
    order = [i for i in np.argsort(p) if not math.isnan(p[i])]
    running = 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, (len(order) - rank) * p[i]))
        corrected[i] = running
    return [float(x) for x in corrected]


def compare_with_best(
    scores: Mapping[str, Sequence[float]], higher_is_better: bool, resolution: float = 0.0
) -> tuple[str, tuple[Comparison, ...]]:
    """Return the method with the best mean, and how every other compares with it.

    The best is found on the same scores that the comparisons use, so the correction covers every
    pair of methods, any of which could have come out as "the best against another".

    Parameters
    ----------
    scores : label → score of each seed, the same seeds in the same order for every method.
    """
    sign = 1.0 if higher_is_better else -1.0
    names = sorted(scores, key=lambda name: -sign * float(np.mean(scores[name])))
    best = names[0]
    pairs = list(itertools.combinations(names, 2))
    p_values = holm([paired_p_value(scores[a], scores[b], resolution) for a, b in pairs])
    corrected = dict(zip(pairs, p_values, strict=True))
    comparisons = []
    for other in names[1:]:
        difference = sign * np.subtract(scores[best], scores[other])
        p = corrected[best, other]
        comparisons.append(Comparison(other, estimate(list(difference)), p, not p < ALPHA))
    return best, tuple(comparisons)


def seeds_to_settle(difference: Estimate, comparisons: int, power: float = 0.8) -> int | None:
    """Return how many seeds would show a difference as large as the one seen.

    Parameters
    ----------
    comparisons : size of the family that the correction covers.
    power : chance of showing it.

    Returns
    -------
    ``None`` where fewer than two seeds, no difference, or more than a thousand seeds are meant.
    """
    values = np.asarray(difference.values)
    if len(values) < 2 or difference.mean == 0:
        return None
    effect = abs(difference.mean) / max(float(values.std(ddof=1)), 1e-300)
    for n in range(2, _MOST_SEEDS + 1):
        needed = stats.t.ppf(1 - ALPHA / (2 * max(1, comparisons)), n - 1)
        if stats.nct.sf(needed, n - 1, min(effect * math.sqrt(n), 30.0)) >= power:
            return n
    return None
