"""Figures and settings as a person writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from descenso import rules
from descenso.language import _
from descenso.rules import Rule
from descenso.study._results import MetricInfo


def figure(value: float, metric: MetricInfo) -> str:
    """Return a value of the metric: ``97.8%`` for a share, four digits otherwise."""
    if not math.isfinite(value):
        return "–"
    return f"{100 * value:.1f}%" if metric.percent else f"{value:.4g}"


def difference(value: float, metric: MetricInfo) -> str:
    """Return a difference between two values: in points for a share."""
    if not math.isfinite(value):
        return "–"
    if metric.percent:
        return _("{value} points").format(value=f"{100 * value:.1f}")
    return f"{value:.3g}"


def settings(rule_name: str, values: Mapping[str, float | bool]) -> str:
    """Return ``lr`` and whatever differs from the rule's defaults."""
    rule = rules.get(rule_name)
    shown = {n: v for n, v in values.items() if n == "lr" or v != _default(rule, n, values)}
    return ", ".join(f"{n} = {_number(v)}" for n, v in shown.items())


def _default(rule: Rule, name: str, values: Mapping[str, float | bool]) -> float | bool:
    default = rule.hyperparameters[name].default
    return values[default] if isinstance(default, str) else default


def _number(value: float | bool) -> str:
    return str(value) if isinstance(value, bool) else f"{value:.6g}"


def listed(words: Sequence[str]) -> str:
    """Return words as a list in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return _("{most} and {last}").format(most=", ".join(words[:-1]), last=words[-1])
