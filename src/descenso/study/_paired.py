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

    Parameters
    ----------
    resolution : the smallest difference the metric can show (one test example for accuracy).
        Student's test takes the spread of the differences to be at least half of it: two seeds
        that happen to agree on a coarse metric prove nothing.
    family : how many comparisons the correction covers; it decides which test is fine enough.
    """
    difference = np.subtract(first, second)
    if len(difference) < 2:
        return math.nan
    if not difference.any():
        return 1.0
    if permutation_decides(len(difference), family):
        return sign_flip_p_value(difference)
    return student_p_value(difference, resolution)


def student_p_value(difference: NDArray[Any], resolution: float = 0.0) -> float:
    """Return the two-sided p-value of Student's paired test that the mean difference is zero."""
    n = len(difference)
    spread = max(float(difference.std(ddof=1)), resolution / 2)
    if spread == 0:
        return 0.0
    t = float(difference.mean()) / (spread / math.sqrt(n))
    return float(2 * stats.t.sf(abs(t), n - 1))


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
    error = max(float(values.std(ddof=1)), resolution / 2) / math.sqrt(n)
    if error == 0:
        return 0.0 if abs(mean) < margin else 1.0
    return float(stats.t.sf((margin - abs(mean)) / error, n - 1))
