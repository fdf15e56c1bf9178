"""The JSON that ``--json`` writes; described in ``docs/json.md``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from descenso.conventions import native
from descenso.problems import Problem
from descenso.records import Comparison, Run
from descenso.study import _json as encode
from descenso.study._results import Confirmation, MethodResult, StudyResult
from descenso.study.cost import cost, time_to_target
from descenso.study.sensitivity import curve, tolerance
from descenso.study.statistics import ALPHA, noise_of_test_set, which_test
from descenso.study.verdict import BACKING, OF_THE_MOMENT, sentences

#: Raised by one when a field changes its meaning or goes away; new fields do not raise it.
SCHEMA = 2


def as_json(result: StudyResult) -> dict[str, Any]:
    """Return the study as JSON-ready values; what is not a finite number is ``null``."""
    verdict = result.verdict
    return {
        "schema": SCHEMA,
        "study": result.identity,
        "problem": result.design.problem,
        "metric": {
            "name": result.metric.name,
            "higher_is_better": result.metric.higher_is_better,
            "target": result.metric.target,
            "low": encode.number(result.range.low),
            "high": encode.number(result.range.high),
        },
        "design": result.design.as_json(),
        "examples": dict(result.examples),
        "parameters": result.parameters,
        "methods": [_method(m, result) for m in result.ranking],
        "verdict": {
            "text": verdict.text,
            **encode.verdict(verdict),
            "comparisons": [_comparison(c, result) for c in verdict.comparisons],
            "sentences": _sentences(result),
            "code": _code(result),
        },
        "looks": [asdict(look) for look in result.looks],
        "wall_seconds": result.wall_seconds,
        "layout": dict(result.layout),
        "versions": dict(result.versions),
        "started": result.started,
    }


def runs_as_json(problem: Problem, runs: Sequence[Run]) -> dict[str, Any]:
    """Return single runs as JSON-ready values: what ``descenso train --json`` writes."""
    return {
        "schema": SCHEMA,
        "problem": problem.name,
        "metric": {
            "name": problem.metric.name,
            "higher_is_better": problem.metric.higher_is_better,
            "target": problem.target,
        },
        "runs": [_run(run) for run in runs],
    }


def _run(run: Run) -> dict[str, Any]:
    member, curve = run.member, run.curve
    return {
        "method": member.method,
        "rule": member.rule,
        "settings": dict(member.settings),
        "batch_size": member.batch_size,
        "seed": member.seed,
        "validation_loss": encode.numbers(curve.validation_loss),
        "validation_metric": encode.numbers(curve.validation_metric),
        "train_loss": encode.numbers(curve.train_loss),
        "test_loss": encode.number(curve.test_loss),
        "test_metric": encode.number(curve.test_metric),
        "steps": curve.steps,
        "diverged_at": curve.diverged_at,
        "wall_seconds": curve.seconds,
    }


def _sentences(result: StudyResult) -> list[dict[str, str]]:
    """Return each sentence of the verdict with the figure that backs it."""
    return [
        {"topic": topic, "text": text, "figure": BACKING.get(topic, "")}
        for topic, text in sentences(result).items()
        if text and topic not in OF_THE_MOMENT
    ]


def _code(result: StudyResult) -> dict[str, str] | None:
    """Return the recommendation as a line of code for each framework."""
    taken = result.recommended
    return None if taken is None else native.lines(taken.rule, taken.settings)


def _method(method: MethodResult, result: StudyResult) -> dict[str, Any]:
    tuned, metric = method.tuned, result.metric.name
    return {
        "name": method.name,
        "rule": method.rule,
        "regime": method.regime,
        **_confirmation(tuned, metric),
        "batch_size": method.batch_size,
        "default": _confirmation(method.default, metric) if method.default else None,
        "at_edge": method.at_edge or None,
        "noise_of_test_set": _noise_of_test_set(tuned, result),
        "sensitivity": _sensitivity(method, result.metric.higher_is_better),
        "cost": _cost(method, result.parameters),
        "examples": method.examples,
        "wall_seconds": method.seconds,
        "search": [
            {
                "settings": dict(point.settings),
                "epochs": point.epochs,
                "stage": point.stage,
                "validation": encode.numbers(point.values),
                "chosen": point.chosen,
            }
            for point in method.search
        ],
    }


def _noise_of_test_set(tuned: Confirmation, result: StudyResult) -> dict[str, float] | None:
    """Return what the size of the test part leaves open of a share, however many seeds."""
    if not result.metric.percent or not math.isfinite(tuned.test.mean):
        return None
    low, high = noise_of_test_set(tuned.test.mean, result.examples["test"])
    return {"low": low, "high": high}


def _confirmation(confirmation: Confirmation, metric: str) -> dict[str, Any]:
    return {
        "settings": dict(confirmation.settings),
        "test": {"metric": metric, **encode.estimate(confirmation.test)},
        "validation": {"metric": metric, **encode.estimate(confirmation.validation)},
        "diverged": confirmation.diverged,
        "failed": confirmation.failed,
        "time_to_target": _time_to_target(confirmation),
    }


def _sensitivity(method: MethodResult, higher_is_better: bool) -> dict[str, Any] | None:
    """Return the good range of learning rates as one number, and the curve it is read from."""
    found = tolerance(method, higher_is_better)
    if found is None:
        return None
    return {
        "low": found.low,
        "high": found.high,
        "factor": found.factor,
        "decades": found.decades,
        "goes_on_below": found.low_open,
        "goes_on_above": found.high_open,
        "curve": [
            {"lr": lr, "share_of_gain": share} for lr, share in curve(method, higher_is_better)
        ],
    }


def _cost(method: MethodResult, parameters: int) -> dict[str, Any]:
    found = cost(method, parameters)
    return {
        "wall_seconds": {
            "step": encode.number(found.seconds_per_step),
            "run": encode.number(found.seconds_per_run),
        },
        "state_numbers_per_parameter": found.state_arrays,
        "state_bytes": found.state_bytes,
    }


def _time_to_target(confirmation: Confirmation) -> dict[str, Any] | None:
    """Return the median over seeds, a miss counting as infinite; ``null`` without a target."""
    found = time_to_target(confirmation.epochs_to_target)
    if found is None:
        return None
    return {
        "median_epochs": encode.number(found.median),
        "low": encode.number(found.low),
        "high": encode.number(found.high),
        "reached": found.reached,
        "runs": found.runs,
        "epochs": encode.numbers(confirmation.epochs_to_target),
    }


def _comparison(comparison: Comparison, result: StudyResult) -> dict[str, Any]:
    family = len(result.methods) * (len(result.methods) - 1) / 2
    if result.looks:
        family *= ALPHA / result.looks[-1].alpha
    return {
        **encode.comparison(comparison),
        "test": which_test(len(comparison.difference.values), family),
        "equivalent": comparison.equivalent,
    }
