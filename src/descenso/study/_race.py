"""Successive halving that keeps slow starters alive: who goes on from one rung to the next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from descenso.records import FloatArray, Run
from descenso.study._results import SearchPoint


@dataclass(frozen=True)
class Policy:
    """How a race is run.

    Attributes
    ----------
    rungs : shares of the budget at which the race pauses; the last is 1.
    seeds : seeds that each setting is tried with on the way to each rung, at most; settings share
        their seeds, so that one seed tells the hopeless from the others.
    kept : share of the settings that goes on from a rung.
    finalists : at least so many reach the full budget.
    slow_starters : share of the places for settings that the others beat so far, but whose
        curves, drawn on as straight lines, would end highest.
    """

    rungs: tuple[float, ...]
    seeds: tuple[int, ...]
    kept: float
    finalists: int
    slow_starters: float


_ALL = 1_000_000
_ENOUGH_FOR_A_SLOW_ONE = 3  # places
#: ``docs/results/2026-11-23-racing.md`` measures it against training every setting to the end.
RACE = Policy(rungs=(0.2, 0.5, 1.0), seeds=(1, 1, _ALL), kept=0.35, finalists=3, slow_starters=0.25)
#: No race: every setting is trained to the full budget.
FULL_GRID = Policy(rungs=(1.0,), seeds=(_ALL,), kept=1.0, finalists=1, slow_starters=0.0)


@dataclass(frozen=True)
class Rung:
    """A stage of a race: how far, how many settings, with how many seeds each."""

    epochs: int
    settings: int
    seeds: int


def schedule(settings: int, epochs: int, seeds: int, policy: Policy = RACE) -> list[Rung]:
    """Return the rungs of a race over so many settings."""
    ends = {
        max(1, math.ceil(s * epochs)): n for s, n in zip(policy.rungs, policy.seeds, strict=True)
    }
    rungs, racing = [], settings
    for at, most in sorted(ends.items()):
        rungs.append(Rung(at, racing, min(seeds, most)))
        racing = max(min(policy.finalists, racing), math.ceil(racing * policy.kept))
    return rungs


def race_cost(settings: int, epochs: int, seeds: int, policy: Policy = RACE) -> int:
    """Return the epochs of members that a race takes."""
    cost, before = 0, Rung(0, 0, 0)
    for rung in schedule(settings, epochs, seeds, policy):
        cost += rung.settings * (rung.seeds * rung.epochs - before.seeds * before.epochs)
        before = rung
    return cost


@dataclass(frozen=True)
class Standing:
    """A setting in a race: how it stands, and the validation metric of each seed so far."""

    point: SearchPoint
    metrics: tuple[FloatArray, ...]  # shape (epochs of the rung + 1,)

    def rank(self, higher_is_better: bool) -> tuple[float, float, float]:
        """Return the sort key, best first: fewest diverged, best mean metric, least mean loss."""
        point = self.point
        if point.diverged:
            return (point.diverged, math.inf, point.lr)
        sign = -1.0 if higher_is_better else 1.0
        return (0, sign * float(np.mean(point.values)), float(np.mean(point.losses)))

    def promise(self, epochs: int, higher_is_better: bool, most: float) -> float:
        """Return, lower being better, where its curve would end as a straight line.

        The line goes through where the curve stands and where it stood at half the epochs.
        ``most`` bounds a metric that cannot exceed it.
        """
        if self.point.diverged:
            return math.inf
        sign = -1.0 if higher_is_better else 1.0
        ends = [_drawn_on(metric, epochs) for metric in self.metrics]
        mean = float(np.mean(ends))
        return sign * (min(mean, most) if higher_is_better else mean)


def _drawn_on(metric: FloatArray, epochs: int) -> float:
    now = len(metric) - 1
    half = now // 2
    slope = (metric[now] - metric[half]) / max(1, now - half)
    return float(metric[now] + slope * (epochs - now))


def survivors(
    standings: Sequence[Standing],
    places: int,
    epochs: int,
    higher_is_better: bool,
    most: float,
    policy: Policy = RACE,
) -> list[Standing]:
    """Return which of the standings, given best first, go on to the next rung."""
    reserved = math.floor(policy.slow_starters * places)
    if policy.slow_starters and places >= _ENOUGH_FOR_A_SLOW_ONE:
        reserved = max(1, reserved)
    ahead = list(standings[: places - reserved])
    behind = list(standings[places - reserved :])
    behind.sort(key=lambda s: s.promise(epochs, higher_is_better, most))  # stable: ties keep rank
    return ahead + behind[: places - len(ahead)]


def standing(point: SearchPoint, runs: Sequence[Run]) -> Standing:
    """Return the standing of a setting at a rung, whatever its runs have been trained to since."""
    seen = slice(point.epochs + 1)
    return Standing(point, tuple(run.curve.validation_metric[seen] for run in runs))
