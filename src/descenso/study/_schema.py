"""The JSON that ``--json`` writes; described in ``docs/json.md``."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from descenso.problems import Problem
from descenso.records import Comparison, Estimate, Run
from descenso.study._results import Confirmation, MethodResult, StudyResult

#: Raised by one when a field changes its meaning or goes away; new fields do not raise it.
SCHEMA = 1


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
        },
        "design": {
            "methods": list(result.design.methods),
            "epochs": result.design.epochs,
            "trials": result.design.trials,
            "search_seeds": result.design.search_seeds,
            "seeds": result.design.seeds,
            "seed": result.design.seed,
        },
        "examples": dict(result.examples),
        "parameters": result.parameters,
        "methods": [_method(m, result.metric.name) for m in result.ranking],
        "verdict": {
            "text": verdict.text,
            "best": verdict.best,
            "tied": list(verdict.tied),
            "comparisons": [_comparison(c) for c in verdict.comparisons],
        },
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
        "validation_loss": [_finite(v) for v in curve.validation_loss],
        "validation_metric": [_finite(v) for v in curve.validation_metric],
        "train_loss": [_finite(v) for v in curve.train_loss],
        "test_loss": _finite(curve.test_loss),
        "test_metric": _finite(curve.test_metric),
        "steps": curve.steps,
        "diverged_at": curve.diverged_at,
        "wall_seconds": curve.seconds,
    }


def _method(method: MethodResult, metric: str) -> dict[str, Any]:
    tuned = method.tuned
    return {
        "name": method.name,
        "rule": method.rule,
        "regime": method.regime,
        **_confirmation(tuned, metric),
        "batch_size": method.batch_size,
        "default": _confirmation(method.default, metric),
        "at_edge": method.at_edge or None,
        "examples": method.examples,
        "wall_seconds": method.seconds,
        "search": [
            {
                "settings": dict(point.settings),
                "epochs": point.epochs,
                "validation": [_finite(v) for v in point.values],
                "chosen": point.chosen,
            }
            for point in method.search
        ],
    }


def _confirmation(confirmation: Confirmation, metric: str) -> dict[str, Any]:
    return {
        "settings": dict(confirmation.settings),
        "test": {"metric": metric, **_estimate(confirmation.test)},
        "validation": {"metric": metric, **_estimate(confirmation.validation)},
        "diverged": confirmation.diverged,
        "time_to_target": _time_to_target(confirmation),
    }


def _time_to_target(confirmation: Confirmation) -> dict[str, Any] | None:
    """Return the median over seeds, a miss counting as infinite; ``null`` without a target."""
    epochs = confirmation.epochs_to_target
    if not epochs:
        return None
    return {
        "median_epochs": _finite(statistics.median(epochs)),
        "reached": sum(map(math.isfinite, epochs)),
        "runs": len(epochs),
        "epochs": [_finite(e) for e in epochs],
    }


def _estimate(estimate: Estimate) -> Mapping[str, Any]:
    return {
        "mean": _finite(estimate.mean),
        "low": _finite(estimate.low),
        "high": _finite(estimate.high),
        "values": [_finite(v) for v in estimate.values],
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "other": comparison.other,
        "difference": _estimate(comparison.difference),
        "p_value": _finite(comparison.p_value),
        "tied": comparison.tied,
    }


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
