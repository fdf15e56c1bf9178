"""Warn of a loss that does not suit the outputs it is given, as its values show.

Softmax before a cross-entropy that takes scores, scores before one that takes logarithms of shares,
a sigmoid before a loss with one of its own, a sum where a mean is meant: each trains, but worse, and
learning rates that are found so hold nowhere else. No shape shows it, but values do.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descenso.language import _
from descenso.problems._accuracy import is_rows_of_shares, prefers_scores
from descenso.problems._pairing import Evaluate

Numbers = NDArray[Any]
#: What parameters are multiplied by to see whether outputs have bounds.
ENLARGED = 100.0
_SHIFTS = (1.0, 2.0)
NUMBERS = 100_000  # of the outputs that a loss is tried on


def rows_that_show(shape: Sequence[int]) -> int:
    """Return how many examples' outputs are tried: fewer where each has many."""
    return int(max(2, NUMBERS // max(1, int(np.prod(shape[1:])))))


def warn_of_loss(
    evaluate: Evaluate,
    outputs: Numbers,
    targets: Numbers,
    axis: int,
    enlarged: Callable[[], Numbers],
) -> None:
    """Warn where a loss and the untrained outputs of a batch do not suit each other.

    Parameters
    ----------
    evaluate : the loss.
    outputs, targets : of the batch, as the loss takes them.
    axis : of classes in the outputs.
    enlarged : gives the outputs at parameters that are ``ENLARGED`` times as large.
    """
    found: list[str] = []
    with contextlib.suppress(Exception):  # it cannot be tried on other values: no more is known
        found.extend(_found(evaluate, outputs, targets, axis, enlarged))
    for text in found:
        warnings.warn(text, UserWarning, stacklevel=4)


def _found(
    evaluate: Evaluate, outputs: Numbers, targets: Numbers, axis: int,
    enlarged: Callable[[], Numbers],
) -> Iterator[str]:  # fmt: skip
    value = evaluate(outputs, targets)
    if _adds_up(evaluate, outputs, targets, value):
        yield _(
            "the loss of a batch given twice is twice as large: it adds up over examples, so that the "
            'learning rates found hold for one batch size only. Take the mean (reduction="mean")'
        )
    shifted = [evaluate(outputs + by, targets) - value for by in _SHIFTS]
    scale = 1e-3 * max(1.0, abs(value))
    of_classes = outputs.ndim > 1 and outputs.shape[axis] > 1
    if of_classes and np.allclose(shifted, 0, atol=scale):  # it subtracts what all scores share
        if _are_shares(outputs, axis):
            yield _(
                "the outputs add up to 1, and the loss applies softmax itself: softmax runs twice, which "
                "slows learning. Return the scores before it"
            )
        elif _is_bounded(outputs, enlarged):
            yield _bounded()
    elif of_classes and _takes_logarithms(shifted, outputs, targets, axis):
        sums = np.exp(outputs.astype(np.float64)).sum(axis)
        if not np.allclose(sums, 1, atol=1e-2):
            yield _(
                "the loss takes logarithms of shares, and the outputs are none: it falls without end "
                "while nothing is learnt. End the model with log_softmax, or give a cross-entropy"
            )
    elif (
        _are_yes_and_no(targets)
        and prefers_scores(evaluate, targets)
        and _is_bounded(outputs, enlarged)
    ):
        yield _bounded()


def _bounded() -> str:
    return _(
        "the outputs stay between 0 and 1 however large the parameters are, and the loss takes scores "
        "without bounds: sigmoid runs twice, which slows learning. Return the scores before it"
    )


def _adds_up(evaluate: Evaluate, outputs: Numbers, targets: Numbers, value: float) -> bool:
    twice = evaluate(np.concatenate([outputs, outputs]), np.concatenate([targets, targets]))
    return abs(value) > 1e-6 and bool(np.isclose(twice, 2 * value, rtol=1e-3))


def _takes_logarithms(shifted: list[float], outputs: Numbers, targets: Numbers, axis: int) -> bool:
    """Whether a loss of classes is linear in its outputs, and falls as they grow."""
    axis %= outputs.ndim
    of_labels = targets.dtype.kind in "iu" and (
        outputs.shape[:axis] + outputs.shape[axis + 1 :] == targets.shape
    )
    if not of_labels and not (outputs.shape == targets.shape and is_rows_of_shares(targets, axis)):
        return False
    return shifted[0] < 0 and bool(np.isclose(shifted[1], 2 * shifted[0], rtol=1e-3))


def _are_shares(outputs: Numbers, axis: int) -> bool:
    """Whether outputs are those of a softmax, to the precision of 16 bits."""
    return bool(outputs.min() >= 0 and np.allclose(outputs.sum(axis), 1, atol=1e-2))


def _are_yes_and_no(targets: Numbers) -> bool:
    return bool(np.isin(targets, (0, 1)).all())


def _is_bounded(outputs: Numbers, enlarged: Callable[[], Numbers]) -> bool:
    """Whether outputs lie between 0 and 1 at these parameters, and at far larger ones."""
    if not _within(outputs) or np.ptp(outputs) == 0:
        return False
    return _within(enlarged())


def _within(outputs: Numbers) -> bool:
    return bool((outputs >= 0).all() and (outputs <= 1).all())
