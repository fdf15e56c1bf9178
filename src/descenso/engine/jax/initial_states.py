"""What all members of a seed share: the network it starts with, and how good that is untrained."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax

from descenso.engine.bookkeeping import untrained
from descenso.records import Curve

Tree: TypeAlias = Any
Figures: TypeAlias = tuple[Any, Any]


@dataclass(frozen=True)
class Start:
    """Initial parameters, and their figures on validation."""

    params: Tree
    validation_loss: float
    validation_metric: float

    def curve(self) -> Curve:
        """Return the learning curve of a member that has seen no epoch."""
        return untrained(self.validation_loss, self.validation_metric)


class InitialStates:
    """The starts of seeds, each made once.

    Parameters
    ----------
    weights : seed → initial parameters.
    judge : () → what gives the figures of parameters, compiled. Both may be the user's code, and
        are called in the thread that asks, not in a stream.
    streams : how many judge at once.
    """

    def __init__(
        self,
        weights: Callable[[int], Tree],
        judge: Callable[[], Callable[[Tree], Figures]],
        streams: int,
    ) -> None:
        self._weights, self._judge, self._workers = weights, judge, streams
        self._known: dict[int, Start] = {}

    def of(self, seed: int) -> Start:
        """Return the start of a seed."""
        self.prepare([seed])
        return self._known[seed]

    def prepare(self, seeds: Iterable[int]) -> None:
        """Make the networks of new seeds, and see in all streams how good they are."""
        new = {seed: self._weights(seed) for seed in seeds if seed not in self._known}
        if not new:
            return
        judge, precision = self._judge(), jax.config.jax_enable_x64  # kept by thread

        def started(params: Tree) -> Start:
            with jax.enable_x64(precision):
                loss, metric = judge(params)
                return Start(params, float(loss), float(metric))

        with ThreadPoolExecutor(self._workers, "start") as pool:
            self._known |= zip(new, pool.map(started, new.values()), strict=True)
