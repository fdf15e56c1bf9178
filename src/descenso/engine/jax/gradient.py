"""Loss, gradient and figures of a network, some examples at a time.

A part of the examples that stays in a core's cache passes through the whole network before the
next one does. The mean over parts is the mean over all, so the figures are the same to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from descenso.problems import Problem

Array: TypeAlias = Any
Tree: TypeAlias = Any
#: (parameters that move, inputs, targets) → mean loss.
Objective: TypeAlias = Callable[[Tree, Array, Array], Array]


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
