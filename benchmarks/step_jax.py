"""A step of descenso/jax against optax's, both under ``jit`` with donated buffers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import jax
import numpy as np
import optax

import descenso.jax
from benchmarks._shapes import NETWORKS, Shapes
from benchmarks._timing import interleaved, row

TARGET = 1.0

#: Case -> (ours, optax's equal).
PAIRS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "gradient_descent": (descenso.jax.gradient_descent, lambda: optax.sgd(1e-2)),
    "momentum": (
        lambda: descenso.jax.momentum(dampening=0.0),
        lambda: optax.sgd(1e-2, momentum=0.9),
    ),
    "nesterov": (descenso.jax.nesterov, lambda: optax.sgd(1e-2, momentum=0.9, nesterov=True)),
    "rmsprop": (descenso.jax.rmsprop, lambda: optax.rmsprop(1e-3)),
    "adam": (descenso.jax.adam, lambda: optax.adam(1e-3)),
    "adamw": (descenso.jax.adamw, lambda: optax.adamw(1e-3, weight_decay=1e-2)),
}


def stepper(transformation: Any, shapes: Shapes) -> Callable[[], None]:
    """Return a call that takes one step, in place of the buffers of the last, and waits for it."""
    random = np.random.default_rng(0)
    params, grads = (
        [jax.numpy.asarray(random.standard_normal(s, np.float32)) for s in shapes] for _ in range(2)
    )
    carry = [params, transformation.init(params)]

    def step(params: Any, state: Any, grads: Any) -> tuple[Any, Any]:
        updates, state = transformation.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    jitted = jax.jit(step, donate_argnums=(0, 1))

    def call() -> None:
        carry[:] = jitted(*carry, grads)
        jax.block_until_ready(carry)

    return call


def rows(
    networks: Iterable[str] = NETWORKS, rules: Iterable[str] = PAIRS, seconds: float = 6.0
) -> list[dict[str, Any]]:
    """Return a row for each network and rule."""
    made = []
    for network in networks:
        for rule in rules:
            ours, theirs = PAIRS[rule]
            shapes = NETWORKS[network]()
            times = interleaved(
                {"ours": stepper(ours(), shapes), "theirs": stepper(theirs(), shapes)},
                seconds=seconds,
                calls=50 if network == "mnist_dense" else 1,
            )
            made.append(row(f"jax {rule} {network}", "optax", times, TARGET))
    return made
