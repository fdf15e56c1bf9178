"""What all members of a seed share: the network it starts with, and how good that is untrained."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import jax
import numpy as np

from descenso.engine.bookkeeping import untrained
from descenso.engine.jax.compiled import lowered
from descenso.engine.jax.examples import Batch, in_precision
from descenso.engine.jax.gradient import evaluate
from descenso.engine.jax.micro_batches import MicroBatches
from descenso.engine.randomness import weights_generator
from descenso.problems import Problem
from descenso.records import Member, Run

Tree: TypeAlias = Any


@dataclass(frozen=True)
class InitialState:
    """Initial parameters, and their figures on validation."""

    params: Tree
    validation_loss: float
    validation_metric: float


def initial_params(
    problem: Problem, study_seed: int, seed: int, dtype: type[np.floating[Any]]
) -> Tree:
    """Return the parameters that every member with this seed starts with."""
    params = problem.init(weights_generator(study_seed, seed))
    return jax.tree.map(lambda leaf: in_precision(leaf, dtype), params)


class InitialStates:
    """The initial states of seeds, each made once.

    Parameters
    ----------
    params : seed → initial parameters.
    validation : the examples that curves are drawn from.
    workers : how many are measured at once.
    """

    def __init__(
        self,
        problem: Problem,
        params: Callable[[int], Tree],
        validation: Batch,
        micro_batches: MicroBatches,
        workers: int,
    ) -> None:
        self._problem, self.params, self._validation = problem, params, validation
        self._micro_batches, self._workers = micro_batches, workers
        self._known: dict[int, InitialState] = {}

    def of(self, seed: int) -> InitialState:
        """Return the initial state of a seed."""
        self.prepare([seed])
        return self._known[seed]

    def run(self, member: Member) -> Run:
        """Return the run of a member that has seen no epoch."""
        initial = self.of(member.seed)
        curve = untrained(initial.validation_loss, initial.validation_metric)
        return Run(member, curve, checkpoint={})

    def prepare(self, seeds: Iterable[int]) -> None:
        """Make the networks of new seeds, and measure several at once."""
        new = {seed: self.params(seed) for seed in seeds if seed not in self._known}
        if not new:
            return
        # Traced here and not in a thread: it may be the user's code.
        measure, precision = self._measure, jax.config.jax_enable_x64  # kept by thread

        def measured(params: Tree) -> InitialState:
            with jax.enable_x64(precision):
                loss, metric = measure(params, self._validation)
                return InitialState(params, float(loss), float(metric))

        with ThreadPoolExecutor(self._workers, "initial state") as pool:
            self._known |= zip(new, pool.map(measured, new.values()), strict=True)

    @cached_property
    def _measure(self) -> Callable[[Tree, Batch], tuple[Any, Any]]:
        part = self._micro_batches.of_splits
        measure = jax.jit(lambda params, split: evaluate(self._problem, params, split, part))
        compiled: Any = lowered(measure, self.params(0), self._validation).compile()
        return compiled  # type: ignore[no-any-return]
