"""Dense networks written with the closed list of operations, so that any framework's arrays fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from descenso import ops
from descenso.problems._problem import Array, Params


def dense_init(sizes: Sequence[int]) -> Callable[[np.random.Generator], Params]:
    """Return a maker of initial weights for a dense network of these layer sizes.

    Weights have shape (inputs, outputs), float32. Layers that feed a ReLU are drawn as He et al.
    2015 (eq. 10), with variance 2/inputs; the last, linear one as Glorot & Bengio 2010 (eq. 12),
    with variance 2/(inputs + outputs). Biases are zero.
    """

    def init(rng: np.random.Generator) -> list[dict[str, Any]]:
        layers = list(pairwise(sizes))
        variances = [2 / inputs for inputs, _ in layers[:-1]] + [2 / sum(layers[-1])]
        return [
            {
                "weight": (rng.normal(size=shape) * variance**0.5).astype(np.float32),
                "bias": np.zeros(shape[1], np.float32),
            }
            for shape, variance in zip(layers, variances, strict=True)
        ]

    return init


def dense_apply(params: Params, inputs: Array) -> Array:
    """Return the outputs, shape (examples, outputs); ReLU between the layers."""
    *hidden, last = params
    for layer in hidden:
        inputs = inputs @ layer["weight"] + layer["bias"]
        xp = ops.namespace(inputs)
        inputs = xp.maximum(inputs, xp.zeros_like(inputs))
    return inputs @ last["weight"] + last["bias"]
