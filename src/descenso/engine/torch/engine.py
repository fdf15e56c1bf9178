"""The torch engine: members of the user's own module, on every core or side by side on a GPU."""

from __future__ import annotations

import weakref
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from descenso.engine import layout
from descenso.engine.bookkeeping import failure, key_of, validation_subset
from descenso.engine.torch.batched import BatchedTrainer
from descenso.engine.torch.processes import CannotShareError, Done, Pool, Task
from descenso.engine.torch.serial import SerialTrainer
from descenso.errors import ProblemError, first_line
from descenso.language import N_, _
from descenso.problems import Data, Problem
from descenso.problems._torch_rehearsal import initialised
from descenso.problems._torch_tensors import Batch, floating_dtype, tensors_of
from descenso.records import Curve, Member, Run

#: Worker processes take seconds to start, so they must save more than that.
SECONDS_THAT_PAY = 10.0
_NOTHING = np.array([])
_Key = tuple[str, int]


@dataclass
class _Speed:
    """How fast members of one rule and batch size have been seen to train."""

    member_steps: int = 0
    members_per_call: int = 1
    seconds: float = 0.0
    seconds_per_epoch: float | None = None  # of the last member


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
    _speeds: dict[_Key, _Speed] = field(default_factory=lambda: defaultdict(_Speed), init=False)
    _failures: list[dict[str, Any]] = field(default_factory=list, init=False)
    _ways: dict[int, Mapping[str, Any]] = field(default_factory=dict, init=False)
    _warmed: dict[_Key, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.device = self.device or ("cuda" if torch.cuda.is_available() else "cpu")
        on_cpu = self.device == "cpu"
        self.arrangement = self.arrangement or (
            layout.ONE_AFTER_ANOTHER if on_cpu else layout.SIDE_BY_SIDE
        )
        batched = self.arrangement == layout.SIDE_BY_SIDE
        self.processes = 1 if batched or not on_cpu else self.processes or layout.cores()
        module = initialised(self.problem, self.data.train)
        self._parameters: int = sum(p.numel() for p in module.parameters() if p.requires_grad)
        self._dtype = floating_dtype(module)
        parts = (self.data.train, validation_subset(self.data, self.study_seed), self.data.test)
        train, validation, test = (self._on_device(tensors_of(p, self._dtype)) for p in parts)
        self.trainer = SerialTrainer(self.problem, train, validation, test, self.study_seed)
        self._batched = BatchedTrainer(self.trainer) if batched else None
        self._pool: Pool | None = None
        self._alone_because: str | None = None

    def _on_device(self, batch: Batch) -> Batch:
        inputs, targets = batch
        return tuple(x.to(self.device) for x in inputs), targets.to(self.device)

    # ---- the contract -------------------------------------------------------------------------

    def train(
        self, members: Sequence[Member | Run], epochs: int, *, judge: bool = False
    ) -> Iterator[list[Run]]:
        """Train each member until it has seen ``epochs`` epochs; see :class:`Engine`."""
        given = (m if isinstance(m, Run) else _new_run(m) for m in members)
        waiting = deque(r for r in given if r.curve.epochs < epochs and not r.curve.ended)
        try:
            while waiting and self._batched:
                yield self._advance_batched(self._batched, waiting, epochs, judge)
            while waiting and not self._pool:
                task = self._next_task(waiting, epochs, judge, 1)
                yield self._taken_in(task, task.done_by(self.trainer), waiting, epochs)
                self._open_pool_if_it_pays(waiting, epochs)
            if waiting:
                yield from self._train_in_pool(waiting, epochs, judge)
        except BaseException:  # interrupted, or left: no worker may go on by itself
            self.close()
            raise

    def arrange(
        self, members: Sequence[Member | Run], known: Mapping[str, str] | None = None
    ) -> Mapping[str, str]:
        """Decide nothing: where and how a torch member runs follows from its size alone."""
        return {}

    def parameters(self) -> int:
        """Return how many parameters the problem trains."""
        return self._parameters

    def describe(self) -> Mapping[str, Any]:
        """Return the layout chosen and its timings."""
        return {
            "engine": "torch",
            "platform": self.device,
            "streams": self._pool.processes if self._pool else 1,
            "arrangement": self._described_arrangement(),
            "alone_because": self._alone_because,
            "watched": len(self.trainer.validation[1]),
            "dtype": str(self._dtype).removeprefix("torch."),
            "steps": {str(size): dict(way) for size, way in sorted(self._ways.items())},
            **(self._batched.describe() if self._batched else {}),
            "programs": [
                {
                    "rule": rule,
                    "batch_size": size,
                    "arrangement": layout.SIDE_BY_SIDE
                    if self._batched and self._batched.has(rule, size)
                    else layout.ONE_AFTER_ANOTHER,
                    "members_per_call": speed.members_per_call,
                    "compile_seconds": round(self._warmed.get((rule, size), 0.0), 3),
                    "member_steps": speed.member_steps,
                    "microseconds_per_member_step": round(
                        1e6 * speed.seconds / speed.member_steps, 3
                    )
                    if speed.member_steps
                    else None,
                }
                for (rule, size), speed in self._speeds.items()
            ],
            "failures": list(self._failures),
        }

    def _described_arrangement(self) -> str:
        if self._batched:
            return N_("members side by side")
        if self._pool:
            return N_("members one after another, in one process per core")
        return N_("members one after another, in this process")

    def close(self) -> None:
        """End the worker processes; they start again when they are needed."""
        if self._pool:
            self._pool.close()
            self._pool = None

    # ---- work ---------------------------------------------------------------------------------

    def _next_task(self, waiting: deque[Run], epochs: int, judge: bool, streams: int) -> Task:
        """Take runs off the queue that together last about as long as a call should."""
        left = len(waiting)
        runs: list[Run] = []
        counts: list[int] = []
        seconds = 0.0
        most = max(1, -(-left // (2 * streams))) if streams > 1 else left
        while waiting and len(runs) < most and seconds < layout.SECONDS_PER_CALL:
            run = waiting.popleft()
            pace = self._speeds[_key(run)].seconds_per_epoch
            to_go = epochs - run.curve.epochs
            count = (
                1 if pace is None else _clipped(layout.SECONDS_PER_CALL / max(pace, 1e-9), to_go)
            )
            runs.append(run)
            counts.append(count)
            if pace is None:
                break
            seconds += pace * count
        ends = [judge and r.curve.epochs + n >= epochs for r, n in zip(runs, counts, strict=True)]
        return Task(tuple(runs), tuple(counts), tuple(ends))

    def _taken_in(self, task: Task, done: Done, waiting: deque[Run], epochs: int) -> list[Run]:
        """Note ways, speed and failures, queue what is to go on, and return the runs."""
        self._ways |= done.ways
        self._warmed |= done.warmed
        for before, (after, error) in zip(task.runs, done.advanced, strict=True):
            speed = self._speeds[_key(after)]
            speed.members_per_call = max(speed.members_per_call, len(task.runs))
            speed.member_steps += after.curve.steps - before.curve.steps
            epochs_taken = after.curve.epochs - before.curve.epochs
            seconds = after.curve.seconds - before.curve.seconds
            speed.seconds += seconds
            speed.seconds_per_epoch = seconds / epochs_taken
            if error:
                self._failures.append(failure(after, error))
        runs = [after for after, _failure in done.advanced]
        unfinished = [r for r in runs if r.curve.epochs < epochs and not r.curve.ended]
        waiting.extend(unfinished)  # behind the others, so that no member is left for the end
        return runs

    def _advance_batched(
        self, batched: BatchedTrainer, waiting: deque[Run], epochs: int, judge: bool
    ) -> list[Run]:
        """Take runs off the queue that can go side by side, and advance them."""
        first = waiting[0]
        alike = [run for run in waiting if _group(run) == _group(first)]
        runs = tuple(alike[: batched.size(first.member)])
        taken = {id(run) for run in runs}
        others = [run for run in waiting if id(run) not in taken]
        waiting.clear()
        waiting.extend(others)
        pace = self._speeds[_key(first)].seconds_per_epoch
        fitting = 1 if pace is None else layout.SECONDS_PER_CALL / max(pace * len(runs), 1e-9)
        more = _clipped(fitting, epochs - first.curve.epochs)
        ends = judge and first.curve.epochs + more >= epochs
        advanced = batched.advance(runs, more, ends)
        many = len(runs)
        task = Task(runs, (more,) * many, (ends,) * many)
        done = Done(advanced, self.trainer.described_ways(), dict(self.trainer.warmed))
        return self._taken_in(task, done, waiting, epochs)

    # ---- worker processes -----------------------------------------------------------------------

    def _open_pool_if_it_pays(self, waiting: deque[Run], epochs: int) -> None:
        if self._pool or self.processes == 1 or self._alone_because:
            return
        known = [s for s in (v.seconds_per_epoch for v in self._speeds.values()) if s is not None]
        usual = sum(known) / max(1, len(known))
        paces = ((r, self._speeds[_key(r)].seconds_per_epoch or usual) for r in waiting)
        in_sight = sum((epochs - run.curve.epochs) * pace for run, pace in paces)
        if len(waiting) > 1 and in_sight > SECONDS_THAT_PAY:
            self._open_pool(self.processes or 1)

    def _open_pool(self, processes: int) -> None:
        try:
            self._pool = Pool(self.trainer, processes)
        except CannotShareError as error:
            self._alone_because = _("the problem cannot be sent to another process: {why}").format(
                why=error
            )
        else:
            weakref.finalize(self, self._pool.close)

    def _train_in_pool(self, waiting: deque[Run], epochs: int, judge: bool) -> Iterator[list[Run]]:
        """Keep every worker busy until nothing waits."""
        pool = self._pool
        assert pool is not None
        under_way: dict[Future[Done], Task] = {}
        while waiting or under_way:
            while waiting and len(under_way) < pool.processes + 1:
                task = self._next_task(waiting, epochs, judge, pool.processes)
                under_way[pool.submit(task)] = task
            done, _rest = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                task = under_way.pop(future)
                yield self._taken_in(task, self._result(future, pool), waiting, epochs)

    def _result(self, future: Future[Done], pool: Pool) -> Done:
        from joblib.externals.loky.process_executor import BrokenProcessPool

        try:
            return future.result()
        except BrokenProcessPool as error:
            raise ProblemError(
                _(
                    "a worker process ended while it trained ({why}); if memory ran out, fewer "
                    "processes or a smaller batch may fit"
                ).format(why=first_line(error))
            ) from error


def _clipped(epochs: float, most: int) -> int:
    return max(1, min(int(epochs), most))


def _key(run: Run) -> _Key:
    return run.member.rule, run.member.batch_size


def _group(run: Run) -> Any:
    return key_of(run.member), run.curve.epochs


def _new_run(member: Member) -> Run:
    """Return a run that does not know yet how good its member is untrained."""
    blank = Curve(validation_loss=_NOTHING, validation_metric=_NOTHING, train_loss=_NOTHING)
    return Run(member, blank, checkpoint={})
