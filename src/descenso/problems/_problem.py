"""What a problem is: model + data + loss + metric + target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from descenso.data import Data, Split
from descenso.methods import SIX

__all__ = ["UNNAMED", "Array", "Data", "Metric", "Params", "Problem", "Split"]

UNNAMED = "own"  # the name of a user's problem until it is given one

Params: TypeAlias = Any  # a tree (dict, list, tuple) of arrays
Array: TypeAlias = Any


@dataclass(frozen=True)
class Metric:
    """A figure that judges outputs.

    Attributes
    ----------
    name : the field's word for it, such as ``accuracy``.
    function : (outputs, targets) → one figure over all the examples given, a scalar. It need not
        be a mean over them (R² is not), so it is always given a whole part.
    higher_is_better : its direction.
    percent : whether it is a share, shown as a percentage.
    """

    name: str
    function: Callable[[Array, Array], Array]
    higher_is_better: bool
    percent: bool = False


@dataclass(frozen=True)
class Problem:
    """A model to train, the data to train it on, and how to judge it.

    Attributes
    ----------
    name : how a user names it.
    summary : one line that says what is trained on what.
    make_data : split seed → :class:`Data`.
    init : ``numpy.random.Generator`` → initial parameters, a tree of float arrays.
    apply : (parameters, inputs) → outputs.
    loss : (outputs, targets) → mean loss over the examples, a scalar.
    metric : what the problem is judged by.
    target : value of the metric that counts as solved, for time-to-target; ``None`` if unset.
    batch_size : examples per step in the mini-batch regime.
    epochs : the budget unless told otherwise, in passes over the training examples.
    methods : what is compared unless told otherwise.
    """

    name: str
    summary: str
    make_data: Callable[[int], Data]
    init: Callable[[np.random.Generator], Params]
    apply: Callable[[Params, Array], Array]
    loss: Callable[[Array, Array], Array]
    metric: Metric
    target: float | None = None
    batch_size: int = 32
    epochs: int = 20
    methods: tuple[str, ...] = SIX
    details: Mapping[str, Any] = field(default_factory=dict)
