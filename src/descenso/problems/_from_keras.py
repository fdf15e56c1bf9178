"""Make a problem of the user's own Keras model; it runs compiled, through Keras's stateless calls."""

from __future__ import annotations

import inspect
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from descenso.data import Data, Split
from descenso.errors import DescensoError, ProblemError
from descenso.language import N_, _
from descenso.methods import SIX
from descenso.problems._from_jax import PARTS, Examples, _check_callable, _check_whole, _maker
from descenso.problems._keras_losses import BINARY, FIGURES, LABELS, read_loss, read_metric
from descenso.problems._problem import UNNAMED, Array, Metric, Problem, TrainLoss, Variables


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
        takes (outputs, targets), or a function of Keras's form (targets, outputs), of which lower
        is better. Unless given it is accuracy for a cross-entropy, R² for a squared error, and
        the loss itself for another loss.
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
    builder = _Builder(make_model, _first_inputs(data))
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
            _("from_keras needs Keras 3, which is not there: pip install keras ({error})").format(
                error=error
            )
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


class _Builder:
    """Builds the model, and runs its calls as pure functions of its variables."""

    def __init__(self, make_model: Callable[[], Any], sample: Array) -> None:
        self._make_model, self._sample = make_model, sample
        self.template = self._build(0)
        _check_single(self.template, sample)
        _check_constraints(self.template)
        model = self.template
        self._seeds = [_is_seed(v) for v in model.non_trainable_variables]
        self._shapes = _shapes(model)
        self._knows_training = "training" in inspect.signature(model.call).parameters

    def _build(self, seed: int) -> Any:
        try:
            with _seeded(seed):
                model = self._make_model()
                if callable(model) and not getattr(model, "built", True):
                    model(self._sample)
        except DescensoError:
            raise
        except Exception as error:
            raise ProblemError(
                _("make_model fails: {kind}: {error}").format(
                    kind=type(error).__name__, error=error
                )
            ) from error
        _check_model(model)
        return model

    def init(self, rng: np.random.Generator) -> Variables:
        """Return the initial variables of a model built anew."""
        model = self._build(int(rng.integers(2**31)))
        if model is self.template:
            raise ProblemError(_("make_model must build a model anew each time; it gave one twice"))
        if _shapes(model) != self._shapes:
            raise ProblemError(
                _("make_model built another model the second time: {after} after {before}").format(
                    after=_shapes(model), before=self._shapes
                )
            )
        others = zip(model.non_trainable_variables, self._seeds, strict=True)
        return Variables(
            [np.array(v.value) for v in model.trainable_variables],
            [np.array(v.value) for v, is_seed in others if not is_seed],
        )

    def apply(self, variables: Variables, inputs: Array) -> Array:
        """Return the outputs in evaluation: no dropout, moving averages as they are."""
        import jax

        # Evaluation draws nothing, but the call wants a value for each seed.
        state = self._with_seeds(variables.carried, jax.random.key(0))
        outputs, _state = self.template.stateless_call(
            variables.trained, state, inputs, **self._mode(training=False)
        )
        return outputs

    def train_loss(self, loss: Callable[[Array, Array], Array]) -> TrainLoss:
        """Return the function that a training step differentiates."""

        def train_loss(
            variables: Variables, inputs: Array, targets: Array, key: Array
        ) -> tuple[Array, list[Array]]:
            outputs, state, penalties = self.template.stateless_call(
                variables.trained,
                self._with_seeds(variables.carried, key),
                inputs,
                return_losses=True,
                **self._mode(training=True),
            )
            carried = [v for v, is_seed in zip(state, self._seeds, strict=True) if not is_seed]
            kept = [v.astype(old.dtype) for v, old in zip(carried, variables.carried, strict=True)]
            return loss(outputs, targets) + sum(penalties), kept

        return train_loss

    def _mode(self, *, training: bool) -> dict[str, bool]:
        return {"training": training} if self._knows_training else {}

    def _with_seeds(self, carried: list[Array], key: Array) -> list[Array]:
        """Return all variables that are not trained, with each seed drawn from ``key``."""
        import jax

        others = iter(carried)
        return [
            jax.random.bits(jax.random.fold_in(key, i), (2,), np.uint32)
            if is_seed
            else next(others)
            for i, is_seed in enumerate(self._seeds)
        ]


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed all that draws initial weights, and give the user's generators back as they were."""
    import keras

    before, numpy_before = random.getstate(), np.random.get_state()
    try:
        keras.utils.set_random_seed(seed)
        yield
    finally:
        random.setstate(before)
        np.random.set_state(numpy_before)


def _is_seed(variable: Any) -> bool:
    return bool(variable.name == "seed_generator_state")


def _shapes(model: Any) -> list[tuple[int, ...]]:
    return [tuple(v.shape) for v in (*model.trainable_variables, *model.non_trainable_variables)]


def _check_model(model: Any) -> None:
    import keras

    if not isinstance(model, keras.Model | keras.Layer):
        raise ProblemError(
            _("make_model must return a Keras model; got {kind}").format(kind=type(model).__name__)
        )


def _check_single(model: Any, sample: Array) -> None:
    inputs = getattr(model, "inputs", None) or [None]
    outputs = getattr(model, "outputs", None) or [None]
    if len(inputs) != 1 or len(outputs) != 1:
        raise ProblemError(
            _(
                "from_keras: the model must have one input and one output; it has {n} and {m}"
            ).format(n=len(inputs), m=len(outputs))
        )
    expected = getattr(inputs[0], "shape", None)
    if expected is not None and not _fits(sample.shape, expected):
        raise ProblemError(
            _("the model takes inputs of shape {expected}; the data have {shape}").format(
                expected=tuple(expected[1:]), shape=sample.shape[1:]
            )
        )


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    pairs = zip(shape[1:], expected[1:], strict=False)
    return len(shape) == len(expected) and all(e in (None, s) for s, e in pairs)


def _check_constraints(model: Any) -> None:
    for variable in model.trainable_variables:
        if getattr(variable, "constraint", None) is not None:
            raise ProblemError(
                _("from_keras: {name} has a constraint, which is not followed here").format(
                    name=variable.path
                )
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
