"""How sensitive a method is to its learning rate: a curve, and one number made from it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from descenso.study._results import MethodResult, SearchPoint

#: A learning rate is good where it keeps this share of the method's gain over no training.
SHARE = 0.95


@dataclass(frozen=True)
class Tolerance:
    """The learning rates around the best that keep most of its gain on validation.

    ``low_open`` and ``high_open`` say that the range goes on beyond the rates that were tried.
    """

    low: float
    high: float
    low_open: bool
    high_open: bool

    @property
    def factor(self) -> float:
        """Return the one number: how many times the lowest good rate the highest is."""
        return self.high / self.low

    @property
    def decades(self) -> float:
        """Return the same on a log scale."""
        return math.log10(self.factor)


def curve(method: MethodResult, higher_is_better: bool) -> list[tuple[float, float]]:
    """Return (learning rate, share of the method's best gain on validation), lowest rate first.

    Zero is the untrained network; a diverged run counts as one. What the race stopped early counts
    as it stood then, so the curve is a lower bound there.
    """
    points = [p for p in method.search if p.stage == 1]
    start = float(np.mean([c.validation_metric[0] for c in method.tuned.curves]))
    sign = 1.0 if higher_is_better else -1.0
    gains = {p.lr: sign * (_mean(p, start) - start) for p in points}
    most = max(gains.values(), default=0.0)
    return [(lr, gain / most if most > 0 else 0.0) for lr, gain in sorted(gains.items())]


def tolerance(method: MethodResult, higher_is_better: bool) -> Tolerance | None:
    """Return the good range around the best learning rate, found by interpolation on a log scale.

    ``None`` where fewer than three rates were tried, or none was better than no training.
    """
    return around_best(curve(method, higher_is_better))


def around_best(shares: Sequence[tuple[float, float]]) -> Tolerance | None:
    """Return the good range of a curve of (learning rate, share of the best gain), lowest first."""
    if len(shares) < 3 or max(share for _, share in shares) <= 0:
        return None
    best = max(range(len(shares)), key=lambda i: shares[i][1])
    low, low_open = _walk(list(reversed(shares[: best + 1])))
    high, high_open = _walk(shares[best:])
    return Tolerance(low, high, low_open, high_open)


def _walk(shares: Sequence[tuple[float, float]]) -> tuple[float, bool]:
    """Follow the curve from its best until it falls below; return where, and whether it never did."""
    for (lr, share), (next_lr, next_share) in itertools.pairwise(shares):
        if next_share < SHARE:
            part = (share - SHARE) / (share - next_share)
            return float(lr * (next_lr / lr) ** part), False
    return shares[-1][0], True


def _mean(point: SearchPoint, start: float) -> float:
    values = np.asarray(point.values, dtype=float)
    return float(np.where(np.isfinite(values), values, start).mean())
