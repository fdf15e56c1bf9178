"""Train the members of one torch problem, one after another, in the process that asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch.fx import GraphModule

from descenso.engine.bookkeeping import (
    Checkpoint,
    advanced,
    divergence_threshold_of,
    ended_by_error,
    in_words,
    untrained,
    with_test_figures,
)
from descenso.engine.contract import StepLayout
from descenso.engine.randomness import example_order, step_seeds, weights_generator
from descenso.engine.scheduling import Task
from descenso.engine.torch.member import Trainee, to_array
from descenso.engine.torch.rewrites import pooling_first
from descenso.engine.torch.step import (
    CompiledStep,
    Plan,
    compile_step,
    draws_elsewhere,
    gains_from_channels_last,
    plan_for,
)
from descenso.language import N_
from descenso.problems import Problem
from descenso.problems.torch_modules import (
    Batch,
    channels_last,
    cut,
    initialised,
    one_thread,
    own_randomness,
    seed_everything,
)
from descenso.records import Member, Run
from descenso.torch.inductor import CannotCompileError

EXAMPLES_PER_PART = 64  # of a split that a CPU evaluates at a time: its cache holds them
EXAMPLES_PER_PART_ELSEWHERE = 1024
EXAMPLES_THAT_PROVE = 64  # that another form of a module gives the same, at most
BYTES_PER_BLOCK = 4 * 2**20  # of examples that are put in order at a time


@dataclass
class _Execution:
    """How the steps at one batch size are taken here."""

    plan: Plan
    compiled: CompiledStep | None
    why_not: str | None
    draws_elsewhere: bool
    channels_last: bool = False
    pooling_first: torch.fx.Graph | None = None

    def described(self) -> StepLayout:
        """Return it as plain figures and words."""
        return {
            "operations": self.plan.operations,
            "rule_compiled": self.plan.kernels,
            "step_compiled": self.compiled is not None,
            "compile_seconds": round(self.compiled.seconds, 3) if self.compiled else None,
            "not_compiled_because": self.why_not,
            "channels_last": self.channels_last,
            "pooling_first": self.pooling_first is not None,
        }


@dataclass
class _Epochs:
    """What a member's epochs gave: training loss, validation loss and metric of each."""

    alive: bool
    rows: list[tuple[float, float, float]] = field(default_factory=list)
    failure: str = ""


_NONE = (np.nan, np.nan, np.nan)


