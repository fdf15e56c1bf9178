"""Operations of networks whose gradients, as JAX writes them, are slow in a compiled loop.

Each gives the figures of the operation it stands for. Where several inputs of a maximum are equal,
the whole gradient goes to one of them, as in PyTorch: ReLU has the slope 0 at 0, and a window the
first of its largest positions.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from functools import partial
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

    ``parted`` has shape (examples, windows, positions, windows, positions, ..., channels): each spatial
    axis as its windows and the positions in one.
    """
    return _largest(parted)[0]


def _largest(parted: Array) -> tuple[Array, tuple[Array, Array]]:
    window = parted.shape[2:-1:2]
    at = (itertools.chain(*((slice(None), i) for i in p)) for p in _places(window))
    best, which = _first_largest(parted[(slice(None), *index)] for index in at)
    return best, (which, jnp.arange(math.prod(window), dtype=jnp.int16).reshape(window))


def _places(window: Sequence[int]) -> Iterator[tuple[int, ...]]:
    return itertools.product(*map(range, window))


def _first_largest(alternatives: Iterator[Array]) -> tuple[Array, Array]:
    """Return the largest of several arrays place by place, and the number of the first that is."""
    best = next(alternatives)
    which = jnp.zeros(best.shape, jnp.int16)
    for number, here in enumerate(alternatives, start=1):
        which = jnp.where(here > best, jnp.int16(number), which)
        best = jnp.maximum(best, here)  # which hands NaN on
    return best, which


def _back_through_largest(kept: tuple[Array, Array], g: Array) -> tuple[Array]:
    which, numbers = kept
    positions = tuple(range(2, 2 * numbers.ndim + 1, 2))
    windows = tuple(axis for axis in range(2 * numbers.ndim + 2) if axis not in positions)
    chosen = jnp.expand_dims(which, positions) == jnp.expand_dims(numbers, windows)
    return (jnp.where(chosen, jnp.expand_dims(g, positions), jnp.zeros((), g.dtype)),)


largest_in_windows.defvjp(_largest, _back_through_largest)


# ---- maxima of windows that overlap ------------------------------------------------------------


def slices_of(
    images: Array, positions: Sequence[int], strides: Sequence[int], dilation: Sequence[int]
) -> Iterator[Array]:
    """Yield what lies under each place of a window, of shape (examples, windows..., channels)."""
    reach = [(p - 1) * d for p, d in zip(positions, dilation, strict=True)]
    spatial = images.shape[1:-1]
    for place in _places(positions):
        first = [i * d for i, d in zip(place, dilation, strict=True)]
        last = [f + size - r for f, size, r in zip(first, spatial, reach, strict=True)]
        yield jax.lax.slice(
            images,
            (0, *first, 0),
            (images.shape[0], *last, images.shape[-1]),
            (1, *strides, 1),
        )


@partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def largest_under(images: Array, window: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    """Return the largest number under each place of a window that moves by ``strides``.

    ``images`` has shape (examples, sizes..., channels), as many sizes as the window has.
    """
    return _largest_under(images, window, strides)[0]


def _largest_under(
    images: Array, window: tuple[int, ...], strides: tuple[int, ...]
) -> tuple[Array, tuple[Array, Array]]:
    best, which = _first_largest(slices_of(images, window, strides, (1,) * len(window)))
    sizes = jnp.zeros((*images.shape[1:-1], 0), bool)  # holds nothing but its shape
    return best, (which, sizes)


def _back_through_largest_under(
    window: tuple[int, ...], strides: tuple[int, ...], kept: tuple[Array, Array], g: Array
) -> tuple[Array]:
    """Gather for each number what the windows above it send down.

    Numbers at one distance from the step before them lie under the same positions of the same
    windows. So each such phase is a sum of shifted slices, and the phases are then interleaved.
    """
    which, sizes = kept[0], kept[1].shape[:-1]
    axes = range(len(window))
    rows = [-(-sizes[a] // strides[a]) for a in axes]  # of a phase
    before = [(window[a] - 1) // strides[a] for a in axes]  # windows that reach back into a row
    margins = [(0, 0), *((before[a], rows[a] - g.shape[1 + a]) for a in axes), (0, 0)]
    which = jnp.pad(which, margins, constant_values=-1)
    g = jnp.pad(g, margins)

    def phase(at: Sequence[int]) -> Array:
        shifts = [range(-(-(window[a] - at[a]) // strides[a])) for a in axes]
        total: Array = jnp.zeros((g.shape[0], *rows, g.shape[-1]), g.dtype)
        for back in itertools.product(*shifts):
            place = [at[a] + strides[a] * back[a] for a in axes]
            seen = [slice(before[a] - back[a], before[a] - back[a] + rows[a]) for a in axes]
            number = sum(place[a] * math.prod(window[a + 1 :]) for a in axes)
            mine = which[(slice(None), *seen)] == number
            total += jnp.where(mine, g[(slice(None), *seen)], jnp.zeros((), g.dtype))
        return total

    phases = [phase(at) for at in _places(strides)]
    stacked = jnp.stack(phases).reshape(*strides, *phases[0].shape)
    first = len(window)
    order = [first, *itertools.chain(*((first + 1 + a, a) for a in axes)), 2 * first + 1]
    whole = jnp.transpose(stacked, order).reshape(
        g.shape[0], *(rows[a] * strides[a] for a in axes), g.shape[-1]
    )
    return (whole[(slice(None), *(slice(size) for size in sizes))],)


largest_under.defvjp(_largest_under, _back_through_largest_under)
