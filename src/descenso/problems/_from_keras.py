"""Make a problem of the user's own Keras model; it runs compiled, through Keras's stateless calls."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from descenso.data import Data, Split
from descenso.data._check import check_labels
from descenso.errors import DataError, ProblemError
from descenso.language import N_, _
from descenso.methods import SIX
from descenso.problems._from_jax import PARTS, Examples, _check_callable, _check_whole, _maker
from descenso.problems._keras_losses import (
    BINARY,
    FIGURES,
    LABELS,
    KerasLoss,
    read_loss,
    read_metric,
)
from descenso.problems._keras_model import Builder
from descenso.problems._keras_overrides import check_overrides
from descenso.problems._problem import UNNAMED, Array, Metric, Problem
from descenso.problems._start_jax import start_jax


def from_keras(
    make_model: Callable[[], Any],
    data: Data | Mapping[str, Examples] | Examples,
    *,
    loss: Any = None,
    metric: str | Metric | Callable[[Array, Array], Array] | None = None,
    name: str = UNNAMED,
    target: float | None = None,
    batch_size: int = 32,
    epochs: int = 20,
    methods: tuple[str, ...] = SIX,
) -> Problem:
    """Return a problem made of a Keras 3 model, whose backend must be JAX.

    Each training step is what ``model.fit`` would do: ``training=True``, dropout drawn anew,
    moving averages of batch normalisation carried along, penalties of regularisers added to the
    loss. Evaluation is with ``training=False`` and without penalties.

    Parameters
    ----------
    make_model : function without parameters that builds the model anew; it is called once for
        each seed, with Python's, NumPy's and Keras's generators seeded. The model has one input
        and one output; frozen layers stay as they are built.
    data : as in :func:`from_jax`. Labels may have shape (examples, 1), and targets of a single
        output may have shape (examples,).
    loss : ``"cross-entropy"`` (labels from 0; whether the model ends in a softmax is seen to),
        ``"mse"``, the name of a Keras loss, a ``keras.losses.Loss``, or a function of Keras's
        form (targets, outputs); the compiled model's own unless given.
    metric : ``"accuracy"``, ``"mse"``, ``"rmse"``, ``"r2"``, a :class:`Metric` whose function
        takes (outputs, targets), or a function of Keras's form (targets, outputs), of which higher
        is better where its name says so (``f1``), else lower; also a metric of Keras or its name,
        such as ``"AUC"``. Unless given it is the first that the model is compiled with, accuracy
        for a cross-entropy, R² for a squared error, and the loss itself for another loss.
    name, target, batch_size, epochs, methods : as in :func:`from_jax`.

    Raises
    ------
    ProblemError
        If Keras runs on another backend; if ``make_model`` fails, gives no Keras model, the same
        one twice or one of several inputs or outputs; or if another argument is of the wrong kind.
    DataError
        If the examples break a rule of :func:`descenso.data.check_examples`.
    UnknownNameError
        If no loss or metric has the name given.
    """
    _check_backend()
    _check_maker(make_model)
    _check_whole(batch_size, "batch_size")
    _check_whole(epochs, "epochs")
    _check_one_input(data)
    _maker(data, classes=False)  # what is wrong with the data is told first
    start_jax()  # before the model does, which is its first operation
    builder = Builder(make_model, _first_inputs(data))
    model = builder.template
    check_overrides(model, loss_given=loss is not None, metric_given=metric is not None)
    chosen = read_loss(loss, model)
    axes = builder.outputs.ndim
    columns = axes if builder.outputs.shape[-1:] == (1,) else 0
    data = _with_labels(data, chosen, axes) if chosen.targets == LABELS else data
    one_each = chosen.targets == LABELS and axes == 2 and chosen.ignored is None
    make_data = _maker(data, one_each)
    chosen.check_targets(np.asarray(make_data(0).train.targets), builder.outputs)
    chosen.warn_of_scores(np.asarray(model(make_data(0).train.inputs[:batch_size])))

    def sample() -> tuple[Array, Array]:
        found = _with_columns(make_data(0), chosen.targets, columns)
        return np.asarray(found.train.targets), builder.outputs

    return Problem(
        name=name,
        summary=N_("a Keras model of your own"),
        make_data=lambda seed: _with_columns(make_data(seed), chosen.targets, columns),
        init=builder.init,
        apply=builder.apply,
        loss=chosen.function,
        metric=read_metric(metric, chosen, model, sample),
        target=target,
        batch_size=batch_size,
        epochs=epochs,
        methods=methods,
        train_loss=builder.train_loss(chosen.function),
        details={"layers": [v.path for v in model.trainable_variables]},
    )


@contextmanager
def keras_on_jax() -> Iterator[None]:
    """Have Keras choose JAX where it is first imported inside, unless the user has chosen."""
    undecided = "keras" not in sys.modules and "KERAS_BACKEND" not in os.environ
    if undecided:
        os.environ["KERAS_BACKEND"] = "jax"
    try:
        yield
    finally:
        if undecided:
            del os.environ["KERAS_BACKEND"]


def _check_backend() -> None:
    try:
        with keras_on_jax():
            import keras
    except ImportError as error:
        raise ProblemError(
            _(
                "from_keras needs Keras 3, which is not there: pip install 'descenso[keras]' ({error})"
            ).format(error=error)
        ) from error
    found = keras.backend.backend()
    if found != "jax":
        raise ProblemError(
            _(
                "from_keras trains through JAX, but Keras runs on {backend}: set KERAS_BACKEND=jax "
                "before Keras is imported, or import descenso.problems.from_keras in your module "
                "and let `descenso compare file.py:problem` import it"
            ).format(backend=found)
        )


def _check_maker(given: Any) -> None:
    import keras

    if isinstance(given, keras.Layer):
        raise ProblemError(
            _(
                "make_model must be a function that builds a new model each time it is called, for "
                "every seed needs its own; got a model. Write lambda: {kind}(...)"
            ).format(kind=type(given).__name__)
        )
    _check_callable(given, "make_model")


# ---- the shapes that Keras's users give their data -------------------------------------------


def _map_targets(data: Any, change: Callable[[Array], Array]) -> Any:
    """Return the data with each part's targets changed; what is no pair is left to be refused."""
    if isinstance(data, Data):
        data = {part: getattr(data, part) for part in PARTS}
    if isinstance(data, Mapping):
        return {part: _map_targets(pair, change) for part, pair in data.items()}
    if isinstance(data, Split):
        return Split(data.inputs, change(data.targets))
    if isinstance(data, tuple | list) and len(data) == 2:
        return data[0], change(data[1])
    return data


