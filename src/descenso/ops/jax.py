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
    sum,
    where,
    zeros_like,
)

__all__ = [
    "abs", "argmax", "clip", "concatenate", "convolve", "cos", "exp", "log", "max", "maximum",
    "mean", "minimum", "one_hot", "ones_like", "pad", "reshape", "sign", "sin", "sqrt", "square",
    "sum", "where", "zeros_like",
]  # fmt: skip


def square(a: Any) -> Any:
    """Return a², and of complex numbers its squared modulus, as optax's optimizers take it."""
    if jax.numpy.iscomplexobj(a):
        return jax.numpy.square(a.real) + jax.numpy.square(a.imag)
    return jax.numpy.square(a)


def one_hot(labels: Any, classes: int) -> Any:
    """Return a mask of shape (..., classes): true at each integer label's place."""
    return labels[..., None] == jax.numpy.arange(classes)


def convolve(images: Any, kernel: Any) -> Any:
    """Return the cross-correlation of images with a kernel, where the two overlap wholly.

    Shapes (examples, height, width, channels) and (k, k, channels, filters); the result has
    (examples, height - k + 1, width - k + 1, filters).
    """
    axes = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(images, kernel, (1, 1), "VALID", dimension_numbers=axes)
