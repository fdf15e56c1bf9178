"""Make of each rule the class that a user instantiates."""

from __future__ import annotations

import inspect
from functools import cache

import keras

from descenso.errors import RuleError
from descenso.keras._optimizer import KERAS_ARGUMENTS, RuleOptimizer
from descenso.rules import Rule, call_signature, class_name, describe

_USAGE = """
A subclass of ``keras.optimizers.Optimizer``; the rate may be given as ``lr`` or, as Keras calls
it, ``learning_rate``. Any numeric setting may also be a ``keras.optimizers.schedules`` object or
another function of the number of updates made so far (0 at the first).

nonfinite : {"pass", "skip", "raise"}, default "pass"
    What a NaN or infinite gradient does: goes through; leaves variables and state as they are; or
    raises, naming the variable (only where Keras runs eagerly: ``run_eagerly=True``).
transforms : list of :mod:`descenso.transforms`, applied in order to the gradients before the rule's
    step and to the variables after it, once per update.
clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
loss_scale_factor, gradient_accumulation_steps, name
    As in every Keras optimizer, save that schedules count updates, not accumulated batches.
weight_decay
    Of a rule that has this setting: as in its formula. Of all others, as in every Keras
    optimizer: the share of a variable, times the learning rate, taken off before each step.

State and arithmetic are float32 for bfloat16 and float16 variables.

Raises
------
SettingError
    If a setting is unknown, not a number or outside its range.
"""


@cache
def optimizer_class(rule: Rule) -> type[RuleOptimizer]:
    """Return the Keras optimizer class of ``rule``, registered as ``descenso>Name``."""
    for name in rule.hyperparameters:
        if name not in ("lr", "weight_decay") and hasattr(RuleOptimizer, name):
            raise RuleError(f"rule {rule.name}: Keras keeps the name {name!r} for itself")
    made = type(
        class_name(rule),
        (RuleOptimizer,),
        {"rule": rule, "__doc__": describe(rule, _USAGE), "__module__": "descenso.keras"},
    )
    made.__signature__ = _signature(rule)  # type: ignore[attr-defined]
    registered: type[RuleOptimizer] = keras.saving.register_keras_serializable("descenso")(made)
    return registered


def _signature(rule: Rule) -> inspect.Signature:
    own = call_signature(rule).parameters
    keras_own = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
        for name, default in {"learning_rate": None, **KERAS_ARGUMENTS}.items()
        if name not in own
    ]
    return inspect.Signature([*own.values(), *keras_own])
