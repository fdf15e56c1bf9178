"""Losses and metrics: (outputs, targets) → one figure over all the examples given.

They use the closed list of operations only, so that they run on any framework's arrays.
"""

from __future__ import annotations

from descenso import ops
from descenso.errors import ProblemError
from descenso.language import _
from descenso.problems._pairing import remedy
from descenso.problems._problem import Array, Metric


def cross_entropy(outputs: Array, labels: Array) -> Array:
    """Return the mean of log Σⱼ exp(oⱼ) − o_label, in nats.

    Parameters
    ----------
    outputs : unnormalised scores, shape (examples, ..., classes).
    labels : integers from 0 to classes − 1, shape (examples, ...).
    """
    _check_labels_fit(outputs, labels)
    xp = ops.namespace(outputs)
    # The largest score is taken out first, so that no exponential overflows.
    scores = outputs - xp.max(outputs, axis=-1, keepdims=True)
    chosen = xp.where(xp.one_hot(labels, outputs.shape[-1]), scores, xp.zeros_like(scores))
    return xp.mean(xp.log(xp.sum(xp.exp(scores), axis=-1)) - xp.sum(chosen, axis=-1))


def mean_squared_error(outputs: Array, targets: Array) -> Array:
    """Return the mean of (output − target)² over examples and columns."""
    _check_same_shape(outputs, targets)
    return ops.namespace(outputs).mean((outputs - targets) ** 2)


def root_mean_squared_error(outputs: Array, targets: Array) -> Array:
    """Return the square root of the mean squared error, in the unit of the targets."""
    return ops.namespace(outputs).sqrt(mean_squared_error(outputs, targets))


def r_squared(outputs: Array, targets: Array) -> Array:
    """Return 1 − Σ(target − output)² / Σ(target − mean target)²: the share of variance explained.

    1 is perfect, 0 no better than the mean; it does not depend on the unit of the targets. With
    several columns it is their mean; a column whose targets are all equal counts 0.
    """
    _check_same_shape(outputs, targets)
    xp = ops.namespace(outputs)
    residual = xp.sum((targets - outputs) ** 2, axis=0)
    total = xp.sum((targets - xp.mean(targets, axis=0)) ** 2, axis=0)
    varies = total > 0
    explained = 1 - residual / xp.where(varies, total, xp.ones_like(total))
    return xp.mean(xp.where(varies, explained, xp.zeros_like(total)))


def accuracy(outputs: Array, labels: Array) -> Array:
    """Return the share of labels at which the outputs are largest; shapes as a cross-entropy's."""
    _check_labels_fit(outputs, labels)
    xp = ops.namespace(outputs)
    return xp.mean(xp.where(xp.argmax(outputs, axis=-1) == labels, 1.0, 0.0))


ACCURACY = Metric("accuracy", accuracy, higher_is_better=True, percent=True)
MSE = Metric("mse", mean_squared_error, higher_is_better=False)
RMSE = Metric("rmse", root_mean_squared_error, higher_is_better=False)
R2 = Metric("r2", r_squared, higher_is_better=True)

#: What a loss or a metric may be named by.
LOSSES = {"cross-entropy": cross_entropy, "mse": mean_squared_error}
METRICS = {metric.name: metric for metric in (ACCURACY, MSE, RMSE, R2)}
#: What checks by itself that outputs and targets fit.
KNOWN = (*LOSSES.values(), *(metric.function for metric in METRICS.values()))


def _check_same_shape(outputs: Array, targets: Array) -> None:
    # Broadcasting (5, 1) against (5,) would give 25 differences and learn a flat line.
    given, wanted = tuple(outputs.shape), tuple(targets.shape)
    if given != wanted:
        raise ProblemError(
            _("outputs of shape {outputs} do not fit targets of shape {targets}. {remedy}").format(
                outputs=given, targets=wanted, remedy=remedy(given, wanted)
            )
        )


def _check_labels_fit(outputs: Array, labels: Array, axis: int = -1) -> None:
    """Check that labels have the outputs' shape without the axis of classes."""
    given, found = tuple(outputs.shape), tuple(labels.shape)
    at = axis % len(given) if len(given) > 1 else 0
    if len(given) > 1 and given[:at] + given[at + 1 :] == found:
        return
    hint = ""
    if given == found and len(given) > 1 and axis == -1:
        hint = _(" Rows of shares need a loss of your own, or labels: targets.argmax(-1).")
    elif len(given) > 2 and given[:-1] == found:
        hint = _(" Have the model put classes second: outputs.movedim(-1, 1).")
    elif given == found and len(given) > 1:
        hint = _(" Give labels.argmax(1), or, as shares of each class, labels.float().")
    elif len(found) > 1 and found[-1] == 1 and found[:-1] == given[:at] + given[at + 1 :]:
        hint = _(" Give labels.squeeze(-1).")
    elif len(found) > 2 and found[1] == 1 and found[:1] + found[2:] == given[:at] + given[at + 1 :]:
        hint = _(" Give labels.squeeze(1).")
    raise ProblemError(
        _(
            "class labels need outputs of shape {wanted} and labels of shape "
            "{wanted_labels}; got {outputs} and {labels}."
        ).format(
            wanted=_("(examples, classes, ...)") if axis == 1 else _("(examples, ..., classes)"),
            wanted_labels=_("(examples, ...)"), outputs=given, labels=found,
        )
        + hint
    )  # fmt: skip
