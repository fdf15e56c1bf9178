"""One member of a JAX problem, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import jax
import numpy as np
from numpy.typing import NDArray

from descenso.engine.contract import Floats, Rows
from descenso.engine.jax.compiled import exact_products
from descenso.engine.jax.examples import Batch
from descenso.engine.jax.program import (
    Inputs,
    Progress,
    Recipe,
    differentiate,
    key_at,
    take_step,
)
from descenso.engine.walking import end_to_end, mean_gradient
from descenso.problems import trained

Array: TypeAlias = Any


class JaxWalk:
    """Takes the steps of the training program one by one; see :class:`descenso.engine.Walk`.

    Parameters
    ----------
    recipe, progress, inputs : of the member, before its first step.
    order : epoch → the order of its examples.
    train : the training examples on the device.
    """

    def __init__(
        self,
        recipe: Recipe,
        progress: Progress,
        inputs: Inputs,
        order: Callable[[int], NDArray[np.int32]],
        train: Batch,
    ) -> None:
        self._recipe, self._progress, self._inputs = recipe, progress, inputs
        self._order, self._train, self._taken = order, train, 0
        self._step = jax.jit(partial(_step, recipe))
        self._gradient = jax.jit(partial(_gradient, recipe))

    def parameters(self) -> list[Floats]:
        """Return the trained arrays as they stand, each its own copy."""
        return [np.array(a, np.float64) for a in jax.tree.leaves(trained(self._progress.params))]

    def step(self) -> None:
        """Take the next step."""
        epoch, step = divmod(self._taken, self._recipe.steps)
        with exact_products():
            self._progress = self._step(
                self._progress, self._inputs, self._order(epoch), epoch, step, self._train
            )
        self._taken += 1

    def gradient(self, rows: Rows, draw: int) -> Floats:
        """Return the gradient of a training step on these examples, without taking it."""

        def one(some: Rows, i: int) -> Floats:
            key = jax.random.fold_in(jax.random.key(draw), i)
            gradient = self._gradient(self._progress.params, self._train, some, key)
            return end_to_end(jax.tree.leaves(gradient))

        with exact_products():
            return mean_gradient(rows, one)


def _step(
    recipe: Recipe, progress: Progress, inputs: Inputs, order: Array, epoch: Array, step: Array,
    train: Batch,
) -> Progress:  # fmt: skip
    batch = recipe.unpacked(recipe.batch(train, order, step))
    return take_step(recipe, inputs, progress, batch, key_at(inputs, epoch, step))[0]


def _gradient(recipe: Recipe, params: Any, train: Batch, rows: Array, key: Array) -> Any:
    batch = recipe.unpacked((train[0][rows], train[1][rows]))
    of_rows = replace(recipe, batch_size=len(rows), part=len(rows))
    return differentiate(of_rows, params, batch, key)[1]
