"""Read a ``torch.optim`` optimizer, and write state into one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from descenso.conventions._recipe import Recipe, as_array, checked, refuse, refuse_unread
from descenso.language import _

# The rule's name for an array -> torch.optim's.
SLOTS: dict[str, dict[str, str]] = {
    "SGD": {"v": "momentum_buffer"},
    "RMSprop": {"s": "square_avg", "m": "grad_avg", "b": "momentum_buffer"},
    "Adam": {"m": "exp_avg", "v": "exp_avg_sq", "u": "max_exp_avg_sq"},
}
SLOTS["AdamW"] = SLOTS["Adam"]
_GROUP = ("params", "param_names", "initial_lr")
_FLAGS = ("foreach", "fused", "capturable", "differentiable", "maximize", "decoupled_weight_decay")


def read(optimizer: Any) -> Recipe:
    """Return what ``optimizer`` does and where it stands.

    Raises
    ------
    ConventionError
        If there is no exact equal.
    """
    kind = type(optimizer).__name__
    source = f"torch.optim.{kind}"
    if kind not in SLOTS or not type(optimizer).__module__.startswith("torch.optim"):
        raise refuse_unread("torch", source, kind, _nearest(kind))
    groups = optimizer.param_groups
    rules = {_rule(kind, group) for group in groups}
    if len(rules) > 1:  # gradient descent is momentum of 0
        rules.discard("gradient_descent")
    if len(rules) > 1:
        raise refuse(
            source, _("its groups follow different rules"), _("one optimizer for each group")
        )
    rule = rules.pop()
    states = [optimizer.state.get(p, {}) for group in groups for p in group["params"]]
    steps = max((int(state.get("step", 0)) for state in states), default=0)
    stepped = steps > 0 or any(state.get("momentum_buffer") is not None for state in states)
    damped = rule == "momentum" and any(group["dampening"] for group in groups)
    return checked(
        Recipe(
            source, rule, tuple(_settings(kind, rule, group) for group in groups),
            tuple(len(group["params"]) for group in groups),
            decay=tuple(float(g["weight_decay"]) for g in groups for _p in g["params"]),
            decoupled=any(g.get("decoupled_weight_decay") or kind == "AdamW" for g in groups),
            slots=tuple(_slots(kind, state) for state in states),
            steps=max(steps, int(stepped)),
            counts=tuple(int(state.get("step", max(steps, int(stepped)))) for state in states),
            first={"dampening": 0.0} if damped else {},  # the first gradient is undamped
            names=tuple(name for group in groups for name in group.get("param_names", ())),
            extras=tuple(_extras(optimizer, group) for group in groups),
        )
    )  # fmt: skip


def _extras(optimizer: Any, group: Mapping[str, Any]) -> dict[str, Any]:
    own = {*optimizer.defaults, *_GROUP, *_FLAGS}
    return {name: value for name, value in group.items() if name not in own}


def _nearest(kind: str) -> str:
    found = {
        "NAdam": _("nadam: its momentum is constant"),
    }
    return found.get(kind, _("one of SGD, RMSprop, Adam and AdamW"))


def _rule(kind: str, group: Mapping[str, Any]) -> str:
    if kind == "SGD":
        return (
            ("nesterov" if group["nesterov"] else "momentum")
            if group["momentum"]
            else "gradient_descent"
        )
    if kind == "RMSprop":
        return "rmsprop"
    return "amsgrad" if group["amsgrad"] else "adam"


def _settings(kind: str, rule: str, group: Mapping[str, Any]) -> dict[str, Any]:
    kept = {n: group[n] for n in ("maximize", "initial_lr") if group.get(n)}
    common = {"lr": float(group["lr"]), **kept}
    if rule == "gradient_descent":
        return common
    if kind == "SGD":
        beta = float(group["momentum"])
        return {**common, "beta": beta, "dampening": float(group["dampening"]) if beta else 0.0}
    if kind == "RMSprop":
        return {
            **common, "beta": float(group["alpha"]), "eps": float(group["eps"]), "eps_root": 0.0,
            "centered": bool(group["centered"]), "momentum": float(group["momentum"]),
        }  # fmt: skip
    beta1, beta2 = map(float, group["betas"])
    return {**common, "beta1": beta1, "beta2": beta2, "eps": float(group["eps"])}


def _slots(kind: str, state: Mapping[str, Any]) -> dict[str, Any]:
    return {n: as_array(state[key]) for n, key in SLOTS[kind].items() if state.get(key) is not None}


def write(optimizer: Any, recipe: Recipe) -> None:
    """Put the recipe's state into a ``torch.optim`` optimizer."""
    import torch

    names = SLOTS[type(optimizer).__name__]
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    counts = recipe.counts or (recipe.steps,) * len(parameters)
    for p, kept, count in zip(parameters, recipe.slots, counts, strict=True):
        state = {
            names[n]: torch.as_tensor(a, dtype=p.dtype, device=p.device).clone()
            for n, a in kept.items()
        }
        if state and type(optimizer).__name__ != "SGD":
            state["step"] = torch.tensor(float(count))
        optimizer.state[p] = state


def shapes(parameters: Sequence[Any]) -> list[tuple[int, ...]]:
    """Return the shape of each parameter."""
    return [tuple(np.shape(p) if not hasattr(p, "shape") else p.shape) for p in parameters]
