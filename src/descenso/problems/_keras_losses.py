"""What Keras's losses mean: how targets must look, and what a problem is then judged by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from descenso.errors import ProblemError, UnknownNameError, nearest
from descenso.language import _
from descenso.metric_names import higher_is_better
from descenso.problems._figures import (
    ACCURACY,
    LOSSES,
    METRICS,
    R2,
    cross_entropy,
    mean_squared_error,
)
from descenso.problems._problem import Array, Metric

#: What the targets of a loss are: labels from 0, rows of one 1, a 0 or 1 each, or figures.
LABELS, ONE_HOT, BINARY, FIGURES = "labels", "one-hot", "binary", "figures"
_TARGETS = {
    "sparse_categorical_crossentropy": LABELS,
    "categorical_crossentropy": ONE_HOT,
    "categorical_focal_crossentropy": ONE_HOT,
    "binary_crossentropy": BINARY,
    "binary_focal_crossentropy": BINARY,
}
_SQUARED = ("mse", "mean_squared_error")


@dataclass(frozen=True)
class KerasLoss:
    """A loss in descenso's form, (outputs, targets) → scalar, and what it takes for targets."""

    function: Callable[[Array, Array], Array]
    targets: str
    metric: Metric


def read_loss(given: Any, model: Any) -> KerasLoss:
    """Return the loss that ``given`` means for ``model``; ``None`` means the compiled one.

    Raises
    ------
    ProblemError
        If there is none, or it is of the wrong kind.
    UnknownNameError
        If neither descenso nor Keras has a loss of that name.
    """
    if given is None:
        given = getattr(model, "loss", None)
        if given is None:
            raise ProblemError(_("from_keras: give a loss, or a model that is compiled with one"))
    if given == "cross-entropy":
        if not ends_in_probabilities(model):
            return KerasLoss(cross_entropy, LABELS, ACCURACY)
        given = "sparse_categorical_crossentropy"
    elif isinstance(given, str) and given in LOSSES:
        return KerasLoss(LOSSES[given], FIGURES, R2)
    return _of_keras(_found(given) if isinstance(given, str) else given)


def read_metric(given: Any, loss: KerasLoss) -> Metric:
    """Return the metric that ``given`` means; ``None`` means the one that fits the loss.

    Raises
    ------
    UnknownNameError, ProblemError
        If there is no metric of that name, or it is no function.
    """
    if given is None:
        return loss.metric
    if isinstance(given, Metric):
        return given
    if given == "accuracy" and loss.targets != FIGURES:
        return loss.metric
    if isinstance(given, str):
        if given not in METRICS:
            raise _unknown(given, METRICS, _("metric"))
        return METRICS[given]
    _check_function(given, "metric")
    name = str(getattr(given, "name", None) or getattr(given, "__name__", "metric"))
    return Metric(name, _keras_order(given), higher_is_better=higher_is_better(name) is True)


def ends_in_probabilities(model: Any) -> bool:
    """Whether the last layer is a softmax, so that outputs are shares and not scores."""
    layers = getattr(model, "layers", None) or [model]
    last = layers[-1]
    activation = getattr(getattr(last, "activation", None), "__name__", "")
    return "softmax" in (activation, type(last).__name__.lower())


def _found(name: str) -> Any:
    import keras

    try:
        return keras.losses.get(name)
    except ValueError:
        raise _unknown(name, {**LOSSES, **_TARGETS}, _("loss")) from None


def _unknown(name: str, known: Mapping[str, Any], what: str) -> UnknownNameError:
    close = nearest(name, known)
    hint = _(" Did you mean {name!r}?").format(name=close) if close else ""
    text = _("there is no {what} named {name!r}; there are {known}, or give a function.")
    return UnknownNameError(text.format(what=what, name=name, known=", ".join(known)) + hint)


def _of_keras(loss: Any) -> KerasLoss:
    _check_function(loss, "loss")
    name = str(getattr(loss, "name", None) or getattr(loss, "__name__", "loss"))
    function, targets = _keras_order(loss), _TARGETS.get(name, FIGURES)
    if targets == LABELS:
        return KerasLoss(function, targets, ACCURACY)
    if targets == ONE_HOT:
        return KerasLoss(function, targets, _accuracy_metric(_one_hot_accuracy))
    if targets == BINARY:
        scores = hasattr(loss, "get_config") and loss.get_config().get("from_logits", False)
        return KerasLoss(function, targets, _accuracy_metric(_binary_accuracy(bool(scores))))
    squared = loss is mean_squared_error or name in _SQUARED
    fitting = R2 if squared else Metric("loss", function, higher_is_better=False)
    return KerasLoss(function, targets, fitting)


def _keras_order(function: Any) -> Callable[[Array, Array], Array]:
    """Return a function of Keras, (targets, outputs) → figures, as (outputs, targets) → mean."""

    def in_our_order(outputs: Array, targets: Array) -> Array:
        import keras

        return keras.ops.mean(function(targets, outputs))

    return in_our_order


def _accuracy_metric(function: Callable[[Array, Array], Array]) -> Metric:
    return Metric("accuracy", function, higher_is_better=True, percent=True)


def _one_hot_accuracy(outputs: Array, targets: Array) -> Array:
    return (outputs.argmax(-1) == targets.argmax(-1)).mean()


def _binary_accuracy(scores: bool) -> Callable[[Array, Array], Array]:
    threshold = 0.0 if scores else 0.5

    def binary_accuracy(outputs: Array, targets: Array) -> Array:
        return ((outputs > threshold) == (targets > 0.5)).mean()

    return binary_accuracy


def _check_function(given: Any, what: str) -> None:
    if not callable(given):
        raise ProblemError(
            _("{what} must be a function; got {kind}").format(what=what, kind=type(given).__name__)
        )
