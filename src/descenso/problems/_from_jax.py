"""Make a problem of the user's own JAX functions and arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from descenso.data import Data, Split, check_examples, split
from descenso.data._check import check_labels
from descenso.errors import DataError, ProblemError, UnknownNameError
from descenso.language import N_, _, did_you_mean
from descenso.methods import SIX
from descenso.metric_names import higher_is_better
from descenso.problems._accuracy import IGNORED, accuracy_for
from descenso.problems._figures import (
    ACCURACY,
    LOSSES,
    METRICS,
    R2,
    accuracy,
    cross_entropy,
    mean_squared_error,
)
from descenso.problems._pairing import Evaluate
from descenso.problems._problem import UNNAMED, Array, Metric, Params, Problem, TrainLoss

Examples = Split | tuple[Array, Array]
PARTS = ("train", "validation", "test")


def from_jax(
    init: Callable[[Array], Params],
    apply: Callable[[Params, Array], Array],
    data: Data | Mapping[str, Examples] | Examples,
    *,
    loss: str | Callable[[Array, Array], Array] = "cross-entropy",
    metric: str | Metric | Callable[[Array, Array], Array] | None = None,
    name: str = UNNAMED,
    target: float | None = None,
    batch_size: int = 32,
    epochs: int = 20,
    methods: tuple[str, ...] = SIX,
    train_loss: TrainLoss | None = None,
) -> Problem:
    """Return a problem made of JAX functions and arrays.

    Parameters
    ----------
    init : JAX PRNG key → initial parameters, a tree of floating arrays.
    apply : (parameters, inputs of shape (examples, ...)) → outputs of shape (examples, ...).
    data : :class:`Data`; or ``{"train": (x, y), "validation": (x, y), "test": (x, y)}``; or one
        pair ``(x, y)``, which is split 60/20/20 by the study's seed (stratified when the targets
        are class labels). Anything NumPy can read will do; inputs are taken as they are, so scale
        them before, or in ``apply``.
    loss : ``"cross-entropy"`` (outputs: scores of shape (examples, ..., classes); targets: labels
        from 0 of shape (examples, ...)), ``"mse"`` (outputs and targets of one shape), or a
        function (outputs, targets) → scalar. One that would broadcast outputs against targets is
        refused.
    metric : ``"accuracy"`` (beside any loss), ``"mse"``, ``"rmse"``, ``"r2"``, a :class:`Metric`, or a
        function (outputs, targets) → scalar. Higher is better where its name says so (``f1``), else
        lower. Unless given it is accuracy for cross-entropy, R² for mse, and the loss itself for a
        loss of your own.
    name : what to call it; a problem found by ``module:object`` is called so unless named.
    target : value of the metric that counts as solved.
    batch_size, epochs : positive whole numbers.
    methods : what is compared unless told otherwise.
    train_loss : what a training step differentiates, for a model with dropout, batch
        normalisation or a penalty: (variables, inputs, targets, key) → (scalar, what is carried
        on). ``init`` then gives ``Variables(trained, carried)``, which ``apply`` takes; ``key`` is
        a JAX PRNG key of this very step.

    Raises
    ------
    DataError
        If the examples are empty, of different lengths, not finite, or of one class only.
    ProblemError
        If another argument is of the wrong kind.
    UnknownNameError
        If no loss or metric has the name given.
    """
    loss_function = _named(loss, LOSSES, _("loss"))
    judged_by = _metric(metric, loss_function)
    _check_callable(init, "init")
    _check_callable(apply, "apply")
    if train_loss is not None:
        _check_callable(train_loss, "train_loss")
    _check_whole(batch_size, "batch_size")
    _check_whole(epochs, "epochs")
    make_data, judged_by = _judged(data, loss_function, judged_by)
    return Problem(
        name=name,
        summary=N_("a JAX problem of your own"),
        make_data=make_data,
        init=lambda rng: init(_key(rng)),
        apply=apply,
        loss=loss_function,
        metric=judged_by,
        target=target,
        batch_size=batch_size,
        epochs=epochs,
        methods=methods,
        train_loss=train_loss,
    )


def _key(rng: np.random.Generator) -> Array:
    import jax

    return jax.random.key(int(rng.integers(2**31)))


def _named(given: Any, known: Mapping[str, Any], what: str) -> Any:
    if not isinstance(given, str):
        _check_callable(given, what)
        return given
    if given in known:
        return known[given]
    hint = did_you_mean(given, known)
    raise UnknownNameError(
        _("there is no {what} named {name!r}; there are {known}, or give a function.").format(
            what=what, name=given, known=", ".join(known)
        )
        + hint
    )


def _metric(given: Any, loss: Callable[[Array, Array], Array]) -> Metric:
    if given is None:
        if loss is cross_entropy:
            return ACCURACY
        return R2 if loss is mean_squared_error else Metric("loss", loss, higher_is_better=False)
    if isinstance(given, Metric):
        return given
    found = _named(given, METRICS, _("metric"))
    if isinstance(found, Metric):
        return found
    name = getattr(found, "__name__", "metric")
    return Metric(name, found, higher_is_better=higher_is_better(name) is True)


def _judged(
    data: Any, loss: Callable[[Array, Array], Array], metric: Metric
) -> tuple[Callable[[int], Data], Metric]:
    """Return what makes the data, and the metric: beside a loss of your own, accuracy goes by it."""
    if loss is cross_entropy or metric.function is not accuracy:
        return _maker(data, loss is cross_entropy), metric
    targets = np.asarray(_maker(data, classes=False)(0).train.targets)
    ignored = IGNORED if targets.dtype.kind == "i" and (targets == IGNORED).any() else None
    found = accuracy_for(evaluated(loss), targets, _("the data"), ignored=ignored)
    classes = not found.shares and found.yes > 0 and ignored is None
    return _maker(data, classes), found.as_metric()


def evaluated(function: Callable[[Array, Array], Array]) -> Evaluate:
    """Return a loss or metric of JAX as a function of NumPy's arrays."""
    import jax.numpy as jnp

    return lambda outputs, targets: float(function(jnp.asarray(outputs), jnp.asarray(targets)))


