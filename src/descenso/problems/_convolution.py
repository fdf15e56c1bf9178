"""Convolutional networks written with the closed list of operations.

Images have shape (examples, height, width, channels). Pooling is written as maxima of reshaped
neighbours: inside a compiled loop on a CPU these run several times faster than a framework's own
window reduction, and their gradients are selections.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from descenso import ops
from descenso.problems._networks import dense_apply, dense_init
from descenso.problems._problem import Array, Params

KERNEL = 3  # the side of every kernel


@dataclass(frozen=True)
class ConvolutionalNetwork:
    """Blocks of 3×3 convolution and ReLU, pooled 2×2 where told, then dense layers.

    Attributes
    ----------
    image : (height, width, channels).
    filters : output channels of each convolution.
    pooled : whether each convolution is followed by 2×2 maximum pooling.
    hidden : sizes of the dense layers before the last.
    classes : outputs.
    same : whether images are padded so that a convolution keeps their size.
    """

    image: tuple[int, int, int]
    filters: tuple[int, ...]
    pooled: tuple[bool, ...]
    hidden: tuple[int, ...] = ()
    classes: int = 10
    same: bool = False

    @property
    def features(self) -> int:
        """Return how many numbers reach the dense layers."""
        height, width, channels = self.image
        for channels, pooled in zip(self.filters, self.pooled, strict=True):  # noqa: B007
            if not self.same:
                height, width = height - KERNEL + 1, width - KERNEL + 1
            if pooled:
                height, width = height // 2, width // 2
        return height * width * channels

    def _seen(self, side: int) -> int:
        """Return how much of an image's side reaches the outputs: pooling leaves odd edges out."""
        if self.same:
            return side
        sizes = [side]
        for pooled in self.pooled:
            sizes.append((sizes[-1] - KERNEL + 1) // (2 if pooled else 1))
        seen = sizes[-1]
        for pooled in reversed(self.pooled):
            seen = seen * (2 if pooled else 1) + KERNEL - 1
        return seen

    def init(self, rng: np.random.Generator) -> Params:
        """Return initial weights; kernels of shape (3, 3, channels, filters) as He et al. 2015."""
        channels = (self.image[2], *self.filters[:-1])
        kernels = [
            {
                "kernel": _he(rng, (KERNEL, KERNEL, inputs, outputs)),
                "bias": np.zeros(outputs, np.float32),
            }
            for inputs, outputs in zip(channels, self.filters, strict=True)
        ]
        dense = dense_init((self.features, *self.hidden, self.classes))(rng)
        return {"convolutions": kernels, "dense": dense}

    def apply(self, params: Params, images: Array) -> Array:
        """Return the outputs, shape (examples, classes); images hold bytes from 0 to 255."""
        height, width = (self._seen(side) for side in self.image[:2])
        x = brightness(images[:, :height, :width])
        for layer, pooled in zip(params["convolutions"], self.pooled, strict=True):
            x = convolve(x, layer["kernel"], same=self.same)
            # Adding a bias and ReLU keep the order of numbers, so pooling may come before them:
            # the same figures with a quarter of the work.
            x = (pool(x) if pooled else x) + layer["bias"]
            xp = ops.namespace(x)
            x = xp.maximum(x, xp.zeros_like(x))
        flat = ops.namespace(x).reshape(x, (x.shape[0], self.features))
        return dense_apply(params["dense"], flat)


def _he(rng: np.random.Generator, shape: Sequence[int]) -> Any:
    inputs = int(np.prod(shape[:-1]))
    return (rng.normal(size=shape) * (2 / inputs) ** 0.5).astype(np.float32)


def brightness(images: Array) -> Array:
    """Return bytes as float32 from 0 to 1: images stay bytes until the batch that needs them."""
    return images * np.float32(1 / 255)


def convolve(images: Array, kernel: Array, *, same: bool) -> Array:
    """Return the cross-correlation of images with a kernel of shape (k, k, channels, filters)."""
    xp = ops.namespace(images)
    if same:
        side = kernel.shape[0]
        margin = (side // 2, side - 1 - side // 2)
        images = xp.pad(images, ((0, 0), margin, margin, (0, 0)))
    return xp.convolve(images, kernel)


def pool(images: Array) -> Array:
    """Return the maximum of each 2×2 square; an odd last row or column is left out."""
    xp = ops.namespace(images)
    count, height, width, channels = images.shape
    even = images[:, : height // 2 * 2, : width // 2 * 2, :]
    squares = xp.reshape(even, (count, height // 2, 2, width // 2, 2, channels))
    return xp.max(squares, axis=(2, 4))


def on_bytes(apply: Callable[[Params, Array], Array]) -> Callable[[Params, Array], Array]:
    """Return a dense network's ``apply`` for images of bytes, flattened."""

    def apply_to_bytes(params: Params, images: Array) -> Array:
        x = brightness(images)
        pixels = int(np.prod(x.shape[1:]))
        return apply(params, ops.namespace(x).reshape(x, (x.shape[0], pixels)))

    return apply_to_bytes
