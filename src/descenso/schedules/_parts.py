"""Checks and pieces that several schedules share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from descenso.errors import SettingError
from descenso.language import _
from descenso.ops import namespace
from descenso.schedules._argument import as_float, check_schedule


def value_of(part: Any, step: Any) -> Any:
    """Return a schedule's value at ``step``, or a number as an array shaped like ``step``."""
    if not callable(part):
        return part + 0 * step
    value = part(step)
    if namespace(step).__name__.endswith("keras"):
        import keras

        return keras.ops.cast(value, step.dtype)  # Keras's own schedules answer in float32
    return value


def after(xp: Any, part: Any, step: Any, begin: float) -> Any:
    """Return the value of ``part`` whose own step 0 is ``begin``."""
    return value_of(part, xp.clip(step - begin, 0, math.inf))


def half_cosine(xp: Any, start: Any, end: Any, progress: Any) -> Any:
    """Go from ``start`` to ``end`` along half a cosine as ``progress`` goes from 0 to 1."""
    return end + (start - end) * (1 + xp.cos(math.pi * progress)) / 2


def number_or_schedule(which: str, value: Any) -> Any:
    """Accept a finite number or a callable of the step."""
    if callable(value):
        return check_schedule(which, value)
    number = as_float(value)
    if number is None:
        raise SettingError(
            _("{which} must be a number or a schedule; got {value!r}").format(
                which=which, value=value
            )
        )
    if not math.isfinite(number):
        raise SettingError(
            _("{which} must be finite; got {value}").format(which=which, value=number)
        )
    return number


def parts(which: str, values: Any) -> tuple[Any, ...]:
    """Accept a sequence of numbers and schedules, at least one."""
    if isinstance(values, str) or not isinstance(values, Sequence) or not values:
        raise SettingError(
            _("{which} must be a list of numbers or schedules; got {value!r}").format(
                which=which, value=values
            )
        )
    return tuple(number_or_schedule(which, value) for value in values)


def boundaries(which: str, values: Any) -> tuple[int, ...]:
    """Accept whole numbers above 0 in strictly rising order."""
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise SettingError(
            _("{which} must be a list of steps; got {value!r}").format(which=which, value=values)
        )
    numbers = [as_float(value) for value in values]
    steps = [int(number) for number in numbers if number is not None and number.is_integer()]
    rising = all(a < b for a, b in pairwise([0, *steps]))
    if not rising or steps != numbers:
        raise SettingError(
            _("{which} must be whole numbers above 0 in rising order; got {value!r}").format(
                which=which, value=values
            )
        )
    return tuple(steps)
