"""Loss, gradient and figures of a network, some examples at a time.

A part of the examples that stays in a core's cache passes through the whole network before the
next one does. The mean over parts is the mean over all, so the figures are the same to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from descenso.problems import Problem, Variables
from descenso.problems._problem import TrainLoss

Array: TypeAlias = Any
Tree: TypeAlias = Any
#: (parameters that move, inputs, targets) → mean loss.
Objective: TypeAlias = Callable[[Tree, Array, Array], Array]
EXAMPLES_PER_PART = 256  # of a split that is evaluated, at most


def loss_and_gradient(
    objective: Objective, params: Tree, inputs: Array, targets: Array, part: int
) -> tuple[Array, Tree]:
    """Return the mean loss of a batch and its gradient, ``part`` examples at a time."""
    examples = targets.shape[0]
    differentiate: Callable[..., tuple[Array, Tree]] = jax.value_and_grad(objective)
    if part >= examples:
        return differentiate(params, inputs, targets)
    whole = examples // part * part

    def add(sums: Tree, rows: tuple[Array, Array]) -> tuple[Tree, None]:
        return jax.tree.map(jnp.add, sums, differentiate(params, *rows)), None

    parts = jax.tree.map(lambda a: a[:whole].reshape(-1, part, *a.shape[1:]), (inputs, targets))
    blank = jax.tree.map(
        lambda s: jnp.zeros(s.shape, s.dtype),
        jax.eval_shape(differentiate, params, *jax.tree.map(lambda a: a[0], parts)),
    )
    sums, _ = jax.lax.scan(add, blank, parts)
    mean = jax.tree.map(lambda s: s * (part / examples), sums)
    if whole == examples:
        return mean[0], mean[1]
    rest = differentiate(params, *jax.tree.map(lambda a: a[whole:], (inputs, targets)))
    share = (examples - whole) / examples
    loss, gradient = jax.tree.map(lambda m, r: m + r * share, mean, rest)
    return loss, gradient


def evaluate(problem: Problem, params: Tree, split: Array, part: int) -> tuple[Array, Array]:
    """Return loss and metric over a whole split ``(inputs, targets)``.

    The outputs are computed ``part`` examples at a time; loss and metric see all of them at once,
    for not every metric is a mean over examples.
    """
    inputs, targets = split
    outputs = _outputs(problem, params, inputs, part)
    return problem.loss(outputs, targets), problem.metric.function(outputs, targets)


def _outputs(problem: Problem, params: Tree, inputs: Array, part: int) -> Array:
    examples = jax.tree.leaves(inputs)[0].shape[0]
    if examples <= 2 * part:
        return problem.apply(params, inputs)
    parts = -(-examples // part)
    # The last part reaches back over the one before, so that all have one shape.
    starts = jnp.minimum(jnp.arange(parts) * part, examples - part)

    def part_at(start: Array) -> Array:
        rows = jax.tree.map(lambda a: jax.lax.dynamic_slice_in_dim(a, start, part), inputs)
        return problem.apply(params, rows)

    outputs = jax.lax.map(part_at, starts)
    overlap = parts * part - examples
    whole = outputs[:-1].reshape(-1, *outputs.shape[2:])
    return jnp.concatenate([whole, outputs[-1][overlap:]])


# ---- what decides how many examples at a time -------------------------------------------------


def largest_bytes(apply: Callable[..., Array], params: Tree, inputs: Array) -> int:
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


def treats_examples_apart(problem: Problem, params: Tree, split: Array) -> bool:
    """Whether neither outputs nor mean loss change when examples come in two halves."""

    def figures(inputs: Array, targets: Array) -> tuple[Array, Array]:
        outputs = problem.apply(params, inputs)
        return outputs, problem.loss(outputs, targets)

    def compare(whole: Any, halves: Any) -> Any:
        (first, loss), (second, other) = (figures(*half) for half in halves)
        return figures(*whole), (jnp.concatenate([first, second]), (loss + other) / 2)

    return _equal(*jax.jit(compare)(*_whole_and_halves(split)))


def steps_treat_examples_apart(train_loss: TrainLoss, start: Variables, split: Array) -> bool:
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
    return _equal(*jax.jit(compare)(whole, halves))


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
