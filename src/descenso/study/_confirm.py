"""Confirm settings of the methods, chosen and default ones, on fresh seeds judged on test."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from descenso.methods import Method
from descenso.problems import Metric
from descenso.records import Curve, Estimate, Member, Run
from descenso.study._results import Confirmation, metric_range
from descenso.study._trainer import Trainer
from descenso.study.design import Design
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
    examples: Mapping[str, int] | None = None,
) -> list[Confirmation]:
    """Train the members of each setting to the full budget, all together, and judge each setting.

    Parameters
    ----------
    examples : part of the data → examples: one of them is the smallest step of a share.
    """
    members = [member for same in settings for member in same]
    runs = iter(trainer.train(members, design.epochs, "confirm", len(members) * design.epochs))
    return [
        _judge(list(itertools.islice(runs, len(same))), metric, target, examples or {})
        for same in settings
    ]


def score(curve: Curve) -> float:
    """Return what the statistics use: the test metric, or the untrained network's if diverged."""
    return float(curve.validation_metric[0]) if curve.ended else curve.test_metric


def _estimate(values: Sequence[float], metric: Metric, examples: int | None) -> Estimate:
    step = 1 / examples if metric.percent and examples else 0.0
    return estimate(values, metric_range(metric.name, metric.percent, values).ends, step)


def _judge(
    runs: Sequence[Run], metric: Metric, target: float | None, examples: Mapping[str, int]
) -> Confirmation:
    curves = tuple(run.curve for run in runs)
    scores = tuple(score(curve) for curve in curves)
    last = [score(c) if c.ended else float(c.validation_metric[-1]) for c in curves]
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
        test=_estimate(scores, metric, examples.get("test")),
        validation=_estimate(last, metric, examples.get("validation")),
        diverged=sum(curve.diverged for curve in curves),
        epochs_to_target=reached,
        seconds=sum(curve.seconds for curve in curves),
    )
