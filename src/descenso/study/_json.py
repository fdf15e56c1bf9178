"""The one encoder of what was judged: estimates, comparisons and verdicts as JSON-ready values."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from descenso.records import Comparison, Estimate, Verdict


def number(value: float) -> float | None:
    """Return a number, or ``None`` for what is not finite: strict JSON has no token for it."""
    return float(value) if math.isfinite(value) else None


def numbers(values: Iterable[float]) -> list[float | None]:
    """Return numbers, with ``None`` for those that are not finite."""
    return [number(value) for value in values]


def estimate(found: Estimate) -> dict[str, Any]:
    """Return a mean with its interval and the values it is of."""
    return {
        "mean": number(found.mean),
        "low": number(found.low),
        "high": number(found.high),
        "values": numbers(found.values),
    }


def comparison(found: Comparison) -> dict[str, Any]:
    """Return how the best compares with another method."""
    return {
        "other": found.other,
        "difference": estimate(found.difference),
        "p_value": number(found.p_value),
        "probability_of_improvement": number(found.chance),
        "tied": found.tied,
    }


def verdict(found: Verdict) -> dict[str, Any]:
    """Return what was decided, without the comparisons it rests on."""
    return {
        "best": found.best,
        "tied": list(found.tied),
        "recommended": found.recommended,
        "chosen_by": list(found.chosen_by),
    }
