"""The JAX engine: whole epochs of whole populations in compiled code."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias

import jax
import numpy as np
import platformdirs
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P
from numpy.typing import NDArray

from descenso import rules
from descenso.engine import layout
from descenso.engine._bookkeeping import advanced, hopeless_above, untrained, with_test_figures
from descenso.engine._fast_forms import with_fast_forms
from descenso.engine._program import (
    Inputs,
    Noise,
    Outcome,
    Progress,
    Recipe,
    build,
    build_judge,
    evaluate,
    make_mesh,
)
from descenso.engine.randomness import example_order, noise_key, weights_generator
from descenso.problems import Data, Problem, trained
from descenso.records import Curve, Member, Run

Tree: TypeAlias = Any
Floats: TypeAlias = NDArray[np.floating[Any]]


def _use_compilation_cache() -> None:
    """Keep compiled programs on disk between processes, unless the user has chosen a place."""
    if not jax.config.jax_compilation_cache_dir:
        folder = Path(platformdirs.user_cache_dir("descenso")) / "xla"
        jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


@dataclass
class _Compiled:
    """A program compiled for its slab, and how fast it has been seen to run."""

    recipe: Recipe
    call: Any
    compile_seconds: float
    seconds_per_epoch: float | None = None  # of one member on its stream
    member_steps: int = 0
    seconds: float = 0.0


@dataclass
class _Start:
    """What all members of a seed share: initial parameters, and how good they are untrained."""

    params: Tree
    validation_loss: float
    validation_metric: float

    def curve(self) -> Curve:
        return untrained(self.validation_loss, self.validation_metric)


@dataclass
class JaxEngine:
    """Train members of ``problem`` on ``data`` with JAX.

    Parameters
    ----------
    problem, data : what to train.
    study_seed : keys all randomness.
    dtype : of parameters, rule state and settings.
    """

    problem: Problem
    data: Data
    study_seed: int
    dtype: type[np.floating[Any]] = np.float32
    _programs: dict[Any, _Compiled] = field(default_factory=dict, init=False)
    _starts: dict[int, _Start] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        devices = layout.start_jax()
        self.problem = with_fast_forms(self.problem)
        _use_compilation_cache()
        self._mesh = make_mesh(devices)
        self._devices = devices
        self._whole = NamedSharding(self._mesh, P())
        train, validation, test = (
            jax.device_put((self._floats(split.inputs), self._floats(split.targets)), self._whole)
            for split in (self.data.train, self.data.validation, self.data.test)
        )
        self._seen = (train, validation)  # what training and its curves may look at
        self._test = test
        self._evaluate = jax.jit(lambda params, split: evaluate(self.problem, params, split))
        self._judge_program: Any = None

    def _floats(self, array: Any) -> Any:
        """Return the array with floating numbers in the engine's precision, others untouched."""
        array = np.asarray(array)
        return array.astype(self.dtype) if np.issubdtype(array.dtype, np.floating) else array

    # ---- the contract -------------------------------------------------------------------------

    def train(
        self, members: Sequence[Member | Run], epochs: int, *, judge: bool = False
    ) -> Iterator[list[Run]]:
        """Train each member until it has seen ``epochs`` epochs; see :class:`Engine`."""
        groups: dict[Any, list[Run]] = defaultdict(list)
        for given in members:
            run = given if isinstance(given, Run) else self._new_run(given)
            if run.curve.epochs < epochs and not run.curve.diverged:
                groups[(*self._program_key(run.member), run.curve.epochs)].append(run)
        for runs in groups.values():
            yield from self._train_group(runs, epochs, judge)

    def parameters(self) -> int:
        """Return how many parameters the problem trains."""
        return sum(leaf.size for leaf in jax.tree.leaves(trained(self._start(0).params)))

    def describe(self) -> Mapping[str, Any]:
        """Return the layout chosen and its timings."""
        return {
            "engine": "jax",
            "platform": self._devices[0].platform,
            "streams": len(self._devices),
            "arrangement": "members one after another, one stream per core",
            "dtype": np.dtype(self.dtype).name,
            "programs": [
                {
                    "rule": p.recipe.rule.name,
                    "batch_size": p.recipe.batch_size,
                    "members_per_call": p.recipe.slab.capacity,
                    "compile_seconds": round(p.compile_seconds, 3),
                    "member_steps": p.member_steps,
                    "microseconds_per_member_step": round(1e6 * p.seconds / p.member_steps, 3)
                    if p.member_steps
                    else None,
                }
                for p in self._programs.values()
            ],
        }

    # ---- starting a member --------------------------------------------------------------------

    def _start(self, seed: int) -> _Start:
        if seed not in self._starts:
            params = self.problem.init(weights_generator(self.study_seed, seed))
            params = jax.tree.map(self._floats, params)
            loss, metric = self._evaluate(params, self._seen[1])
            self._starts[seed] = _Start(params, float(loss), float(metric))
        return self._starts[seed]

    def _new_run(self, member: Member) -> Run:
        return Run(member, self._start(member.seed).curve(), checkpoint={})

    def _fresh_progress(self, member: Member) -> Progress:
        params = self._start(member.seed).params
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

    def _program_key(self, member: Member) -> tuple[Any, ...]:
        rule = rules.get(member.rule)
        switches = tuple(sorted(self._switches(member).items()))
        return rule.name, switches, rule.state_names(member.settings), member.batch_size

    @staticmethod
    def _switches(member: Member) -> dict[str, bool]:
        hyperparameters = rules.get(member.rule).hyperparameters
        return {n: bool(member.settings[n]) for n, h in hyperparameters.items() if h.is_switch}

    def _recipe(self, member: Member, epochs: int) -> Recipe:
        examples = len(self.data.train)
        used = examples // member.batch_size * member.batch_size
        slab = self._slab(self._fresh_progress(member), epochs, used)
        return Recipe(
            self.problem,
            rules.get(member.rule),
            self._switches(member),
            member.batch_size,
            examples,
            slab,
        )

    def _program(self, member: Member, epochs: int) -> _Compiled:
        key = self._program_key(member)
        known = self._programs.get(key)
        if known is None:
            recipe = self._recipe(member, epochs)
            started = time.perf_counter()
            arguments = self._arguments(recipe, [self._new_run(member)], 0, 1)
            call = build(recipe, self._mesh).lower(*arguments).compile()
            known = _Compiled(recipe, call, time.perf_counter() - started)
            self._programs[key] = known
        return known

    def _arguments(self, recipe: Recipe, runs: Sequence[Run], done: int, more: int) -> Any:
        """Return what the program takes to train ``runs`` for ``more`` epochs after ``done``."""
        seeds = sorted({run.member.seed for run in runs})
        progress = _lay(recipe.slab, [self._progress(run) for run in runs])
        inputs = _lay(recipe.slab, [self._inputs(run.member, seeds, done) for run in runs])
        counts = recipe.slab.counts(len(runs))
        orders = self._orders(recipe, seeds, done, more)
        return progress, inputs, counts, orders, np.int32(more), self._seen

    def _inputs(self, member: Member, seeds: Sequence[int], done: int) -> Inputs:
        number = self.dtype
        switches = self._switches(member)
        settings = {n: number(v) for n, v in member.settings.items() if n not in switches}
        hopeless = hopeless_above(self._start(member.seed).validation_loss)
        noise = None
        if self.problem.train_loss is not None:
            noise = Noise(noise_key(self.study_seed, member.seed), np.int32(done))
        return Inputs(settings, np.int32(seeds.index(member.seed)), number(hopeless), noise)

    def _orders(
        self, recipe: Recipe, seeds: Sequence[int], done: int, more: int
    ) -> NDArray[np.int32]:
        used = recipe.steps * recipe.batch_size
        if recipe.batch_size == recipe.examples:  # the program does not look at the order
            return np.zeros((recipe.slab.seeds, recipe.slab.epochs, 1), np.int32)
        table = np.zeros((recipe.slab.seeds, recipe.slab.epochs, used), np.int32)
        for row, seed in enumerate(seeds):
            for epoch in range(more):
                order = example_order(self.study_seed, seed, done + epoch, recipe.examples)
                table[row, epoch] = order[:used]
        return table

    # ---- training -----------------------------------------------------------------------------

    def _train_group(self, runs: list[Run], epochs: int, judge: bool) -> Iterator[list[Run]]:
        """Train runs that share a program and stand at the same epoch."""
        program = self._program(runs[0].member, epochs)
        for chunk in _chunks(runs, program.recipe.slab):
            while chunk:
                chunk = self._call(program, chunk, epochs)
                over = any(run.curve.epochs >= epochs for run in chunk)
                yield self._judged(chunk) if judge and over else chunk
                chunk = [r for r in chunk if r.curve.epochs < epochs and not r.curve.diverged]

    def _judged(self, runs: list[Run]) -> list[Run]:
        """Return the runs with their figures on test; their checkpoints have served."""
        alive = [run for run in runs if not run.curve.diverged]
        if not alive:
            return runs
        params = [self._progress(run).params for run in alive]
        slab = self._slab(params[0], epochs=1, order=1)
        arguments = _lay(slab, params), slab.counts(len(alive)), self._test
        if self._judge_program is None:
            program = build_judge(self.problem, slab.members, self._mesh)
            self._judge_program = program.lower(*arguments).compile()
        losses, metrics = map(np.asarray, self._judge_program(*arguments))
        judged = {}
        for j, run in enumerate(alive):
            figures = losses[slab.place(j)], metrics[slab.place(j)]
            judged[run.member.key] = with_test_figures(run, *map(float, figures))
        return [judged.get(run.member.key, run) for run in runs]

    def _slab(self, tree: Tree, epochs: int, order: int) -> layout.Slab:
        """Return the slab for members that each hold such a tree."""
        size = sum(leaf.nbytes for leaf in jax.tree.leaves(tree))
        return layout.Slab.fitting(len(self._devices), size, order, epochs)

    def _call(self, program: _Compiled, runs: list[Run], epochs: int) -> list[Run]:
        """Advance the runs by one call into compiled code."""
        recipe, done = program.recipe, runs[0].curve.epochs
        more = layout.epochs_for_call(
            recipe.slab, program.seconds_per_epoch, len(runs), epochs - done
        )
        started = time.perf_counter()
        result = program.call(*self._arguments(recipe, runs, done, more))
        progress, outcomes = jax.tree.map(np.asarray, result)
        seconds = time.perf_counter() - started
        advanced = []
        for j, run in enumerate(runs):
            mine = jax.tree.map(itemgetter(recipe.slab.place(j)), (progress, outcomes))
            advanced.append(self._advanced(run, mine[0], mine[1], more, seconds / len(runs)))
        self._note_speed(program, len(runs), runs, advanced, seconds)
        return advanced

    @staticmethod
    def _note_speed(
        program: _Compiled, members: int, before: list[Run], after: list[Run], seconds: float
    ) -> None:
        steps = sum(b.curve.steps - a.curve.steps for a, b in zip(before, after, strict=True))
        program.member_steps += steps
        program.seconds += seconds
        per_stream = -(-members // program.recipe.slab.streams)
        epochs = max(b.curve.epochs - a.curve.epochs for a, b in zip(before, after, strict=True))
        program.seconds_per_epoch = seconds / max(1, per_stream * epochs)

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


def _lay(slab: layout.Slab, members: Sequence[Tree]) -> Tree:
    """Lay one tree per member into arrays with leading axes (streams, members)."""

    def lay(*parts: Any) -> NDArray[Any]:
        first = np.asarray(parts[0])
        whole = np.zeros((slab.streams, slab.members, *first.shape), first.dtype)
        for j, part in enumerate(parts):
            whole[slab.place(j)] = part
        return whole

    return jax.tree.map(lay, *members)


def _chunks(runs: Sequence[Run], slab: layout.Slab) -> Iterator[list[Run]]:
    """Cut the runs into calls that hold at most a slab of members and a slab of seeds."""
    chunk: list[Run] = []
    for run in runs:
        seeds = {r.member.seed for r in chunk} | {run.member.seed}
        if len(chunk) == slab.capacity or len(seeds) > slab.seeds:
            yield chunk
            chunk = []
        chunk.append(run)
    if chunk:
        yield chunk
