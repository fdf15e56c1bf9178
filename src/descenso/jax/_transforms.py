"""Compose transforms with a rule's gradient transformation."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from descenso import transforms as chain
from descenso.errors import ParameterError
from descenso.jax._checks import aligned as aligned_gradients
from descenso.jax._checks import is_inexact
from descenso.jax._transformation import GradientTransformation, Tree
from descenso.language import _
from descenso.ops import jax as xp
from descenso.transforms import Transform


class TransformedState(NamedTuple):
    """State of a rule with transforms.

    Attributes
    ----------
    rule : the rule's own state.
    transforms : for each transform, a dict of trees like the parameters.
    """

    rule: Any
    transforms: tuple[dict[str, Tree], ...]


def with_transforms(
    inner: GradientTransformation, transforms: tuple[Transform, ...], lr: Any
) -> GradientTransformation:
    """Return ``inner`` with ``transforms`` applied to its gradients and to its steps."""

    def init(params: Tree) -> TransformedState:
        leaves, structure = jax.tree.flatten(params)
        states = chain.start(xp, transforms, [_wide(leaf) for leaf in leaves])
        return TransformedState(inner.init(params), _as_trees(structure, states))

    def update(
        grads: Tree, state: TransformedState, params: Tree | None = None, **for_others: Any
    ) -> tuple[Tree, TransformedState]:
        del for_others
        if params is None:
            raise ParameterError(_("transforms need the parameters: update(grads, state, params)"))
        aligned = aligned_gradients(grads, {}, params)
        leaves, structure = jax.tree.leaves(params), aligned.structure
        # Transforms see None where there is no gradient, or none that could move the parameter.
        moving = [
            is_inexact(g) and is_inexact(p) for g, p in zip(aligned.leaves, leaves, strict=True)
        ]
        old = list(map(_wide, leaves))
        given = [_wide(g) if on else None for g, on in zip(aligned.leaves, moving, strict=True)]
        t = state.rule.count * 1.0 + 1
        changed = _like(chain.gradients(xp, transforms, old, given, t), leaves)
        seen = [c if on else g for c, g, on in zip(changed, aligned.leaves, moving, strict=True)]
        updates, rule = inner.update(jax.tree.unflatten(structure, seen), state.rule, params)
        if not chain.touch_parameters(transforms):
            return updates, TransformedState(rule, state.transforms)
        own = aligned_gradients(updates, {}, params).leaves
        new = [a + _wide(u) if on else a for a, u, on in zip(old, own, moving, strict=True)]
        kept = [{n: jax.tree.leaves(tree) for n, tree in s.items()} for s in state.transforms]
        rate = lr(state.rule.count) if callable(lr) else lr
        rates = [rate if on else None for on in moving]
        moved, states = chain.parameters(xp, transforms, old, new, rates, t, kept)
        steps = [
            jnp.asarray(b - a, jnp.result_type(leaf)) if on else u
            for a, b, leaf, u, on in zip(old, moved, leaves, own, moving, strict=True)
        ]
        # Not where a gradient was not finite; a count that is full stands still.
        stepped = (rule.count > state.rule.count) | (rule.count == jnp.iinfo(rule.count.dtype).max)
        return (
            _where(stepped, jax.tree.unflatten(structure, steps), updates),
            TransformedState(
                rule,
                _where(stepped, _as_trees(jax.tree.structure(params), states), state.transforms),
            ),
        )

    return GradientTransformation(init, update)


def averaged(state: TransformedState, transforms: Any) -> Tree:
    """Return the averaged parameters that a state holds.

    Parameters
    ----------
    transforms : the list the optimizer was made with.

    Raises
    ------
    SettingError
        If not exactly one of them averages.
    """
    flat = [{n: jax.tree.flatten(tree) for n, tree in s.items()} for s in state.transforms]
    leaves = [{n: pair[0] for n, pair in s.items()} for s in flat]
    structure = next((pair[1] for s in flat for n, pair in s.items() if n == "average"), None)
    t = state.rule.count * 1.0
    return jax.tree.unflatten(structure, chain.averages(chain.check(transforms), leaves, t))


def _as_trees(structure: Any, states: list[dict[str, Any]]) -> tuple[dict[str, Tree], ...]:
    return tuple({n: jax.tree.unflatten(structure, a) for n, a in s.items()} for s in states)


def _where(condition: Any, new: Tree, old: Tree) -> Tree:
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b).astype(b.dtype), new, old)


def _wide(leaf: Any) -> jax.Array:
    return jnp.asarray(leaf, jnp.promote_types(jnp.result_type(leaf), jnp.float32))


def _like(arrays: list[Any], leaves: list[Any]) -> list[Any]:
    return [
        None if a is None else jnp.asarray(a, jnp.result_type(b))
        for a, b in zip(arrays, leaves, strict=True)
    ]
