"""Train the members of one torch problem side by side, in groups of one rule and batch size."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from descenso.engine import layout
from descenso.engine.bookkeeping import (
    advanced,
    divergence_threshold_of,
    in_words,
    key_of,
    with_test_figures,
)
from descenso.engine.torch.population import CannotPopulateError, Population
from descenso.engine.torch.serial import Advanced, SerialTrainer
from descenso.engine.torch.step import draws_elsewhere, eager, has_hooks, parts_of
from descenso.errors import ProblemError, first_line
from descenso.language import N_, _
from descenso.problems._torch_switches import one_thread, own_randomness
from descenso.records import Member, Run

_Row: TypeAlias = tuple[float, float, float]
#: Modules with the initial weights of seeds that are kept, for members share them.
STARTS_KEPT = 16


class BatchedTrainer:
    """Trains groups of runs on a trainer: side by side where that gives the same, else in turn."""

    def __init__(self, trainer: SerialTrainer) -> None:
        self._trainer = trainer
        self._start = lru_cache(STARTS_KEPT)(trainer.module)  # seed → module, which stays as it is
        self._populations: dict[tuple[Any, ...], Population | None] = {}
        self._sizes: dict[int, int] = {}  # by batch size: members at a time
        self._made: dict[tuple[str, int], int] = {}  # the same, by rule and batch size
        self._draws = False
        self._why_not: dict[int, str] = {}

    def size(self, member: Member) -> int:
        """Return how many members like this one should come at a time."""
        population = self._population(member)
        return population.stacked.size if population else 1

    def has(self, rule: str, batch_size: int) -> bool:
        """Whether members of a rule at a batch size have been trained side by side."""
        return (rule, batch_size) in self._made

    def describe(self) -> dict[str, Any]:
        """Return how many go side by side at each batch size, and why one by one, if they do."""
        made = {size: members for (_rule, size), members in self._made.items()}
        return {
            "batched": {str(size): members for size, members in sorted(made.items())},
            "why_one_by_one": {str(size): why for size, why in sorted(self._why_not.items())},
        }

    def advance(self, runs: Sequence[Run], more: int, judge: bool) -> list[Advanced]:
        """Train runs that stand at one epoch, no more than :meth:`size`, for ``more`` epochs."""
        population = self._population(runs[0].member)
        if population is None:
            return [self._trainer.advance(run, more, judge) for run in runs]
        with one_thread(), own_randomness():
            try:
                return self._advanced(population, runs, more, judge)
            except torch.cuda.OutOfMemoryError as error:
                self._make_room(runs[0].member, error)
            except Exception as error:  # one by one, each member says for itself what fails
                self._go_one_by_one(runs[0].member, in_words(error))
        del population
        _give_memory_back()
        size = self.size(runs[0].member)
        parts = [runs[i : i + size] for i in range(0, len(runs), size)]
        return [done for part in parts for done in self.advance(part, more, judge)]

    # ---- populations ----------------------------------------------------------------------------

    def _population(self, member: Member) -> Population | None:
        """Return the stacked for members like this one; ``None`` if they train one by one."""
        key = key_of(member)
        crowded = False
        while key not in self._populations:
            if crowded:
                _give_memory_back()
            try:
                with one_thread(), own_randomness():
                    self._populations[key] = self._new_population(member)
            except torch.cuda.OutOfMemoryError as error:
                self._make_room(member, error)
                crowded = True
            except CannotPopulateError as error:
                self._go_one_by_one(member, str(error))
            except Exception as error:  # what cannot be traced, batched or recorded
                self._go_one_by_one(member, in_words(error))
        return self._populations[key]

    def _go_one_by_one(self, member: Member, why: str) -> None:
        self._populations[key_of(member)] = None
        self._why_not[member.batch_size] = why
        self._made.pop((member.rule, member.batch_size), None)

    def _make_room(self, member: Member, error: Exception) -> None:
        """Give up the stacked of other members; if there are none, half of these members'."""
        key, made = key_of(member), self._populations
        self._populations = {k: stacked for k, stacked in made.items() if not stacked}
        if any(stacked and k != key for k, stacked in made.items()):
            return
        size = self._sizes.get(member.batch_size, 1)
        if size == 1:
            raise ProblemError(
                _("the memory does not suffice for one member at batch size {size}: {why}").format(
                    size=member.batch_size, why=first_line(error)
                )
            ) from error
        self._sizes[member.batch_size] = size // 2

    def _new_population(self, member: Member) -> Population:
        trainer, size = self._trainer, member.batch_size
        module = trainer.module(0)
        if size not in self._sizes:
            self._sizes[size] = self._fitting(module, size)
        population = Population(trainer, module, member, self._sizes[size], self._draws)
        self._made[member.rule, size] = self._sizes[size]
        return population

    def _fitting(self, module: torch.nn.Module, batch_size: int) -> int:
        """Return how many members fill the device."""
        inputs, targets = self._trainer.train
        batch = tuple(x[:batch_size] for x in inputs), targets[:batch_size]
        if has_hooks(module):
            raise CannotPopulateError(N_("it has hooks"))
        if draws_elsewhere(self._trainer.problem, module, batch):
            raise CannotPopulateError(N_("it draws from Python's or NumPy's generators"))
        trained = list(parts_of(module)[0].values())
        before = _generators(targets)
        seen = _Largest()  # type: ignore[no-untyped-call]
        with seen:
            eager(self._trainer.problem, module, trained, batch)
        self._draws = before != _generators(targets)
        if self._draws:  # draws are keyed by the member and the step
            return 1
        return layout.members_at_a_time(targets.device.type, layout.SIDE_BY_SIDE, seen.bytes)

    # ---- training -------------------------------------------------------------------------------

    def _advanced(
        self, population: Population, given: Sequence[Run], more: int, judge: bool
    ) -> list[Advanced]:
        started, trainer, stacked = time.perf_counter(), self._trainer, population.stacked
        runs = [trainer.started(run) for run in given]
        threshold = [divergence_threshold_of(float(run.curve.validation_loss[0])) for run in runs]
        for place, run in enumerate(runs):
            start = self._start(run.member.seed)
            stacked.put(place, run.member, start, run.checkpoint or {}, threshold[place])
        for place in range(len(runs), stacked.size):
            stacked.free(place)
        rows = self._epochs(population, runs, threshold, more)
        alive = [bool(np.isfinite(mine[-1][1])) for mine in rows]
        steps = population.steps_taken()
        tested = population.measured(trainer.test) if judge else None
        going_on = [p for p in range(len(runs)) if alive[p] and not judge]
        kept = stacked.checkpoints(going_on)
        seconds = (time.perf_counter() - started) / len(runs)
        after = []
        for place, run in enumerate(runs):
            run = advanced(
                run, tuple(np.array(rows[place]).T), steps=steps[place], alive=alive[place],
                seconds=seconds, checkpoint=kept.get(place, {}),
            )  # fmt: skip
            if tested and alive[place]:
                run = with_test_figures(run, float(tested[0][place]), float(tested[1][place]))
            after.append(Advanced(run))
        return after

    def _epochs(
        self,
        population: Population,
        runs: Sequence[Run],
        threshold: Sequence[float],
        more: int,
    ) -> list[list[_Row]]:
        """Train, and return training loss, validation loss and metric of each run and epoch."""
        members, first = [run.member for run in runs], runs[0].curve.epochs
        rows: list[list[_Row]] = [[] for _ in runs]
        going = dict.fromkeys(range(len(runs)))
        for epoch in range(first, first + more):
            means, alive = population.epoch(members, epoch)
            losses, metrics = population.validated()
            for place in list(going):
                if alive[place] and losses[place] <= threshold[place]:  # NaN is not
                    rows[place].append((means[place], losses[place], metrics[place]))
                else:
                    rows[place].append((means[place], np.nan, np.nan))
                    population.stacked.free(place)
                    del going[place]
            if not going:
                break
        return rows


def _give_memory_back() -> None:
    """Free what populations that were given up have held: they refer to themselves."""
    gc.collect()
    torch.cuda.empty_cache()


class _Largest(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the bytes of the largest tensor that is computed."""

    bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        results = func(*args, **(kwargs or {}))
        made = [x for x in tree_leaves(results) if isinstance(x, torch.Tensor)]
        self.bytes = max([self.bytes, *(x.numel() * x.element_size() for x in made)])
        return results


def _generators(like: torch.Tensor) -> list[bytes]:
    """Return where the generators stand that a step on a device may draw from."""
    states = [torch.get_rng_state()]
    if like.is_cuda:
        states.append(torch.cuda.get_rng_state(like.device))
    return [state.numpy().tobytes() for state in states]
