"""Run a study from its design to its verdict."""

from __future__ import annotations

import hashlib
import importlib.metadata
import itertools
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Unpack

from descenso import __version__, problems
from descenso.engine import Engine, prepare_machine
from descenso.errors import StoreError
from descenso.language import _
from descenso.methods import Method, parse
from descenso.problems import Data, Problem
from descenso.records import Verdict
from descenso.store import Store
from descenso.study import _sequential as sequential
from descenso.study import checks, executors
from descenso.study._confirm import confirm_on_fresh_seeds, confirmation_members
from descenso.study._failures import check_training_loss
from descenso.study._race import FULL_GRID, RACE
from descenso.study._results import (
    Confirmation,
    Look,
    MethodResult,
    MetricInfo,
    StudyResult,
)
from descenso.study._search import Found, Search, planned_cost, search_together
from descenso.study._space import Range
from descenso.study._storage import decode_result, encode_result
from descenso.study._trainer import ProgressFunction, Trainer
from descenso.study.design import Design, Options
from descenso.study.verdict import decide

#: Raised by one when the same design would train or judge differently: part of a study's identity.
PROTOCOL_VERSION = 3
_VERSIONS_OF = ("numpy", "scipy", "scikit-learn")
_VERSIONS_OF_ENGINE = {"jax": ("jax", "jaxlib"), "torch": ("torch",)}


def run_study(
    problem: str | Problem,
    methods: str | Sequence[str] | None = None,
    *,
    store: str | Path | Store | None = None,
    executor: str = "local",
    fresh: bool = False,
    on_progress: ProgressFunction | None = None,
    **options: Unpack[Options],
) -> StudyResult:
    """Run, resume or recall a study; :func:`descenso.compare` tells of the parameters."""
    chosen = checks.the_problem(problem)
    design = Design.of(chosen, methods, **options)
    opener = executors.opener(executor)
    place = store if isinstance(store, Store) else Store(store)
    try:
        return _run(chosen, design, place, opener, fresh, on_progress)
    finally:
        if place is not store:
            place.close()


def _run(
    problem: Problem,
    design: Design,
    store: Store,
    opener: executors.Opener,
    fresh: bool,
    on_progress: ProgressFunction | None,
) -> StudyResult:
    methods = design.parsed
    prepare_machine()
    data = checks.data_of(problem, design.seed)
    sizes = {m.label: checks.batch_size(m, problem, len(data.train)) for m in methods}
    # What a problem holds fixed of a method besides what is written makes the study another one.
    held = "".join(m.label for m in methods if m.fixed != parse(m.label).fixed)
    identity = identity_of(design, sizes, problems.fingerprint(problem, data) + held)
    stored = store.find(identity)
    if stored and fresh:
        store.delete(identity)
        stored = None
    if stored and stored.result:
        return decode_result(stored.result)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    store.begin(identity, problem.name, started, asdict(design))
    with opener(problem, data, design) as engine:
        running = _Running(problem, data, design, engine, store, identity, sizes, on_progress)
        return running.finish(methods)


def identity_of(design: Design, batch_sizes: Mapping[str, int], fingerprint: str) -> str:
    """Return what makes a study this one: its design, its problem and the protocol."""
    parts = [PROTOCOL_VERSION, design.identifying(), sorted(batch_sizes.items()), fingerprint]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


