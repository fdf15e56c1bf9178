"""Read what a user writes of settings: numbers, schedules, points and windows. Nothing is run."""

from __future__ import annotations

import ast
import inspect
import math
import re
from collections.abc import Mapping
from typing import Any

from descenso import schedules
from descenso.errors import SettingError
from descenso.language import _

_MOST_LETTERS = 200
_MAKERS = ("constant", "cosine", "exponential", "one_cycle", "polynomial", "step_decay", "warmup")
_CALL = re.compile(r"^\s*([a-z_]+)\s*\((.*)\)\s*$", re.DOTALL)


def learning_rate(text: str, steps: int) -> float | schedules.Schedule:
    """Return a learning rate: a number, or a schedule such as ``cosine(0.1)``.

    Where a schedule asks for its number of steps and none is given, it takes ``steps``.

    Raises
    ------
    SettingError
        If it is neither, or an argument of the schedule is wrong.
    """
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        return _positive(number)
    match = _CALL.match(text)
    if not match or match[1] not in _MAKERS or len(text) > _MOST_LETTERS:
        raise SettingError(
            _("a learning rate is a number or one of the schedules {known}; got {text!r}").format(
                known=", ".join(f"{name}(...)" for name in _MAKERS), text=text[:80]
            )
        )
    return _schedule(text, match[1], steps)


def _positive(number: float) -> float:
    if not (math.isfinite(number) and number > 0):
        raise SettingError(
            _("a learning rate must be a finite number above 0; got {value}").format(value=number)
        )
    return number


def _schedule(text: str, name: str, steps: int) -> schedules.Schedule:
    positional, named = _arguments(text)
    maker = getattr(schedules, name)
    parameters = list(inspect.signature(maker).parameters)
    taken = {*parameters[: len(positional)], *named}
    if "steps" in parameters and "steps" not in taken:
        named["steps"] = steps
    if name in ("exponential", "step_decay") and "every" not in taken:
        named["every"] = max(1, steps // 4 if name == "step_decay" else steps)
        if "factor" not in taken and name == "exponential":
            named["factor"] = 0.01
    made: schedules.Schedule = maker(*positional, **named)
    return made


def _arguments(text: str) -> tuple[list[Any], dict[str, Any]]:
    try:
        call = ast.parse(text.strip(), mode="eval").body
        assert isinstance(call, ast.Call)
        positional = [_literal(value) for value in call.args]
        named = {str(k.arg): _literal(k.value) for k in call.keywords if k.arg}
    except (SyntaxError, ValueError, AssertionError, RecursionError, MemoryError):
        raise SettingError(
            _("a schedule is written name(value, setting=value); got {text!r}").format(text=text)
        ) from None
    return positional, named


def _literal(node: ast.AST) -> Any:
    """Return a number or a word; ``literal_eval`` reads those and runs nothing."""
    value = ast.literal_eval(node)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    return value


def numbers(text: str, count: int, meaning: str) -> tuple[float, ...]:
    """Return exactly ``count`` finite numbers separated by commas.

    Raises
    ------
    SettingError
        If there are more, fewer, or one is no number.
    """
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) != count or not all(map(math.isfinite, values)):
        raise SettingError(
            _("{meaning} is {count} numbers separated by commas; got {text!r}").format(
                meaning=meaning, count=count, text=text[:80]
            )
        )
    return values


def point(text: str) -> tuple[float, float]:
    """Return a point written ``x,y``."""
    x, y = numbers(text, 2, _("a point"))
    return x, y


def window(text: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return a window written ``x low,x high,y low,y high``."""
    left, right, bottom, top = numbers(text, 4, _("a window"))
    return (left, right), (bottom, top)


def as_text(settings: Mapping[str, Any]) -> str:
    """Return settings as a reader sees them: ``lr = 0.1, beta = 0.9``."""
    return ", ".join(f"{name} = {number(value)}" for name, value in settings.items())


def number(value: Any) -> str:
    """Return a setting's value as text: three digits, or the schedule."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:.3g}"
