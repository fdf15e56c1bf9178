"""The settings every rule is tried at in every binding, and its reference path on NumPy.

The grid is derived from what a rule declares, so a new rule needs no edit here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from descenso import rules
from descenso.ops import numpy as xp
from descenso.rules import Hyperparameter, Rule

STEPS = 100
TOLERANCE = 1e-12
SHAPES = {"kernel": (3, 4), "bias": (5,)}


def cases() -> list[tuple[str, dict[str, Any]]]:
    """Return (rule name, settings given by the user) for every rule and grid point."""
    return [(name, given) for name in rules.names() for given in grid(rules.get(name))]


def label(case: tuple[str, dict[str, Any]]) -> str:
    name, given = case
    return f"{name}({', '.join(f'{k}={v}' for k, v in given.items())})"


def grid(rule: Rule) -> list[dict[str, Any]]:
    """Return the defaults, each setting moved alone, and all moved together."""
    moved = {name: _moved(h) for name, h in rule.hyperparameters.items()}
    return [{}, *({name: value} for name, value in moved.items()), moved]


def _moved(h: Hyperparameter) -> float | bool:
    if h.is_switch:
        return not h.default
    if h.name == "lr":
        return 0.05
    # Large enough to show where it stands in the formula: an ε of 1e-8 would hide that.
    return 0.3 if h.admits(0.3) else (h.low + h.high) / 2


def start() -> dict[str, Any]:
    random = np.random.default_rng(7)
    return {name: random.normal(size=shape) for name, shape in SHAPES.items()}


def gradients() -> list[dict[str, Any]]:
    random = np.random.default_rng(8)
    return [
        {
            name: random.normal(size=shape) * 10 ** random.uniform(-3, 1)
            for name, shape in SHAPES.items()
        }
        for _step in range(STEPS)
    ]


def reference(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return where the bare rule, called on float64 NumPy arrays, ends after STEPS steps."""
    rule = rules.get(name)
    settings = rule.settings(**given)
    theta = start()
    state = {key: rule.start(xp, array, settings) for key, array in theta.items()}
    for t, grads in enumerate(gradients(), start=1):
        for key in theta:
            theta[key], state[key] = rule.update(
                xp, theta[key], grads[key], state[key], t, settings
            )
    return theta


def worst(ours: dict[str, Any], theirs: dict[str, Any]) -> float:
    """Return the largest absolute difference over all arrays."""
    return max(float(np.max(np.abs(np.asarray(ours[k]) - theirs[k]))) for k in theirs)
