"""Examples and the three parts they are split into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

Array: TypeAlias = Any


@dataclass(frozen=True)
class Split:
    """Examples: inputs and targets, each an array whose first axis counts examples."""

    inputs: Array
    targets: Array

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True)
class Data:
    """The three parts of the examples: to train on, to choose settings by, to judge by."""

    train: Split
    validation: Split
    test: Split


@dataclass(frozen=True)
class TrainTest:
    """A data set as its makers published it: examples to train on, and examples to judge by."""

    train: Split
    test: Split
