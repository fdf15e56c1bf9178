"""Find each method's settings on validation: a race over learning rates, widened at its edges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from descenso.methods import Method
from descenso.problems import Metric
from descenso.records import Member, Run
from descenso.study import _space as space
from descenso.study._results import Design, SearchPoint
from descenso.study._trainer import Trainer

#: Shares of the budget at which the race pauses, and the share of settings that goes on from there.
RUNGS = (0.25, 0.5, 1.0)
KEPT = 0.5
#: At least this many settings reach the full budget.
FINALISTS = 3
#: Seeds of the search are counted from here; those of the confirmation from zero.
FIRST_SEARCH_SEED = 1_000_000


@dataclass(frozen=True)
class Found:
    """The setting a search chose, every setting it tried, and whether the choice lies at an edge."""

    chosen: SearchPoint
    points: tuple[SearchPoint, ...]
    at_edge: str


@dataclass(frozen=True)
class Search:
    """The search of one method."""

    method: Method
    batch_size: int
    design: Design
    metric: Metric
    trainer: Trainer

    def run(self) -> Found:
        """Race the grid, widen it while the best lies at its edge, and return what was found."""
        rates = space.learning_rates(self.method, self.design.trials)
        points = self._race(rates)
        best = self._best(points)
        for _ in range(space.WIDENINGS):
            edge = _edge(best, points)
            more = space.beyond_edge(self.method, [p.lr for p in points], edge) if edge else []
            if not more:
                break
            points += self._widen(more)
            best = self._best(points)
        chosen = replace(best, chosen=True)
        ordered = sorted((chosen if p is best else p for p in points), key=lambda p: p.lr)
        return Found(chosen, tuple(ordered), _edge(best, points))

    def _race(self, rates: Sequence[float]) -> list[SearchPoint]:
        """Train all to the first rung, and ever fewer from rung to rung; return them best first."""
        points: list[SearchPoint] = []
        stopped: list[SearchPoint] = []
        racing, trained = list(rates), 0
        for epochs, count in schedule(len(rates), self.design.epochs):
            if points:
                racing, stopped = [p.lr for p in points[:count]], points[count:] + stopped
            points = sorted(self._try(racing, epochs, trained), key=self._rank)
            trained = epochs
        return points + stopped

    def _widen(self, rates: Sequence[float]) -> list[SearchPoint]:
        self.trainer.total += len(rates) * self.design.search_seeds * self.design.epochs
        return self._try(rates, self.design.epochs, 0)

    def _try(self, rates: Sequence[float], epochs: int, already: int) -> list[SearchPoint]:
        rule, seeds = self.method.definition(), range(self.design.search_seeds)
        members = [
            Member(
                self.method.label,
                rule.name,
                rule.settings(**{**self.method.fixed, "lr": lr}),
                self.batch_size,
                FIRST_SEARCH_SEED + seed,
            )
            for lr in rates
            for seed in seeds
        ]
        planned = len(members) * (epochs - already)
        runs = self.trainer.train(members, epochs, "search", planned)
        n = len(seeds)
        return [self._point(runs[i * n : (i + 1) * n], epochs) for i in range(len(rates))]

    def _point(self, runs: Sequence[Run], epochs: int) -> SearchPoint:
        member = runs[0].member
        last = [min(epochs, run.curve.epochs) for run in runs]
        curves = [run.curve for run in runs]
        return SearchPoint(
            method=member.method,
            settings=member.settings,
            epochs=epochs,
            values=tuple(float(c.validation_metric[e]) for c, e in zip(curves, last, strict=True)),
            losses=tuple(float(c.validation_loss[e]) for c, e in zip(curves, last, strict=True)),
        )

    def _rank(self, point: SearchPoint) -> tuple[float, float, float]:
        """Sort key, best first: fewest diverged, best mean metric, least mean loss."""
        if point.diverged:
            return (point.diverged, math.inf, point.lr)
        sign = -1.0 if self.metric.higher_is_better else 1.0
        return (0, sign * float(np.mean(point.values)), float(np.mean(point.losses)))

    def _best(self, points: Sequence[SearchPoint]) -> SearchPoint:
        finalists = [p for p in points if p.epochs == self.design.epochs]
        return min(finalists, key=self._rank)


def schedule(settings: int, epochs: int) -> list[tuple[int, int]]:
    """Return the rungs of a race: (epochs trained by then, settings that reach it)."""
    rungs, racing = [], settings
    for at in sorted({max(1, math.ceil(share * epochs)) for share in RUNGS}):
        rungs.append((at, racing))
        racing = max(min(FINALISTS, racing), math.ceil(racing * KEPT))
    return rungs


def race_cost(settings: int, epochs: int) -> int:
    """Return the epochs of training that a race over ``settings`` takes, for one seed."""
    cost, trained = 0, 0
    for at, racing in schedule(settings, epochs):
        cost += racing * (at - trained)
        trained = at
    return cost


def _edge(best: SearchPoint, points: Sequence[SearchPoint]) -> str:
    """Return the edge of the rates tried at which the best one lies, or an empty string."""
    rates = [point.lr for point in points]
    if len(rates) < 2:
        return ""
    return "low" if best.lr == min(rates) else "high" if best.lr == max(rates) else ""
