"""All randomness of a study, keyed by what it is for and never by position or time.

The same key gives the same numbers in every process, on every engine and in every order of work,
so resuming, re-chunking or moving a member to another worker changes nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_WEIGHTS, _ORDER, _NOISE, _WATCHED = 1, 2, 4, 5


def _generator(purpose: int, *key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([purpose, *key])))


def weights_generator(study_seed: int, member_seed: int) -> np.random.Generator:
    """Return the generator that draws the initial weights of every member with this seed."""
    return _generator(_WEIGHTS, study_seed, member_seed)


def example_order(
    study_seed: int, member_seed: int, epoch: int, examples: int
) -> NDArray[np.int32]:
    """Return the order in which an epoch visits the examples, shape (examples,).

    It does not depend on the method or the batch size: members with one seed see one order.
    """
    order: NDArray[Any] = _generator(_ORDER, study_seed, member_seed, epoch).permutation(examples)
    return order.astype(np.int32)


def noise_key(study_seed: int, member_seed: int) -> NDArray[np.uint32]:
    """Return the key of what a member draws while it trains (dropout), shape (2,).

    The engine folds epoch and step into it. Like the order, it does not depend on the method.
    """
    return _generator(_NOISE, study_seed, member_seed).integers(2**32, size=2, dtype=np.uint32)


def validation_subset_rows(study_seed: int, examples: int, most: int) -> NDArray[np.int64]:
    """Return which of so many examples a curve is drawn from, ``most`` at the most, in order."""
    if examples <= most:
        return np.arange(examples)
    drawn: NDArray[Any] = _generator(_WATCHED, study_seed).permutation(examples)[:most]
    return np.sort(drawn)


def step_seeds(study_seed: int, member_seed: int, epoch: int, steps: int) -> list[int]:
    """Return a seed for what each step of an epoch draws, for engines with seeded generators.

    The seed of a step does not depend on how many steps the epoch has.
    """
    generator = _generator(_NOISE, study_seed, member_seed, epoch)
    seeds: list[int] = generator.integers(2**63, size=steps).tolist()
    return seeds
