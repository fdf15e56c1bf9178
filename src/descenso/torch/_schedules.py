"""Settings that follow a schedule: kept in the group as plain data, so that a state dict saves them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from descenso.rules import Rule
from descenso.schedules import Schedule, from_config

SCHEDULES, UPDATES = "schedules", "updates"
MOMENTUM = "momentum"  # what OneCycleLR and CyclicLR call the setting that they swing
Group = dict[str, Any]


def take_out(settings: Group, rule: Rule | None = None) -> dict[str, Any]:
    """Replace each schedule in ``settings`` by its first value; return the schedules.

    Parameters
    ----------
    rule : takes schedules of its settings only; a group may hold functions of other people's.
    """
    found = {
        n: v
        for n, v in settings.items()
        if callable(v) and (rule is None or n in rule.hyperparameters)
    }
    settings |= {name: float(schedule(0)) for name, schedule in found.items()}
    return {n: v.get_config() if isinstance(v, Schedule) else v for n, v in found.items()}


def without(settings: Group, scheduled: dict[str, Any], rule: Rule) -> Group:
    """Return the settings to be checked: a schedule may start at the very end of a range."""
    known = scheduled.keys() & rule.hyperparameters.keys()
    return {name: value for name, value in settings.items() if name not in known}


def enter(group: Group, given: dict[str, Any], inherited: dict[str, Any]) -> None:
    """Write into a new group its own schedules, and those of the defaults it does not override."""
    schedules = {n: v for n, v in inherited.items() if n not in group} | given
    if schedules and SCHEDULES not in group:
        group[SCHEDULES] = schedules
        group.setdefault(UPDATES, 0)


@lru_cache
def cycled(rule: Rule) -> str | None:
    """Return the setting that PyTorch's schedules mean by momentum, if the rule has another name."""
    known = rule.hyperparameters
    return None if MOMENTUM in known else next((n for n in ("beta", "beta1") if n in known), None)


def forget_default(group: Group, rule: Rule) -> None:
    """Take out what a new group has only by the default for schedules."""
    if cycled(rule) is not None:
        group.pop(MOMENTUM, None)


def set_values(groups: Iterable[Group], rule: Rule) -> None:
    """Give every scheduled setting its value for the coming update."""
    for group in groups:
        name = cycled(rule) if MOMENTUM in group else None
        if name is not None:
            group[name] = group.pop(MOMENTUM)
        if SCHEDULES in group:
            for name, schedule in group[SCHEDULES].items():
                group[name] = float(_read(schedule)(group[UPDATES]))


def count(groups: Iterable[Group]) -> None:
    """Count an update in every group that counts."""
    for group in groups:
        if UPDATES in group:
            group[UPDATES] += 1


def _read(schedule: Any) -> Callable[[int], Any]:
    return schedule if callable(schedule) else _revived(json.dumps(schedule))


@lru_cache
def _revived(text: str) -> Schedule:
    return from_config(json.loads(text))
