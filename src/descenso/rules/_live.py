"""What all bindings check alike: settings, some known only while training, and choices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

from descenso.errors import SettingError
from descenso.language import _
from descenso.rules._rule import Rule

#: What a NaN or infinite gradient does: goes through, leaves everything as it is, or raises.
Nonfinite = Literal["pass", "skip", "raise"]


def check_nonfinite(rule: Rule, choice: Any) -> Nonfinite:
    """Return ``choice`` if it is one of :data:`Nonfinite`, else raise :class:`SettingError`."""
    if choice not in get_args(Nonfinite):
        raise SettingError(
            _("{rule}: nonfinite must be 'pass', 'skip' or 'raise'; got {value!r}").format(
                rule=rule.name, value=choice
            )
        )
    chosen: Nonfinite = choice
    return chosen


def settings_with_live(
    rule: Rule, given: dict[str, Any], is_live: Callable[[Any], bool]
) -> dict[str, Any]:
    """Return a value for every setting of ``rule``, letting *live* ones through unchecked.

    A learning rate of 0 is let through too: every framework takes it, and it freezes.

    Parameters
    ----------
    given : what the user set.
    is_live : whether a value is known only later (a schedule, a traced array).

    Raises
    ------
    SettingError
        If a name is unknown, a value that is known lies outside its range, or a switch is live.
    """
    live = {name: value for name, value in given.items() if is_live(value)}
    for name in live:
        if name in rule.hyperparameters and rule.hyperparameters[name].is_switch:
            raise SettingError(
                _("{rule}: {name} is a switch and cannot change while training").format(
                    rule=rule.name, name=name
                )
            )
    if is_zero(given.get("lr")):
        live["lr"] = 0.0
    fixed = {name: value for name, value in given.items() if name not in live}
    unknown = {name: 0.0 for name in live if name not in rule.hyperparameters}
    values: dict[str, Any] = rule.settings(**fixed, **unknown)
    for name, h in rule.hyperparameters.items():
        follows = fixed.get(name, h.default)
        if name in live:
            values[name] = live[name]
        elif isinstance(follows, str):
            values[name] = values[follows]
    return values


def state_names(
    rule: Rule, settings: dict[str, Any], is_live: Callable[[Any], bool]
) -> tuple[str, ...]:
    """Return the names of the arrays ``rule`` keeps; a live setting keeps all that it may need."""
    return rule.state_names({n: True if is_live(v) else v for n, v in settings.items()})


def refuse_positional(rule: Rule, values: tuple[Any, ...]) -> None:
    """Refuse settings beyond the learning rate that are given by place.

    Raises
    ------
    SettingError
        For the frameworks do not agree on which place is whose.
    """
    if values:
        raise SettingError(
            _("{rule}: give settings after lr by name: {known}; got {value!r}").format(
                rule=rule.name,
                known=", ".join(name for name in rule.hyperparameters if name != "lr"),
                value=values[0],
            )
        )


def is_zero(rate: Any) -> bool:
    """Whether a learning rate is a number, and 0."""
    if isinstance(rate, bool | str) or not hasattr(rate, "__float__"):
        return False
    try:
        return float(rate) == 0.0
    except (TypeError, ValueError, OverflowError):  # an array of several numbers, 10**400
        return False
