"""Tests of one paired difference: Student's where seeds are few, by permutation where they suffice.

``docs/decisions/0005-tests-for-few-seeds.md`` says why, with the simulation that decided it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

#: Share of studies that may claim a difference where there is none.
ALPHA = 0.05
#: A permutation test decides where its smallest p-value is this many times finer than needed.
_FINER = 20
#: Up to this many differences every assignment of signs is visited; beyond, this many are drawn.
_ALL_SIGNS_UP_TO = 16
_SIGN_DRAWS = 19_999
_SIGN_SEED = 19350101  # fixed, so that the same differences always give the same p-value
_ROUNDING = 1e-12
_FLOAT32 = 4 * float(np.finfo(np.float32).eps)  # relative rounding of scores kept in float32


def permutation_decides(pairs: int, family: float) -> bool:
    """Whether ``pairs`` differences are enough for the permutation test to decide.

    Its smallest p-value is 2/2ⁿ. With five seeds that is 0.0625: it could never claim anything.

    Parameters
    ----------
    family : how many comparisons the correction covers, at all looks together.
    """
    return pairs > 1 and 2.0 ** (1 - pairs) * max(1.0, family) * _FINER <= ALPHA


def which_test(pairs: int, family: float) -> str:
    """Return which test decides: ``permutation``, ``t``, or ``none`` for fewer than two pairs."""
    if pairs < 2:
        return "none"
    return "permutation" if permutation_decides(pairs, family) else "t"


def paired_p_value(
    first: Sequence[float], second: Sequence[float], resolution: float, family: float = 1
) -> float:
    """Return the two-sided p-value of equal methods, paired by seed; NaN for fewer than two pairs.

    Where the differences show no spread, it is at least :func:`least_p_value`.

    Parameters
    ----------
    resolution : the smallest difference the metric can show (one test example for accuracy); the
        smallest step between the scores where it is 0.
        Student's test takes the spread of the differences to be at least half of it: two seeds
        that happen to agree on a coarse metric prove nothing.
    family : how many comparisons the correction covers; it decides which test is fine enough.
    """
    resolution = resolution or smallest_step([*first, *second])
    raw = uncorrected_p_value(first, second, resolution, family)
    return float(np.maximum(raw, least_p_value(first, second, resolution)))


def uncorrected_p_value(
    first: Sequence[float], second: Sequence[float], resolution: float, family: float
) -> float:
    """Return the p-value of the deciding test by itself, before it is bounded and corrected."""
    difference = paired_differences(first, second)
    if len(difference) < 2:
        return math.nan
    if not difference.any():
        return 1.0
    if permutation_decides(len(difference), family):
        return sign_flip_p_value(difference)
    return student_p_value(difference, resolution)


def paired_differences(first: Sequence[float], second: Sequence[float]) -> NDArray[Any]:
    """Return the differences; one of the size of rounding is none."""
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    difference: NDArray[Any] = a - b
    difference[np.abs(difference) <= rounding_of([*a, *b])] = 0.0
    return difference


def least_p_value(
    first: Sequence[float], second: Sequence[float], resolution: float, paired: bool = True
) -> float:
    """Return what a p-value cannot fall below where differences show no spread; else 0.

    Equal differences tell nothing of the noise, so no law can be fitted to them. What is left is
    their number: no permutation of n and m runs has a smaller p-value than 2 in (n+m choose n).
    """
    if not paired:
        shown = shows_spread(first, resolution) or shows_spread(second, resolution)
    else:
        difference = paired_differences(first, second)
        shown = shows_spread(difference, resolution, rounding_of([*first, *second]))
    return 0.0 if shown else fewest_runs_p_value(len(first), len(second))


def fewest_runs_p_value(n: int, m: int) -> float:
    """Return the smallest p-value that a permutation of n and m runs can give."""
    return min(1.0, 2.0 / math.comb(n + m, n))


def shows_spread(
    values: Sequence[float] | NDArray[Any], resolution: float, rounding: float | None = None
) -> bool:
    """Whether values differ by more than half a step of the metric, and than rounding."""
    if len(values) < 2:
        return False
    spread = float(np.std(np.asarray(values, dtype=float), ddof=1))
    rounding = rounding_of(values) if rounding is None else rounding
    return spread > max(rounding, resolution / 2 * (1 - _ROUNDING))


def rounding_of(values: Sequence[float] | NDArray[Any]) -> float:
    """Return the size of a rounding of float32 scores: what is not larger is no difference."""
    return _FLOAT32 * float(np.max(np.abs(values), initial=0.0))


def smallest_step(scores: Sequence[float]) -> float:
    """Return the smallest step between any two scores that is more than rounding; 0 for none."""
    values = np.unique(np.asarray(scores, dtype=float))
    values = values[np.isfinite(values)]
    gaps = np.diff(values)
    gaps = gaps[gaps > _FLOAT32 * np.maximum(np.abs(values[1:]), np.abs(values[:-1]))]
    return float(gaps.min()) if len(gaps) else 0.0


def floored_spread(values: NDArray[Any], resolution: float) -> float:
    """Return the standard deviation, taken to be half a step of the metric at least."""
    return max(float(values.std(ddof=1)), resolution / 2)


def student_p_value(difference: NDArray[Any], resolution: float = 0.0) -> float:
    """Return the two-sided p-value of Student's paired test that the mean difference is zero."""
    n = len(difference)
    spread = floored_spread(difference, resolution)
    if spread == 0:
        return fewest_runs_p_value(n, n)
    t = float(difference.mean()) / (spread / math.sqrt(n))
    return float(2 * stats.t.sf(abs(t), n - 1))


