"""Read a ``keras.optimizers`` optimizer, and write state into one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from descenso import schedules, transforms
from descenso.conventions._recipe import Array, Recipe, as_array, checked, refuse, refuse_unread
from descenso.conventions._schedules import HeldBack, KeptInside
from descenso.language import _

# The rule's name for an array -> the attribute of keras.optimizers' class that lists it.
SLOTS: dict[str, dict[str, str]] = {
    "SGD": {"v": "momentums"},
    "RMSprop": {"s": "_velocities", "m": "_average_gradients", "b": "_momentums"},
    "Adam": {"m": "_momentums", "v": "_velocities", "u": "_velocity_hats"},
}
SLOTS["AdamW"] = SLOTS["Adam"]
# Velocities that hold the learning rate: the sign in which they hold it.
INSIDE = {("SGD", "v"): -1.0, ("RMSprop", "b"): 1.0}
_OWN = ("use_ema", "loss_scale_factor", "gradient_accumulation_steps")
_EMA = ("ema_momentum", "ema_overwrite_frequency")


def read(optimizer: Any, params: Any = None) -> Recipe:
    """Return what ``optimizer`` does and where it stands.

    Parameters
    ----------
    params : what it is to train where it is not built yet: their precision matters.

    Raises
    ------
    ConventionError
        If there is no exact equal.
    """
    kind = type(optimizer).__name__
    source = f"keras.optimizers.{kind}"
    if kind not in SLOTS or not type(optimizer).__module__.startswith("keras."):
        raise refuse_unread("keras", source, kind, _nearest(kind))
    lr, steps = _rate(optimizer), int(optimizer.iterations)
    double = _is_double(optimizer, params)
    _check_accumulation(optimizer, source)
    return checked(
        Recipe(
            source, _rule(kind, optimizer), (_settings(kind, optimizer, lr, double),),
            decay=_decay(optimizer, double), decoupled=True, clipping=_clipping(optimizer),
            slots=_slots(kind, optimizer, lr, steps, source), steps=steps,
            native=_native(optimizer), excluded=_excluded(optimizer),
        )
    )  # fmt: skip


def _rate(optimizer: Any) -> Any:
    rate = optimizer._learning_rate
    return rate if callable(rate) else float(rate)


def _nearest(kind: str) -> str:
    found = {
        "Nadam": _("nadam: its momentum is constant"),
        "LossScaleOptimizer": _("adopt its inner_optimizer and wrap that again"),
        "MultiOptimizer": _("adopt each of its optimizers"),
    }
    return found.get(kind, _("one of SGD, RMSprop, Adam and AdamW"))


def _rule(kind: str, optimizer: Any) -> str:
    if kind == "SGD":
        return (
            ("nesterov" if optimizer.nesterov else "momentum")
            if optimizer.momentum
            else "gradient_descent"
        )
    if kind == "RMSprop":
        return "rmsprop"
    return "amsgrad" if optimizer.amsgrad else "adam"


def _is_double(optimizer: Any, params: Any) -> bool:
    variables = optimizer._trainable_variables if optimizer.built else params or ()
    return any("float64" in str(getattr(v, "dtype", "")) for v in variables)


def _rounded(value: float) -> float:
    """Return what Keras makes of a number that it casts: on TensorFlow it goes by way of float32."""
    import keras

    return float(keras.ops.convert_to_numpy(keras.ops.cast(value, "float64")))


def _settings(kind: str, optimizer: Any, lr: Any, double: bool) -> dict[str, Any]:
    if kind in ("SGD", "RMSprop"):
        momentum: Any = float(optimizer.momentum)
        momentum = _rounded(momentum) if kind == "SGD" else momentum
        inside = KeptInside(momentum, lr) if momentum and callable(lr) else momentum
        if kind == "SGD" and _holds_scheduled_rate(optimizer, lr):
            return {"lr": 1.0, "beta": momentum, "dampening": HeldBack(lr)}
        if kind == "SGD":
            return _sgd(lr, inside)
        return {
            "lr": lr, "beta": float(optimizer.rho), "eps": 0.0,
            "eps_root": float(optimizer.epsilon), "centered": bool(optimizer.centered),
            "momentum": inside,
        }  # fmt: skip
    beta1, beta2 = float(optimizer.beta_1), float(optimizer.beta_2)
    if double and _rounded(beta2) != beta2:  # in float32 both round alike
        lr = schedules.rounded_correction(lr, beta1, beta2, _rounded(beta1), _rounded(beta2))
    eps = schedules.uncorrected(float(optimizer.epsilon), beta=beta2)
    return {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps}


def _holds_scheduled_rate(optimizer: Any, lr: Any) -> bool:
    """Whether Nesterov's step needs the velocity as Keras keeps it, with the rate inside."""
    return callable(lr) and bool(getattr(optimizer, "nesterov", False) and optimizer.momentum)


