"""Add seeds until the leading methods are told apart, with a stopping rule that stays valid."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from descenso.records import Comparison, Verdict
from descenso.study._paired import ALPHA, equivalence_p_value
from descenso.study.statistics import compare_with_best, holm

#: Each look has this many times the seeds of the one before.
GROWTH = 1.6


def looks(seeds: int, most: int) -> list[int]:
    """Return the numbers of seeds at which the runs are looked at, fixed beforehand.

    The level is divided equally among them (Bonferroni), so that all looks together claim a
    difference that does not exist in at most 5% of studies, whatever made the study stop.
    """
    planned = [seeds]
    while planned[-1] < most:
        planned.append(min(most, max(planned[-1] + 1, round(GROWTH * planned[-1]))))
    return planned


def level(planned: int) -> float:
    """Return the level of the claims made at each of so many looks."""
    return ALPHA / max(1, planned)


def judge(
    scores: Mapping[str, Sequence[float]],
    higher_is_better: bool,
    resolution: float,
    alpha: float,
    margin: float | None,
    within: tuple[float, float] = (-math.inf, math.inf),
) -> Verdict:
    """Return the verdict on scores, still without its text.

    Parameters
    ----------
    alpha : level of its claims.
    margin : a difference that does not matter; a tie within it is shown, not only not refuted.
    within : where a difference of two scores can lie.
    """
    best, comparisons = compare_with_best(scores, higher_is_better, resolution, alpha, within)
    if margin is not None:
        comparisons = _with_equivalence(comparisons, margin, resolution, alpha)
    tied = tuple(c.other for c in comparisons if c.tied)
    return Verdict(best, tied, comparisons, text="")


def decided(verdict: Verdict) -> bool:
    """Whether each other method is shown to be worse than the best, or equivalent to it."""
    return all(not c.tied or c.equivalent for c in verdict.comparisons)


def _with_equivalence(
    comparisons: Sequence[Comparison], margin: float, resolution: float, alpha: float
) -> tuple[Comparison, ...]:
    raw = [equivalence_p_value(c.difference.values, margin, resolution) for c in comparisons]
    shown = [p < alpha for p in holm(raw)]
    # A difference that is real and shown not to matter is no reason to choose by.
    return tuple(
        replace(c, equivalent=e, tied=c.tied or e) for c, e in zip(comparisons, shown, strict=True)
    )
