"""The operations on PyTorch tensors, with NumPy's names for axes."""

from typing import Any

import torch
from torch import (
    abs,
    argmax,
    clip,
    cos,
    exp,
    log,
    maximum,
    minimum,
    ones_like,
    reshape,
    sign,
    sin,
    sqrt,
    square,
    where,
    zeros_like,
)

__all__ = [
    "abs", "argmax", "clip", "concatenate", "convolve", "cos", "exp", "log", "max", "maximum",
    "mean", "minimum", "one_hot", "ones_like", "pad", "reshape", "sign", "sin", "sqrt", "square",
    "sum", "where", "zeros_like",
]  # fmt: skip


def sum(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sum over ``axis`` (all axes if None)."""
    return torch.sum(a, dim=axis, keepdim=keepdims)


def mean(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Mean over ``axis`` (all axes if None)."""
    return torch.mean(a, dim=axis, keepdim=keepdims)


def max(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the largest value over ``axis`` (all axes if None)."""
    axes = tuple(range(a.ndim)) if axis is None else axis
    return torch.amax(a, dim=axes, keepdim=keepdims)


def one_hot(labels: Any, classes: int) -> Any:
    """Return a mask of shape (..., classes): true at each integer label's place."""
    return labels[..., None] == torch.arange(classes, device=labels.device)


def concatenate(arrays: Any, axis: int = 0) -> Any:
    """Join arrays along ``axis``."""
    return torch.cat(arrays, dim=axis)


def pad(a: Any, widths: Any) -> Any:
    """Surround with zeros; ``widths`` holds (before, after) for each axis."""
    return torch.nn.functional.pad(a, [w for pair in reversed(widths) for w in pair])


def convolve(images: Any, kernel: Any) -> Any:
    """Return the cross-correlation of images with a kernel, where the two overlap wholly.

    Shapes (examples, height, width, channels) and (k, k, channels, filters); the result has
    (examples, height - k + 1, width - k + 1, filters).
    """
    sums = torch.nn.functional.conv2d(images.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1))
    return sums.permute(0, 2, 3, 1)
