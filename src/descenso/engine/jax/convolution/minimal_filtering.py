"""Convolution with 3×3 kernels by minimal filtering: 16 products for 4 outputs, in place of 36.

F(2×2, 3×3) of Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks",
arXiv:1509.09308, section 4.1, after Winograd 1980. Images are cut into tiles of 4×4 pixels, two
apart, each of which gives 2×2 outputs. Tiles and kernels are transformed by sums and differences
(Bᵀ d B and G g Gᵀ), multiplied place by place and summed over channels, which is one matrix product
for each of the 16 positions, and transformed back (Aᵀ m A). The gradients go the same way back, through
the transposed transforms, and so save as much.

Every transform acts along rows, and then along columns: arrays have a leading axis of positions, and
each pass is one stack, which keeps XLA from computing what is transformed anew for each place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

Array: TypeAlias = Any
#: Sums and differences of some arrays of one shape.
Transform: TypeAlias = Callable[[Sequence[Array]], list[Array]]

SIDE = 3  # of a kernel
PLACES = 16  # of a transformed tile
#: Products that must be spared for each number that is transformed: what was measured to pay.
SPARED_FOR_EACH = 40
LEAST_OUTPUTS = 4  # along an axis: with a single tile across, an image leaves too little to do


def pays(images: Array, kernel: Array) -> bool:
    """Whether this takes less time than the sums written out, by counts of operations.

    Images have shape (examples, sizes..., channels), kernels (sizes..., channels, filters).
    """
    *sides, channels, filters = kernel.shape
    outputs = [size - side + 1 for size, side in zip(images.shape[1:-1], sides, strict=True)]
    if sides != [SIDE, SIDE] or min(outputs) < LEAST_OUTPUTS:
        return False
    if images.dtype not in (jnp.float32, jnp.float64) or kernel.dtype != images.dtype:
        return False  # shorter numbers would lose too much in the sums and differences
    tiles = math.prod(map(_tiles, outputs))
    spared = channels * filters * (SIDE**2 * math.prod(outputs) - PLACES * tiles)
    transformed = (channels + filters) * 4 * tiles  # four pixels and four outputs to a tile
    return bool(spared >= SPARED_FOR_EACH * transformed)


def largest(images: Array, kernel: Array) -> int:
    """Return how many numbers an image becomes at most on the way."""
    _count, height, width, channels = images.shape
    tiles = _tiles(height - SIDE + 1) * _tiles(width - SIDE + 1)
    return int(PLACES * tiles * max(channels, kernel.shape[-1]))


@jax.custom_vjp  # type: ignore[untyped-decorator]
def convolve(images: Array, kernel: Array) -> Array:
    """Return the cross-correlation of images with a kernel, where the two overlap wholly.

    Parameters
    ----------
    images : shape (examples, height, width, channels), height and width of 3 at least.
    kernel : shape (3, 3, channels, filters).

    Returns
    -------
    array of shape (examples, height - 2, width - 2, filters).
    """
    return _convolve(images, kernel)[0]


def _convolve(images: Array, kernel: Array) -> tuple[Array, tuple[Array, Array]]:
    count, height, width, _channels = images.shape
    rows, columns = _tiles(height - 2), _tiles(width - 2)
    tiles, kernels = _transformed_tiles(images), _transformed_kernel(kernel)
    products = jnp.einsum("ptc,pcf->ptf", tiles, kernels).reshape(PLACES, count, rows, columns, -1)
    squares = _both_ways(_outputs, products)
    outputs = _interleaved(squares)[:, : height - 2, : width - 2]
    return outputs, (tiles, kernels)


def _back(kept: tuple[Array, Array], g: Array) -> tuple[Array, Array]:
    tiles, kernels = kept
    count, height, width, _filters = g.shape
    g = _transformed_outputs(g)
    moved = jnp.einsum("ptc,ptf->pcf", tiles, g)
    gradient = jnp.stack([jnp.stack(row) for row in _both_ways(_kernel_back, moved)])
    back = jnp.einsum("ptf,pcf->ptc", g, kernels)
    back = back.reshape(PLACES, count, _tiles(height), _tiles(width), -1)
    return _tiles_back(back)[:, : height + 2, : width + 2], gradient


convolve.defvjp(_convolve, _back)


def _tiles(outputs: int) -> int:
    return -(-outputs // 2)


# ---- transforms along one axis ---------------------------------------------------------------


def _pixels(d: Sequence[Array]) -> list[Array]:  # Bᵀ
    return [d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]]


def _pixels_back(v: Sequence[Array]) -> list[Array]:  # B
    return [v[0], v[1] - v[2] + v[3], v[1] + v[2] - v[0], -v[3]]


def _kernel(g: Sequence[Array]) -> list[Array]:  # G
    ends = g[0] + g[2]
    return [g[0], (ends + g[1]) / 2, (ends - g[1]) / 2, g[2]]


def _kernel_back(u: Sequence[Array]) -> list[Array]:  # Gᵀ
    half = (u[1] + u[2]) / 2
    return [u[0] + half, (u[1] - u[2]) / 2, half + u[3]]


def _outputs(m: Sequence[Array]) -> list[Array]:  # Aᵀ
    return [m[0] + m[1] + m[2], m[1] - m[2] - m[3]]


def _outputs_back(y: Sequence[Array]) -> list[Array]:  # A
    return [y[0], y[0] + y[1], y[0] - y[1], -y[1]]


# ---- transforms of whole arrays --------------------------------------------------------------
# The 16 positions are numbered by columns: place 4 j + i is in row i and column j of a tile.


def _transformed_tiles(images: Array) -> Array:
    """Return the tiles of images as an array of shape (16, tiles, channels)."""
    _, height, width, channels = images.shape
    rows, columns = _tiles(height - 2), _tiles(width - 2)
    more = (0, 2 * rows + 2 - height), (0, 2 * columns + 2 - width)
    images = jnp.pad(images, ((0, 0), *more, (0, 0)))
    down = jnp.stack(_pixels([images[:, i : i + 2 * rows - 1 : 2] for i in range(4)]))
    across = _pixels([down[:, :, :, j : j + 2 * columns - 1 : 2] for j in range(4)])
    return jnp.stack(across).reshape(PLACES, -1, channels)


def _transformed_kernel(kernel: Array) -> Array:
    """Return a kernel as an array of shape (16, channels, filters)."""
    down = jnp.stack(_kernel(kernel))
    across = jnp.stack(_kernel([down[:, j] for j in range(SIDE)]))
    return across.reshape(PLACES, *kernel.shape[2:])


def _transformed_outputs(g: Array) -> Array:
    """Return the gradient of outputs as an array of shape (16, tiles, filters)."""
    count, height, width, filters = g.shape
    rows, columns = _tiles(height), _tiles(width)
    g = jnp.pad(g, ((0, 0), (0, 2 * rows - height), (0, 2 * columns - width), (0, 0)))
    g = g.reshape(count, rows, 2, 2 * columns, filters)
    down = jnp.stack(_outputs_back([g[:, :, i] for i in range(2)]))
    down = down.reshape(4, count, rows, columns, 2, filters)
    across = _outputs_back([down[..., j, :] for j in range(2)])
    return jnp.stack(across).reshape(PLACES, -1, filters)


def _tiles_back(g: Array) -> Array:
    """Return the gradient of images from that of their transformed tiles.

    ``g`` has shape (16, examples, rows, columns, channels). Tiles overlap by two pixels, so that a
    pixel is the sum of what up to four tiles send to it.
    """
    g = jnp.pad(g, ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0)))
    pixels = _both_ways(_pixels_back, g)
    later, earlier = slice(1, None), slice(None, -1)
    down = [
        [pixels[i][j][:, later] + pixels[i + 2][j][:, earlier] for j in range(4)] for i in range(2)
    ]
    return _interleaved(
        [[row[j][:, :, later] + row[j + 2][:, :, earlier] for j in range(2)] for row in down]
    )


def _both_ways(transform: Transform, positions: Array) -> list[list[Array]]:
    """Transform the 16 positions along rows and columns; return rows of arrays."""
    columns = [transform([positions[4 * j + i] for i in range(4)]) for j in range(4)]
    return [transform(row) for row in zip(*columns, strict=True)]


def _interleaved(squares: Sequence[Sequence[Array]]) -> Array:
    """Return images of which ``squares[i][j]`` holds every other pixel, from row i and column j."""
    count, rows, columns, channels = squares[0][0].shape
    pairs = [jnp.stack(row, axis=3) for row in squares]
    return jnp.stack(pairs, axis=2).reshape(count, 2 * rows, 2 * columns, channels)
