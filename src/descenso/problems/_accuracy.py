"""Accuracy beside any loss: labels of any rank, one output for two classes, rows of shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descenso import ops
from descenso.data._check import check_labels
from descenso.errors import DataError, ProblemError
from descenso.language import _
from descenso.problems._pairing import Evaluate, differ_by_ones
from descenso.problems._problem import Array, Metric

#: What PyTorch leaves out of a cross-entropy by default, and others mark by its custom.
IGNORED = -100


@dataclass(frozen=True)
class Accuracy:
    """The share of labels that the outputs name; shapes decide how.

    Labels have the outputs' shape without the axis of classes: the largest output names one. Where
    outputs and targets hold the same numbers (but for axes of one), each output is a yes or no of
    its own, or, with ``shares``, the largest target is the label.

    Attributes
    ----------
    axis : of the classes in the outputs: 1 in PyTorch, the last elsewhere; the last too where only
        it fits.
    ignored : a label that does not count; ``None`` if all do.
    threshold : of an output that says yes.
    yes : of a target that says yes.
    shares : whether the targets are rows of one 1, or of shares that add up to 1.
    """

    axis: int = -1
    ignored: int | None = None
    threshold: float = 0.5
    yes: float = 0.5
    shares: bool = False

    def __call__(self, outputs: Array, targets: Array) -> Array:
        """Return it; ``outputs`` and ``targets`` as a loss takes them."""
        xp = ops.namespace(outputs)
        given, wanted = tuple(outputs.shape), tuple(targets.shape)
        axis = self.axis % len(given)
        if given[:axis] + given[axis + 1 :] != wanted and given[:-1] == wanted:
            axis = len(given) - 1  # nothing else fits
        if given[axis] > 1 and len(given) > 1 and given[:axis] + given[axis + 1 :] == wanted:
            named = xp.argmax(outputs, axis=axis)
        elif self.shares and given == wanted:
            named, targets = xp.argmax(outputs, axis=axis), xp.argmax(targets, axis=axis)
        elif differ_by_ones(given, wanted):
            named, said = xp.reshape(outputs, wanted) > self.threshold, targets > self.yes
            return self._share(xp, xp.where(named == said, 1.0, 0.0), targets)
        else:
            raise ProblemError(
                _(
                    "accuracy: outputs of shape {outputs} do not fit targets of shape {targets}; "
                    "outputs need an axis of classes more than labels, or the targets' own shape"
                ).format(outputs=given, targets=wanted)
            )
        return self._share(xp, xp.where(named == targets, 1.0, 0.0), targets)

    def _share(self, xp: Any, hits: Array, labels: Array) -> Array:
        if self.ignored is None:
            return xp.mean(hits)
        counts = xp.where(labels != self.ignored, 1.0, 0.0)
        return xp.sum(hits * counts) / xp.sum(counts)

    def as_metric(self) -> Metric:
        """Return it as a problem's metric."""
        return Metric("accuracy", self, higher_is_better=True, percent=True)


def accuracy_for(
    evaluate: Evaluate, targets: NDArray[Any], where: str, *, axis: int = -1, ignored: int | None
) -> Accuracy:
    """Return the accuracy that suits a loss and the targets it is given.

    Parameters
    ----------
    evaluate : the loss; it tells scores from probabilities.
    targets : of the training part.

    Raises
    ------
    DataError
        If the targets are neither labels, yes and no, nor rows that add up to 1.
    """
    if is_rows_of_shares(targets, axis):
        return Accuracy(axis, None, shares=True)
    counted = targets[targets != ignored] if ignored is not None else targets.ravel()
    signs = {-1.0, 1.0} == set(np.unique(counted).tolist())
    if not signs:
        if counted.dtype.kind == "f" and not np.array_equal(counted, np.floor(counted)):
            raise DataError(
                _(
                    "{where}: accuracy needs labels, or rows that add up to 1; got a target {value}"
                ).format(where=where, value=counted[counted != np.floor(counted)][0])
            )
        check_labels(counted, where)
    yes = 0.0 if signs else 0.5
    threshold = 0.0 if signs or prefers_scores(evaluate, targets) else 0.5
    return Accuracy(axis, ignored, threshold, yes)


def axis_of_classes(evaluate: Evaluate, targets: NDArray[Any], ignored: int | None) -> int:
    """Return the axis of the classes by what a loss makes of outputs that name every label: 1 or -1.

    It matters where sequences are as long as there are classes, so that shapes do not tell.
    """
    few = targets[:2]
    labels = np.where(few == ignored, 0, few) if ignored is not None else few
    if few.ndim < 2 or few.dtype.kind not in "iu" or not labels.size or labels.min() < 0:
        return 1
    found: dict[int, float] = {}
    for count in {int(targets.max()) + 1, few.shape[-1]}:
        if count <= labels.max():
            continue
        named = 10 * np.eye(count, dtype=np.float32)[labels]
        for axis in (1, -1):
            try:
                value = evaluate(np.moveaxis(named, -1, axis), few)
            except Exception:  # it takes no outputs of this shape
                continue
            if np.isfinite(value):
                found[axis] = min(value, found.get(axis, np.inf))
    return min(found, key=lambda axis: (found[axis], -axis)) if found else 1


def is_rows_of_shares(targets: NDArray[Any], axis: int) -> bool:
    """Whether each row of targets adds up to 1: one-hot, smoothed or mixed labels."""
    if targets.ndim < 2 or targets.shape[axis] < 2 or targets.dtype.kind not in "fiub":
        return False
    return bool(targets.min() >= 0 and np.allclose(targets.sum(axis), 1, atol=1e-4))


def prefers_scores(evaluate: Evaluate, targets: NDArray[Any]) -> bool:
    """Whether a loss takes outputs without bounds: then 0 is where yes and no part, not 0.5.

    Its value for a target of no goes on falling below an output of 0. That of a squared error
    rises, and a cross-entropy of probabilities has none there.
    """
    no = np.zeros(targets[:2].shape, np.float32)
    for shape in (no.shape, (*no.shape, 1), no.shape[:-1]):
        try:
            at_zero = evaluate(np.full(shape, 1e-6, np.float32), no)
            below = evaluate(np.full(shape, -3.0, np.float32), no)
        except Exception:  # another shape may do, or it takes no outputs below 0
            continue
        return bool(np.isfinite(below) and below < at_zero - 1e-3)
    return False
