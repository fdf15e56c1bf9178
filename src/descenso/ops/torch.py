"""The operations on PyTorch tensors, with NumPy's names for axes."""

from collections.abc import Callable
from typing import Any

import torch
from torch import argmax, clip, ones_like, reshape, zeros_like

from descenso.ops import numpy as on_numbers

__all__ = [
    "abs", "argmax", "clip", "concatenate", "convolve", "cos", "exp", "log", "max", "maximum",
    "mean", "minimum", "one_hot", "ones_like", "pad", "reshape", "sign", "sin", "sqrt", "square",
    "sum", "where", "zeros_like",
]  # fmt: skip


def _of_one(name: str) -> Callable[[Any], Any]:
    on_tensor, on_number = getattr(torch, name), getattr(on_numbers, name)

    def operation(a: Any) -> Any:
        # The step number and what follows from it are plain numbers where nothing is compiled.
        return on_tensor(a) if isinstance(a, torch.Tensor) else float(on_number(a))

    operation.__name__ = operation.__qualname__ = name
    return operation


abs, cos, exp, log, sign, sin, sqrt, square = map(
    _of_one, ("abs", "cos", "exp", "log", "sign", "sin", "sqrt", "square")
)


def maximum(a: Any, b: Any) -> Any:
    """Return the larger of the two, element by element; either may be a number."""
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return torch.maximum(a, b)
    return _with_number(on_numbers.maximum, "min", a, b)


def minimum(a: Any, b: Any) -> Any:
    """Return the smaller of the two, element by element; either may be a number."""
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return torch.minimum(a, b)
    return _with_number(on_numbers.minimum, "max", a, b)


def _with_number(on_number: Callable[..., Any], bound: str, a: Any, b: Any) -> Any:
    if isinstance(a, torch.Tensor):
        return torch.clamp(a, **{bound: b})
    return torch.clamp(b, **{bound: a}) if isinstance(b, torch.Tensor) else float(on_number(a, b))


def where(condition: Any, a: Any, b: Any) -> Any:
    """Return ``a`` where the condition holds, else ``b``; each may be a tensor or a number."""
    like = next((x for x in (a, b, condition) if isinstance(x, torch.Tensor)), None)
    if like is None:
        return a if condition else b
    if not isinstance(condition, torch.Tensor):
        condition = torch.tensor(bool(condition), device=like.device)
    if not (isinstance(a, torch.Tensor) or isinstance(b, torch.Tensor)):
        # Of two numbers torch makes float32, whatever they are multiplied with.
        a = torch.tensor(a, dtype=torch.float64, device=like.device)
    return torch.where(condition, a, b)


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
