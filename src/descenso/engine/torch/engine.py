"""The torch engine: members of the user's own module, on every core or side by side on a GPU."""

from __future__ import annotations

import weakref
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
import torch

from descenso.engine import layout
from descenso.engine.bookkeeping import Failure, Key, validation_subset
from descenso.engine.contract import Layout, ProgramLayout
from descenso.engine.scheduling import (
    Capacity,
    Pace,
    Paces,
    Queue,
    Task,
    done_here,
    too_little_memory,
)
from descenso.engine.torch.batched import BatchedTrainer
from descenso.engine.torch.processes import CannotShareError, Processes
from descenso.engine.torch.serial import SerialTrainer
from descenso.engine.torch.walk import TorchWalk
from descenso.language import N_, _
from descenso.problems import Data, Problem
from descenso.problems.torch_modules import Batch, floating_dtype, initialised, tensors_of
from descenso.records import Curve, Member, Run

#: Worker processes take seconds to start, so they must save more than that.
SECONDS_THAT_PAY = 10.0
_NOTHING = np.array([])


class ThisProcess:
    """Trains tasks in the thread that asks; see :class:`descenso.engine.scheduling.Workers`."""

    count, queued = 1, 0

    def __init__(self, trainer: SerialTrainer) -> None:
        self._trainer = trainer

    def capacity(self, member: Member) -> Capacity:
        """Return what a call takes of members like this one."""
        return Capacity(layout.MEMBERS_PER_CALL)

    def submit(self, task: Task) -> Future[list[Run]]:
        """Do a task."""
        return done_here(self._trainer.do, task)

    def result(self, future: Future[list[Run]]) -> list[Run]:
        """Return the runs of a task advanced."""
        return future.result()

    def make_room(self, member: Member, error: Exception) -> None:
        """Say that there is none: a call trains one member at a time."""
        raise too_little_memory(member, error) from error


@dataclass
class TorchEngine:
    """Train members of a torch ``problem`` on ``data``.

    On a CPU, members run one after another on one thread each. They run in this process until
    enough work is in sight to pay for a worker process per core; where a member runs changes no
    figure. Elsewhere so many run side by side as fill the device, where the module allows.

    Parameters
    ----------
    problem, data : what to train.
    study_seed : keys all randomness.
    processes : worker processes at most; 1 keeps to this process; ``None``: one per core.
    device : ``"cpu"``, ``"cuda"`` ...; ``None``: CUDA where there is one. Other devices than the
        CPU keep to this process.
    arrangement : ``"one after another"`` or ``"side by side"``; ``None`` goes by the device.
    """

    problem: Problem
    data: Data
    study_seed: int
    processes: int | None = None
    device: str | None = None
    arrangement: str | None = None

    def __post_init__(self) -> None:
        self._device: str = self.device or ("cuda" if torch.cuda.is_available() else "cpu")
        on_cpu = self._device == "cpu"
        arrangement = self.arrangement or layout.arrangement_for(self._device, True)
        batched = arrangement == layout.SIDE_BY_SIDE
        self._most = 1 if batched or not on_cpu else self.processes or layout.cores()
        module = initialised(self.problem, self.data.train)
        self._parameters: int = sum(p.numel() for p in module.parameters() if p.requires_grad)
        self._dtype = floating_dtype(module)
        parts = (self.data.train, validation_subset(self.data, self.study_seed), self.data.test)
        train, validation, test = (self._on_device(tensors_of(p, self._dtype)) for p in parts)
        self.trainer = SerialTrainer(self.problem, train, validation, test, self.study_seed)
        self._batched = BatchedTrainer(self.trainer) if batched else None
        self._pool: Processes | None = None
        self._alone_because: str | None = None
        self._paces: Paces = defaultdict(Pace)
        self._failures: list[Failure] = []

    def _on_device(self, batch: Batch) -> Batch:
        inputs, targets = batch
        return tuple(x.to(self._device) for x in inputs), targets.to(self._device)

    # ---- the contract -------------------------------------------------------------------------

    def train(
        self, members: Sequence[Member | Run], epochs: int, *, judge: bool = False
    ) -> Iterator[list[Run]]:
        """Train each member until it has seen ``epochs`` epochs; see :class:`Engine`."""
        given = (m if isinstance(m, Run) else _new_run(m) for m in members)
        queue = Queue(given, epochs, judge, self._paces, self._failures)
        try:
            while queue:
                for runs in queue.trained_by(
                    self._batched or self._pool or ThisProcess(self.trainer)
                ):
                    yield runs
                    if self._open_pool_if_it_pays(queue):
                        break  # the pool goes on with what waits
        except BaseException:  # interrupted, or left: no worker may go on by itself
            self.close()
            raise

    def walk(self, member: Member) -> TorchWalk:
        """Return a member that is to take its first step; see :class:`LocalEngine`."""
        return TorchWalk(self.trainer, member)

    def parameters(self) -> int:
        """Return how many parameters the problem trains."""
        return self._parameters

    def describe(self) -> Layout:
        """Return the layout chosen and its timings."""
        steps = self.trainer.described_steps() | (self._pool.steps if self._pool else {})
        described: Layout = {
            "engine": "torch",
            "platform": self._device,
            "streams": self._pool.count if self._pool else 1,
            "arrangement": self._described_arrangement(),
            "alone_because": self._alone_because,
            "watched": len(self.trainer.validation[1]),
            "dtype": str(self._dtype).removeprefix("torch."),
            "steps": {str(size): taken for size, taken in sorted(steps.items())},
            "programs": [self._program(key, pace) for key, pace in self._paces.items()],
            "failures": list(self._failures),
        }
        if self._batched:
            described["batched"] = self._batched.sizes()
            described["why_one_by_one"] = self._batched.why_one_by_one()
        return described

    def _program(self, key: Key, pace: Pace) -> ProgramLayout:
        rule, _switches, _state, size = key
        side_by_side = self._batched is not None and self._batched.has(rule, size)
        warmed = self.trainer.warmed | (self._pool.warmed if self._pool else {})
        return {
            "rule": rule,
            "batch_size": size,
            "arrangement": layout.SIDE_BY_SIDE if side_by_side else layout.ONE_AFTER_ANOTHER,
            "members_per_call": pace.members_per_call,
            "compile_seconds": round(warmed.get((rule, size), 0.0), 3),
            "member_steps": pace.member_steps,
            "microseconds_per_member_step": pace.microseconds_per_member_step,
        }

    def _described_arrangement(self) -> str:
        if self._batched:
            return N_("members side by side")
        if self._pool:
            return N_("members one after another, in one process per core")
        return N_("members one after another, in this process")

    # ---- worker processes -----------------------------------------------------------------------

    def close(self) -> None:
        """End the worker processes; they start again when they are needed."""
        if self._pool:
            self._pool.close()
            self._pool = None

    def _open_pool_if_it_pays(self, queue: Queue) -> bool:
        """Return whether worker processes were opened for what waits."""
        if self._pool or self._most == 1 or self._alone_because or len(queue) < 2:
            return False
        if queue.seconds_in_sight() <= SECONDS_THAT_PAY:
            return False
        try:
            self._pool = Processes(self.trainer, self._most)
        except CannotShareError as error:
            self._alone_because = _("the problem cannot be sent to another process: {why}").format(
                why=error
            )
            return False
        weakref.finalize(self, self._pool.close)
        return True


def _new_run(member: Member) -> Run:
    """Return a run that does not know yet how good its member is untrained."""
    blank = Curve(validation_loss=_NOTHING, validation_metric=_NOTHING, train_loss=_NOTHING)
    return Run(member, blank, checkpoint={})