def _maker(given: Any, classes: bool) -> Callable[[int], Data]:
    """Check the data now, so that a mistake is told where it was made; split them when asked."""
    if isinstance(given, Data):
        given = {part: getattr(given, part) for part in PARTS}
    if isinstance(given, Mapping):
        if set(given) != set(PARTS):
            raise DataError(
                _("data needs exactly the parts {parts}; got {given}").format(
                    parts=", ".join(PARTS), given=", ".join(map(str, given)) or _("none")
                )
            )
        parts = {part: _examples(given[part], part, classes) for part in PARTS}
        data = Data(**parts)
        return lambda split_seed: data
    whole = _examples(given, _("the data"), classes)
    stratify = classes and whole.targets.ndim == 1
    return lambda split_seed: split(whole.inputs, whole.targets, split_seed, stratify=stratify)


def _examples(given: Any, where: str, classes: bool) -> Split:
    pair = (given.inputs, given.targets) if isinstance(given, Split) else given
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        text = _("{where}: it must be a pair (inputs, targets); got {kind}").format(
            where=where, kind=type(given).__name__
        )
        if hasattr(given, "as_numpy_iterator"):  # a dataset of TensorFlow
            text += _(
                ". Give its arrays: x, y = map(numpy.concatenate, zip(*batches.as_numpy_iterator()))"
            )
        raise DataError(text)
    inputs, targets = (_as_array(values, where) for values in pair)
    if classes and (targets == IGNORED).any():
        raise DataError(
            _(
                "{where}: {ignored} marks labels that do not count, which this loss takes for a class. "
                "Give a loss of your own, jnp.sum(losses * (labels >= 0)) / jnp.sum(labels >= 0)"
            ).format(where=where, ignored=IGNORED)
        )
    many = targets.ndim > 1 and targets.shape[1:] != (1,)  # labels of each example
    check_examples(inputs, targets, where, classes=classes and not many)
    if classes and many:
        check_labels(targets.ravel(), where)
    return Split(inputs, targets.astype(np.int32) if classes else targets)


def _as_array(values: Any, where: str) -> Array:
    try:
        return np.asarray(values)
    except (ValueError, TypeError) as error:
        raise DataError(
            _("{where}: NumPy cannot read it: {error}").format(where=where, error=error)
        ) from error


def _check_callable(given: Any, what: str) -> None:
    if not callable(given):
        raise ProblemError(
            _("{what} must be a function; got {kind}").format(what=what, kind=type(given).__name__)
        )


def _check_whole(given: Any, what: str) -> None:
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ProblemError(
            _("{what} must be a whole number ≥ 1; got {value!r}").format(what=what, value=given)
        )
