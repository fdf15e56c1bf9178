"""The losses that a torch problem may name, by torch's own functions: one call, not ten."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional

from descenso.problems._figures import _check_labels_fit, _check_same_shape


def cross_entropy(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean of log Σⱼ exp(oⱼ) − o_label, in nats."""
    _check_labels_fit(outputs, labels)
    return functional.cross_entropy(outputs, labels)


def mean_squared_error(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the mean of (output − target)² over examples and columns."""
    _check_same_shape(outputs, targets)
    return functional.mse_loss(outputs, targets)


LOSSES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "cross-entropy": cross_entropy,
    "mse": mean_squared_error,
}
