"""The examples as programs take them: in the engine's precision, on the device that trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import numpy as np

from descenso.data import Data
from descenso.engine.bookkeeping import validation_subset
from descenso.engine.jax.packed_bytes import packed, packs

#: Inputs and targets, arrays with a first axis that counts examples.
Batch: TypeAlias = tuple[Any, Any]
#: Training examples by which a network's sizes, and how it treats examples, are found out.
FEW = 16


def in_precision(array: Any, dtype: type[np.floating[Any]]) -> Any:
    """Return an array with floating numbers in ``dtype``, others untouched."""
    array = np.asarray(array)
    return array.astype(dtype) if np.issubdtype(array.dtype, np.floating) else array


@dataclass(frozen=True)
class Examples:
    """The parts of a problem's data.

    Attributes
    ----------
    train, validation, test : on the device; validation is what curves are drawn from.
    count : training examples.
    packed : shape of an example, where its bytes come four to a word.
    few : some training examples, not packed, on the host.
    """

    train: Batch
    validation: Batch
    test: Batch
    count: int
    packed: tuple[int, ...] | None
    few: Batch

    @classmethod
    def placed(
        cls, data: Data, study_seed: int, dtype: type[np.floating[Any]], device: Any, pack: bool
    ) -> Examples:
        """Place the parts on a device; ``pack``: bytes go as words, where they fill them."""
        train, validation, test = (
            (in_precision(part.inputs, dtype), in_precision(part.targets, dtype))
            for part in (data.train, validation_subset(data, study_seed), data.test)
        )
        few, shape = (train[0][:FEW].copy(), train[1][:FEW].copy()), None
        if pack and packs(train[0]):
            shape, train = train[0].shape[1:], (packed(train[0]), train[1])
        train, validation, test = jax.device_put((train, validation, test), device)
        return cls(train, validation, test, len(data.train), shape, few)

    @property
    def largest_split(self) -> int:
        """Return the examples of the larger of validation and test."""
        return max(len(self.validation[1]), len(self.test[1]))
