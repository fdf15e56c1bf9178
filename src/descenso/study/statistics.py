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
from descenso.study._paired import ALPHA, equivalence_p_value, paired_p_value, which_test

__all__ = [
    "ALPHA",
    "chance_of_better",
    "compare_with_best",
    "corrected_p_values",
    "equivalence_p_value",
    "estimate",
    "holm",
    "paired_p_value",
    "seeds_to_settle",
    "which_test",
]

_RESAMPLES = 9999
_BOOTSTRAP_SEED = 20150413  # fixed, so that the same values always give the same interval
#: Fewer values than this have too few distinct resamples for a bootstrap.
FEWEST_TO_BOOTSTRAP = 6
_MOST_SEEDS = 1000
_ANYWHERE = (-math.inf, math.inf)


def estimate(values: Sequence[float], within: tuple[float, float] = _ANYWHERE) -> Estimate:
    """Return the mean of ``values`` with its 95% interval.

    Six values or more: bootstrap (BCa), at the level that makes up for its narrowness in small
    samples. Fewer: Student's. The interval is NaN for fewer than two values, and the mean itself
    where all are equal.
    Sources: Efron (1987), Better Bootstrap Confidence Intervals; Hesterberg (2015), What Teachers
    Should Know About the Bootstrap, section 3.3 (expanded level).

    Parameters
    ----------
    within : where the values can lie, such as (0, 1) for a share; the interval is cut to it.
    """
    sample = np.asarray(values, dtype=float)
    mean = float(sample.mean()) if len(sample) else math.nan
    if len(sample) < 2 or not np.isfinite(sample).all():
        return Estimate(mean, math.nan, math.nan, tuple(map(float, values)))
    low, high = _interval(sample)
    low, high = max(low, min(within[0], mean)), min(high, max(within[1], mean))
    return Estimate(mean, low, high, tuple(map(float, values)))


def _interval(sample: NDArray[Any]) -> tuple[float, float]:
    if np.ptp(sample) == 0:
        return float(sample[0]), float(sample[0])
    if len(sample) < FEWEST_TO_BOOTSTRAP:
        half = float(stats.t.ppf(1 - ALPHA / 2, len(sample) - 1) * stats.sem(sample))
        return float(sample.mean()) - half, float(sample.mean()) + half
    return _bootstrap(sample)


def _bootstrap(sample: NDArray[Any]) -> tuple[float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # BCa is undefined for some samples: handled below
        interval = stats.bootstrap(
            (sample,),
            np.mean,
            n_resamples=_RESAMPLES,
            rng=np.random.default_rng(_BOOTSTRAP_SEED),
            method="BCa",
            confidence_level=_expanded_level(len(sample)),
        ).confidence_interval
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return float(sample.min()), float(sample.max())
    return float(interval.low), float(interval.high)


def _expanded_level(n: int) -> float:
    """Return the level at which a bootstrap interval is as wide as Student's for normal values."""
    z = math.sqrt(n / (n - 1)) * stats.t.ppf(1 - ALPHA / 2, n - 1)
    return float(1 - 2 * stats.norm.sf(z))


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


def corrected_p_values(
    scores: Mapping[str, Sequence[float]], resolution: float = 0.0, alpha: float = ALPHA
) -> dict[frozenset[str], float]:
    """Return the p-value of every pair of methods, corrected for there being so many pairs."""
    pairs = list(itertools.combinations(scores, 2))
    family = len(pairs) * ALPHA / alpha
    raw = [paired_p_value(scores[a], scores[b], resolution, family) for a, b in pairs]
    return {frozenset(pair): p for pair, p in zip(pairs, holm(raw), strict=True)}


def compare_with_best(
    scores: Mapping[str, Sequence[float]],
    higher_is_better: bool,
    resolution: float = 0.0,
    alpha: float = ALPHA,
) -> tuple[str, tuple[Comparison, ...]]:
    """Return the method with the best mean, and how every other compares with it.

    The best is found on the same scores that the comparisons use, so the correction covers every
    pair of methods, any of which could have come out as "the best against another".

    Parameters
    ----------
    scores : label → score of each seed, the same seeds in the same order for every method.
    alpha : level of the claims; a study that looks more than once spends it in parts.
    """
    sign = 1.0 if higher_is_better else -1.0
    names = sorted(scores, key=lambda name: -sign * float(np.mean(scores[name])))
    best = names[0]
    corrected = corrected_p_values({n: scores[n] for n in names}, resolution, alpha)
    comparisons = []
    for other in names[1:]:
        difference = sign * np.subtract(scores[best], scores[other])
        p = corrected[frozenset((best, other))]
        chance = chance_of_better(scores[best], scores[other], higher_is_better)
        comparisons.append(
            Comparison(other, estimate(list(difference)), p, not p < alpha, chance=chance)
        )
    return best, tuple(comparisons)


def chance_of_better(
    first: Sequence[float], second: Sequence[float], higher_is_better: bool
) -> float:
    """Return the probability of improvement: that a run of the first beats a run of the second.

    Every run of one is set against every run of the other; equals count half. 0.5 means neither.
    Source: Agarwal et al. (2021), Deep Reinforcement Learning at the Edge of the Statistical
    Precipice, section 4.3.
    """
    gaps = np.subtract.outer(np.asarray(first, float), np.asarray(second, float))
    wins = gaps > 0 if higher_is_better else gaps < 0
    return float(np.mean(wins + 0.5 * (gaps == 0)))


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
