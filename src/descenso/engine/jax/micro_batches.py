"""How many examples pass through a network at a time: as many as a core's cache holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from descenso.engine import layout
from descenso.problems import Problem, TrainLoss, Variables

Array: TypeAlias = Any
Tree: TypeAlias = Any
EXAMPLES_PER_PART = 256  # of a split that is evaluated, at most


@dataclass
class MicroBatches:
    """Decides by the sizes of a network, and by whether it treats its examples apart.

    Parameters
    ----------
    problem : in the forms that are run.
    start : () → parameters to try it with.
    few : training examples to try it on.
    largest_split : examples of the largest split that is evaluated.
    on_cpu : whether a core's cache is to be minded.
    """

    problem: Problem
    start: Callable[[], Tree]
    few: Array
    largest_split: int
    on_cpu: bool

    def of_batch(self, batch_size: int) -> int:
        """Return how many examples of a batch pass through the network at a time."""
        if not self.on_cpu:
            return batch_size
        part = layout.examples_at_a_time(self.largest_bytes, batch_size)
        return part if part < batch_size and self._steps_apart else batch_size

    @cached_property
    def of_splits(self) -> int:
        """Return how many examples of a split that is evaluated do."""
        part, examples = EXAMPLES_PER_PART, self.largest_split
        if self.on_cpu:
            part = min(part, layout.examples_at_a_time(self.largest_bytes, examples))
        return part if 2 * part >= examples or self._examples_apart else examples

    @cached_property
    def largest_bytes(self) -> int:
        """Return the bytes of the largest array that an example becomes on its way."""
        return _largest_bytes(self.problem.apply, self.start(), self.few[0])

    @cached_property
    def _examples_apart(self) -> bool:
        return _treats_examples_apart(self.problem, self.start(), self.few)

    @cached_property
    def _steps_apart(self) -> bool:
        train_loss = self.problem.train_loss
        if train_loss is None:
            return self._examples_apart
        return _steps_treat_examples_apart(train_loss, self.start(), self.few)


def _largest_bytes(apply: Callable[..., Array], params: Tree, inputs: Array) -> int:
    """Return the bytes of the largest array that an example becomes on its way."""

    def sizes(examples: int) -> list[int]:
        few = jax.tree.map(
            lambda a: jax.ShapeDtypeStruct((examples, *a.shape[1:]), a.dtype), inputs
        )
        return list(_sizes(jax.make_jaxpr(apply)(params, few).jaxpr))

    # Only what grows with the examples: weights are laid out anew on the way too.
    grows = (more - fewer for more, fewer in zip(sizes(3), sizes(2), strict=False))
    return max(grows, default=0)


def _sizes(jaxpr: Any) -> Iterator[int]:
    for eqn in jaxpr.eqns:
        yield from (v.aval.size * v.aval.dtype.itemsize for v in eqn.outvars if v.aval.shape)
        for given in jax.tree.leaves(list(eqn.params.values())):
            inner = getattr(given, "jaxpr", given)
            if hasattr(inner, "eqns"):
                yield from _sizes(inner)


def _treats_examples_apart(problem: Problem, params: Tree, split: Array) -> bool:
    """Whether neither outputs nor mean loss change when examples come in two halves."""

    def figures(inputs: Array, targets: Array) -> tuple[Array, Array]:
        outputs = problem.apply(params, inputs)
        return outputs, problem.loss(outputs, targets)

    def compare(whole: Any, halves: Any) -> Any:
        (first, loss), (second, other) = (figures(*half) for half in halves)
        return figures(*whole), (jnp.concatenate([first, second]), (loss + other) / 2)

    return _equal(*_exactly(compare)(*_whole_and_halves(split)))


def _steps_treat_examples_apart(train_loss: TrainLoss, start: Variables, split: Array) -> bool:
    """Whether a training step carries nothing on, draws nothing and may be taken in parts."""
    key = jax.random.key(0)

    def loss(inputs: Array, targets: Array, key: Array = key) -> Array:
        return train_loss(start, inputs, targets, key)[0]

    def compare(whole: Any, halves: Any) -> Any:
        first, second = (loss(*half) for half in halves)
        return (loss(*whole),), ((first + second) / 2,)

    whole, halves = _whole_and_halves(split)
    if jax.tree.leaves(start.carried) or _looks_at_the_last(loss, *whole, key):
        return False
    return _equal(*_exactly(compare)(whole, halves))


def _exactly(compare: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function so that no product is rounded to fewer bits than its factors have."""

    def compared(*arguments: Any) -> Any:
        with jax.default_matmul_precision("highest"):
            return jax.jit(compare)(*arguments)

    return compared


def _looks_at_the_last(function: Callable[..., Array], *arguments: Array) -> bool:
    """Whether a function computes anything from its last argument."""
    jaxpr = jax.make_jaxpr(function)(*arguments).jaxpr
    return any(jaxpr.invars[-1] is variable for eqn in jaxpr.eqns for variable in eqn.invars)


def _whole_and_halves(split: Array) -> tuple[Array, tuple[Array, Array]]:
    """Return a few examples, and the same in two halves."""
    half = max(1, min(8, jax.tree.leaves(split)[0].shape[0] // 2))

    def some(rows: slice) -> Array:
        return jax.tree.map(lambda a: a[rows], split)

    return some(slice(2 * half)), (some(slice(half)), some(slice(half, 2 * half)))


def _equal(figures: tuple[Array, ...], others: tuple[Array, ...]) -> bool:
    return all(
        np.allclose(a, b, rtol=1e-3, atol=1e-5, equal_nan=True)
        for a, b in zip(figures, others, strict=True)
    )
