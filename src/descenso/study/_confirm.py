"""Confirm settings of the methods, chosen and default ones, on fresh seeds judged on test."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

from descenso.methods import Method
from descenso.problems import Metric
from descenso.records import Curve, Member, Run
from descenso.study._results import Confirmation, Design
from descenso.study._trainer import Trainer
from descenso.study.statistics import estimate


def confirmation_members(
    method: Method, batch_size: int, settings: Mapping[str, float | bool], seeds: int
) -> list[Member]:
    """Return the members that confirm ``settings``, on seeds that took no part in the search."""
    return [Member(method.label, method.rule, settings, batch_size, s) for s in range(seeds)]


def confirm_on_fresh_seeds(
    settings: Sequence[Sequence[Member]],
    design: Design,
    metric: Metric,
    target: float | None,
    trainer: Trainer,
) -> list[Confirmation]:
    """Train the members of each setting to the full budget, all together, and judge each setting."""
    members = [member for same in settings for member in same]
    runs = iter(trainer.train(members, design.epochs, "confirm", len(members) * design.epochs))
    return [_judge(list(itertools.islice(runs, len(same))), metric, target) for same in settings]


def score(curve: Curve) -> float:
    """Return what the statistics use: the test metric, or the untrained network's if diverged."""
    return float(curve.validation_metric[0]) if curve.diverged else curve.test_metric


def metric_range(metric: Metric) -> tuple[float, float]:
    """Return where values of the metric can lie, as far as is known."""
    return (0.0, 1.0) if metric.percent else (-math.inf, math.inf)


def _judge(runs: Sequence[Run], metric: Metric, target: float | None) -> Confirmation:
    curves = tuple(run.curve for run in runs)
    scores = tuple(score(curve) for curve in curves)
    last = [score(c) if c.diverged else float(c.validation_metric[-1]) for c in curves]
    reached = (
        ()
        if target is None
        else tuple(c.first_epoch_reaching(target, metric.higher_is_better) for c in curves)
    )
    return Confirmation(
        settings=runs[0].member.settings,
        seeds=tuple(run.member.seed for run in runs),
        curves=curves,
        scores=scores,
        test=estimate(scores, metric_range(metric)),
        validation=estimate(last, metric_range(metric)),
        diverged=sum(curve.diverged for curve in curves),
        epochs_to_target=reached,
        seconds=sum(curve.seconds for curve in curves),
    )
