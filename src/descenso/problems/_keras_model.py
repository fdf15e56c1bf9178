"""Build the user's Keras model, and run its calls as pure functions of its variables."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from descenso.errors import DescensoError, ProblemError, first_line
from descenso.language import _
from descenso.problems._problem import Array, TrainLoss, Variables


class Builder:
    """Builds the model, and runs its calls as pure functions of its variables."""

    def __init__(self, make_model: Callable[[], Any], sample: Array) -> None:
        self._make_model, self._sample = make_model, sample
        self.template = self._build(0)
        _check_single(self.template, sample)
        _check_constraints(self.template)
        self.outputs = _outputs_of(self.template, sample)
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


def _outputs_of(model: Any, sample: Array) -> Array:
    """Return the outputs for an example, shape (1, ...), by which the targets' shape is read."""
    try:
        outputs = model(sample)
    except Exception as error:
        raise ProblemError(
            _("the model fails on the first example: {kind}: {error}").format(
                kind=type(error).__name__, error=first_line(error)
            )
        ) from error
    if not hasattr(outputs, "shape"):
        raise ProblemError(
            _(
                "from_keras: the model must have one output; it gives {kind}. Join its outputs to one "
                "array, and take it apart in a loss of your own"
            ).format(kind=type(outputs).__name__)
        )
    if getattr(outputs, "_keras_mask", None) is not None:
        raise ProblemError(
            _(
                "from_keras: the model's outputs carry a mask (Masking, mask_zero), by which Keras "
                "weighs the loss; that is not followed here. Mark the labels instead (ignore_class), "
                "and end the model with keras.layers.Lambda(lambda x: 1 * x, mask=lambda x, mask: None)"
            )
        )
    return np.asarray(outputs)


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
