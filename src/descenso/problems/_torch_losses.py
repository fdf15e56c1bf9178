"""Losses of torch problems: those that are named, and what those of the user's own take."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from descenso.language import _
from descenso.problems._accuracy import IGNORED
from descenso.problems._figures import _check_labels_fit, _check_same_shape
from descenso.problems._pairing import Evaluate

_OF_LABELS = (torch.nn.CrossEntropyLoss, torch.nn.NLLLoss)


def cross_entropy(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean of log Σⱼ exp(oⱼ) − o_label, in nats, over all labels but −100.

    ``outputs`` have shape (examples, classes, ...), ``labels`` (examples, ...), or, as shares of
    each class, the outputs' own.
    """
    if not labels.is_floating_point() or outputs.shape != labels.shape:
        _check_labels_fit(outputs, labels, 1)
    return functional.cross_entropy(outputs, labels)


def mean_squared_error(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the mean of (output − target)² over examples and columns."""
    _check_same_shape(outputs, targets)
    return functional.mse_loss(outputs, targets)


LOSSES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "cross-entropy": cross_entropy,
    "mse": mean_squared_error,
}


def takes_labels(loss: Any) -> bool:
    """Whether a loss takes labels of classes: a cross-entropy of torch's or ours."""
    known = (cross_entropy, functional.cross_entropy, functional.nll_loss)
    return isinstance(loss, _OF_LABELS) or any(loss is one for one in known)


def ignored_label(loss: Any, targets: NDArray[Any]) -> int | None:
    """Return the label that a loss leaves out; ``None`` if all targets count."""
    if isinstance(loss, _OF_LABELS):
        return int(loss.ignore_index)
    if takes_labels(loss) or (targets.dtype.kind == "i" and (targets == IGNORED).any()):
        return IGNORED
    return None


def to_ignore(label: Any) -> str:
    """Return how to leave out a label that marks what does not count."""
    return _(
        ". If it marks what does not count, give loss=nn.CrossEntropyLoss(ignore_index={label})"
    ).format(label=label)


def evaluated(function: Any, dtype: torch.dtype) -> Evaluate:
    """Return a loss or metric as a function of arrays, as probes take it."""

    def evaluate(outputs: NDArray[Any], targets: NDArray[Any]) -> float:
        given, wanted = torch.tensor(outputs, dtype=dtype), torch.tensor(np.array(targets))
        wanted = wanted.to(dtype) if wanted.is_floating_point() else wanted
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return float(function(given, wanted))

    return evaluate
