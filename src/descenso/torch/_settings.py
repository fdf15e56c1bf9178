"""Read the settings of a parameter group at each step; check them when they change."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from descenso.errors import SettingError
from descenso.language import _
from descenso.rules import Hyperparameter, Rule, remedy, says_nothing

# Settings of torch.optim: in a group they are meant for the optimizer. Any other key is its owner's.
_MEANT = frozenset({
    "betas", "momentum", "dampening", "nesterov", "amsgrad", "centered", "weight_decay",
    "learning_rate", "fused", "capturable", "differentiable",
})  # fmt: skip


FIRST_STEP = "first_step"  # the key of a group's settings for the first step of each parameter


class LiveSettings:
    """The settings of one group as numbers, in the order the rule declares them."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._names = tuple(rule.hyperparameters)
        self._raw: tuple[Any, ...] | None = None
        self._values: tuple[float | bool, ...] = ()

    def read(self, group: Mapping[str, Any]) -> tuple[float | bool, ...]:
        """Return the values; the same tuple as long as none has changed."""
        raw = tuple(map(group.__getitem__, self._names))
        if raw != self._raw:
            values = tuple(values_of(self.rule, group).values())
            if values != self._values or not self._values:
                self._values = values
            # A tensor can change in place, so it has to be read every time.
            self._raw = None if any(isinstance(v, torch.Tensor) for v in raw) else raw
        return self._values


def settings_of_first_step(
    rule: Rule, group: Mapping[str, Any], settings: tuple[float | bool, ...]
) -> tuple[float | bool, ...]:
    """Return the settings of each parameter's own first step: as ``group["first_step"]`` has them.

    PyTorch's SGD leaves the first gradient of each parameter undamped.
    """
    given = group.get(FIRST_STEP)
    return tuple(values_of(rule, {**group, **given}).values()) if given else settings


def values_of(rule: Rule, group: Mapping[str, Any]) -> dict[str, float | bool]:
    """Return every setting of ``group`` as a number.

    A schedule may bring a setting to the very end of its range (a warm-up starts at lr = 0).

    Raises
    ------
    SettingError
        If a value is not a finite number, or is beyond its range.
    """
    values: dict[str, float | bool] = {}
    for name, h in rule.hyperparameters.items():
        value = group[name]
        if isinstance(value, str) and value in values:
            values[name] = values[value]
        elif h.is_switch:
            values[name] = h.check(value, rule.name)
        else:
            values[name] = _number(h, value, rule.name)
    return values


def _number(h: Hyperparameter, value: Any, rule: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, RuntimeError):
        return float(h.check(value if isinstance(value, str) else repr(value), rule))  # raises
    at_open_end = number == h.low or (number == h.high and not h.high_open)
    if not math.isfinite(number) or not (h.admits(number) or at_open_end):
        h.check(number, rule)
    return number


def check_settings(rule: Rule, given: Mapping[str, Any]) -> None:
    """Refuse settings of the whole optimizer that are unknown, not numbers or out of range.

    Raises
    ------
    SettingError
        Naming the rule, the setting, its range and the value; of a setting of another framework,
        what to do instead.
    """
    unknown = {n: v for n, v in given.items() if n not in rule.hyperparameters}
    for name, value in unknown.items():
        if not says_nothing(rule, name, value):
            rule.settings(**{name: value})  # raises
    check_numbers(rule, {n: v for n, v in given.items() if n not in unknown})


def check_numbers(rule: Rule, group: Mapping[str, Any]) -> None:
    """Refuse values of the rule's settings in ``group`` that are not numbers or out of range.

    A learning rate may be 0, as it is where a part is frozen or a warm-up begins.

    Raises
    ------
    SettingError
        Naming the rule, the setting, its range and the value.
    """
    given = {n: v for n, v in group.items() if n in rule.hyperparameters}
    for name, value in given.items():
        if isinstance(value, torch.Tensor) and value.numel() != 1:
            raise SettingError(
                _("{rule}: {name} must be one number; got a tensor of shape {shape}").format(
                    rule=rule.name, name=name, shape=tuple(value.shape)
                )
            )
    first = group.get(FIRST_STEP) or {}
    rule.settings(**first)
    if any(rule.hyperparameters[name].is_switch for name in first):
        raise SettingError(
            _("{rule}: a switch cannot differ in the first step").format(rule=rule.name)
        )
    if "initial_lr" in group:  # a schedule has been here: its value may sit at an end of the range
        defaults = {name: h.default for name, h in rule.hyperparameters.items()}
        values_of(rule, {**defaults, **given})
        return
    numbers = {
        name: value.item() if isinstance(value, torch.Tensor) else value
        for name, value in given.items()
        if not (isinstance(value, str) and value in rule.hyperparameters)
    }
    lr = numbers.get("lr")
    if isinstance(lr, int | float) and not isinstance(lr, bool) and lr == 0:
        del numbers["lr"]
    rule.settings(**numbers)


def check_keys(rule: Rule, group: Mapping[str, Any]) -> None:
    """Refuse settings of ``torch.optim`` that would have no effect; other keys are free.

    Raises
    ------
    SettingError
        Naming the key and what to do instead.
    """
    for name, value in group.items():
        meant = name in _MEANT or (name == "alpha" and rule.name == "rmsprop")
        if meant and remedy(rule, name) and not says_nothing(rule, name, value):
            rule.settings(**{name: value})  # raises
