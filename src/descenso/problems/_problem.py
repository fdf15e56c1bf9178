"""What a problem is: model + data + loss + metric + target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from descenso.data import Data, Split
from descenso.methods import SIX

__all__ = [
    "UNNAMED",
    "Array",
    "Data",
    "Metric",
    "Params",
    "Problem",
    "Split",
    "TrainLoss",
    "Variables",
    "trained",
    "with_trained",
]

UNNAMED = "own"  # the name of a user's problem until it is given one

Params: TypeAlias = Any  # a tree (dict, list, tuple) of arrays
Array: TypeAlias = Any


class Variables(NamedTuple):
    """The parameters of a problem whose training has a state, such as moving averages.

    Attributes
    ----------
    trained : a tree of floating arrays, which the rule moves along the gradient.
    carried : a tree of arrays that a training step replaces, and evaluation reads.
    """

    trained: Params
    carried: Params


#: (variables, inputs, targets, JAX PRNG key) → (loss of the step, what it carries on).
TrainLoss: TypeAlias = Callable[[Variables, Array, Array, Array], tuple[Array, Params]]


def trained(params: Params) -> Params:
    """Return the part of the parameters that the rule moves: all of them, but for Variables."""
    return params.trained if isinstance(params, Variables) else params


def with_trained(params: Params, moved: Params) -> Params:
    """Return the parameters with the part that the rule moves replaced."""
    return params._replace(trained=moved) if isinstance(params, Variables) else moved


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
    train_loss : what a training step differentiates, where that is not the loss of ``apply``'s
        outputs: (:class:`Variables`, inputs, targets, key) → (loss, what the step carries on).
        ``init`` then gives :class:`Variables`. The key is a JAX PRNG key that depends on the study
        seed, the member's seed, the epoch and the step alone. Dropout, batch normalisation and
        penalties belong here; ``apply`` evaluates.
    metric : what the problem is judged by.
    target : value of the metric that counts as solved, for time-to-target; ``None`` if unset.
    batch_size : examples per step in the mini-batch regime.
    epochs : the budget unless told otherwise, in passes over the training examples.
    methods : what is compared unless told otherwise.
    framework : whose arrays its functions take, ``jax`` or ``torch``; it decides the engine. With
        ``torch``, ``init`` gives a module, and ``apply`` calls it in the mode it stands in.
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
    train_loss: TrainLoss | None = None
    framework: str = "jax"
    details: Mapping[str, Any] = field(default_factory=dict)
