"""The statistics of a verdict: intervals, paired differences, correction for many comparisons.

All functions are pure. Seeds are the sample: what is said holds for other seeds on this split of
this data set, not for other data.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from descenso.records import Comparison, Estimate
from descenso.study._paired import (
    ALPHA,
    equivalence_p_value,
    floored_spread,
    least_p_value,
    paired_differences,
    paired_p_value,
    rounding_of,
    shows_spread,
    smallest_step,
    uncorrected_p_value,
    welch,
    which_test,
)

__all__ = [
    "ALPHA",
    "chance_of_better",
    "compare_with_best",
    "consistent_interval",
    "corrected_p_values",
    "difference_of",
    "equivalence_p_value",
    "estimate",
    "holm",
    "least_p_value",
    "noise_of_test_set",
    "paired_p_value",
    "seeds_to_settle",
    "shows_spread",
    "smallest_step",
    "uncorrected_p_value",
    "welch",
    "which_test",
]

_RESAMPLES = 9999
_BOOTSTRAP_SEED = 20150413  # fixed, so that the same values always give the same interval
#: Fewer values than this have too few distinct resamples for a bootstrap.
FEWEST_TO_BOOTSTRAP = 6
#: Fewer equal differences than this can show nothing: see ``least_p_value``.
FEWEST_WITHOUT_SPREAD = 4
_MOST_SEEDS = 1000
_ANYWHERE = (-math.inf, math.inf)


def estimate(
    values: Sequence[float],
    within: tuple[float, float] = _ANYWHERE,
    resolution: float = 0.0,
    alpha: float = ALPHA,
) -> Estimate:
    """Return the mean of ``values`` with its interval.

    Six values or more: bootstrap (BCa), at the level that makes up for its narrowness in small
    samples. Fewer, or values with no more spread than half a step of the metric: Student's. The
    interval is NaN for fewer than two values.
    Sources: Efron (1987), Better Bootstrap Confidence Intervals; Hesterberg (2015), What Teachers
    Should Know About the Bootstrap, section 3.3 (expanded level).

    Parameters
    ----------
    within : where the values can lie, such as (0, 1) for a share; the interval is cut to it. The
        mean it is made for lies there too, so nothing is lost.
    resolution : the smallest step of the metric, such as one test example. Values that all tie
        have an interval as wide as one whose spread is half of it.
    alpha : one less the level; 0.05 for a 95% interval.
    """
    sample = np.asarray(values, dtype=float)
    mean = float(sample.mean()) if len(sample) else math.nan
    if len(sample) < 2 or not np.isfinite(sample).all():
        return Estimate(mean, math.nan, math.nan, tuple(map(float, values)))
    student = len(sample) < FEWEST_TO_BOOTSTRAP or not shows_spread(sample, resolution)
    low, high = _student(sample, resolution, alpha) if student else _bootstrap(sample, alpha)
    low, high = max(low, min(within[0], mean)), min(high, max(within[1], mean))
    return Estimate(mean, low, high, tuple(map(float, values)))


def _student(sample: NDArray[Any], resolution: float, alpha: float) -> tuple[float, float]:
    n, mean = len(sample), float(sample.mean())
    if np.ptp(sample) == 0:
        mean = float(sample[0])
    quantile = float(stats.t.ppf(1 - alpha / 2, n - 1))
    half = quantile * floored_spread(sample, resolution) / math.sqrt(n)
    return mean - half, mean + half


def _bootstrap(sample: NDArray[Any], alpha: float) -> tuple[float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # BCa is undefined for some samples: handled below
        interval = stats.bootstrap(
            (sample,),
            np.mean,
            n_resamples=_RESAMPLES,
            rng=np.random.default_rng(_BOOTSTRAP_SEED),
            method="BCa",
            confidence_level=_expanded_level(len(sample), alpha),
        ).confidence_interval
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return float(sample.min()), float(sample.max())
    return float(interval.low), float(interval.high)


def _expanded_level(n: int, alpha: float) -> float:
    """Return the level at which a bootstrap interval is as wide as Student's for normal values."""
    z = math.sqrt(n / (n - 1)) * stats.t.ppf(1 - alpha / 2, n - 1)
    return float(1 - 2 * stats.norm.sf(z))


def difference_of(
    first: Sequence[float],
    second: Sequence[float],
    *,
    family: float,
    resolution: float = 0.0,
    within: tuple[float, float] = _ANYWHERE,
    alpha: float = ALPHA,
) -> Estimate:
    """Return the mean paired difference with its simultaneous interval.

    All intervals of a family hold together with a probability of 1 − ``alpha`` (Bonferroni), and
    each is of the kind of the test that decides. Source: Dunn (1961), Multiple Comparisons Among
    Means.

    Parameters
    ----------
    family : how many comparisons there are.
    within : where a difference can lie.
    """
    values = list(map(float, paired_differences(first, second)))
    level = alpha / max(1.0, family)
    if which_test(len(values), family * ALPHA / alpha) == "permutation":
        return estimate(values, within, resolution, level)
    sample = np.asarray(values)
    if len(sample) < 2:
        return estimate(values, within)
    low, high = _student(sample, resolution, level)
    low, high = max(low, within[0]), min(high, within[1])
    return Estimate(float(sample.mean()), low, high, tuple(values))


