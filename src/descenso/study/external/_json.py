"""The JSON of ``descenso verdict --json``: its verdict is shaped as that of ``compare``."""

from __future__ import annotations

from typing import Any

from descenso.study import _json as encode
from descenso.study.cost import time_to_target
from descenso.study.external import _words as words
from descenso.study.external._judge import Finding, Judged

SCHEMA = 2


def as_json(found: Finding) -> dict[str, Any]:
    """Return the finding as JSON-ready values; what is not a finite number is ``null``."""
    overall = found.overall
    return {
        "schema": SCHEMA,
        "metric": {"name": found.metric or "value", "higher_is_better": found.higher_is_better,
                   "target": found.target, **_range(overall)},
        "problems": [j.problem for j in found.problems],
        "verdict": {
            "text": words.text(found),
            **_verdict(overall),
            "sentences": [
                {"topic": topic, "text": text}
                for topic, text in words.sentences(found).items()
                if text
            ],
        },
        "methods": [_method(found, overall, m) for m in overall.diverged],
        "by_problem": [
            {"problem": j.problem, "verdict": _verdict(j),
             "methods": [_method(found, j, m) for m in j.diverged]}
            for j in found.problems
        ],
        "notes": list(found.notes),
    }  # fmt: skip


def _range(judged: Judged) -> dict[str, Any]:
    """Return where the metric ends, and whether its name or its values tell."""
    ends = judged.range
    return {
        "low": encode.number(ends.low),
        "high": encode.number(ends.high),
        "range_known_by": ends.known_by or None,
    }


def _verdict(judged: Judged) -> dict[str, Any]:
    return {
        **encode.verdict(judged.verdict),
        "comparisons": [encode.comparison(c) for c in judged.verdict.comparisons],
    }


def _method(found: Finding, judged: Judged, method: str) -> dict[str, Any]:
    chosen = judged.chosen.get(method)
    range_ = judged.tolerated(method, found.higher_is_better)
    time = time_to_target(words.epochs_to_target(found, method)) if chosen else None
    return {
        "name": method,
        "setting": chosen.setting if chosen else None,
        "seeds": judged.seeds(method),
        "value": encode.estimate(judged.estimates[method]) if method in judged.estimates else None,
        "diverged": judged.diverged[method],
        "selection_bias": encode.number(chosen.bias) if chosen else None,
        "sensitivity": range_ and {"low": range_.low, "high": range_.high, "factor": range_.factor},
        "time_to_target": time
        and {"median": encode.number(time.median), "reached": time.reached, "runs": time.runs},
    }