class _Running:
    """A study under way."""

    def __init__(
        self,
        problem: Problem,
        data: Data,
        design: Design,
        engine: Engine,
        store: Store,
        identity: str,
        batch_sizes: Mapping[str, int],
        on_progress: ProgressFunction | None,
    ) -> None:
        self.problem, self.data, self.design = problem, data, design
        self.store, self.identity, self.batch_sizes = store, identity, batch_sizes
        self.engine = engine
        self.policy = RACE if design.race else FULL_GRID
        self.trainer = Trainer(engine, store, identity, 0.0, on_progress)

    def finish(self, methods: Sequence[Method]) -> StudyResult:
        """Do what is left to do, and keep and return the result."""
        self.trainer.total = sum(self._planned(method) for method in methods)
        found = search_together([self._search_of(method) for method in methods], self.trainer)
        check_training_loss(self.problem, self.data, self.trainer.runs())
        results, verdict, looks = self._look_until_decided(methods, found)
        stored = self.store.find(self.identity)
        if stored is None:
            raise StoreError(
                _("study {name} was removed from {url} while it ran (--fresh elsewhere?)").format(
                    name=self.identity, url=self.store.url
                )
            )
        result = StudyResult(
            identity=self.identity,
            design=self.design,
            summary=self.problem.summary,
            metric=self._metric(),
            examples=self._examples(),
            parameters=self.engine.parameters(),
            methods=results,
            verdict=verdict,
            wall_seconds=stored.seconds,
            layout=self.engine.describe(),
            versions=_versions(self.problem.framework),
            started=stored.started,
            looks=looks,
        )
        self.store.finish(self.identity, encode_result(result))
        return result

    def _look_until_decided(
        self, methods: Sequence[Method], found: Sequence[Found]
    ) -> tuple[tuple[MethodResult, ...], Verdict, tuple[Look, ...]]:
        """Confirm with ever more seeds, at the looks planned, until the methods are told apart."""
        planned = sequential.looks(self.design.seeds, self.design.most_seeds)
        alpha = sequential.level(len(planned))
        looks: list[Look] = []
        for seeds in planned:
            if looks:
                self.trainer.total += len(methods) * self._confirmation_cost(seeds)
            results = self._confirmed(methods, found, seeds)
            margin, examples = self.design.margin, len(self.data.test)
            verdict = decide(results, self._metric(), examples, alpha=alpha, margin=margin)
            looks.append(Look(seeds, alpha, sequential.decided(verdict)))
            if looks[-1].decided:
                break
        return results, verdict, tuple(looks)

    def _planned(self, method: Method) -> float:
        """Return the epochs of members that a method is planned to take."""
        search = planned_cost(method, self.design, self._ranges_of(method), self.policy)
        return search + self._confirmation_cost(self.design.seeds)

    def _confirmation_cost(self, seeds: int) -> float:
        """Return the epochs of members that confirm a method with so many seeds."""
        return self.design.confirmed * seeds * self.design.epochs

    def _ranges_of(self, method: Method) -> tuple[Range, ...]:
        return self.design.ranges.get(method.label, ())

    def _search_of(self, method: Method) -> Search:
        size, ranges = self.batch_sizes[method.label], self._ranges_of(method)
        metric = self.problem.metric
        return Search(method, size, self.design, metric, self.trainer, ranges, self.policy)

    def _confirmed(
        self, methods: Sequence[Method], found: Sequence[Found], seeds: int
    ) -> tuple[MethodResult, ...]:
        """Confirm every method's setting found, and its default if asked to, all together."""
        members = [
            confirmation_members(method, self.batch_sizes[method.label], settings, seeds)
            for method, its in zip(methods, found, strict=True)
            for settings in (its.chosen.settings, method.default_settings())[
                : self.design.confirmed
            ]
        ]
        metric, target = self.problem.metric, self.problem.target
        confirmed = iter(
            confirm_on_fresh_seeds(
                members, self.design, metric, target, self.trainer, self._examples()
            )
        )
        return tuple(
            self._result(method, its, *itertools.islice(confirmed, self.design.confirmed))
            for method, its in zip(methods, found, strict=True)
        )

    def _result(
        self,
        method: Method,
        found: Found,
        tuned: Confirmation,
        default: Confirmation | None = None,
    ) -> MethodResult:
        runs = self.trainer.runs_of(method.label)
        size = self.batch_sizes[method.label]
        return MethodResult(
            name=method.label,
            rule=method.rule,
            regime=method.regime(),
            batch_size=size,
            tuned=tuned,
            default=default,
            search=found.points,
            at_edge=found.at_edge,
            examples=sum(run.curve.steps for run in runs) * size,
            seconds=sum(run.curve.seconds for run in runs),
        )

    def _metric(self) -> MetricInfo:
        m = self.problem.metric
        return MetricInfo(m.name, m.higher_is_better, m.percent, self.problem.target)

    def _examples(self) -> Mapping[str, int]:
        return {
            "train": len(self.data.train),
            "validation": len(self.data.validation),
            "test": len(self.data.test),
        }


def _versions(framework: str) -> Mapping[str, str]:
    names = (*_VERSIONS_OF_ENGINE[framework], *_VERSIONS_OF)
    found = {name: importlib.metadata.version(name) for name in names}
    return {"descenso": __version__, "python": platform.python_version(), **found}
