"""A step of descenso/keras against keras.optimizers', inside a train step as Keras runs it.

Each backend has a process of its own. On TensorFlow the step is an XLA-compiled ``tf.function``,
on JAX a ``jit`` of ``stateless_apply`` with donated buffers, as in Keras's own trainers. On torch
it is eager, which is what Keras's ``jit_compile="auto"`` means there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks._shapes import NETWORKS, Shapes

TARGET = 1.0
BACKENDS = ("tensorflow", "jax", "torch")
RULES = ("gradient_descent", "momentum", "nesterov", "rmsprop", "adam", "adamw")


def pairs() -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    """Return, for each rule, ours and Keras's nearest of the same arithmetic."""
    import keras

    import descenso.keras as ours

    theirs = keras.optimizers
    return {
        "gradient_descent": (ours.GradientDescent, lambda: theirs.SGD(0.01)),
        "momentum": (lambda: ours.Momentum(dampening=0.0), lambda: theirs.SGD(0.01, 0.9)),
        "nesterov": (ours.Nesterov, lambda: theirs.SGD(0.01, 0.9, nesterov=True)),
        "rmsprop": (ours.RMSprop, theirs.RMSprop),
        "adam": (ours.Adam, theirs.Adam),
        "adamw": (ours.AdamW, lambda: theirs.AdamW(weight_decay=0.01)),
    }


def stepper(optimizer: Any, shapes: Shapes) -> Callable[[], Any]:
    """Return a call that takes one step and waits for it."""
    import keras
    import numpy as np

    random = np.random.default_rng(0)
    variables = [keras.Variable(random.standard_normal(s, np.float32)) for s in shapes]
    grads = [keras.ops.convert_to_tensor(random.standard_normal(s, np.float32)) for s in shapes]
    optimizer.build(variables)
    make = {"tensorflow": _on_tensorflow, "jax": _on_jax, "torch": _on_torch}
    return make[keras.config.backend()](optimizer, variables, grads)


def _on_tensorflow(optimizer: Any, variables: list[Any], grads: list[Any]) -> Callable[[], Any]:
    import tensorflow as tf

    @tf.function(jit_compile=True)
    def step(*grads: Any) -> Any:
        optimizer.apply(grads, variables)
        return optimizer.iterations + 0

    return lambda: step(*grads).numpy()


def _on_jax(optimizer: Any, variables: list[Any], grads: list[Any]) -> Callable[[], Any]:
    import jax

    carry = [[v.value for v in variables], [v.value for v in optimizer.variables]]

    def step(trained: Any, kept: Any, grads: Any) -> Any:
        return optimizer.stateless_apply(kept, grads, trained)

    jitted = jax.jit(step, donate_argnums=(0, 1))

    def call() -> None:
        carry[:] = jitted(*carry, grads)
        jax.block_until_ready(carry)

    return call


def _on_torch(optimizer: Any, variables: list[Any], grads: list[Any]) -> Callable[[], Any]:
    import torch

    def call() -> None:
        with torch.no_grad():
            optimizer.apply(grads, variables)

    return call


def measure(networks: Iterable[str], rules: Iterable[str], seconds: float) -> list[dict[str, Any]]:
    """Return the rows of this process's backend."""
    import keras

    from benchmarks._timing import interleaved, row

    made = []
    for network in networks:
        for rule in rules:
            ours, theirs = pairs()[rule]
            shapes = NETWORKS[network]()
            times = interleaved(
                {"ours": stepper(ours(), shapes), "theirs": stepper(theirs(), shapes)},
                seconds=seconds,
                calls=20 if network == "mnist_dense" else 1,
            )
            case = f"keras/{keras.config.backend()} {rule} {network}"
            made.append(row(case, "keras.optimizers", times, TARGET))
    return made


def rows(
    networks: Iterable[str] = NETWORKS,
    rules: Iterable[str] = RULES,
    backends: Iterable[str] = BACKENDS,
    seconds: float = 6.0,
) -> list[dict[str, Any]]:
    """Return a row for each backend, network and rule."""
    made: list[dict[str, Any]] = []
    for backend in backends:
        environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [sys.executable, "-m", "benchmarks.step_keras"]
        command += ["--networks", *networks, "--rules", *rules, "--seconds", str(seconds)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=True, env=environment
        )
        made += json.loads(done.stdout.splitlines()[-1])
    return made


if __name__ == "__main__":  # the process of one backend: `rows` starts it and reads its output
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", nargs="+")
    parser.add_argument("--rules", nargs="+")
    parser.add_argument("--seconds", type=float)
    options = parser.parse_args()
    print(json.dumps(measure(options.networks, options.rules, options.seconds)))
