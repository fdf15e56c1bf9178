"""Vary how the examples that are not test are parted into training and validation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from descenso.engine import Engine
from descenso.problems import Data, Split
from descenso.records import Member, Run
from descenso.study._search import FIRST_SEARCH_SEED

_SPLIT = 3  # purpose of the key, beside those of the engine's randomness


def split_of(seed: int, ways: int) -> int:
    """Return on which of so many ways a member's seed is trained; the search stays on the first."""
    return 0 if seed >= FIRST_SEARCH_SEED else seed % ways


def parted_anew(data: Data, study_seed: int, way: int) -> Data:
    """Return the data with training and validation examples drawn anew; way 0 is as given.

    The test part stays: examples that chose a setting must never judge it, and any of the others
    may have taken part in the search.
    """
    if way == 0:
        return data
    inputs = np.concatenate([data.train.inputs, data.validation.inputs])
    targets = np.concatenate([data.train.targets, data.validation.targets])
    generator = np.random.default_rng(np.random.SeedSequence([_SPLIT, study_seed, way]))
    order = generator.permutation(len(inputs))
    first, rest = order[: len(data.train)], order[len(data.train) :]
    return replace(
        data,
        train=Split(inputs[first], targets[first]),
        validation=Split(inputs[rest], targets[rest]),
    )


class SplitEngine:
    """Trains each member on the way its seed belongs to, with an engine for each way."""

    def __init__(self, open_for: Callable[[Data], Engine], data: Data, seed: int, ways: int):
        self._open_for, self._data, self._seed, self._ways = open_for, data, seed, ways
        self._engines: dict[int, Engine] = {}

    def _engine(self, way: int) -> Engine:
        if way not in self._engines:
            self._engines[way] = self._open_for(parted_anew(self._data, self._seed, way))
        return self._engines[way]

    def train(
        self, members: Sequence[Member | Run], epochs: int, *, judge: bool = False
    ) -> Iterator[list[Run]]:
        """Train each member until it has seen ``epochs`` epochs; see :class:`Engine`."""
        groups: dict[int, list[Member | Run]] = defaultdict(list)
        for given in members:
            member = given.member if isinstance(given, Run) else given
            groups[split_of(member.seed, self._ways)].append(given)
        for way, group in sorted(groups.items()):
            yield from self._engine(way).train(group, epochs, judge=judge)

    def parameters(self) -> int:
        """Return how many parameters the problem trains."""
        return self._engine(0).parameters()

    def describe(self) -> Mapping[str, Any]:
        """Return the layout chosen for the first way."""
        return {**self._engine(0).describe(), "splits": self._ways}