def welch(
    first: Sequence[float], second: Sequence[float], resolution: float, alpha: float = ALPHA
) -> tuple[float, float, float]:
    """Return p-value and interval of the difference of two samples that share no seeds.

    NaN where either has fewer than two values. Spreads are taken to be half a step of the metric at
    least. Source: Welch (1947), The generalization of Student's problem.
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if min(len(a), len(b)) < 2:
        return math.nan, math.nan, math.nan
    gap = float(a.mean() - b.mean())
    parts = [floored_spread(x, resolution) ** 2 / len(x) for x in (a, b)]
    error = math.sqrt(sum(parts))
    if error == 0:
        return (1.0 if gap == 0 else fewest_runs_p_value(len(a), len(b))), gap, gap
    shares = zip(parts, (a, b), strict=True)
    freedom = sum(parts) ** 2 / sum(part**2 / (len(x) - 1) for part, x in shares)
    half = float(stats.t.ppf(1 - alpha / 2, freedom)) * error
    return float(2 * stats.t.sf(abs(gap) / error, freedom)), gap - half, gap + half


def sign_flip_p_value(difference: NDArray[Any]) -> float:
    """Return the two-sided p-value of the paired permutation test.

    Were the methods equal, each seed's difference could as well have had the other sign. Exact up
    to 18 differences. Source: Fisher (1935), The Design of Experiments, section 21; for drawn
    signs, Phipson & Smyth (2010), Permutation P-values Should Never Be Zero.
    """
    values = np.asarray(difference, dtype=float)
    bound = abs(float(values.sum())) - _ROUNDING * float(np.abs(values).sum())
    if len(values) <= _ALL_SIGNS_UP_TO:
        return float(np.mean(np.abs(_all_signed_sums(values)) >= bound))
    as_extreme = int((np.abs(_drawn_signs(len(values)) @ values) >= bound).sum())
    return (1 + as_extreme) / (1 + _SIGN_DRAWS)


@lru_cache(maxsize=4)
def _drawn_signs(count: int) -> NDArray[Any]:
    """Return signs, shape (draws, count): the same for the same number of differences."""
    generator = np.random.default_rng(_SIGN_SEED)
    return generator.integers(0, 2, (_SIGN_DRAWS, count)) * 2.0 - 1


def _all_signed_sums(values: NDArray[Any]) -> NDArray[Any]:
    """Return the sum under every assignment of signs; the first sign stays, by symmetry."""
    sums = values[:1]
    for value in values[1:]:
        sums = np.concatenate([sums + value, sums - value])
    return sums


def equivalence_p_value(
    difference: Sequence[float], margin: float, resolution: float = 0.0
) -> float:
    """Return the p-value of two one-sided tests that the mean lies outside ±``margin``.

    Small means: shown to be equivalent within the margin. NaN for fewer than two differences.
    Source: Schuirmann (1987), A comparison of the two one-sided tests procedure.
    """
    values = np.asarray(difference, dtype=float)
    n = len(values)
    if n < 2:
        return math.nan
    mean = float(values.mean())
    least = 0.0 if shows_spread(values, resolution) else fewest_runs_p_value(n, n)
    error = floored_spread(values, resolution) / math.sqrt(n)
    if error == 0:
        return least if abs(mean) < margin else 1.0
    return max(least, float(stats.t.sf((margin - abs(mean)) / error, n - 1)))
