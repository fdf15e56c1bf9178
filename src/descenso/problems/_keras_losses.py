"""What Keras's losses mean: how targets must look, and what a problem is then judged by."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from descenso.errors import ProblemError, UnknownNameError
from descenso.language import _, did_you_mean
from descenso.metric_names import higher_is_better
from descenso.problems._accuracy import Accuracy, accuracy_for
from descenso.problems._figures import (
    ACCURACY,
    LOSSES,
    METRICS,
    R2,
    cross_entropy,
    mean_squared_error,
)
from descenso.problems._from_jax import evaluated
from descenso.problems._from_table import say_on_stderr
from descenso.problems._keras_overrides import compiled_metrics
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
    ignored: int | None = None


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
        if isinstance(given, dict | list | tuple) and len(given) == 1:
            (given,) = given.values() if isinstance(given, dict) else given
        if given is None:
            raise ProblemError(_("from_keras: give a loss, or a model that is compiled with one"))
    if given == "cross-entropy":
        if not ends_in_probabilities(model):
            return KerasLoss(cross_entropy, LABELS, ACCURACY)
        given = "sparse_categorical_crossentropy"
    elif isinstance(given, str) and given in LOSSES:
        return KerasLoss(LOSSES[given], FIGURES, R2)
    return _of_keras(_found(given) if isinstance(given, str) else given)


def read_metric(given: Any, loss: KerasLoss, model: Any, sample: Callable[[], Any]) -> Metric:
    """Return the metric that ``given`` means; ``None`` means the one that fits the loss, or the
    first that the model is compiled with.

    Parameters
    ----------
    sample : () → targets of all training examples, and outputs of the first.

    Raises
    ------
    UnknownNameError, ProblemError
        If there is no metric of that name, or it is no function.
    """
    if given is None:
        named = compiled_metrics(model)
        if not named:
            return loss.metric
        if len(named) > 1:
            say_on_stderr(
                _("the model is compiled with {count} metrics; it is judged by the first").format(
                    count=len(named)
                )
            )
        found = read_metric(named[0], loss, model, sample)
        if isinstance(named[0], str) or _is_metric(named[0]):
            return found
        return Metric(found.name, found.function, _higher_is_better(named[0]))
    if isinstance(given, Metric):
        return given
    if isinstance(given, str) and given.lower() in ("accuracy", "acc"):
        if loss.targets != FIGURES:
            return loss.metric
        targets, _outputs = sample()
        return accuracy_for(
            evaluated(loss.function), targets, _("the data"), ignored=None
        ).as_metric()
    if isinstance(given, str) and given in METRICS:
        return METRICS[given]
    if isinstance(given, str):
        import keras

        try:
            found = keras.metrics.get(given)
        except ValueError:
            raise _unknown(given, METRICS, _("metric")) from None
        if not _is_metric(found):
            return Metric(given, _keras_order(found), _higher_is_better(found))
        return _followed(found, sample)
    if _is_metric(given):
        return _followed(given, sample)
    _check_function(given, "metric")
    name = str(getattr(given, "name", None) or getattr(given, "__name__", "metric"))
    return Metric(name, _keras_order(given), higher_is_better=higher_is_better(name) is True)


def _is_metric(given: Any) -> bool:
    import keras

    return isinstance(given, keras.metrics.Metric)


def _followed(metric: Any, sample: Callable[[], Any]) -> Metric:
    """Return a metric of Keras, computed over a whole part from its start."""
    higher = _higher_is_better(metric)
    metric = type(metric).from_config(metric.get_config())
    targets, outputs = sample()
    metric.update_state(targets[:1], outputs)  # some make their variables at the first call
    metric.reset_state()

    def function(outputs: Array, targets: Array) -> Array:
        state = metric.stateless_reset_state()
        state = metric.stateless_update_state(state, targets, outputs)
        found = metric.stateless_result(state)
        if getattr(found, "shape", None) not in ((), (1,)):
            raise ProblemError(
                _("metric: {name} gives several figures; it must give one").format(name=metric.name)
            )
        return found.reshape(())

    return Metric(str(metric.name), function, higher)


def _higher_is_better(metric: Any) -> bool:
    """Return the direction that the name of a metric's class or function says.

    Raises
    ------
    ProblemError
        If it says none.
    """
    name = metric.__name__ if hasattr(metric, "__name__") else type(metric).__name__
    found = higher_is_better(name)
    if found is not None:
        return found
    raise ProblemError(
        _(
            "from_keras: whether a higher {name} is better is not known. Give metric="
            "descenso.problems.Metric(name, function of (outputs, targets), higher_is_better=...)"
        ).format(name=name)
    )


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
    hint = did_you_mean(name, known)
    text = _("there is no {what} named {name!r}; there are {known}, or give a function.")
    return UnknownNameError(text.format(what=what, name=name, known=", ".join(known)) + hint)


def _of_keras(loss: Any) -> KerasLoss:
    _check_function(loss, "loss")
    name = _name_of(loss)
    function, targets = _keras_order(loss), _TARGETS.get(name, FIGURES)
    if targets == LABELS:
        ignored = loss.get_config().get("ignore_class") if hasattr(loss, "get_config") else None
        judge = ACCURACY if ignored is None else Accuracy(ignored=ignored).as_metric()
        return KerasLoss(function, targets, judge, ignored)
    if targets == ONE_HOT:
        return KerasLoss(function, targets, _accuracy_metric(_one_hot_accuracy))
    if targets == BINARY:
        scores = hasattr(loss, "get_config") and loss.get_config().get("from_logits", False)
        return KerasLoss(function, targets, _accuracy_metric(_binary_accuracy(bool(scores))))
    squared = loss is mean_squared_error or name in _SQUARED
    fitting = R2 if squared else Metric("loss", function, higher_is_better=False)
    return KerasLoss(function, targets, fitting)


def _name_of(loss: Any) -> str:
    """Return Keras's name of a loss, whatever its user calls it."""
    loss = getattr(loss, "func", loss)  # of functools.partial
    name = getattr(loss, "__name__", None)
    if name is not None:
        return str(name)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(loss).__name__).lower()


def _keras_order(function: Any) -> Callable[[Array, Array], Array]:
    """Return a function of Keras, (targets, outputs) → figures, as (outputs, targets) → mean."""

    def in_our_order(outputs: Array, targets: Array) -> Array:
        import keras

        if not isinstance(function, keras.losses.Loss | keras.metrics.Metric):
            outputs, targets = _of_one_rank(outputs, targets)
        return keras.ops.mean(function(targets, outputs))

    return in_our_order


def _of_one_rank(outputs: Array, targets: Array) -> tuple[Array, Array]:
    """Return both as ``compile`` hands them to a function: a last axis of one is added or left out."""
    for one, other in ((outputs, targets), (targets, outputs)):
        if one.ndim == other.ndim + 1 and one.shape[-1] == 1:
            fitted = (one, other[:, None]) if other.ndim == 1 else (one[..., 0], other)
            return fitted if one is outputs else fitted[::-1]
    return outputs, targets


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
