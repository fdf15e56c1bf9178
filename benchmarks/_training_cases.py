"""What is trained in the training benchmark: problems, their sizes per turn, and the targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from descenso import problems
from descenso.data import Data, Split

SEEDS = 4  # that the members of a population share


@dataclass(frozen=True)
class Case:
    """A network on a data set, trained with one rule at one batch size.

    Attributes
    ----------
    layers : of the peers' network: ``(kind, ...)`` as :mod:`benchmarks._training_torch` reads it.
    members, epochs : of our population, in a turn.
    steps : of a peer, in a turn.
    share : of the examples, both of training and of validation, where all would take too long.
    turns : least number of turns.
    loop, torch_engine : least speed-up over the best hand-written loop, of either engine.
    bound : least share of the matrix-product bound.
    others : peers besides the loop.
    """

    name: str
    problem: str
    batch: int
    layers: tuple[tuple[Any, ...], ...]
    members: int
    epochs: int
    steps: int
    loop: float
    rule: str = "momentum"
    share: float = 1.0
    turns: int = 5
    torch_engine: float | None = None
    bound: float | None = None
    evaluation: float | None = None
    others: tuple[str, ...] = ()

    @property
    def convolutional(self) -> bool:
        """Whether the peers' network takes images, not rows."""
        return bool(self.layers[0][0] == "conv")

    def data(self) -> Data:
        """Return the examples."""
        whole = problems.get(self.problem).make_data(0)
        return Data(
            _first(whole.train, self.share), _first(whole.validation, self.share), whole.test
        )

    def as_floats(self, part: Split) -> tuple[Any, Any]:
        """Return a part as a hand-written loop holds it: normalised float32 and whole labels.

        Rows have shape (examples, columns); images (examples, height, width, channels).
        """
        scale = np.float32(1 / 255 if part.inputs.dtype == np.uint8 else 1)
        inputs = part.inputs.astype(np.float32) * scale
        if not self.convolutional:
            inputs = inputs.reshape(len(inputs), -1)
        return inputs, part.targets.astype(np.int64)


def _first(part: Split, share: float) -> Split:
    count = round(len(part) * share)
    return Split(part.inputs[:count], part.targets[:count])


_DIGITS = (("dense", 64, 32), ("dense", 32, 10))
_MNIST_CNN = (("conv", 1, 32), ("pool",), ("conv", 32, 64), ("pool",), ("dense", 1600, 10))
_CIFAR_CNN = (
    ("conv", 3, 32), ("pool",), ("conv", 32, 64), ("pool",), ("conv", 64, 64),
    ("dense", 1024, 64), ("dense", 64, 10),
)  # fmt: skip
_ALL = ("keras", "vmap")

CASES = {
    case.name: case
    for case in (
        Case("digits", "digits", 32, _DIGITS, members=16, epochs=50, steps=4000,
             loop=9, torch_engine=1.5, evaluation=0.15, others=_ALL),
        Case("digits, Adam", "digits", 32, _DIGITS, members=16, epochs=50, steps=4000,
             loop=9, rule="adam"),
        Case("digits, batch 1", "digits", 1, _DIGITS, members=16, epochs=20, steps=4000,
             loop=30, torch_engine=1.5, evaluation=0.15, others=_ALL),
        Case("mnist-dense", "mnist-dense", 64, (("dense", 784, 128), ("dense", 128, 10)),
             members=8, epochs=5, steps=1000,
             loop=2.5, torch_engine=1, evaluation=0.15, bound=0.65, others=(*_ALL, "tutorial")),
        Case("mnist-cnn", "mnist-cnn", 64, _MNIST_CNN, members=4, epochs=5, steps=50,
             share=0.2, turns=3,
             loop=1.6, torch_engine=1, evaluation=0.15, bound=0.65, others=_ALL),
        Case("cifar10-cnn", "cifar10-cnn", 64, _CIFAR_CNN, members=4, epochs=5, steps=50,
             turns=3, loop=1.5, torch_engine=1, others=_ALL),
    )
}  # fmt: skip
