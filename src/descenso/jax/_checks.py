"""Refuse parameters, gradients and states that do not fit, naming the array at fault."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from descenso.errors import ParameterError, SettingError
from descenso.language import _

Tree = Any


class Leaves(NamedTuple):
    """The gradients in the order of the state's leaves: None where there is none.

    Attributes
    ----------
    leaves : one gradient, or None, for each parameter.
    structure : puts the updates back into a tree like the gradients'.
    """

    leaves: list[Any]
    structure: Any


def check_update(rule: str, names: tuple[str, ...], state: Any) -> None:
    """Refuse a state of another rule."""
    slots = getattr(state, "slots", None)
    if not isinstance(slots, dict) or set(slots) != set(names):
        kept = ", ".join(slots) if isinstance(slots, dict) else type(state).__name__
        raise ParameterError(
            _(
                "{rule} keeps the state ({names}); the state given is of another rule: {kept}"
            ).format(rule=rule, names=", ".join(names), kept=kept)
        )


def aligned(grads: Tree, slots: dict[str, Tree], params: Tree | None) -> Leaves:
    """Return the gradients leaf by leaf; refuse such as are unlike the state or the parameters.

    A gradient may be None where the parameter is an array: it then takes no step.
    """
    given = [("parameters", params), *slots.items()]
    others = [(what, tree) for what, tree in given if tree is not None]
    if not others:
        leaves, structure = jax.tree.flatten(grads)
        return Leaves(leaves, structure)
    found = _leaves_like(grads, *others[0])
    for what, tree in others[1:]:
        _leaves_like(grads, what, tree)
    return found


def _leaves_like(grads: Tree, what: str, tree: Tree) -> Leaves:
    leaves, structure = jax.tree.flatten(grads)
    if str(structure) != str(jax.tree.structure(tree)):
        leaves, structure = _with_none(grads, what, tree)
    for (path, leaf), g in zip(jax.tree_util.tree_leaves_with_path(tree), leaves, strict=True):
        if g is not None and jnp.shape(g) != jnp.shape(leaf):
            raise ParameterError(
                _("the gradient of {name} has shape {given}; its {what} have {expected}").format(
                    name=_spell(path), given=jnp.shape(g), what=what, expected=jnp.shape(leaf)
                )
            )
    return Leaves(leaves, structure)


def _with_none(grads: Tree, what: str, tree: Tree) -> tuple[list[Any], Any]:
    """Flatten gradients that are None where the tree has an array."""
    found, given = jax.tree.flatten(grads, is_leaf=_is_none)
    whole, expected = jax.tree.flatten(tree, is_leaf=_is_none)
    if str(given) != str(expected) or any(
        theta is None and g is not None for theta, g in zip(whole, found, strict=True)
    ):
        raise ParameterError(
            _("the gradients have the structure {given}; the {what} have {expected}").format(
                given=jax.tree.structure(grads), what=what, expected=jax.tree.structure(tree)
            )
        )
    kept = [g for theta, g in zip(whole, found, strict=True) if theta is not None]
    return kept, jax.tree.structure(tree)


def _is_none(value: Any) -> bool:
    return value is None


def is_inexact(g: Any) -> bool:
    """Whether it is an array of floating-point or complex numbers."""
    return g is not None and bool(jnp.issubdtype(jnp.result_type(g), jnp.inexact))


def refuse_nonfinite(grads: Tree) -> None:
    """Raise if a gradient holds a NaN or an infinity; only outside compiled functions."""
    for path, g in jax.tree_util.tree_leaves_with_path(grads):
        if not is_inexact(g):
            continue
        if isinstance(g, jax.core.Tracer):
            raise SettingError(
                _(
                    "nonfinite='raise' cannot look at gradients inside jit, vmap or scan: "
                    "use nonfinite='skip' there"
                )
            )
        if not bool(jnp.all(jnp.isfinite(g))):
            raise ParameterError(
                _("the gradient of {name} is not finite").format(name=_spell(path))
            )


def _spell(path: Any) -> str:
    return jax.tree_util.keystr(path) or _("(the only parameter)")
