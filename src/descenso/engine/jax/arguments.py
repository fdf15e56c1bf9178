"""Lay runs into the arguments of a program, and take them out of its results."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import jax
import numpy as np
from numpy.typing import NDArray

from descenso import rules
from descenso.engine.bookkeeping import advanced, divergence_threshold_of, switches_of
from descenso.engine.jax.examples import Examples
from descenso.engine.jax.initial_states import InitialStates
from descenso.engine.jax.program import Inputs, Noise, Outcome, Progress, Recipe
from descenso.engine.randomness import example_order, noise_key
from descenso.problems import Problem, trained
from descenso.records import Member, Run

Tree: TypeAlias = Any
#: Example orders that are kept, for members share them: a call needs one for each seed and epoch.
ORDERS_KEPT = 256


class Arguments:
    """What a program is called with, for the members of a problem."""

    def __init__(
        self,
        problem: Problem,
        examples: Examples,
        initial_states: InitialStates,
        study_seed: int,
        dtype: type[np.floating[Any]],
    ) -> None:
        self._draws = problem.train_loss is not None
        self._examples, self._initial_states = examples, initial_states
        self._study_seed, self._dtype = study_seed, dtype
        self.order = lru_cache(ORDERS_KEPT)(self._new_order)

    def of(self, recipe: Recipe, runs: Sequence[Run], more: int) -> tuple[Any, ...]:
        """Return what the program takes to train ``runs``, which stand at one epoch, for ``more``."""
        seeds, done = sorted({run.member.seed for run in runs}), runs[0].curve.epochs
        members = recipe.batch_shape.members
        progress = lay(members, [self.progress(run) for run in runs])
        inputs = lay(members, [self.inputs(run.member, seeds, done) for run in runs])
        orders = self._orders(recipe, seeds, done, more)
        data = self._examples.train, self._examples.validation
        return progress, inputs, np.int32(len(runs)), orders, np.int32(more), data

    def fresh(self, member: Member) -> Progress:
        """Return where a member starts."""
        return self.starting(member, self._initial_states.of(member.seed).params)

    def starting(self, member: Member, params: Tree) -> Progress:
        """Return where a member starts that has these parameters."""
        state = {
            name: jax.tree.map(np.zeros_like, trained(params))
            for name in rules.get(member.rule).state_names(member.settings)
        }
        return Progress(params, state, np.zeros((), self._dtype))

    def progress(self, run: Run) -> Progress:
        """Return where a run stands; an empty checkpoint stands at the start."""
        fresh = self.fresh(run.member)
        if not run.checkpoint:
            return fresh
        leaves, structure = jax.tree.flatten(fresh)
        restored = [run.checkpoint[f"leaf{i}"] for i in range(len(leaves))]
        progress: Progress = structure.unflatten(restored)
        return progress

    def inputs(self, member: Member, seeds: Sequence[int], done: int) -> Inputs:
        """Return what a member is given; ``seeds``: of the table of orders, ``done``: its epoch."""
        threshold = divergence_threshold_of(self._initial_states.of(member.seed).validation_loss)
        return self.given(member, seeds.index(member.seed), done, threshold)

    def given(self, member: Member, row: int, done: int, threshold: float) -> Inputs:
        """Return what a member is given that ends above this loss; ``row``: of its seed's orders."""
        number, switches = self._dtype, switches_of(member)
        settings = {n: number(v) for n, v in member.settings.items() if n not in switches}
        noise = None
        if self._draws:
            noise = Noise(noise_key(self._study_seed, member.seed), np.int32(done))
        return Inputs(settings, np.int32(row), number(threshold), noise)

    def _orders(
        self, recipe: Recipe, seeds: Sequence[int], done: int, more: int
    ) -> NDArray[np.int32]:
        shape, used = recipe.batch_shape, recipe.steps * recipe.batch_size
        if recipe.whole:  # the program does not look at the order
            return np.zeros((shape.seeds, shape.epochs, 1), np.int32)
        table = np.zeros((shape.seeds, shape.epochs, used), np.int32)
        for row, seed in enumerate(seeds):
            for epoch in range(more):
                table[row, epoch] = self.order(seed, done + epoch)[:used]
        return table

    def _new_order(self, seed: int, epoch: int) -> NDArray[np.int32]:
        return example_order(self._study_seed, seed, epoch, self._examples.count)


def lay(members: int, trees: Sequence[Tree]) -> Tree:
    """Lay one tree per member into arrays with a leading axis of ``members`` rows."""

    def lay_leaf(*leaves: Any) -> NDArray[Any]:
        first = np.asarray(leaves[0])
        whole = np.zeros((members, *first.shape), first.dtype)
        for j, leaf in enumerate(leaves):
            whole[j] = leaf
        return whole

    return jax.tree.map(lay_leaf, *trees)


def taken_out(result: Any, runs: Sequence[Run], more: int, seconds: float) -> list[Run]:
    """Return runs that a program has trained for ``more`` epochs; ``seconds``: of the call."""
    results = jax.tree.map(np.asarray, result)
    # Copied, for a view would keep the whole batch alive with its member.
    rows = [jax.tree.map(lambda a, j=j: a[j].copy(), results) for j in range(len(runs))]
    each = seconds / len(runs)
    return [_advanced(run, row, more, each) for run, row in zip(runs, rows, strict=True)]


def _advanced(run: Run, result: tuple[Progress, Outcome], more: int, seconds: float) -> Run:
    progress, out = result
    alive = bool(out.alive)
    epochs = more if alive else max(1, int(np.isfinite(out.validation_loss[:more]).sum() + 1))
    return advanced(
        run,
        (out.train_loss[:epochs], out.validation_loss[:epochs], out.validation_metric[:epochs]),
        steps=int(progress.t),
        alive=alive,
        seconds=seconds,
        checkpoint={f"leaf{i}": leaf for i, leaf in enumerate(jax.tree.leaves(progress))},
    )
