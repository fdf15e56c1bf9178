"""The code that makes a method's optimizer in each framework, as it is on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from descenso import rules
from descenso.rules import Rule
from descenso.schedules import Schedule


def code(rule: Rule, settings: Mapping[str, Any]) -> dict[str, str]:
    """Return, by framework, the lines that make this optimizer with these settings."""
    kept = {
        name: v
        for name, v in settings.items()
        if name == "lr" or v != _default(rule, name, settings)
    }
    name = rules.class_name(rule)
    lr = settings["lr"]
    needs = "from descenso import schedules\n" if isinstance(lr, Schedule) else ""
    inside = ", ".join(f"{n}={_value(v)}" for n, v in kept.items())
    return {
        "torch": f"{needs}from descenso.torch import {name}\n\n"
        f"optimizer = {name}(model.parameters(), {inside})",
        "keras": f"{needs}from descenso.keras import {name}\n\n"
        f"model.compile(optimizer={name}({inside}), loss=loss)",
        "optax": f"{needs}from descenso.jax import {rule.name}\n\n"
        f"optimizer = {rule.name}({inside})\nstate = optimizer.init(params)",
    }


def _default(rule: Rule, name: str, settings: Mapping[str, Any]) -> Any:
    default = rule.hyperparameters[name].default
    return settings[default] if isinstance(default, str) else default


def _value(value: Any) -> str:
    if isinstance(value, Schedule):
        inside = ", ".join(f"{n}={_value(v)}" for n, v in value.arguments.items() if v is not None)
        return f"schedules.{value.name}({inside})"
    if isinstance(value, bool | str | int):
        return repr(value)
    return f"{value:.6g}"
