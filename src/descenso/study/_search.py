"""Find each method's settings on validation: learning rates first, then what matters next."""

from __future__ import annotations

import itertools
import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from descenso.methods import Method
from descenso.problems import Metric
from descenso.records import Member, Run
from descenso.study import _proposals as proposals
from descenso.study import _space as space
from descenso.study._race import RACE, Policy, Standing, race_cost, schedule, standing, survivors
from descenso.study._results import SearchPoint
from descenso.study._trainer import Trainer
from descenso.study.design import Design

__all__ = [
    "FIRST_SEARCH_SEED",
    "Found",
    "Search",
    "planned_cost",
    "race_cost",
    "schedule",
    "search_together",
]

#: Seeds of the search are counted from here; those of the confirmation from zero.
FIRST_SEARCH_SEED = 1_000_000

Settings = Mapping[str, float | bool]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Found:
    """The setting a search chose, every setting it tried, and whether the choice lies at an edge."""

    chosen: SearchPoint
    points: tuple[SearchPoint, ...]
    at_edge: str


@dataclass(frozen=True)
class Wanted:
    """Members that a search wants trained before it goes on.

    ``planned`` is the part of the trainer's total that they stand for.
    """

    members: Sequence[Member]
    epochs: int
    planned: float


_Steps: TypeAlias = Generator[Wanted, list[Run], _T]


def search_together(searches: Sequence[Search], trainer: Trainer) -> list[Found]:
    """Run searches side by side, so that one method's stragglers keep no core from the next's."""
    found: dict[int, Found] = {}
    wanted: dict[int, Wanted] = {}
    under_way = [search.steps() for search in searches]

    def go_on(i: int, runs: list[Run] | None) -> None:
        try:
            wanted[i] = under_way[i].send(runs) if runs is not None else next(under_way[i])
        except StopIteration as end:
            found[i] = end.value

    for i in range(len(searches)):
        go_on(i, None)
    while wanted:
        epochs = min(request.epochs for request in wanted.values())
        asked = {i: wanted.pop(i) for i in sorted(wanted) if wanted[i].epochs == epochs}
        members = [member for request in asked.values() for member in request.members]
        planned = sum(request.planned for request in asked.values())
        runs = iter(trainer.train(members, epochs, "search", planned))
        for i, request in asked.items():
            go_on(i, list(itertools.islice(runs, len(request.members))))
    return [found[i] for i in range(len(searches))]


