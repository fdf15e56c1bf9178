"""Read the settings of a parameter group at each step; check them when they change."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from descenso.errors import SettingError
from descenso.language import _
from descenso.rules import Hyperparameter, Rule
from descenso.torch._schedules import SCHEDULES, UPDATES

# What a group may hold besides the rule's settings: torch's own keys, a label, schedules' marks.
_COMMON = frozenset(
    {"params", "param_names", "name", "rule", "maximize", "initial_lr", SCHEDULES, UPDATES}
)


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
        return float(h.check(repr(value), rule))  # raises: not a number
    at_open_end = number == h.low or (number == h.high and not h.high_open)
    if not math.isfinite(number) or not (h.admits(number) or at_open_end):
        h.check(number, rule)
    return number


def check_group(rule: Rule, group: Mapping[str, Any]) -> None:
    """Refuse a new group whose settings are unknown, not numbers or out of range.

    Raises
    ------
    SettingError
        Naming the rule, the setting, its range and the value.
    """
    given = {name: value for name, value in group.items() if name not in _COMMON}
    for name, value in given.items():
        if isinstance(value, torch.Tensor) and value.numel() != 1:
            raise SettingError(
                _("{rule}: {name} must be one number; got a tensor of shape {shape}").format(
                    rule=rule.name, name=name, shape=tuple(value.shape)
                )
            )
    follows = {n for n, v in given.items() if isinstance(v, str) and v in rule.hyperparameters}
    numbers = {
        name: value.item() if isinstance(value, torch.Tensor) else value
        for name, value in given.items()
        if name not in follows
    }
    if "initial_lr" in group:  # a schedule has been here: its value may sit at an end of the range
        values_of(rule, group)
    else:
        rule.settings(**numbers)
