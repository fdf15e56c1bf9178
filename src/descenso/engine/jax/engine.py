"""The JAX engine: whole epochs of whole populations in compiled code."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import jax
import numpy as np
import platformdirs
from numpy.typing import NDArray

from descenso import rules
from descenso.engine import layout
from descenso.engine.bookkeeping import (
    advanced,
    divergence_threshold_of,
    key_of,
    switches_of,
    validation_subset,
    with_test_figures,
)
from descenso.engine.jax.compiled import Compiled, Program, lay, lowered, memory_of
from descenso.engine.jax.convolution.rewrites import with_fast_forms
from descenso.engine.jax.gradient import evaluate
from descenso.engine.jax.initial_states import InitialStates
from descenso.engine.jax.micro_batches import MicroBatches
from descenso.engine.jax.packed_bytes import packed, packs
from descenso.engine.jax.program import Inputs, Noise, Outcome, Progress, Recipe, build, build_judge
from descenso.engine.jax.workers import Advance, Group, Task, Workers, is_unfinished
from descenso.engine.randomness import example_order, noise_key, weights_generator
from descenso.problems import Data, Problem, trained
from descenso.problems._start_jax import start_jax
from descenso.records import Member, Run

Tree: TypeAlias = Any
_Key: TypeAlias = tuple[Any, ...]
#: Example orders that are kept, for members share them: a call needs one for each seed and epoch.
ORDERS_KEPT = 256


def _use_compilation_cache() -> None:
    """Keep compiled programs on disk between processes, unless the user has chosen a place."""
    if not jax.config.jax_compilation_cache_dir:
        folder = Path(platformdirs.user_cache_dir("descenso")) / "xla"
        jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


@dataclass
class JaxEngine:
    """Train members of ``problem`` on ``data`` with JAX.

    Parameters
    ----------
    problem, data : what to train.
    study_seed : keys all randomness.
    dtype : of parameters, rule state and settings.
    arrangement : ``"one after another"`` or ``"side by side"``; ``None`` lets the machine decide.
    platform : ``"cpu"``, ``"gpu"`` ...: lay members out as suits one; ``None``: as suits the device.
    """

    problem: Problem
    data: Data
    study_seed: int
    dtype: type[np.floating[Any]] = np.float32
    arrangement: str | None = None
    platform: str | None = None
    _programs: dict[_Key, Program] = field(default_factory=dict, init=False)
    _failures: list[dict[str, Any]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._device = start_jax()
        self._platform: str = self.platform or self._device.platform
        self._workers = layout.workers_of(self._platform)
        on_cpu = self._platform == "cpu"
        self._fast_problem = with_fast_forms(self.problem)
        if on_cpu:  # elsewhere only members side by side gain
            self.problem = self._fast_problem
        _use_compilation_cache()
        train, validation, test = (
            (self._floats(split.inputs), self._floats(split.targets))
            for split in (
                self.data.train,
                validation_subset(self.data, self.study_seed),
                self.data.test,
            )
        )
        self._parts = MicroBatches(self.problem, lambda: self._weights(0), train, on_cpu)
        self._packed: tuple[int, ...] | None = None  # the shape of an example of bytes
        if on_cpu and packs(train[0]):
            self._packed, train = train[0].shape[1:], (packed(train[0]), train[1])
        # What training and its curves may look at, and what judges at the end.
        self._seen, self._test = jax.device_put(((train, validation), test), self._device)
        self._judge: Compiled | None = None
        self._initial_states = InitialStates(
            self._weights, lambda: self._judge_start, self._workers
        )
        self._order = lru_cache(ORDERS_KEPT)(self._new_order)

    def _floats(self, array: Any) -> Any:
        """Return the array with floating numbers in the engine's precision, others untouched."""
        array = np.asarray(array)
        return array.astype(self.dtype) if np.issubdtype(array.dtype, np.floating) else array

    # ---- the contract -------------------------------------------------------------------------

    def train(
        self, members: Sequence[Member | Run], epochs: int, *, judge: bool = False
    ) -> Iterator[list[Run]]:
        """Train each member until it has seen ``epochs`` epochs; see :class:`Engine`."""
        groups = self._groups(members, epochs)
        if judge and groups:
            self._prepare_to_judge()
        ahead = self._platform != "cpu"
        streams = Workers(self._workers, self._done, self._with_fewer, ahead)
        yield from streams.run(groups, epochs, judge)

    def parameters(self) -> int:
        """Return how many parameters the problem trains."""
        return sum(
            leaf.size for leaf in jax.tree.leaves(trained(self._initial_states.of(0).params))
        )

    def describe(self) -> Mapping[str, Any]:
        """Return the layout chosen and its timings."""
        arrangements = {program.recipe.arrangement for program in self._programs.values()}
        return {
            "engine": "jax",
            "platform": self._platform,
            "streams": self._workers,
            "arrangement": layout.describe_arrangements(arrangements),
            "watched": len(self._seen[1][1]),
            "dtype": np.dtype(self.dtype).name,
            "programs": [program.described() for program in self._programs.values()],
            "failures": list(self._failures),
        }

    # ---- sharing out the work -----------------------------------------------------------------

    def _groups(self, members: Sequence[Member | Run], epochs: int) -> list[Group]:
        """Return the runs that are to go on, by the program that trains them."""
        waiting: dict[_Key, deque[Run]] = {}
        self._initial_states.prepare(given.seed for given in members if isinstance(given, Member))
        for given in members:
            run = given if isinstance(given, Run) else self._new_run(given)
            if is_unfinished(run, epochs):
                waiting.setdefault(key_of(run.member), deque()).append(run)
        return [
            Group(self._program(runs[0].member, epochs), runs, self._failures)
            for runs in waiting.values()
        ]

    def _with_fewer(self, program: Program, member: Member) -> Program:
        """Return a program whose calls hold half the members."""
        smaller = self._traced(
            replace(program.recipe, batch_shape=program.recipe.batch_shape.halved()), member
        )
        self._programs[key_of(member)] = smaller
        return smaller

    @cached_property
    def _evaluated_part(self) -> int:
        """Return how many examples of validation or test pass through the network at a time."""
        return self._parts.of_split(max(len(self._seen[1][1]), len(self.data.test)))

    # ---- starting a member --------------------------------------------------------------------

    def _weights(self, seed: int) -> Tree:
        """Return the initial parameters of a seed."""
        params = self.problem.init(weights_generator(self.study_seed, seed))
        return jax.tree.map(self._floats, params)

    @cached_property
    def _judge_start(self) -> Callable[[Tree], tuple[Any, Any]]:
        part, validation = self._evaluated_part, self._seen[1]
        judge = jax.jit(lambda params, split: evaluate(self.problem, params, split, part))
        compiled: Any = lowered(judge, self._weights(0), validation).compile()
        return lambda params: compiled(params, validation)

    def _new_run(self, member: Member) -> Run:
        return Run(member, self._initial_states.of(member.seed).curve(), checkpoint={})

    def _fresh_progress(self, member: Member) -> Progress:
        params = self._initial_states.of(member.seed).params
        state = {
            name: jax.tree.map(np.zeros_like, trained(params))
            for name in rules.get(member.rule).state_names(member.settings)
        }
        return Progress(params, state, np.zeros((), self.dtype))

    def _progress(self, run: Run) -> Progress:
        """Return where the run stands; an empty checkpoint stands at the start."""
        fresh = self._fresh_progress(run.member)
        if not run.checkpoint:
            return fresh
        leaves, structure = jax.tree.flatten(fresh)
        restored = [run.checkpoint[f"leaf{i}"] for i in range(len(leaves))]
        progress: Progress = structure.unflatten(restored)
        return progress

    # ---- programs -----------------------------------------------------------------------------

    def _recipe(self, member: Member, epochs: int, arrangement: str) -> Recipe:
        examples = len(self.data.train)
        batch_shape = self._slab(member, arrangement, epochs)
        return Recipe(
            self._fast_problem if batch_shape.at_a_time > 1 else self.problem,
            rules.get(member.rule),
            switches_of(member),
            member.batch_size,
            examples,
            batch_shape,
            self._parts.of_batch(member.batch_size),
            self._evaluated_part,
            arrangement,
            all_steps=self._platform != "cpu",
            packed=self._packed,
        )

    def _arrangement(self, member: Member) -> str:
        """Return how members like this one are arranged: sizes alone decide."""
        several = self._members_at_a_time(member, layout.SIDE_BY_SIDE) > 1
        return self.arrangement or layout.arrangement_for(self._platform, several)

    def _members_at_a_time(self, member: Member, arrangement: str) -> int:
        at_work = member.batch_size * self._parts.largest_bytes
        return layout.members_at_a_time(self._platform, arrangement, at_work)

    def _slab(self, member: Member, arrangement: str, epochs: int) -> layout.BatchShape:
        progress = jax.tree.leaves(self._fresh_progress(member))
        size = sum(leaf.nbytes for leaf in progress)
        if arrangement == layout.SIDE_BY_SIDE:
            size += 4 * member.batch_size * self._parts.largest_bytes
        at_a_time = self._members_at_a_time(member, arrangement)
        most = layout.most_members(self._platform, arrangement)
        used = len(self.data.train) // member.batch_size * member.batch_size
        whole = member.batch_size == len(self.data.train)
        ready_for = max(epochs, self.problem.epochs)
        return layout.BatchShape.fitting(
            most, at_a_time, size, memory_of(self._device), 1 if whole else used, ready_for
        )

    def _program(self, member: Member, epochs: int) -> Program:
        key = key_of(member)
        if key not in self._programs:
            recipe = self._recipe(member, epochs, self._arrangement(member))
            self._programs[key] = self._traced(recipe, member)
        return self._programs[key]

    def _traced(self, recipe: Recipe, member: Member) -> Program:
        arguments = self._arguments(recipe, [self._new_run(member)], 0, 1)
        return Program(recipe, lowered(build(recipe), *arguments))

    def _arguments(self, recipe: Recipe, runs: Sequence[Run], done: int, more: int) -> Any:
        """Return what the program takes to train ``runs`` for ``more`` epochs after ``done``."""
        seeds = sorted({run.member.seed for run in runs})
        members = recipe.batch_shape.members
        progress = lay(members, [self._progress(run) for run in runs])
        inputs = lay(members, [self._inputs(run.member, seeds, done) for run in runs])
        orders = self._orders(recipe, seeds, done, more)
        return progress, inputs, np.int32(len(runs)), orders, np.int32(more), self._seen

    def _inputs(self, member: Member, seeds: Sequence[int], done: int) -> Inputs:
        number = self.dtype
        switches = switches_of(member)
        settings = {n: number(v) for n, v in member.settings.items() if n not in switches}
        threshold = divergence_threshold_of(self._initial_states.of(member.seed).validation_loss)
        noise = None
        if self.problem.train_loss is not None:
            noise = Noise(noise_key(self.study_seed, member.seed), np.int32(done))
        return Inputs(settings, np.int32(seeds.index(member.seed)), number(threshold), noise)

    def _orders(
        self, recipe: Recipe, seeds: Sequence[int], done: int, more: int
    ) -> NDArray[np.int32]:
        used = recipe.steps * recipe.batch_size
        if recipe.whole:  # the program does not look at the order
            return np.zeros((recipe.batch_shape.seeds, recipe.batch_shape.epochs, 1), np.int32)
        table = np.zeros((recipe.batch_shape.seeds, recipe.batch_shape.epochs, used), np.int32)
        for row, seed in enumerate(seeds):
            for epoch in range(more):
                table[row, epoch] = self._order(seed, done + epoch)[:used]
        return table

    def _new_order(self, seed: int, epoch: int) -> NDArray[np.int32]:
        return example_order(self.study_seed, seed, epoch, len(self.data.train))

    # ---- in a stream --------------------------------------------------------------------------

    def _done(self, task: Task, precision: bool) -> Advance:
        """Advance the runs of a task."""
        with jax.enable_x64(precision):
            call = task.program.compiled.get()
            started, runs = time.perf_counter(), task.runs
            done = runs[0].curve.epochs
            result = call(*self._arguments(task.program.recipe, runs, done, task.epochs))
            results = jax.tree.map(np.asarray, result)
            seconds = time.perf_counter() - started
            after = []
            for j, run in enumerate(runs):
                # Copied, for a view would keep the whole batch_shape alive with its member.
                progress, out = jax.tree.map(lambda a: a[j].copy(), results)  # noqa: B023
                after.append(self._advanced(run, progress, out, task.epochs, seconds / len(runs)))
            return (self._judged(after) if task.judge else after), seconds

    def _prepare_to_judge(self) -> None:
        """Trace what judges, here and not in a stream: it may be the user's code."""
        if self._judge is None:
            members = layout.MEMBERS_PER_CALL
            judge = build_judge(self.problem, members, self._evaluated_part)
            params = lay(members, [self._initial_states.of(0).params])
            self._judge = Compiled(lowered(judge, params, np.int32(1), self._test))

    def _judged(self, runs: list[Run]) -> list[Run]:
        """Return the runs with their figures on test; their checkpoints have served."""
        assert self._judge is not None
        judge, members = self._judge.get(), layout.MEMBERS_PER_CALL
        alive = [run for run in runs if not run.curve.ended]
        judged = {}
        for first in range(0, len(alive), members):
            some = alive[first : first + members]
            params = lay(members, [self._progress(run).params for run in some])
            figures = map(np.asarray, judge(params, np.int32(len(some)), self._test))
            for run, loss, metric in zip(some, *figures, strict=False):
                judged[run.member.key] = with_test_figures(run, float(loss), float(metric))
        return [judged.get(run.member.key, run) for run in runs]

    @staticmethod
    def _advanced(run: Run, progress: Progress, out: Outcome, more: int, seconds: float) -> Run:
        alive = bool(out.alive)
        trained = more if alive else max(1, int(np.isfinite(out.validation_loss[:more]).sum() + 1))
        figures = out.train_loss[:trained], out.validation_loss[:trained]
        leaves = jax.tree.leaves(progress)
        return advanced(
            run,
            (*figures, out.validation_metric[:trained]),
            steps=int(progress.t),
            alive=alive,
            seconds=seconds,
            checkpoint={f"leaf{i}": leaf for i, leaf in enumerate(leaves)},
        )
