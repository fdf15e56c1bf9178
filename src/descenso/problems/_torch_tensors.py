"""Hand examples and weights over between NumPy and torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from descenso.data import Split
from descenso.problems._several import unpack

#: Inputs (one or several) and targets, each with a first axis that counts examples.
Batch = tuple[tuple[torch.Tensor, ...], torch.Tensor]


def tensors_of(part: Split, dtype: torch.dtype, rows: slice = slice(None)) -> Batch:
    """Return a part's examples as tensors, floating numbers in ``dtype``, others untouched."""
    inputs = unpack(np.asarray(part.inputs)[rows])
    targets = np.asarray(part.targets)[rows]
    return tuple(_tensor(a, dtype) for a in inputs), _tensor(targets, dtype)


def _tensor(array: NDArray[Any], dtype: torch.dtype) -> torch.Tensor:
    # A copy of torch's own lies where its vector instructions like it, in every process alike.
    tensor = torch.tensor(np.ascontiguousarray(array))
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def floating_dtype(module: torch.nn.Module) -> torch.dtype:
    """Return the dtype that a module computes in: that of its first floating parameter."""
    for tensor in module.parameters():
        if tensor.is_floating_point():
            return tensor.dtype
    return torch.get_default_dtype()


def cut(tensor: torch.Tensor, sizes: int | list[int]) -> tuple[torch.Tensor, ...]:
    """Return views of a tensor cut along its first axis, each of one size or of its own."""
    pieces: tuple[torch.Tensor, ...] = tensor.split(sizes)  # type: ignore[no-untyped-call]
    return pieces


def channels_last(tensor: torch.Tensor) -> torch.Tensor:
    """Return images with their channels laid last, also where there is one: anything else as is.

    To torch, images of one channel lie in both orders; what follows takes the order of the strides.
    """
    if tensor.ndim != 4:
        return tensor
    _examples, channels, height, width = tensor.shape
    laid = tensor.contiguous(memory_format=torch.channels_last)
    return laid.as_strided(tensor.shape, (channels * height * width, 1, channels * width, channels))
