"""Make of each rule the function that a user calls: ``adam(lr=1e-3, beta1=0.9, ...)``."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import jax

from descenso.jax._transformation import (
    GradientTransformation,
    is_live,
    transformation,
)
from descenso.jax._transforms import with_transforms
from descenso.rules import Rule, call_signature, check_nonfinite, describe, settings_with_live
from descenso.transforms import check as check_transforms

_USAGE = """
Any numeric setting may also be a schedule (a function of the number of updates made so far, 0 at
the first step, as in optax) or a traced array, as ``optax.inject_hyperparams`` passes.

nonfinite : {"pass", "skip", "raise"}, default "pass"
    What a NaN or infinite gradient does: goes through; leaves parameters, state and count as they
    are; or raises, naming the parameter (not possible inside ``jit``).
transforms : list of :mod:`descenso.transforms`, applied in order to the gradients before the rule's
    step and to the parameters after it. ``update`` then needs the parameters.

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

    signature = call_signature(rule)

    def make(
        *args: Any, nonfinite: Any = "pass", transforms: Any = (), **given: Any
    ) -> GradientTransformation:
        given = {**signature.bind_partial(*args).arguments, **given}
        _check_known(rule, given)
        settings = settings_with_live(rule, given, is_live)
        made = transformation(rule, settings, check_nonfinite(rule, nonfinite))
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
    }
    rule.settings(**known)
