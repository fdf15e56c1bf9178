"""What walking one member takes in every engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from descenso.engine.contract import Floats, Rows

#: Examples that a gradient is computed over at a time, so that it fits in memory.
EXAMPLES_AT_A_TIME = 1_024


def end_to_end(arrays: Sequence[Any]) -> Floats:
    """Return arrays as one vector."""
    if not arrays:
        return np.empty(0)
    return np.concatenate([np.ravel(np.asarray(array, np.float64)) for array in arrays])


def mean_gradient(rows: Rows, gradient: Callable[[Rows, int], Floats]) -> Floats:
    """Return the mean gradient over examples.

    Parameters
    ----------
    gradient : (some of the rows, how many such have come before) → their mean gradient.
    """
    firsts = range(0, len(rows), EXAMPLES_AT_A_TIME)
    some = [rows[first : first + EXAMPLES_AT_A_TIME] for first in firsts]
    return np.asarray(sum(len(r) / len(rows) * gradient(r, i) for i, r in enumerate(some)))
