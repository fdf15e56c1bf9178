"""The operations on JAX arrays."""

from typing import Any

import jax.numpy
from jax.numpy import (
    abs,
    argmax,
    clip,
    concatenate,
    cos,
    exp,
    log,
    max,
    maximum,
    mean,
    minimum,
    ones_like,
    pad,
    reshape,
    sign,
    sin,
    sqrt,
    square,
    sum,
    where,
    zeros_like,
)

__all__ = [
    "abs", "argmax", "clip", "concatenate", "cos", "exp", "log", "max", "maximum", "mean",
    "minimum", "one_hot", "ones_like", "pad", "reshape", "sign", "sin", "sqrt", "square", "sum",
    "where", "zeros_like",
]  # fmt: skip


def one_hot(labels: Any, classes: int) -> Any:
    """Return a mask of shape (..., classes): true at each integer label's place."""
    return labels[..., None] == jax.numpy.arange(classes)
