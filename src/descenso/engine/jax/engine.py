"""The JAX engine: whole epochs of whole populations in compiled code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import jax
import numpy as np

from descenso.engine import layout
from descenso.engine.bookkeeping import Failure
from descenso.engine.contract import Layout
from descenso.engine.jax.arguments import Arguments
from descenso.engine.jax.convolution.rewrites import with_fast_forms
from descenso.engine.jax.examples import Examples
from descenso.engine.jax.initial_states import InitialStates, initial_params
from descenso.engine.jax.judge import Judge
from descenso.engine.jax.micro_batches import MicroBatches
from descenso.engine.jax.programs import Programs
from descenso.engine.jax.walk import JaxWalk
from descenso.engine.jax.workers import Threads
from descenso.engine.scheduling import Pace, Paces, Queue
from descenso.problems import Data, Problem, trained
from descenso.records import Member, Run

Tree: TypeAlias = Any


@dataclass
class JaxEngine:
    """Train members of ``problem`` on ``data`` with JAX, as the process has configured it.

    :func:`descenso.engine.prepare_machine` configures it for many small trainings at once.

    Parameters
    ----------
    problem, data : what to train.
    study_seed : keys all randomness.
    dtype : of parameters, rule state and settings.
    arrangement : ``"one after another"`` or ``"side by side"``; ``None``: as sizes have it.
    platform : ``"cpu"``, ``"gpu"`` ...: lay members out as suits one; ``None``: as suits the device.
    """

    problem: Problem
    data: Data
    study_seed: int
    dtype: type[np.floating[Any]] = np.float32
    arrangement: str | None = None
    platform: str | None = None

    def __post_init__(self) -> None:
        device = jax.devices()[0]
        self._platform: str = self.platform or device.platform
        on_cpu = self._platform == "cpu"
        if on_cpu:
            self.problem = with_fast_forms(self.problem)
        self._count = layout.workers_of(self._platform)
        self._examples = Examples.placed(self.data, self.study_seed, self.dtype, device, on_cpu)
        self._micro_batches = MicroBatches(
            self.problem,
            partial(self.initial, 0),
            self._examples.few,
            self._examples.largest_split,
            on_cpu,
        )
        self._initial_states = InitialStates(
            self.problem, self.initial, self._examples.validation, self._micro_batches, self._count
        )
        self._arguments = Arguments(
            self.problem, self._examples, self._initial_states, self.study_seed, self.dtype
        )
        self._programs = Programs(
            self.problem, self._examples, self._micro_batches, self._initial_states,
            self._arguments, self.arrangement, self._platform, device,
        )  # fmt: skip
        self._judge = Judge(self.problem, self._examples.test, self._micro_batches, self._arguments)
        self._paces: Paces = defaultdict(Pace)
        self._failures: list[Failure] = []

    def initial(self, seed: int) -> Tree:
        """Return the parameters that every member with this seed starts with."""
        return initial_params(self.problem, self.study_seed, seed, self.dtype)

    def train(
        self, members: Sequence[Member | Run], epochs: int, *, judge: bool = False
    ) -> Iterator[list[Run]]:
        """Train each member until it has seen ``epochs`` epochs; see :class:`Engine`."""
        self._initial_states.prepare(m.seed for m in members if isinstance(m, Member))
        runs = [m if isinstance(m, Run) else self._initial_states.run(m) for m in members]
        queue = Queue(runs, epochs, judge, self._paces, self._failures)
        # Traced here and not in a thread: it may be the user's code.
        for member in queue.members():
            self._programs.of(member, epochs)
            if judge:
                self._judge.prepare(member)
        threads = Threads(self._count, self._programs, self._arguments, self._judge)
        with closing(threads):
            if self._platform == "cpu":
                yield from queue.trained_by(threads)
            else:
                threads.compile_ahead(queue.members())
                yield from queue.trained_by(threads, threads.is_compiled)

    def walk(self, member: Member) -> JaxWalk:
        """Return a member that is to take its first step; see :class:`LocalEngine`."""
        arguments = self._arguments
        return JaxWalk(
            self._programs.recipe(member, 1),
            arguments.starting(member, self.initial(member.seed)),
            arguments.given(member, 0, 0, np.inf),
            partial(arguments.order, member.seed),
            self._examples.train,
        )

    def parameters(self) -> int:
        """Return how many parameters the problem trains."""
        return sum(np.size(leaf) for leaf in jax.tree.leaves(trained(self.initial(0))))

    def describe(self) -> Layout:
        """Return the layout chosen and its timings."""
        programs = self._programs.described(self._paces)
        return {
            "engine": "jax",
            "platform": self._platform,
            "streams": self._count,
            "arrangement": layout.describe_arrangements({p["arrangement"] for p in programs}),
            "watched": len(self._examples.validation[1]),
            "dtype": np.dtype(self.dtype).name,
            "programs": programs,
            "failures": list(self._failures),
        }
