"""Figures and settings as a person writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from descenso import rules
from descenso.language import _, ngettext
from descenso.rules import Rule
from descenso.study._results import Confirmation, MetricInfo


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


def early_ends(confirmation: Confirmation) -> str:
    """Return how many runs diverged of how many, and how many an error ended."""
    text = f"{confirmation.diverged}/{len(confirmation.curves)}"
    if not confirmation.failed:
        return text
    return text + ngettext(" ({count} error)", " ({count} errors)", confirmation.failed).format(
        count=confirmation.failed
    )


def p_value(p: float) -> str:
    """Return a p-value as it is printed in a paper."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def short_time(seconds: float) -> str:
    """Return a duration below a minute in the unit that suits it."""
    units = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))
    unit, size = next((pair for pair in units if seconds >= pair[1]), units[-1])
    number = f"{seconds / size:.2g}" if seconds < 100 * size else f"{seconds / size:.0f}"
    return f"{number} {unit}"


def factor(number: float) -> str:
    """Return a factor with two digits."""
    return f"{number:.2g}" if number < 100 else f"{float(f'{number:.2g}'):.0f}"


def memory(count: float) -> str:
    """Return a number of bytes in the unit that suits it."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.0f} B"


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