def _with_labels(data: Any, loss: KerasLoss, output_axes: int) -> Any:
    """Return labels without a last axis of one; those of several axes checked, as integers."""

    def flat(targets: Array) -> Array:
        array = np.asarray(targets)
        if array.ndim == output_axes and array.shape[-1] == 1:
            array = array[..., 0]
        if output_axes == 2 and loss.ignored is None:
            return array
        counted = array[array != loss.ignored] if loss.ignored is not None else array.ravel()
        if not counted.size:
            raise DataError(_("every label is {ignored}").format(ignored=loss.ignored))
        check_labels(counted, _("the data"))
        return array.astype(np.int32)

    return _map_targets(data, flat)


def _with_columns(data: Data, kind: str, columns: int) -> Data:
    """Give targets the last axis of outputs that have one number there, ``columns`` axes in all;
    turn zeros and ones into floating numbers.
    """
    if kind not in (FIGURES, BINARY):
        return data

    def column(targets: Array) -> Array:
        array = np.asarray(targets)
        array = array[..., None] if array.ndim == columns - 1 else array
        return array.astype(np.float32) if kind == BINARY else array

    return Data(**_map_targets(data, column))


def _check_one_input(data: Any) -> None:
    """Refuse several inputs, which NumPy would lay on top of each other."""
    if isinstance(data, Mapping):
        for pair in data.values():
            _check_one_input(pair)
        return
    if not isinstance(data, tuple | list) or len(data) < 2:
        return
    inputs, targets = data[0], data[1]
    if len(data) == 3:
        raise ProblemError(
            _(
                "from_keras: the data are three; (inputs, targets) are taken. Sample weights are not "
                "followed here: give a loss that reads them from a column of the targets"
            )
        )
    several = isinstance(inputs, Mapping)
    if isinstance(inputs, tuple | list) and all(hasattr(one, "shape") for one in inputs):
        several = len(inputs) != len(targets)
    if several:
        raise ProblemError(
            _(
                "from_keras: the model must have one input and one output; the data have {count} "
                "inputs. Join them to one array, and take it apart in the model"
            ).format(count=len(inputs))
        )


def _first_inputs(data: Any) -> Array:
    """Return the first example's inputs, shape (1, ...), to build the model on."""
    while isinstance(data, Data | Mapping):
        data = data.train if isinstance(data, Data) else data.get("train", ((), ()))
    inputs = data.inputs if isinstance(data, Split) else data[0] if len(data) else ()
    first = np.asarray(inputs[:1])
    return first.astype(np.float32) if first.dtype == np.float64 else first
