"""Refuse parameters, gradients and states that do not fit, naming the array at fault."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from descenso.errors import ParameterError, SettingError
from descenso.language import _

Tree = Any


def check_parameters(params: Tree) -> None:
    """Refuse an empty collection and parameters that are not real floating-point arrays."""
    bare = isinstance(params, dict | list | tuple) and not hasattr(params, "_fields")
    if params is None or (bare and not params):
        raise ParameterError(_("there are no parameters to optimize"))
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        dtype = jnp.result_type(leaf)
        if not jnp.issubdtype(dtype, jnp.floating):
            raise ParameterError(
                _("parameter {name} must be real floating-point; it is {dtype}").format(
                    name=_spell(path), dtype=dtype
                )
            )


def check_update(
    rule: str, names: tuple[str, ...], grads: Tree, state: Any, params: Tree | None
) -> None:
    """Refuse a state of another rule, and gradients unlike the state or the parameters."""
    slots = getattr(state, "slots", None)
    if not isinstance(slots, dict) or set(slots) != set(names):
        kept = ", ".join(slots) if isinstance(slots, dict) else type(state).__name__
        raise ParameterError(
            _(
                "{rule} keeps the state ({names}); the state given is of another rule: {kept}"
            ).format(rule=rule, names=", ".join(names), kept=kept)
        )
    for what, tree in (("parameters", params), *slots.items()):
        if tree is not None:
            _check_alike(grads, what, tree)


def _check_alike(grads: Tree, what: str, tree: Tree) -> None:
    given, expected = str(jax.tree.structure(grads)), str(jax.tree.structure(tree))
    if given != expected:
        raise ParameterError(
            _("the gradients have the structure {given}; the {what} have {expected}").format(
                given=given, what=what, expected=expected
            )
        )
    pairs = zip(jax.tree_util.tree_leaves_with_path(grads), jax.tree.leaves(tree), strict=True)
    for (path, g), leaf in pairs:
        if jnp.shape(g) != jnp.shape(leaf):
            raise ParameterError(
                _("the gradient of {name} has shape {given}; its {what} have {expected}").format(
                    name=_spell(path), given=jnp.shape(g), what=what, expected=jnp.shape(leaf)
                )
            )


def refuse_nonfinite(grads: Tree) -> None:
    """Raise if a gradient holds a NaN or an infinity; only outside compiled functions."""
    for path, g in jax.tree_util.tree_leaves_with_path(grads):
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