def _sgd(lr: Any, momentum: Any) -> dict[str, Any]:
    return {"lr": lr, **({"beta": momentum, "dampening": 0.0} if momentum else {})}


def _decay(optimizer: Any, double: bool) -> Any:
    import keras

    share: Any = _rounded(optimizer.weight_decay or 0.0)
    beta1, beta2 = (float(getattr(optimizer, name, 0.0)) for name in ("beta_1", "beta_2"))
    if share and double and _rounded(beta2) != beta2:
        # The decay follows the rate as it was given, not as it is corrected.
        share = schedules.rounded_correction(
            share, _rounded(beta1), _rounded(beta2), rounded1=beta1, rounded2=beta2
        )
    lr = _rate(optimizer)
    if share and double and keras.config.backend() == "torch" and not callable(lr):
        # There the factor 1 − λη is of the rate's type, whatever that of the variables is.
        typed = np.dtype(optimizer._learning_rate.dtype).type
        share = (1 - float(1 - typed(share) * typed(lr))) / lr
    if not share or not optimizer.built:
        return share
    variables = optimizer._trainable_variables
    return tuple(share if optimizer._use_weight_decay(v) else 0.0 for v in variables)


def _clipping(optimizer: Any) -> tuple[Any, ...]:
    if optimizer.clipnorm:
        return (transforms.clip_by_norm(optimizer.clipnorm),)
    if optimizer.global_clipnorm:
        return (transforms.clip_by_global_norm(optimizer.global_clipnorm),)
    if optimizer.clipvalue:
        return (transforms.clip_by_value(optimizer.clipvalue),)
    return ()


def _native(optimizer: Any) -> dict[str, Any]:
    names = [*_OWN, *(_EMA if optimizer.use_ema else ())]
    return {n: getattr(optimizer, n) for n in names if getattr(optimizer, n)}


def _excluded(optimizer: Any) -> dict[str, Any]:
    """Return what ``exclude_from_weight_decay`` left behind, where no variables are known yet."""
    names = ("_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern")
    found = {n: getattr(optimizer, n, None) for n in names}
    return {} if optimizer.built or not any(found.values()) else found


def _check_accumulation(optimizer: Any, source: str) -> None:
    every = optimizer.gradient_accumulation_steps
    if every and int(optimizer._iterations) % every:
        raise refuse(
            source,
            _("it stands in the middle of accumulating gradients"),
            _("adopt it after a whole update, every {n} batches").format(n=every),
        )


def _slots(
    kind: str, optimizer: Any, lr: Any, steps: int, source: str
) -> tuple[dict[str, Array], ...]:
    if not optimizer.built or steps == 0:
        return ()
    rate = 1.0 if _holds_scheduled_rate(optimizer, lr) else lr
    lists = {n: getattr(optimizer, key, []) for n, key in SLOTS[kind].items()}
    factors = {n: _inside(kind, n, rate, steps) for n in SLOTS[kind]}
    if any(lists[n] and factor == 0 for n, factor in factors.items()):
        raise refuse(
            source,
            _("its velocity holds the learning rate, and that is 0 now"),
            _("set the rate that it trained with, adopt it, and set 0 again"),
        )
    count = len(optimizer._trainable_variables)
    return tuple(
        {n: numbers(arrays[i]) / factors[n] for n, arrays in lists.items() if arrays}
        for i in range(count)
    )


def _inside(kind: str, name: str, lr: Any, steps: int) -> float:
    """Return what a velocity of Keras's is multiplied by, beside the rule's."""
    sign = INSIDE.get((kind, name))
    if sign is None:
        return 1.0
    return sign * float(lr(max(steps - 1, 0)) if callable(lr) else lr)


def numbers(variable: Any) -> Array:
    """Return a Keras variable as a NumPy array."""
    value = (
        variable.value if hasattr(variable, "value") and not callable(variable.value) else variable
    )
    return as_array(value)


def write(optimizer: Any, recipe: Recipe) -> None:
    """Put the recipe's state into a built ``keras.optimizers`` optimizer."""
    kind, lr = type(optimizer).__name__, _rate(optimizer)
    for name, key in SLOTS[kind].items():
        factor = _inside(kind, name, lr, recipe.steps)
        for variable, kept in zip(getattr(optimizer, key, []), recipe.slots, strict=False):
            if name in kept:
                variable.assign(kept[name] * factor)
    optimizer._iterations.assign(recipe.steps)


def carry_native(old: Any, new: Any, native: Mapping[str, Any]) -> None:
    """Copy Keras's own running averages from one optimizer to another."""
    if native.get("use_ema"):
        pairs = zip(
            old._model_variables_moving_average, new._model_variables_moving_average, strict=True
        )
        for a, b in pairs:
            b.assign(a)
