"""The settings a search can try: a grid of learning rates, and ranges for other settings."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from descenso.errors import SettingError, UnknownNameError
from descenso.language import _, did_you_mean
from descenso.methods import Method
from descenso.rules import Hyperparameter

#: Learning rates added beyond an edge of the grid when the best one lies there.
ADDED_AT_EDGE = 3
#: Learning rates tried before other settings are.
LEARNING_RATES = 12

_SCALES = ("log", "linear", "logit")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_WRITTEN = re.compile(
    rf"^\s*(?P<method>.+)\.(?P<name>\w+)\s*=\s*(?P<low>{_NUMBER})\.\.(?P<high>{_NUMBER})"
    r"\s*(?::\s*(?P<scale>\w+))?\s*$"
)


@dataclass(frozen=True)
class Range:
    """Where values of a setting are searched, and how they are spread."""

    name: str
    low: float
    high: float
    scale: str

    def at(self, share: float) -> float:
        """Return the value at a share (0 to 1) of the way from low to high, rounded as printed."""
        if self.scale == "log":
            value = self.low * (self.high / self.low) ** share
        elif self.scale == "logit":
            low, high = (math.log(v / (1 - v)) for v in (self.low, self.high))
            value = 1 / (1 + math.exp(-(low + share * (high - low))))
        else:
            value = self.low + share * (self.high - self.low)
        return min(max(self._rounded(value), self.low), self.high)

    def _rounded(self, value: float) -> float:
        if self.scale == "logit" and value > 0.5:  # what matters is how far it is from one
            return float(f"{1 - round_setting(1 - value):.12g}")
        return round_setting(value)


def parse_space(texts: Sequence[str], methods: Sequence[Method]) -> dict[str, tuple[Range, ...]]:
    """Read ranges written ``adam.beta2=0.9..0.9999:logit``; return them by the method's label.

    Raises
    ------
    SettingError, UnknownNameError
        If a text has not that form, or its method, setting, ends or scale are wrong.
    """
    found: dict[str, dict[str, Range]] = {}
    for text in texts:
        match = _WRITTEN.match(text)
        if not match:
            raise SettingError(
                _(
                    "a range is written method.setting=low..high or "
                    "method.setting=low..high:scale; got {text!r}"
                ).format(text=text)
            )
        for method in _named(match["method"], methods):
            low, high = float(match["low"]), float(match["high"])
            range_ = _range(method, match["name"], low, high, match["scale"])
            if range_.name in found.setdefault(method.label, {}):
                raise SettingError(
                    _("{rule}: {name} is given twice").format(rule=method.label, name=range_.name)
                )
            found[method.label][range_.name] = range_
    return {label: tuple(ranges.values()) for label, ranges in found.items()}


def _named(name: str, methods: Sequence[Method]) -> list[Method]:
    """Return the method of that label, or all methods of that rule."""
    fitting = [m for m in methods if m.label == name] or [m for m in methods if m.rule == name]
    if fitting:
        return fitting
    labels = [m.label for m in methods]
    hint = did_you_mean(name, labels)
    raise UnknownNameError(
        _("the study has no method named {name!r}; it compares {known}.").format(
            name=name, known=", ".join(labels)
        )
        + hint
    )


def _range(method: Method, name: str, low: float, high: float, scale: str | None) -> Range:
    rule = method.definition()
    if name in method.fixed:
        raise SettingError(
            _("{method}: {name} is fixed, so it cannot be searched").format(
                method=method.label, name=name
            )
        )
    rule.settings(**{name: low})  # refuses unknown names and what lies outside
    rule.settings(**{name: high})
    h = rule.hyperparameters[name]
    chosen = scale or ("linear" if h.scale == "switch" else h.scale)
    fits = low < high and not h.is_switch and chosen in _SCALES
    fits = fits and not (chosen == "log" and low <= 0)
    fits = fits and not (chosen == "logit" and not 0 < low < high < 1)
    if not fits:
        raise SettingError(
            _(
                "{method}: {name} cannot be searched from {low:g} to {high:g} on the scale "
                "{scale!r}; low must be below high, above 0 for log, between 0 and 1 for logit, "
                "and the scale one of {known}"
            ).format(
                method=method.label, name=name, low=low, high=high, scale=chosen,
                known=", ".join(_SCALES),
            )
        )  # fmt: skip
    return Range(name, low, high, chosen)


def stages(trials: int, given: Sequence[Range]) -> tuple[int, int]:
    """Return how many trials go to learning rates, and how many to all settings together.

    Learning rates come first; where the user names other settings, half of the trials are theirs.
    """
    others = any(r.name != "lr" for r in given)
    first = min(trials, LEARNING_RATES)
    if others and trials > 1:
        first = min(first, math.ceil(trials / 2))
    return first, trials - first


def learning_rates(method: Method, trials: int, given: Sequence[Range] = ()) -> list[float]:
    """Return the learning rates a method is first tried with, lowest first.

    The rule's default is tried beside the grid, so that no search ends with a setting that it has
    seen to be worse. A method whose learning rate is fixed is tried with that one.

    Parameters
    ----------
    given : ranges that the user named; one of ``lr`` takes the place of the rule's own.
    """
    if "lr" in method.fixed:
        return [float(method.fixed["lr"])]
    default = float(_learning_rate(method).default)
    if trials == 1:
        return [default]
    range_ = _range_of_lr(method, given)
    grid = {range_.at(share) for share in np.linspace(0, 1, trials)}
    return sorted(grid | {default})


def beyond_edge(method: Method, tried: Sequence[float], edge: str) -> list[float]:
    """Return learning rates that continue the grid past its ``"low"`` or ``"high"`` edge."""
    rates = sorted(tried)
    if len(rates) < 2:
        return []
    ratio = rates[-1] / rates[-2] if edge == "high" else rates[1] / rates[0]
    powers = range(1, ADDED_AT_EDGE + 1)
    new = [rates[-1] * ratio**k if edge == "high" else rates[0] / ratio**k for k in powers]
    h = _learning_rate(method)
    return [round_setting(lr) for lr in new if np.isfinite(lr) and h.admits(lr)]


def around(
    method: Method, best: Mapping[str, float | bool], given: Sequence[Range], step: float
) -> tuple[Range, ...]:
    """Return the ranges of the second stage: the best learning rate's surroundings, and the rest.

    Parameters
    ----------
    best : the settings that the first stage chose.
    given : ranges that the user named; they take the place of the rule's own.
    step : ratio of neighbouring learning rates of the first stage.
    """
    own = {
        h.name: Range(h.name, *h.search, h.scale)
        for h in method.definition().hyperparameters.values()
        if h.search and not h.is_switch and h.name != "lr"
    }
    named = {r.name: r for r in given if r.name != "lr"}
    ranges = [r for r in {**own, **named}.values() if r.name not in method.fixed]
    if "lr" not in method.fixed:
        lr = float(best["lr"])
        ranges.insert(0, Range("lr", round_setting(lr / step), round_setting(lr * step), "log"))
    return tuple(ranges)


def round_setting(value: float) -> float:
    """Return ``value`` with three significant digits: what is printed is what was run."""
    return float(f"{value:.3g}")


def _learning_rate(method: Method) -> Hyperparameter:
    return method.definition().hyperparameters["lr"]


def _range_of_lr(method: Method, given: Sequence[Range]) -> Range:
    named = [r for r in given if r.name == "lr"]
    low, high = _learning_rate(method).search or (1e-5, 1.0)
    return named[0] if named else Range("lr", low, high, "log")
