"""The operations on PyTorch tensors, with NumPy's names for axes."""

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
    sign,
    sin,
    sqrt,
    square,
    where,
    zeros_like,
)

__all__ = [
    "abs", "argmax", "clip", "cos", "exp", "log", "max", "maximum", "mean", "minimum", "one_hot",
    "ones_like", "sign", "sin", "sqrt", "square", "sum", "where", "zeros_like",
]  # fmt: skip


def sum(a, axis=None, keepdims=False):
    """Sum over ``axis`` (all axes if None)."""
    return torch.sum(a, dim=axis, keepdim=keepdims)


def mean(a, axis=None, keepdims=False):
    """Mean over ``axis`` (all axes if None)."""
    return torch.mean(a, dim=axis, keepdim=keepdims)


def max(a, axis=None, keepdims=False):
    """Return the largest value over ``axis`` (all axes if None)."""
    axes = tuple(range(a.ndim)) if axis is None else axis
    return torch.amax(a, dim=axes, keepdim=keepdims)


def one_hot(labels, classes):
    """Return a mask of shape (..., classes): true at each integer label's place."""
    return labels[..., None] == torch.arange(classes, device=labels.device)
