"""A rule as the pair of functions that optax calls a gradient transformation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from descenso.jax import _checks
from descenso.jax._displacement import Anchor, displacement
from descenso.ops import jax as xp
from descenso.rules import Nonfinite, Rule, state_names

Tree = Any


class OptimizerState(NamedTuple):
    """What a rule keeps between steps.

    Attributes
    ----------
    count : number of updates made, an int32 scalar.
    slots : name of a state array of the rule → a tree like the parameters.
    """

    count: jax.Array  # as optax names it
    slots: dict[str, Tree]


class GradientTransformation(NamedTuple):
    """The pair of functions that optax defines under this name; interchangeable with optax's.

    Attributes
    ----------
    init : parameters → state.
    update : (gradients, state, parameters) → (updates to add to the parameters, new state).
    """

    init: Callable[[Tree], Any]
    update: Callable[..., tuple[Tree, Any]]


def apply_updates(params: Tree, updates: Tree) -> Tree:
    """Return ``params + updates`` leaf by leaf, in the parameters' own types."""
    return jax.tree.map(lambda p, u: (p + u).astype(p.dtype), params, updates)


def is_live(value: Any) -> bool:
    """Whether a setting is a schedule or a value inside a compiled function."""
    return callable(value) or isinstance(value, jax.Array)


def transformation(
    rule: Rule, settings: dict[str, Any], nonfinite: Nonfinite
) -> GradientTransformation:
    """Return ``rule`` at ``settings`` as a gradient transformation."""
    names = state_names(rule, settings, is_live)

    def init(params: Tree) -> OptimizerState:
        _checks.check_parameters(params)
        slots = {name: jax.tree.map(_zeros, params) for name in names}
        return OptimizerState(jnp.zeros([], jnp.int32), slots)

    def update(
        grads: Tree, state: OptimizerState, params: Tree | None = None
    ) -> tuple[Tree, OptimizerState]:
        _checks.check_update(rule.name, names, grads, state, params)
        if nonfinite == "raise":
            _checks.refuse_nonfinite(grads)
        updates, new_state = _advance(rule, settings, grads, state, params)
        if nonfinite == "skip":
            return _unless_nonfinite(grads, updates, new_state, state)
        return updates, new_state

    return GradientTransformation(init, update)


def _advance(
    rule: Rule, settings: dict[str, Any], grads: Tree, state: OptimizerState, params: Tree | None
) -> tuple[Tree, OptimizerState]:
    leaves, structure = jax.tree.flatten(grads)
    thetas = [None] * len(leaves) if params is None else jax.tree.leaves(params)
    slots = {name: jax.tree.leaves(tree) for name, tree in state.slots.items()}
    count = state.count + 1
    # As in optax, a schedule is asked for step 0 first.
    now = {n: v(state.count) if callable(v) else v for n, v in settings.items()}
    moved = [
        _step(rule, now, g, theta, {name: slots[name][i] for name in slots}, count)
        for i, (g, theta) in enumerate(zip(leaves, thetas, strict=True))
    ]
    updates = jax.tree.unflatten(structure, [update for update, _new in moved])
    new_slots = {
        name: jax.tree.unflatten(structure, [new[name] for _u, new in moved]) for name in slots
    }
    return updates, OptimizerState(count, new_slots)


def _step(
    rule: Rule, settings: dict[str, Any], g: Any, theta: Any, slots: dict[str, Any], count: Any
) -> tuple[Any, dict[str, Any]]:
    """Take one array's step in float32 or wider; the update returns in the array's own type."""
    outside = jnp.result_type(g if theta is None else theta)
    inside = _working_type(outside)
    values = {n: v if isinstance(v, bool) else jnp.asarray(v, inside) for n, v in settings.items()}
    anchor = Anchor(None if theta is None else jnp.asarray(theta, inside))
    new, new_slots = rule.update(
        xp, anchor, jnp.asarray(g, inside), slots, count.astype(inside), values
    )
    return displacement(new, anchor).astype(outside), new_slots


def _working_type(dtype: Any) -> Any:
    """Return float32 for bfloat16 and float16, in which averages such as β₂ = .999 stand still."""
    return dtype if jnp.dtype(dtype).itemsize >= 4 else jnp.float32


def _zeros(theta: Any) -> jax.Array:
    return jnp.zeros_like(theta, dtype=_working_type(jnp.result_type(theta)))


def _unless_nonfinite(
    grads: Tree, updates: Tree, new_state: OptimizerState, state: OptimizerState
) -> tuple[Tree, OptimizerState]:
    finite = jnp.all(jnp.asarray([jnp.all(jnp.isfinite(g)) for g in jax.tree.leaves(grads)]))
    kept = jax.tree.map(lambda u: jnp.where(finite, u, jnp.zeros_like(u)), updates)
    return kept, jax.tree.map(lambda new, old: jnp.where(finite, new, old), new_state, state)
