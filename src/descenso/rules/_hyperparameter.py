"""A hyperparameter: a named setting of a rule, with its default, range, scale, unit and meaning."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, get_args

from descenso.errors import RuleError, SettingError
from descenso.language import _

Scale = Literal["linear", "log", "logit", "switch"]
# How formulas write the settings that rules share.
_SYMBOLS = {
    "lr": "η", "beta": "β", "beta1": "β₁", "beta2": "β₂", "beta3": "β₃", "eps": "ε",
    "eps_root": "εᵣₒₒₜ", "dampening": "τ", "momentum": "μ", "weight_decay": "λ", "alpha": "α",
    "nu": "ν", "nu1": "ν₁", "nu2": "ν₂", "initial": "a", "shrink": "κ₋", "grow": "κ₊",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Hyperparameter:
    """A named setting of a rule.

    Attributes
    ----------
    name : the word used for it everywhere.
    default : a number, a bool (a *switch*), or the name of another hyperparameter of the same
        rule whose value it takes.
    low, high : the range. ``low_open``/``high_open`` say that the end itself is outside.
    scale : how values are spread when searched: ``log`` (learning rates), ``logit`` (averaging
        factors near 1), ``linear``, or ``switch`` (on/off).
    search : the part of the range that a study looks at first; ``None`` where it is not searched.
    unit : what one unit of it measures.
    meaning : one sentence.
    """

    name: str
    default: float | bool | str
    low: float
    high: float
    low_open: bool
    high_open: bool
    scale: Scale
    search: tuple[float, float] | None
    unit: str
    meaning: str

    @property
    def is_switch(self) -> bool:
        """Whether it is on or off, and so shapes the rule's state instead of scaling a term."""
        return self.scale == "switch"

    @property
    def symbol(self) -> str:
        """Return how formulas write it; its name where they have no symbol for it."""
        return _SYMBOLS.get(self.name, self.name)

    @property
    def range_text(self) -> str:
        """Return the range in interval notation, such as ``[0, 1)``."""
        if self.is_switch:
            return "{False, True}"
        left = "(" if self.low_open or math.isinf(self.low) else "["
        right = ")" if self.high_open or math.isinf(self.high) else "]"
        return f"{left}{self.low:g}, {self.high:g}{right}"

    def admits(self, value: float) -> bool:
        """Whether a finite ``value`` lies in the range."""
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below

    def check(self, value: Any, rule: str) -> float | bool:
        """Return ``value`` as a number inside the range.

        Raises
        ------
        SettingError
            If it is not a number, not finite, or outside the range.
        """
        if self.is_switch:
            return self._check_switch(value, rule)
        if isinstance(value, bool | str) or not hasattr(value, "__float__"):
            raise SettingError(
                _("{rule}: {name} must be a number; got {value!r}").format(
                    rule=rule, name=self.name, value=value
                )
            )
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            raise SettingError(
                _("{rule}: {name} must be one finite number; got {value!r}").format(
                    rule=rule, name=self.name, value=value
                )
            ) from None
        if not math.isfinite(number) or not self.admits(number):
            raise SettingError(
                _("{rule}: {name} must lie in {range}; got {value}").format(
                    rule=rule, name=self.name, range=self.range_text, value=number
                )
            )
        return number

    def _check_switch(self, value: Any, rule: str) -> bool:
        with suppress(TypeError, ValueError):  # arrays of several numbers are neither on nor off
            if not isinstance(value, str) and value in (0, 1):  # bool, 0, 1, 0.0, 1.0
                return bool(value)
        raise SettingError(
            _("{rule}: {name} is a switch and must be True or False; got {value!r}").format(
                rule=rule, name=self.name, value=value
            )
        )


@dataclass(frozen=True)
class _Declaration:
    """What :func:`hyperparameter` was given, before the signature supplies its name."""

    fields: dict[str, Any]

    def named(self, name: str) -> Hyperparameter:
        return Hyperparameter(name=name, **self.fields)


def hyperparameter(
    default: float | bool | str,
    *,
    meaning: str,
    unit: str = "1",
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    scale: Scale | None = None,
    search: tuple[float, float] | None = None,
) -> Any:
    """Declare a hyperparameter as the default of a keyword argument of a rule.

    Give each end of the range once: ``at_least`` or ``above``, ``at_most`` or ``below``.
    A bool default makes it a switch; a string default names the hyperparameter it follows.
    """
    if at_least is not None and above is not None:
        raise RuleError("a hyperparameter takes at_least or above, not both")
    if at_most is not None and below is not None:
        raise RuleError("a hyperparameter takes at_most or below, not both")
    low = above if above is not None else at_least
    high = below if below is not None else at_most
    if low is not None and high is not None and not low < high:
        raise RuleError(f"a hyperparameter's range must not be empty; got {low} to {high}")
    if scale is not None and scale not in get_args(Scale):
        raise RuleError(f"a scale is one of {', '.join(get_args(Scale))}; got {scale!r}")
    _check_search(search, low, high, scale)
    return _Declaration(
        {
            "default": default,
            "low": -math.inf if low is None else float(low),
            "high": math.inf if high is None else float(high),
            "low_open": above is not None,
            "high_open": below is not None,
            "scale": scale or ("switch" if isinstance(default, bool) else "linear"),
            "search": search,
            "unit": unit,
            "meaning": meaning,
        }
    )


def _check_search(
    search: tuple[float, float] | None, low: float | None, high: float | None, scale: Scale | None
) -> None:
    if search is None:
        return
    first, last = search
    inside = (low is None or low <= first) and (high is None or last <= high)
    if not (first < last and inside):
        raise RuleError(f"the part that is searched must lie in the range; got {search}")
    if scale == "log" and first <= 0:
        raise RuleError(f"on a log scale the part that is searched must be positive; got {search}")
