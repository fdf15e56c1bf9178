"""What a study found, as records: every figure, table and sentence is made from these."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from descenso.methods import parse
from descenso.metric_names import Range, value_range
from descenso.records import Curve, Estimate, Verdict
from descenso.study.design import Design


@dataclass(frozen=True)
class Look:
    """One look at the confirmed runs: how many seeds there were, and what they showed."""

    seeds: int
    alpha: float  # level of the claims made at this look
    decided: bool


@dataclass(frozen=True)
class MetricInfo:
    """What runs are judged by."""

    name: str
    higher_is_better: bool
    percent: bool
    target: float | None

    def range_of(self, values: Iterable[float]) -> Range:
        """Return where values can lie, given those that were seen."""
        return metric_range(self.name, self.percent, values)


def metric_range(name: str, percent: bool, values: Iterable[float]) -> Range:
    """Return where values of a metric can lie: a share from 0 to 1, others as their name says.

    A few values can suggest that none is negative, but no greatest value.
    """
    if percent:
        return Range(0.0, 1.0, "name")
    found = value_range(name, values)
    return replace(found, high=math.inf) if found.known_by == "values" else found


@dataclass(frozen=True)
class SearchPoint:
    """One setting of one method, as the search saw it: on validation, over the search seeds.

    ``epochs`` is how far the race let it come; ``values`` holds the validation metric of each
    search seed there (NaN where it diverged). ``stage`` is 1 for the race over learning rates and
    2 for the settings tried around its winner.
    """

    method: str
    settings: Mapping[str, float | bool]
    epochs: int
    values: tuple[float, ...]
    losses: tuple[float, ...]
    chosen: bool = False
    stage: int = 1

    @property
    def lr(self) -> float:
        """Return its learning rate."""
        return float(self.settings["lr"])

    @property
    def diverged(self) -> int:
        """Return how many of its seeds diverged."""
        return int(np.isnan(self.values).sum())


@dataclass(frozen=True)
class Confirmation:
    """One setting of one method, rerun on fresh seeds and judged on test.

    ``scores`` are what the statistics use: the test metric, or the untrained network's where a
    run diverged. All tuples are ordered by seed, the same seeds for every method.
    """

    settings: Mapping[str, float | bool]
    seeds: tuple[int, ...]
    curves: tuple[Curve, ...]
    scores: tuple[float, ...]
    test: Estimate
    validation: Estimate
    diverged: int
    epochs_to_target: tuple[float, ...]  # infinite where the target was not reached
    seconds: float  # wall time of all its runs

    @property
    def failed(self) -> int:
        """Return how many runs an error of the problem's own code ended."""
        return sum(curve.failed for curve in self.curves)

    @property
    def ended(self) -> int:
        """Return how many runs ended early: they diverged, or failed."""
        return self.diverged + self.failed


@dataclass(frozen=True)
class MethodResult:
    """All that a study found about one method."""

    name: str
    rule: str
    regime: str
    batch_size: int
    tuned: Confirmation
    default: Confirmation | None  # ``None`` where the defaults were left out
    search: tuple[SearchPoint, ...]
    at_edge: str  # "low" or "high" where the best learning rate is the last one tried; else ""
    examples: int  # examples seen by all runs of the method: search and confirmation
    seconds: float  # wall time of all its runs, compilation included

    @property
    def settings(self) -> Mapping[str, float | bool]:
        """Return the settings chosen by the search."""
        return self.tuned.settings

    @property
    def confirmations(self) -> Mapping[str, Confirmation]:
        """Return what was confirmed, by role: ``tuned`` and, unless left out, ``default``."""
        tuned = {"tuned": self.tuned}
        return tuned if self.default is None else {**tuned, "default": self.default}

    @property
    def at_default(self) -> bool:
        """Whether the search chose the method's default setting."""
        plain = self.default.settings if self.default else parse(self.name).default_settings()
        return self.settings == plain


@dataclass(frozen=True)
class StudyResult:
    """A finished study."""

    identity: str
    design: Design
    summary: str
    metric: MetricInfo
    examples: Mapping[str, int]  # "train", "validation", "test" -> examples
    parameters: int
    methods: tuple[MethodResult, ...]
    verdict: Verdict
    wall_seconds: float
    layout: Mapping[str, Any]
    versions: Mapping[str, str]
    started: str  # ISO 8601, UTC
    notes: tuple[str, ...] = field(default=())
    looks: tuple[Look, ...] = field(default=())

    @property
    def seeds(self) -> int:
        """Return how many fresh seeds each setting was confirmed with in the end."""
        return len(self.methods[0].tuned.scores) if self.methods else self.design.seeds

    def method(self, name: str) -> MethodResult:
        """Return the result of the method of that label."""
        return next(m for m in self.methods if m.name == name)

    @property
    def recommended(self) -> MethodResult | None:
        """Return the method to take; ``None`` where every run diverged."""
        name = self.verdict.recommended
        return None if name is None else self.method(name)

    @property
    def range(self) -> Range:
        """Return where values of the metric can lie."""
        return self.metric.range_of(score for m in self.methods for score in m.tuned.scores)

    @property
    def resolution(self) -> float:
        """Return the smallest difference the metric can show: one test example for a share."""
        return 1 / self.examples["test"] if self.metric.percent else 0.0

    @property
    def ranking(self) -> list[MethodResult]:
        """Return the methods from best to worst mean test score."""
        sign = -1 if self.metric.higher_is_better else 1
        return sorted(self.methods, key=lambda m: sign * m.tuned.test.mean)
