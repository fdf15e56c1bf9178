"""Make a problem of the user's own Keras model; it runs compiled, through Keras's stateless calls."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from descenso.data import Data, Split
from descenso.errors import ProblemError
from descenso.language import N_, _
from descenso.methods import SIX
from descenso.problems._from_jax import PARTS, Examples, _check_callable, _check_whole, _maker
from descenso.problems._keras_losses import BINARY, FIGURES, LABELS, read_loss, read_metric
from descenso.problems._keras_model import Builder
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
        takes (outputs, targets), or a function of Keras's form (targets, outputs). Higher is
        better where its name says so (``f1``), else lower. Unless given it is accuracy for a
        cross-entropy, R² for a squared error, and the loss itself for another loss.
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
    _check_callable(make_model, "make_model")
    _check_whole(batch_size, "batch_size")
    _check_whole(epochs, "epochs")
    _maker(data, classes=False)  # what is wrong with the data is told first
    start_jax()  # before the model does, which is its first operation
    builder = Builder(make_model, _first_inputs(data))
    model = builder.template
    chosen = read_loss(loss, model)
    shape = getattr(model, "output_shape", None)
    outputs = len(shape) if isinstance(shape, tuple) else 2
    make_data = _maker(_with_flat_labels(data, chosen.targets), chosen.targets == LABELS)
    return Problem(
        name=name,
        summary=N_("a Keras model of your own"),
        make_data=lambda seed: _with_columns(make_data(seed), chosen.targets, outputs),
        init=builder.init,
        apply=builder.apply,
        loss=chosen.function,
        metric=read_metric(metric, chosen),
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


def _with_flat_labels(data: Any, kind: str) -> Any:
    """Turn labels of shape (examples, 1) into (examples,)."""

    def flat(targets: Array) -> Array:
        array = np.asarray(targets)
        return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else targets

    return _map_targets(data, flat) if kind == LABELS else data


def _with_columns(data: Data, kind: str, output_axes: int) -> Data:
    """Turn figures and zeros and ones of shape (examples,) into floating columns."""
    if kind not in (FIGURES, BINARY):
        return data

    def column(targets: Array) -> Array:
        array = np.asarray(targets)
        array = array[:, None] if array.ndim == 1 and output_axes == 2 else array
        return array.astype(np.float32) if kind == BINARY else array

    return Data(**_map_targets(data, column))


def _first_inputs(data: Any) -> Array:
    """Return the first example's inputs, shape (1, ...), to build the model on."""
    while isinstance(data, Data | Mapping):
        data = data.train if isinstance(data, Data) else data.get("train", ((), ()))
    inputs = data.inputs if isinstance(data, Split) else data[0] if len(data) else ()
    first = np.asarray(inputs[:1])
    return first.astype(np.float32) if first.dtype == np.float64 else first
