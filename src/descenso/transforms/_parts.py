"""Pieces that several transforms share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from descenso.errors import SettingError
from descenso.language import _
from descenso.schedules._argument import as_float, check_schedule


def each(function: Callable[..., Any], first: list[Any], *others: list[Any]) -> list[Any]:
    """Apply ``function`` where the first list holds an array; leave ``None`` where it does not."""
    return [None if row[0] is None else function(*row) for row in zip(first, *others, strict=True)]


def now(value: Any, t: Any) -> Any:
    """Return a number, or what a schedule gives for step ``t`` (counted from 1)."""
    return value(t - 1) if callable(value) else value


def choose(xp: Any, condition: Any, if_true: Any, if_false: Any) -> Any:
    """Choose between values by a plain or a traced condition."""
    if isinstance(condition, bool):
        return if_true if condition else if_false
    return xp.where(condition, if_true, if_false)


def shrink_to(xp: Any, limit: float, norm: Any, eps: float) -> Any:
    """Return min(1, limit/(norm + eps)) without dividing by zero."""
    return limit / xp.clip(norm + eps, limit, math.inf)


def strength(which: str, value: Any) -> Any:
    """Accept a weight decay: a number ≥ 0, a schedule, or a list of these, one per parameter."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_number(which, v) for v in value)
    return _number(which, value)


def strengths(value: Any, t: Any, count: int) -> list[Any]:
    """Return the weight decay of each of ``count`` parameters at step ``t``."""
    if not isinstance(value, tuple):
        return [now(value, t)] * count
    if len(value) != count:
        raise SettingError(
            _("weight decay is given for {given} parameters; there are {count}").format(
                given=len(value), count=count
            )
        )
    return [now(share, t) for share in value]


def _number(which: str, value: Any) -> Any:
    if callable(value):
        return check_schedule(which, value)
    number = as_float(value)
    if number is None or not 0 <= number < math.inf:
        raise SettingError(
            _("{which} must be numbers of at least 0, or a schedule; got {value!r}").format(
                which=which, value=value
            )
        )
    return number
