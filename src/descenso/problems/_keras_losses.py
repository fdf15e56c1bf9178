"""What Keras's losses mean: how targets must look, and what a problem is then judged by."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

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
from descenso.problems._pairing import with_n
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
    """A loss in descenso's form, (outputs, targets) → scalar, and what it takes.

    Attributes
    ----------
    targets : what its targets are, one of the constants above.
    metric : what a problem is judged by, unless another is named.
    ignored : a label that does not count.
    probabilities : whether it takes outputs as probabilities (``from_logits=False``).
    """

    function: Callable[[Array, Array], Array]
    targets: str
    metric: Metric
    ignored: int | None = None
    probabilities: bool = False

    def check_targets(self, targets: Array, outputs: Array) -> None:
        """Check that targets of all examples are what it takes beside outputs of one.

        Raises
        ------
        ProblemError
            If they are rows of one 1 where it takes labels, or the other way round.
        """
        classes = outputs.shape[-1] if outputs.ndim > 1 else 1
        given, wanted = targets.shape[1:], outputs.shape[1:]
        way = ""
        if self.targets == LABELS and classes > 1 and given == wanted:
            way = _('Give labels (targets.argmax(-1)), or loss="categorical_crossentropy"')
        elif self.targets == ONE_HOT and given in (wanted[:-1], (*wanted[:-1], 1)):
            way = _(
                "Give rows of one 1 (keras.utils.to_categorical(labels)), or "
                'loss="sparse_categorical_crossentropy"'
            )
        elif self.targets == BINARY and classes > 1 and given in (wanted[:-1], (*wanted[:-1], 1)):
            way = _(
                'End the model with Dense(1), or give loss="sparse_categorical_crossentropy" and a '
                "model that ends in a softmax"
            )
        if way:
            raise ProblemError(
                _(
                    "the loss does not take targets of shape {targets} beside outputs of shape {outputs}."
                    " {way}"
                ).format(targets=with_n(targets.shape), outputs=with_n(outputs.shape), way=way)
            )

    def warn_of_scores(self, outputs: Array) -> None:
        """Warn where outputs of some examples are scores, and it takes probabilities."""
        if not self.probabilities:
            return
        within = bool((outputs >= 0).all() and (outputs <= 1).all())
        sums = outputs.sum(-1) if self.targets in (LABELS, ONE_HOT) else 1.0
        if within and np.allclose(sums, 1, atol=1e-2):
            return
        warnings.warn(
            _(
                "the loss takes probabilities, and the model's outputs are none: it rescales and clips "
                "them, and little is learnt. Give the loss from_logits=True, or end the model with {end}"
            ).format(end="softmax" if self.targets in (LABELS, ONE_HOT) else "sigmoid"),
            UserWarning,
            stacklevel=3,
        )


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
        if found is keras.metrics.binary_accuracy:
            found = keras.metrics.BinaryAccuracy()
        if not _is_metric(found):
            _check_suits(found.__name__, loss)
            return Metric(given, _keras_order(found), _higher_is_better(found))
        given = found
    if _is_metric(given):
        _check_suits(_name_of(given), loss)
        _warn_of_threshold(given, loss)
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
    try:
        metric.update_state(targets[:1], outputs)  # some make their variables at the first call
    except Exception as error:
        raise ProblemError(
            _(
                "metric: {name} does not take targets of shape {targets} beside outputs of shape "
                "{outputs}: {kind}: {error}"
            ).format(
                name=metric.name, targets=with_n(targets.shape), outputs=with_n(outputs.shape),
                kind=type(error).__name__, error=" ".join(str(error).split()),
            )
        ) from error  # fmt: skip
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

    return Metric(_without_count(metric), function, higher)


def _without_count(metric: Any) -> str:
    """Return a metric's name without the number that Keras gives the second one of its kind."""
    name = str(metric.name)
    bare = re.sub(r"_\d+$", "", name)
    return bare if bare.replace("_", "") == type(metric).__name__.lower() else name


def _higher_is_better(metric: Any) -> bool:
    """Return the direction that the name of a metric's class or function says.

    Raises
    ------
    ProblemError
        If it says none.
    """
    names = [metric.__name__] if hasattr(metric, "__name__") else [metric.name]
    names += [kind.__name__ for kind in type(metric).__mro__ if _is_own_kind(kind)]
    name = names[0]
    for known in names:
        found = higher_is_better(known)
        if found is not None:
            return found
    raise ProblemError(
        _(
            "from_keras: whether a higher {name} is better is not known. Give metric="
            "descenso.problems.Metric(name, function of (outputs, targets), higher_is_better=...)"
        ).format(name=name)
    )


def _is_own_kind(kind: type) -> bool:
    """Whether the name of a class of metrics may tell its direction."""
    import keras

    return issubclass(kind, keras.metrics.Metric) and kind is not keras.metrics.Metric


def _check_suits(name: str, loss: KerasLoss) -> None:
    """Refuse an accuracy that reads other targets than the loss: its figures would mean nothing."""
    kind = name.replace("_", "")
    sparse = kind.startswith("sparse")
    unfit = loss.targets == (ONE_HOT if sparse else LABELS)
    if unfit and kind.endswith("categoricalaccuracy"):
        raise ProblemError(
            _(
                "metric: {name} takes {wanted}, and the loss takes {given}; give metrics=[\"accuracy\"]"
            ).format(
                name=name, wanted=_("labels") if sparse else _("rows of one 1"),
                given=_("rows of one 1") if sparse else _("labels"),
            )
        )  # fmt: skip


def _warn_of_threshold(metric: Any, loss: KerasLoss) -> None:
    """Warn of a metric that takes probabilities, where the loss takes scores."""
    if loss.targets != BINARY or loss.probabilities:
        return
    settings = _settings_of(metric)
    ways = {
        "from_logits": (False, "from_logits=True"),
        "threshold": (0.5, "threshold=0"),
        "thresholds": (None, "thresholds=0"),
    }
    for setting, (usual, way) in ways.items():
        if setting in settings and settings[setting] == usual:
            warnings.warn(
                _(
                    "metric: {name} takes probabilities, and the loss takes scores (from_logits=True): "
                    "its figures would be wrong. Give keras.metrics.{kind}({way})"
                ).format(name=metric.name, kind=type(metric).__name__, way=way),
                UserWarning,
                stacklevel=3,
            )
            return


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
    settings = _settings_of(loss)
    ignored, scores = settings.get("ignore_class"), bool(settings.get("from_logits"))
    if targets == LABELS:
        judge = ACCURACY if ignored is None else Accuracy(ignored=ignored).as_metric()
        return KerasLoss(function, targets, judge, ignored, not scores)
    if targets == ONE_HOT:
        return KerasLoss(
            function, targets, _accuracy_metric(_one_hot_accuracy), probabilities=not scores
        )
    if targets == BINARY:
        judge = _accuracy_metric(_binary_accuracy(scores))
        return KerasLoss(function, targets, judge, probabilities=not scores)
    squared = loss is mean_squared_error or name in _SQUARED
    fitting = R2 if squared else Metric("loss", function, higher_is_better=False)
    return KerasLoss(function, targets, fitting)


def _settings_of(loss: Any) -> Mapping[str, Any]:
    """Return what a loss is made with, or the arguments that functools.partial holds."""
    return loss.get_config() if hasattr(loss, "get_config") else getattr(loss, "keywords", {})


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
