"""Operations of networks whose gradients, as JAX writes them, are slow in a compiled loop.

Each gives the figures of the operation it stands for. Where several inputs of a maximum are equal,
the whole gradient goes to one of them, as in PyTorch: ReLU has the slope 0 at 0, and a window the
first of its largest places.
"""

from __future__ import annotations

import itertools
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

Array: TypeAlias = Any


# ---- matrix product --------------------------------------------------------------------------


@jax.custom_vjp  # type: ignore[untyped-decorator]
def product(rows: Array, weights: Array) -> Array:
    """Return ``rows @ weights``; shapes (n, inputs) and (inputs, outputs)."""
    return rows @ weights


def _product(rows: Array, weights: Array) -> tuple[Array, tuple[Array, Array]]:
    return rows @ weights, (rows, weights)


def _back_through_product(kept: tuple[Array, Array], g: Array) -> tuple[Array, Array]:
    rows, weights = kept
    inputs, outputs = weights.shape
    if inputs > outputs and len(rows) >= 2 * outputs:
        # The wider the result, the faster the product: half as fast again at 64 outputs. The
        # barrier keeps XLA from turning it round again.
        moved = jax.lax.optimization_barrier(g.T @ rows).T
    else:
        moved = rows.T @ g
    return g @ weights.T, moved


product.defvjp(_product, _back_through_product)


# ---- maxima ----------------------------------------------------------------------------------


@jax.custom_vjp  # type: ignore[untyped-decorator]
def larger(a: Array, b: Array) -> Array:
    """Return the larger of two arrays of one shape, place by place."""
    return jnp.maximum(a, b)


def _larger(a: Array, b: Array) -> tuple[Array, Array]:
    return jnp.maximum(a, b), a > b


def _back_through_larger(first: Array, g: Array) -> tuple[Array, Array]:
    zero = jnp.zeros_like(g)
    return jnp.where(first, g, zero), jnp.where(first, zero, g)


larger.defvjp(_larger, _back_through_larger)


@jax.custom_vjp  # type: ignore[untyped-decorator]
def largest_in_windows(parted: Array) -> Array:
    """Return the largest number of each window.

    ``parted`` has shape (examples, windows, places, windows, places, ..., channels): each spatial
    axis as its windows and the places in one.
    """
    return _largest(parted)[0]


def _largest(parted: Array) -> tuple[Array, tuple[Array, Array]]:
    window = parted.shape[2:-1:2]
    best: Array = None
    for number, place in enumerate(itertools.product(*map(range, window))):
        at = itertools.chain(*((slice(None), i) for i in place))
        here = parted[(slice(None), *at)]
        if best is None:
            best, which = here, jnp.zeros(here.shape, jnp.int16)
        else:
            which = jnp.where(here > best, jnp.int16(number), which)
            best = jnp.maximum(best, here)  # which hands NaN on
    return best, (which, jnp.arange(number + 1, dtype=jnp.int16).reshape(window))


def _back_through_largest(kept: tuple[Array, Array], g: Array) -> tuple[Array]:
    which, numbers = kept
    places = tuple(range(2, 2 * numbers.ndim + 1, 2))
    windows = tuple(axis for axis in range(2 * numbers.ndim + 2) if axis not in places)
    chosen = jnp.expand_dims(which, places) == jnp.expand_dims(numbers, windows)
    return (jnp.where(chosen, jnp.expand_dims(g, places), jnp.zeros((), g.dtype)),)


largest_in_windows.defvjp(_largest, _back_through_largest)