@dataclass(frozen=True)
class Search:
    """The search of one method.

    ``ranges`` are those the user named for it; ``policy`` says who is stopped early.
    """

    method: Method
    batch_size: int
    design: Design
    metric: Metric
    trainer: Trainer
    ranges: tuple[space.Range, ...] = ()
    policy: Policy = RACE

    def run(self) -> Found:
        """Search alone."""
        return search_together([self], self.trainer)[0]

    def steps(self) -> _Steps[Found]:
        """Search learning rates, widen where the best lies at the edge, then search the rest."""
        first, second = space.stages(self.design.trials, self.ranges)
        rates = space.learning_rates(self.method, first, self.ranges)
        points = yield from self._race([{"lr": lr} for lr in rates], stage=1)
        points += yield from self._widen(points)
        if second:
            points += yield from self._second_stage(points, second)
        best = self._best(points)
        chosen = replace(best, chosen=True)
        ordered = sorted(
            (chosen if p is best else p for p in points), key=lambda p: (p.lr, p.stage)
        )
        return Found(chosen, tuple(ordered), _edge(best, points))

    # ---- the race -----------------------------------------------------------------------------

    def _race(self, racing: Sequence[Settings], stage: int) -> _Steps[list[SearchPoint]]:
        """Train all to the first rung, and ever fewer from rung to rung; return them all."""
        stopped: list[Standing] = []
        field: list[Standing] = []
        d, already = self.design, 0
        for rung in schedule(len(racing), d.epochs, d.search_seeds, self.policy):
            if field:
                kept = self._survivors(field, rung.settings)
                stopped += [s for s in field if s not in kept]
                racing = [s.point.settings for s in kept]
            tried = yield from self._try(racing, rung.epochs, stage, rung.seeds, already)
            field = sorted(tried, key=self._rank)
            already = rung.seeds * rung.epochs
        return [s.point for s in field + stopped]

    def _survivors(self, field: Sequence[Standing], places: int) -> list[Standing]:
        most = 1.0 if self.metric.percent else math.inf
        higher = self.metric.higher_is_better
        return survivors(field, places, self.design.epochs, higher, most, self.policy)

    def _try(
        self, settings: Sequence[Settings], epochs: int, stage: int, n: int, already: int = 0
    ) -> _Steps[list[Standing]]:
        """Train each setting with ``n`` seeds; ``already`` epochs of each were trained before."""
        rule = self.method.definition()
        members = [
            Member(
                self.method.label,
                rule.name,
                rule.settings(**{**self.method.fixed, **given}),
                self.batch_size,
                FIRST_SEARCH_SEED + seed,
            )
            for given in settings
            for seed in range(n)
        ]
        planned = len(settings) * (n * epochs - already)
        runs = yield Wanted(members, epochs, planned)
        chunks = [runs[i * n : (i + 1) * n] for i in range(len(settings))]
        return [standing(_point(chunk, epochs, stage), chunk) for chunk in chunks]

    def _rank(self, entry: Standing) -> tuple[float, float, float]:
        return entry.rank(self.metric.higher_is_better)

    def _best(self, points: Sequence[SearchPoint]) -> SearchPoint:
        finalists = [p for p in points if p.epochs == self.design.epochs]
        return min(finalists, key=lambda p: self._rank(Standing(p, ())))

    # ---- what comes after the first race ------------------------------------------------------

    def _widen(self, points: Sequence[SearchPoint]) -> _Steps[list[SearchPoint]]:
        """Go on beyond the edge at which the best learning rate lies, once."""
        edge = _edge(self._best(points), points)
        more = space.beyond_edge(self.method, [p.lr for p in points], edge) if edge else []
        if not more:
            return []
        self.trainer.total += len(more) * self.design.search_seeds * self.design.epochs
        tried = yield from self._to_the_end([{"lr": lr} for lr in more], stage=1)
        return [s.point for s in tried]

    def _to_the_end(self, settings: Sequence[Settings], stage: int) -> _Steps[list[Standing]]:
        return self._try(settings, self.design.epochs, stage, self.design.search_seeds)

    def _second_stage(
        self, points: Sequence[SearchPoint], trials: int
    ) -> _Steps[list[SearchPoint]]:
        """Search the best learning rate's surroundings together with the other settings."""
        best = self._best(points)
        ranges = space.around(self.method, best.settings, self.ranges, _step(points))
        if not ranges:
            return []
        seed = proposals.key(self.design.seed, self.method.label)
        if self.design.sampler == "sobol":
            proposed = proposals.quasi_random(ranges, trials, seed)
            return (yield from self._race(proposed, stage=2))
        sampler = proposals.OptunaSampler(self.design.sampler, ranges, seed)
        return (yield from self._adaptive(sampler, trials))

    def _adaptive(self, sampler: proposals.Adaptive, trials: int) -> _Steps[list[SearchPoint]]:
        """Let a sampler propose, with the epochs that a race of ``trials`` would have taken."""
        d = self.design
        whole = d.epochs * d.search_seeds
        left = max(1, race_cost(trials, d.epochs, d.search_seeds, self.policy) // whole)
        points: list[SearchPoint] = []
        while left:
            asked = sampler.ask(min(left, proposals.BATCH))
            tried = yield from self._to_the_end(asked, stage=2)
            sampler.tell([math.nan if s.point.diverged else self._rank(s)[1] for s in tried])
            points += [s.point for s in tried]
            left -= len(asked)
        return points


def planned_cost(
    method: Method, design: Design, ranges: tuple[space.Range, ...], policy: Policy = RACE
) -> float:
    """Return the epochs of members that the search of a method is planned to take."""
    first, second = space.stages(design.trials, ranges)
    rates = len(space.learning_rates(method, first, ranges))
    settings = [rates, second] if second else [rates]
    return sum(race_cost(n, design.epochs, design.search_seeds, policy) for n in settings)


def _point(runs: Sequence[Run], epochs: int, stage: int) -> SearchPoint:
    member = runs[0].member
    curves = [run.curve for run in runs]
    last = [min(epochs, curve.epochs) for curve in curves]
    return SearchPoint(
        method=member.method,
        settings=member.settings,
        epochs=epochs,
        values=tuple(float(c.validation_metric[e]) for c, e in zip(curves, last, strict=True)),
        losses=tuple(float(c.validation_loss[e]) for c, e in zip(curves, last, strict=True)),
        stage=stage,
    )


def _step(points: Sequence[SearchPoint]) -> float:
    """Return the ratio of neighbouring learning rates of the first stage; a decade's root if one."""
    rates = sorted({p.lr for p in points})
    if len(rates) < 2:
        return math.sqrt(10)
    return max(high / low for low, high in itertools.pairwise(rates))


def _edge(best: SearchPoint, points: Sequence[SearchPoint]) -> str:
    """Return the edge of the rates tried at which the best one lies, or an empty string."""
    rates = [point.lr for point in points if point.stage == 1]
    if len(rates) < 2:
        return ""
    return "low" if best.lr <= min(rates) else "high" if best.lr >= max(rates) else ""
