"""Make of each rule the function that a user calls: ``adam(lr=1e-3, beta1=0.9, ...)``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp

from descenso.errors import SettingError
from descenso.jax._transformation import (
    GradientTransformation,
    is_live,
    transformation,
)
from descenso.jax._transforms import with_transforms
from descenso.language import _
from descenso.rules import (
    Rule,
    call_signature,
    check_nonfinite,
    describe,
    is_zero,
    refuse_positional,
    settings_with_live,
    state_names,
)
from descenso.transforms import check as check_transforms

_USAGE = """
Any numeric setting may also be a schedule (a function of the number of updates made so far, 0 at
the first step, as in optax) or a traced array, as ``optax.inject_hyperparams`` passes.

nonfinite : {"pass", "skip", "raise"}, default "pass"
    What a NaN or infinite gradient does: goes through; leaves parameters, state and count as they
    are; or raises, naming the parameter (not possible inside ``jit``).
transforms : list of :mod:`descenso.transforms`, applied in order to the gradients before the rule's
    step and to the parameters after it. ``update`` then needs the parameters.

state_dtype : a type, or name of a state array → type; default float32 or the parameters' own, if wider
    ``{"m": jnp.bfloat16}`` is optax's ``mu_dtype``. The arithmetic stays in the wider type.

Returns
-------
GradientTransformation
    ``init(params)`` and ``update(grads, state, params)``, as optax defines them. The state and
    the arithmetic are float32 for bfloat16 and float16 parameters.

Raises
------
SettingError
    If a setting is unknown, not a number or outside its range.
"""


@cache
def factory(rule: Rule) -> Callable[..., GradientTransformation]:
    """Return the function of ``rule``'s settings that makes its transformation."""

    choice = inspect.Parameter("state_dtype", inspect.Parameter.KEYWORD_ONLY, default=None)
    signature = call_signature(rule)
    signature = signature.replace(parameters=[*signature.parameters.values(), choice])

    def make(
        *args: Any,
        nonfinite: Any = "pass",
        transforms: Any = (),
        state_dtype: Any = None,
        **given: Any,
    ) -> GradientTransformation:
        refuse_positional(rule, args[1:])
        given = {**signature.bind_partial(*args).arguments, **given}
        _check_known(rule, given)
        settings = settings_with_live(rule, given, is_live)
        kept_in = _state_types(rule, settings, state_dtype)
        made = transformation(rule, settings, check_nonfinite(rule, nonfinite), kept_in)
        chosen = check_transforms(transforms)
        return with_transforms(made, chosen, settings["lr"]) if chosen else made

    make.__signature__ = signature  # type: ignore[attr-defined]
    make.__name__ = make.__qualname__ = rule.name
    make.__module__ = "descenso.jax"
    make.__doc__ = describe(rule, _USAGE)
    return make


def _check_known(rule: Rule, given: dict[str, Any]) -> None:
    """Check the arrays whose value is known, though they are kept as arrays."""
    known = {
        name: value
        for name, value in given.items()
        if isinstance(value, jax.Array)
        and not isinstance(value, jax.core.Tracer)
        and value.ndim == 0
        and not (name == "lr" and is_zero(value))
    }
    rule.settings(**known)


def _state_types(rule: Rule, settings: dict[str, Any], given: Any) -> dict[str, Any]:
    """Return the type of each state array that ``state_dtype`` names, or of all."""
    names = state_names(rule, settings, is_live)
    asked = given if isinstance(given, Mapping) else dict.fromkeys(names, given)
    found = {}
    for name, dtype in asked.items():
        if name not in names:
            raise SettingError(
                _("{rule}: state_dtype names {name!r}; the state is ({names})").format(
                    rule=rule.name, name=name, names=", ".join(names)
                )
            )
        if dtype is not None:
            found[name] = _floating(rule, dtype)
    return found


def _floating(rule: Rule, dtype: Any) -> Any:
    try:
        read = jnp.dtype(dtype)
    except TypeError:
        read = None
    if read is None or not jnp.issubdtype(read, jnp.inexact):
        raise SettingError(
            _("{rule}: state_dtype must be a floating-point type; got {value!r}").format(
                rule=rule.name, value=dtype
            )
        )
    return jax.dtypes.canonicalize_dtype(read)
