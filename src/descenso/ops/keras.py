"""The operations on Keras variables and symbolic tensors, through ``keras.ops``."""

from typing import Any

import keras
from keras.ops import (
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
    "abs", "argmax", "clip", "concatenate", "convolve", "cos", "exp", "log", "max", "maximum",
    "mean", "minimum", "one_hot", "ones_like", "pad", "reshape", "sign", "sin", "sqrt", "square",
    "sum", "where", "zeros_like",
]  # fmt: skip


def one_hot(labels: Any, classes: int) -> Any:
    """Return a mask of shape (..., classes): true at each integer label's place."""
    return labels[..., None] == keras.ops.arange(classes, dtype=labels.dtype)


def convolve(images: Any, kernel: Any) -> Any:
    """Return the cross-correlation of images with a kernel, where the two overlap wholly.

    Shapes (examples, height, width, channels) and (k, k, channels, filters); the result has
    (examples, height - k + 1, width - k + 1, filters).
    """
    return keras.ops.conv(images, kernel, padding="valid", data_format="channels_last")
