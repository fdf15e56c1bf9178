"""Settings that an exact translation makes depend on the step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from descenso.ops import namespace


@dataclass(frozen=True)
class KeptInside:
    """Momentum whose velocity holds the learning rate, for a rule that applies it outside.

    A velocity b = μb + ηx equals η times the velocity that is kept with
    μ_t = μ·η_{t−1}/η_t, so long as no η is 0.

    Attributes
    ----------
    momentum : μ.
    lr : the learning rate's schedule.
    """

    momentum: float
    lr: Callable[[Any], Any]

    def __call__(self, step: Any) -> Any:
        """Return μ_t for the update that follows ``step`` updates."""
        xp = namespace(step)
        before, now = self.lr(xp.maximum(step - 1, 0)), self.lr(step)
        return self.momentum * _wide(xp, before) / _wide(xp, now)


@dataclass(frozen=True)
class HeldBack:
    """Dampening that brings the learning rate inside the velocity, for a rule that runs at η = 1.

    With 1−τ_t = η_t the velocity is v = βv + η_t·g, as Keras keeps it.

    Attributes
    ----------
    lr : the learning rate's schedule.
    """

    lr: Callable[[Any], Any]

    def __call__(self, step: Any) -> Any:
        """Return τ_t for the update that follows ``step`` updates."""
        return 1 - _wide(namespace(step), self.lr(step))


def _wide(xp: Any, value: Any) -> Any:
    """Return a rate in float64 where the framework has it: the ratio must not lose digits."""
    if xp.__name__.endswith("numpy"):
        return float(value)
    if xp.__name__.endswith("jax"):
        import jax.numpy as jnp

        return jnp.asarray(value, float)
    import keras

    return keras.ops.cast(value, "float32" if keras.backend.backend() == "jax" else "float64")
