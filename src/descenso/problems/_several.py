"""Keep several inputs of one example in one array whose first axis counts examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def pack(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return a structured array with a field for each of ``arrays``, or the only one as it is."""
    if len(arrays) == 1:
        return arrays[0]
    fields = [(f"input{i}", a.dtype, a.shape[1:]) for i, a in enumerate(arrays)]
    packed = np.empty(len(arrays[0]), fields)
    for (name, *_), array in zip(fields, arrays, strict=True):
        packed[name] = array
    return packed


def unpack(array: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return what was packed, each contiguous."""
    names = array.dtype.names
    return tuple(np.ascontiguousarray(array[name]) for name in names) if names else (array,)
