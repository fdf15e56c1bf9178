"""An argument of a schedule or a transform, with its range and meaning."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from descenso.errors import DescensoError, SettingError
from descenso.language import _

REQUIRED = object()


def as_float(value: Any) -> float | None:
    """Return ``value`` as a float; ``None`` where it is not one number, as texts and switches are."""
    if isinstance(value, bool | str | bytes) or not hasattr(value, "__float__"):
        return None
    try:
        return float(value)
    except OverflowError:  # 10**400
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError):  # arrays of several numbers, or of texts
        return None


def check_schedule(which: str, value: Any) -> Any:
    """Return a callable that answers step 0 with a number; raise :class:`SettingError` else."""
    try:
        first = value(0)
    except DescensoError:
        raise
    except Exception as error:  # it is anyone's function
        said = f"{type(error).__name__}: {error}"
        raise SettingError(
            _("{which} must give a number for each step; at step 0 it fails with {error}").format(
                which=which, error=said
            )
        ) from error
    if isinstance(first, str) or not hasattr(type(first), "__float__"):
        raise SettingError(
            _("{which} must give a number for each step; at step 0 it gives {value!r}").format(
                which=which, value=first
            )
        )
    return value


@dataclass(frozen=True, kw_only=True)
class Argument:
    """What values an argument takes.

    Attributes
    ----------
    meaning : one sentence.
    default : ``REQUIRED`` where it must be given.
    low, high : the range; ``low_open`` and ``high_open`` say that the end is outside.
    whole : whether it must be a whole number.
    schedule : whether a schedule may stand in the number's place.
    check : for an argument that is no number: returns the value as it is kept, or raises.
    """

    meaning: str
    default: Any = REQUIRED
    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    whole: bool = False
    schedule: bool = False
    check: Callable[[str, Any], Any] | None = None

    @property
    def range_text(self) -> str:
        """Return the range in interval notation."""
        left = "(" if self.low_open or math.isinf(self.low) else "["
        right = ")" if self.high_open or math.isinf(self.high) else "]"
        return f"{left}{self.low:g}, {self.high:g}{right}"

    def accept(self, owner: str, name: str, value: Any) -> Any:
        """Return ``value`` as it is kept.

        Raises
        ------
        SettingError
            If it is of the wrong kind or out of range; the message says whose argument it is.
        """
        if value is None and self.default is None:
            return None
        if self.check is not None:
            return self.check(f"{owner}: {name}", value)
        if self.schedule and callable(value):
            return check_schedule(f"{owner}: {name}", value)
        return self._number(f"{owner}: {name}", value)

    def _number(self, which: str, value: Any) -> float | int:
        number = as_float(value)
        if number is None:
            raise SettingError(
                _("{which} must be a number; got {value!r}").format(which=which, value=value)
            )
        above = number > self.low if self.low_open else number >= self.low
        below = number < self.high if self.high_open else number <= self.high
        if not (math.isfinite(number) and above and below):
            raise SettingError(
                _("{which} must lie in {range}; got {value}").format(
                    which=which, range=self.range_text, value=number
                )
            )
        if self.whole and number != int(number):
            raise SettingError(
                _("{which} must be a whole number; got {value}").format(which=which, value=number)
            )
        return int(number) if self.whole else number


def argument(
    meaning: str,
    default: Any = REQUIRED,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    whole: bool = False,
    schedule: bool = False,
    check: Callable[[str, Any], Any] | None = None,
) -> Any:
    """Declare an argument as the default of a keyword parameter."""
    low = above if above is not None else at_least
    high = below if below is not None else at_most
    return Argument(
        meaning=meaning,
        default=default,
        low=-math.inf if low is None else low,
        high=math.inf if high is None else high,
        low_open=above is not None,
        high_open=below is not None,
        whole=whole,
        schedule=schedule,
        check=check,
    )