@dataclass
class SerialTrainer:
    """Everything that training members takes, but for the members.

    Parameters
    ----------
    train, validation, test : examples, in the dtype the module computes in.
    """

    problem: Problem
    train: Batch
    validation: Batch
    test: Batch
    study_seed: int
    _executions: dict[int, _Execution] = field(default_factory=dict, init=False)
    #: (seed, whether channels lie last) → loss and metric on validation before training.
    _initial_states: dict[tuple[int, bool], tuple[float, float]] = field(
        default_factory=dict, init=False
    )
    #: Seconds that compiling took for a rule at a batch size, and its first step.
    warmed: dict[tuple[str, int], float] = field(default_factory=dict, init=False)

    @property
    def examples(self) -> int:
        """Return how many training examples there are."""
        return len(self.train[1])

    def do(self, task: Task) -> list[Run]:
        """Train the runs of a task one after another."""
        return [self.advance(run, task.epochs, task.judge) for run in task.runs]

    def advance(self, run: Run, more: int, judge: bool) -> Run:
        """Train a run for ``more`` epochs; judge it on test after them if asked to."""
        with one_thread(), own_randomness():
            try:
                run = self.started(run, self.execution(run.member.batch_size).channels_last)
                self._warm(run.member)
                return self._advance(run, more, judge)
            except Exception as error:  # the user's code: its member ends here, the others go on
                return ended_by_error(run, in_words(error))

    def module(self, seed: int) -> torch.nn.Module:
        """Return a new module with the initial weights of a seed."""
        generator = weights_generator(self.study_seed, seed)
        module: torch.nn.Module = initialised(self.problem, _few(self.train), generator)
        return module.to(self.train[1].device)

    def execution(self, batch_size: int) -> _Execution:
        """Return how steps at a batch size are taken, compiling what is to be."""
        if batch_size not in self._executions:
            with one_thread():
                self._executions[batch_size] = self._find_execution(batch_size)
        return self._executions[batch_size]

    def described_steps(self) -> dict[int, StepLayout]:
        """Return how steps are taken at each batch size met so far."""
        return {size: execution.described() for size, execution in self._executions.items()}

    def _find_execution(self, batch_size: int) -> _Execution:
        module, batch = self.module(0), _rows(self.train, slice(batch_size))
        some = _rows(self.train, slice(min(batch_size, EXAMPLES_THAT_PROVE)))
        try:
            plan = plan_for(self.problem, module, batch, self.examples // batch_size)
            elsewhere = draws_elsewhere(self.problem, module, some)
        except Exception:  # each member says for itself what fails at this batch size
            return _Execution(Plan(False, False, 0), None, None, False)
        why_not = N_("it draws from Python's or NumPy's generators") if elsewhere else None
        if plan.whole_step and not elsewhere:
            try:
                return _Execution(plan, compile_step(self.problem, module, batch), None, False)
            except CannotCompileError as error:
                why_not = str(error)
        last = gains_from_channels_last(self.problem, self.module(0), some)
        first = None if elsewhere else pooling_first(self.problem, self.module(0), some)
        return _Execution(plan, None, why_not if plan.whole_step else None, elsewhere, last, first)

    # ---- one member -----------------------------------------------------------------------------

    def started(self, run: Run, last: bool = False) -> Run:
        """Return the run with its figures before training; ``last``: with channels laid last."""
        if len(run.curve.validation_loss):
            return run
        seed = run.member.seed
        if (seed, last) not in self._initial_states:
            module = _laid(self.module(seed), last)
            self._initial_states[seed, last] = self.evaluate(module, self.validation)
        return replace(run, curve=untrained(*self._initial_states[seed, last]))

    def _advance(self, run: Run, more: int, judge: bool) -> Run:
        started = time.perf_counter()
        trainee = self.trainee(run.member, run.checkpoint or {})
        threshold = divergence_threshold_of(float(run.curve.validation_loss[0]))
        epochs = _Epochs(alive=bool(np.isfinite(threshold)))
        if not epochs.alive:
            epochs.rows.append(_NONE)
        for epoch in range(run.curve.epochs, run.curve.epochs + more):
            if epochs.alive:
                self._epoch(trainee, epoch, threshold, epochs)
        train_loss, loss, metric = np.array(epochs.rows).T
        after = advanced(
            run, (train_loss, loss, metric), steps=trainee.steps, alive=epochs.alive,
            seconds=time.perf_counter() - started,
            checkpoint=trainee.checkpoint() if epochs.alive and not judge else {},
        )  # fmt: skip
        if judge and epochs.alive:
            after = with_test_figures(after, *self.evaluate(trainee.settle(), self.test))
        return replace(after, curve=replace(after.curve, error=epochs.failure))

    def trainee(self, member: Member, checkpoint: Checkpoint) -> Trainee:
        """Return a member as it stands at a checkpoint; an empty one stands at the start."""
        how = self.execution(member.batch_size)
        module = _laid(self.module(member.seed), how.channels_last)
        form = module if how.pooling_first is None else GraphModule(module, how.pooling_first)
        return Trainee(
            self.problem, module, form, member, checkpoint, how.plan.kernels, how.compiled
        )

    def _warm(self, member: Member) -> None:
        """Take a step to no purpose, so that no member pays for what is compiled once."""
        key = member.rule, member.batch_size
        if key in self.warmed:
            return
        started = time.perf_counter()
        trainee = self.trainee(member, {})
        trainee.step(_rows(self.train, slice(member.batch_size)))
        self.warmed[key] = time.perf_counter() - started

    def _epoch(self, trainee: Trainee, epoch: int, threshold: float, so_far: _Epochs) -> None:
        """Train one epoch; the user's code may fail, which ends its member and no other."""
        try:
            mean_loss, so_far.alive = self._steps(trainee, epoch, threshold)
            loss = metric = np.nan
            if so_far.alive:
                loss, metric = self.evaluate(trainee.settle(), self.validation)
                so_far.alive = loss <= threshold  # NaN is not
            so_far.rows.append(
                (mean_loss, loss, metric) if so_far.alive else (mean_loss, *_NONE[1:])
            )
        except Exception as error:
            so_far.alive, so_far.failure = False, in_words(error)
            so_far.rows.append(_NONE)

    def _steps(self, trainee: Trainee, epoch: int, threshold: float) -> tuple[float, bool]:
        """Take the steps of an epoch, stopping at the one that diverges; return the mean loss."""
        total, steps = 0.0, 0
        for loss in self.each_step(trainee, epoch):
            total, steps = total + loss, steps + 1
            if not loss <= threshold:
                return total / steps, False
        return total / steps, True

    def each_step(self, trainee: Trainee, epoch: int) -> Iterator[float]:
        """Take the steps of an epoch one by one; give the loss before each."""
        seed = self._seeder(trainee)
        batches = self._batches(trainee, epoch)
        for step_seed, batch in zip(self._seeds(trainee, epoch), batches, strict=True):
            seed(step_seed)
            yield trainee.step(batch)

    def _seeder(self, trainee: Trainee) -> Callable[[int], Any]:
        """Return the quickest function that seeds all that a step may draw from."""
        if self.execution(trainee.member.batch_size).draws_elsewhere:
            return seed_everything
        return _seed if self.train[1].is_cpu else torch.manual_seed

    def _seeds(self, trainee: Trainee, epoch: int) -> list[int]:
        steps = self.examples // trainee.member.batch_size
        return step_seeds(self.study_seed, trainee.member.seed, epoch, steps)

    def _batches(self, trainee: Trainee, epoch: int) -> Iterator[Batch]:
        """Give the batches of an epoch; the examples left over wait for another epoch."""
        size = trainee.member.batch_size
        last = self.execution(size).channels_last
        if size == self.examples:
            yield self.train  # a whole-batch gradient does not depend on the order
            return
        order = example_order(self.study_seed, trainee.member.seed, epoch, self.examples)
        used = torch.from_numpy(order[: self.examples // size * size]).long()
        for rows in cut(used, self._block(size)):
            inputs, targets = _rows(self.train, rows.to(self.train[1].device))
            inputs = tuple(map(channels_last, inputs)) if last else inputs
            columns = zip(*(cut(x, size) for x in inputs), strict=True)
            yield from zip(columns, cut(targets, size), strict=True)

    def _block(self, size: int) -> int:
        """Return how many examples are put in order at a time: whole batches of them."""
        inputs, _targets = self.train
        bytes_each = sum(x[0].numel() * x.element_size() for x in inputs)
        return size * max(1, BYTES_PER_BLOCK // max(1, bytes_each * size))

    def evaluate(self, module: torch.nn.Module, part: Batch) -> tuple[float, float]:
        """Return loss and metric over a whole part, in evaluation mode."""
        inputs, targets = part
        module.eval()
        try:
            with torch.no_grad():
                size = EXAMPLES_PER_PART if targets.is_cpu else EXAMPLES_PER_PART_ELSEWHERE
                pieces = zip(*(cut(x, size) for x in inputs), strict=True)
                outputs = torch.cat([self.problem.apply(module, piece) for piece in pieces])
                loss = self.problem.loss(outputs, targets)
                metric = self.problem.metric.function(outputs, targets)
        finally:
            module.train()
        return float(loss), float(metric)


def _laid(module: torch.nn.Module, last: bool) -> torch.nn.Module:
    """Return the module with its channels laid last, where that is how it takes steps."""
    kind = torch.channels_last if last else torch.preserve_format
    laid: torch.nn.Module = module.to(memory_format=kind)  # type: ignore[call-overload]
    return laid


def _seed(seed: int) -> None:
    """Seed what draws on the CPU; torch's own ``manual_seed`` looks for other devices each time."""
    torch.default_generator.manual_seed(seed)


def _few(batch: Batch) -> Any:
    """Return two examples as a part, for modules that look at their inputs to know their sizes."""
    from descenso.data import Split
    from descenso.problems.torch_modules import pack

    inputs, targets = _rows(batch, slice(2))
    return Split(pack([to_array(x) for x in inputs]), to_array(targets))


def _rows(batch: Batch, rows: Any) -> Batch:
    inputs, targets = batch
    return tuple(x[rows] for x in inputs), targets[rows]
