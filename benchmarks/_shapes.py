"""Shapes of the parameters of three networks, as lists of tuples: what a step is timed over."""

from __future__ import annotations

from math import prod

Shapes = list[tuple[int, ...]]


def mnist_dense() -> Shapes:
    """784-128-10 dense network: 4 arrays, 101,770 parameters."""
    return [(784, 128), (128,), (128, 10), (10,)]


def resnet50() -> Shapes:
    """ResNet-50 (He et al. 2015, table 1): 161 arrays, 25,557,032 parameters."""
    shapes = [(64, 3, 7, 7), (64,), (64,)]
    width_in = 64
    for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            shapes += _bottleneck(width_in, width, downsample=block == 0)
            width_in = 4 * width
    return [*shapes, (1000, 2048), (1000,)]


def gpt2_small() -> Shapes:
    """GPT-2 small (Radford et al. 2019): 148 arrays, 124,439,808 parameters."""
    width, layers = 768, 12
    block = [
        (width,), (width,), (width, 3 * width), (3 * width,), (width, width), (width,),
        (width,), (width,), (width, 4 * width), (4 * width,), (4 * width, width), (width,),
    ]  # fmt: skip
    return [(50257, width), (1024, width), *(block * layers), (width,), (width,)]


#: Name -> function, in the order of the tables.
NETWORKS = {"mnist_dense": mnist_dense, "resnet50": resnet50, "gpt2_small": gpt2_small}


def count(shapes: Shapes) -> int:
    """Return the number of parameters in all arrays together."""
    return sum(prod(shape) for shape in shapes)


def _bottleneck(width_in: int, width: int, downsample: bool) -> Shapes:
    convolutions = [(width, width_in, 1, 1), (width, width, 3, 3), (4 * width, width, 1, 1)]
    if downsample:
        convolutions.append((4 * width, width_in, 1, 1))
    return [s for conv in convolutions for s in (conv, (conv[0],), (conv[0],))]
