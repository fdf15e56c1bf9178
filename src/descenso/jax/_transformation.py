"""A rule as the pair of functions that optax calls a gradient transformation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


class _Pair(NamedTuple):
    init: Callable[[Tree], Any]
    update: Callable[..., tuple[Tree, Any]]


try:  # optax's wrappers ask for its type, and hand extra arguments to nothing else
    from optax import GradientTransformationExtraArgs as _Base
except ImportError:
    _Base = _Pair


class GradientTransformation(_Base):  # type: ignore[misc]
    """The pair of functions that optax defines under this name; where optax is there, its type.

    Attributes
    ----------
    init : parameters → state.
    update : (gradients, state, parameters) → (updates to add to the parameters, new state); further
        named arguments, such as ``value=``, are for other transformations and have no effect.
    """

    __slots__ = ()


def apply_updates(params: Tree, updates: Tree) -> Tree:
    """Return ``params + updates`` leaf by leaf, in the parameters' own types.

    A parameter whose update is None stays as it is; Python numbers become arrays.
    """
    return jax.tree.map(
        lambda p, u: p if p is None or u is None else _moved(p, u),
        params,
        updates,
        is_leaf=_is_none,
    )


def _moved(p: Any, u: Any) -> Any:
    if jnp.result_type(u) == jax.dtypes.float0:
        return p
    return jnp.asarray(p + u).astype(jnp.result_type(p))


def _is_none(value: Any) -> bool:
    return value is None


def is_live(value: Any) -> bool:
    """Whether a setting is a schedule or a value inside a compiled function."""
    return callable(value) or isinstance(value, jax.Array)


def transformation(
    rule: Rule,
    settings: dict[str, Any],
    nonfinite: Nonfinite,
    state_dtype: Mapping[str, Any] | None = None,
) -> GradientTransformation:
    """Return ``rule`` at ``settings`` as a gradient transformation.

    Parameters
    ----------
    state_dtype : name of a state array → the type it is kept in, where not the usual one.
    """
    names = state_names(rule, settings, is_live)
    kept_in = state_dtype or {}

    def init(params: Tree) -> OptimizerState:
        slots = {
            name: jax.tree.map(lambda theta, n=name: _zeros(theta, kept_in.get(n)), params)
            for name in names
        }
        return OptimizerState(jnp.zeros([], jnp.int32), slots)

    def update(
        grads: Tree, state: OptimizerState, params: Tree | None = None, **for_others: Any
    ) -> tuple[Tree, OptimizerState]:
        del for_others
        _checks.check_update(rule.name, names, state)
        aligned = _checks.aligned(grads, state.slots, params)
        if nonfinite == "raise":
            _checks.refuse_nonfinite(grads)
        updates, new_state = _advance(rule, settings, aligned, state, params)
        if nonfinite == "skip":
            return _unless_nonfinite(grads, updates, new_state, state)
        return updates, new_state

    return GradientTransformation(init, update)


def _advance(
    rule: Rule,
    settings: dict[str, Any],
    grads: _checks.Leaves,
    state: OptimizerState,
    params: Tree | None,
) -> tuple[Tree, OptimizerState]:
    leaves = grads.leaves
    thetas = [None] * len(leaves) if params is None else jax.tree.leaves(params)
    slots = {name: jax.tree.leaves(tree) for name, tree in state.slots.items()}
    count = _one_more(state.count)
    # As in optax, a schedule is asked for step 0 first.
    now = {n: v(state.count) if callable(v) else v for n, v in settings.items()}
    moved = [
        _step(rule, now, g, theta, {name: slots[name][i] for name in slots}, count)
        for i, (g, theta) in enumerate(zip(leaves, thetas, strict=True))
    ]
    updates = jax.tree.unflatten(grads.structure, [update for update, _new in moved])
    new_slots = {
        name: jax.tree.unflatten(jax.tree.structure(tree), [new[name] for _u, new in moved])
        for name, tree in state.slots.items()
    }
    return updates, OptimizerState(count, new_slots)


def _one_more(count: jax.Array) -> jax.Array:
    """Return count + 1, but never more than its type holds: 2³¹ − 1 is as good as infinity."""
    most = jnp.iinfo(count.dtype).max
    return jnp.where(count < most, count + 1, count)


def _step(
    rule: Rule, settings: dict[str, Any], g: Any, theta: Any, slots: dict[str, Any], count: Any
) -> tuple[Any, dict[str, Any]]:
    """Take one array's step in float32 or wider; the update returns in the array's own type."""
    if g is None:
        return None, slots
    outside = jnp.result_type(g if theta is None else theta)
    if jnp.result_type(g) == jax.dtypes.float0 or not jnp.issubdtype(outside, jnp.inexact):
        return _no_step(g, theta, outside), slots  # whole numbers have no gradient
    inside = _working_type(outside)
    values = {
        n: v if isinstance(v, bool) else jnp.asarray(v, _real(inside)) for n, v in settings.items()
    }
    anchor = Anchor(None if theta is None else jnp.asarray(theta, inside))
    wide = {name: slot.astype(inside) for name, slot in slots.items()}
    new, new_slots = rule.update(
        xp, anchor, jnp.asarray(g, inside), wide, count.astype(_real(inside)), values
    )
    kept = {name: jnp.asarray(new_slots[name]).astype(slots[name].dtype) for name in slots}
    return displacement(new, anchor).astype(outside), kept


def _no_step(g: Any, theta: Any, dtype: Any) -> Any:
    return g if theta is None else jnp.zeros(jnp.shape(theta), dtype)


def _working_type(dtype: Any) -> Any:
    """Return float32 for bfloat16 and float16, in which averages such as β₂ = .999 stand still."""
    if not jnp.issubdtype(dtype, jnp.inexact):
        return dtype
    return dtype if jnp.dtype(dtype).itemsize >= 4 else jnp.float32


def _real(dtype: Any) -> Any:
    return jnp.finfo(dtype).dtype


def _zeros(theta: Any, dtype: Any = None) -> jax.Array:
    return jnp.zeros_like(theta, dtype=dtype or _working_type(jnp.result_type(theta)))


def _unless_nonfinite(
    grads: Tree, updates: Tree, new_state: OptimizerState, state: OptimizerState
) -> tuple[Tree, OptimizerState]:
    inexact = [g for g in jax.tree.leaves(grads) if _checks.is_inexact(g)]
    finite = jnp.all(jnp.asarray([jnp.all(jnp.isfinite(g)) for g in inexact], bool))
    kept = jax.tree.map(lambda u: jnp.where(finite, u, jnp.zeros_like(u)), updates)
    return kept, jax.tree.map(lambda new, old: jnp.where(finite, new, old), new_state, state)