def consistent_interval(difference: Estimate, tied: bool) -> Estimate:
    """Return the interval of a difference such that it holds zero where the methods tie, alone.

    Holm's procedure claims more than Bonferroni's intervals show: the interval of a difference
    that is claimed then ends at zero. Source: Guilbaud (2008), Simultaneous Confidence Regions
    Corresponding to Holm's Step-Down Procedure. That of a tie is widened to zero.
    """
    if math.isnan(difference.low) or math.isnan(difference.mean):
        return difference
    low, high = difference.low, difference.high
    if tied:
        return replace(difference, low=min(low, 0.0), high=max(high, 0.0))
    if difference.mean > 0:
        return replace(difference, low=max(low, 0.0))
    return replace(difference, high=min(high, 0.0))


def noise_of_test_set(share: float, examples: int) -> tuple[float, float]:
    """Return where a share may lie on new data, for it was measured on so many test examples.

    This is the noise of the test set (95%), which no number of seeds makes smaller. Source: Wilson
    (1927), Probable Inference, the Law of Succession, and Statistical Inference.

    Parameters
    ----------
    share : 0 to 1; each test example is taken to be right or wrong.
    """
    right = round(min(max(share, 0.0), 1.0) * examples)
    found = stats.binomtest(right, examples).proportion_ci(1 - ALPHA, method="wilson")
    return float(found.low), float(found.high)


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
    resolution = resolution or smallest_step([v for own in scores.values() for v in own])
    raw = [uncorrected_p_value(scores[a], scores[b], resolution, family) for a, b in pairs]
    least = [least_p_value(scores[a], scores[b], resolution) for a, b in pairs]
    bounded = np.maximum(holm(raw), least)  # NaN stays NaN
    return {frozenset(pair): float(p) for pair, p in zip(pairs, bounded, strict=True)}


def compare_with_best(
    scores: Mapping[str, Sequence[float]],
    higher_is_better: bool,
    resolution: float = 0.0,
    alpha: float = ALPHA,
    within: tuple[float, float] = _ANYWHERE,
) -> tuple[str, tuple[Comparison, ...]]:
    """Return the method with the best mean, and how every other compares with it.

    The best is found on the same scores that the comparisons use, so the correction covers every
    pair of methods, any of which could have come out as "the best against another".

    Parameters
    ----------
    scores : label → score of each seed, the same seeds in the same order for every method.
    resolution : the smallest step of the metric; the smallest between the scores where it is 0.
    alpha : level of the claims; a study that looks more than once spends it in parts.
    within : where a difference of two scores can lie.
    """
    sign = 1.0 if higher_is_better else -1.0
    resolution = resolution or smallest_step([v for own in scores.values() for v in own])
    family = len(scores) * (len(scores) - 1) / 2
    names = sorted(scores, key=lambda name: -sign * float(np.mean(scores[name])))
    best = names[0]
    corrected = corrected_p_values({n: scores[n] for n in names}, resolution, alpha)
    comparisons = []
    for other in names[1:]:
        gap = difference_of(
            [sign * v for v in scores[best]], [sign * v for v in scores[other]],
            family=family, resolution=resolution, within=within, alpha=alpha,
        )  # fmt: skip
        p = corrected[frozenset((best, other))]
        chance = chance_of_better(scores[best], scores[other], higher_is_better)
        comparisons.append(
            Comparison(
                other, consistent_interval(gap, not p < alpha), p, not p < alpha, chance=chance
            )
        )
    return best, tuple(comparisons)


def chance_of_better(
    first: Sequence[float], second: Sequence[float], higher_is_better: bool
) -> float:
    """Return the probability of improvement: that a run of the first beats a run of the second.

    Every run of one is set against every run of the other; equals, rounding aside, count half. 0.5
    means neither. It is the share seen in these runs, so it is as coarse as they are few.
    Source: Agarwal et al. (2021), Deep Reinforcement Learning at the Edge of the Statistical
    Precipice, section 4.3.
    """
    gaps = np.subtract.outer(np.asarray(first, float), np.asarray(second, float))
    equal = np.abs(gaps) <= rounding_of([*first, *second])
    wins = (gaps > 0 if higher_is_better else gaps < 0) & ~equal
    return float(np.mean(wins + 0.5 * equal))


def seeds_to_settle(
    difference: Estimate, comparisons: int, power: float = 0.8, resolution: float = 0.0
) -> int | None:
    """Return how many seeds would show a difference as large as the one seen.

    Parameters
    ----------
    comparisons : size of the family that the correction covers.
    power : chance of showing it.
    resolution : the smallest step of the metric: the spread is taken to be half of it at least.

    Returns
    -------
    ``None`` where fewer than two seeds, no difference, or more than a thousand seeds are meant.
    """
    values = np.asarray(difference.values)
    if len(values) < 2 or difference.mean == 0:
        return None
    spread = max(floored_spread(values, resolution), rounding_of(values))
    effect = abs(difference.mean) / spread
    # So few that even the greatest difference would not show are never enough.
    fewest = 2 if shows_spread(values, resolution) else FEWEST_WITHOUT_SPREAD
    for n in range(fewest, _MOST_SEEDS + 1):
        needed = stats.t.ppf(1 - ALPHA / (2 * max(1, comparisons)), n - 1)
        if stats.nct.sf(needed, n - 1, min(effect * math.sqrt(n), 30.0)) >= power:
            return n
    return None
