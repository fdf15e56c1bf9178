"""One queue for every engine: which runs are trained next, for how many epochs, and by whom.

A worker is anything that trains some runs for some epochs: a thread with compiled JAX, this process,
a process per core, a GPU. Runs that one program or one step can train wait in one line; those that
a call has advanced go to its end, so that no member is left for last.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from descenso.engine.bookkeeping import Failure, Key, ended_by_error, failure, key_of
from descenso.errors import ProblemError, first_line
from descenso.language import _
from descenso.records import Member, Run

#: A call aims to last this long: short enough for live progress and for little to be lost when the
#: process is killed, long enough to hide the cost of the call.
SECONDS_PER_CALL = 1.0


class OutOfMemoryError(Exception):
    """The memory does not hold a task; the message is the framework's own."""


class FailedCallError(Exception):
    """The problem's own code failed amid a call, in one of its runs."""


def too_little_memory(member: Member, error: Exception) -> ProblemError:
    """Return the error of a member that does not fit into memory even by itself."""
    return ProblemError(
        _("the memory does not suffice for one member at batch size {size}: {why}").format(
            size=member.batch_size, why=first_line(error)
        )
    )


@dataclass(frozen=True)
class Capacity:
    """What one call takes.

    Attributes
    ----------
    members, epochs, seeds : at most; ``seeds`` counts distinct ones.
    filled : whether it costs the same with fewer members, as it does where they go side by side.
    """

    members: int
    epochs: int = 2**31
    seeds: int = 2**31
    filled: bool = False


@dataclass(frozen=True)
class Task:
    """Runs of one line that stand at one epoch, to be trained for some more by one call."""

    runs: tuple[Run, ...]
    epochs: int
    judge: bool  # whether they are measured on test then
    room: int  # members that the call could have held

    @property
    def member(self) -> Member:
        """Return a member like all of them."""
        return self.runs[0].member


class Workers(Protocol):
    """What trains tasks."""

    @property
    def count(self) -> int:
        """Return how many tasks are worked on at once."""
        ...

    @property
    def queued(self) -> int:
        """Return how many more tasks wait for the first worker to be free."""
        ...

    def capacity(self, member: Member) -> Capacity:
        """Return what a call takes of members like this one."""
        ...

    def submit(self, task: Task) -> Future[Any]:
        """Begin a task."""
        ...

    def result(self, future: Future[Any]) -> Sequence[Run]:
        """Return the runs of a task advanced.

        Raises
        ------
        OutOfMemoryError
            If the task is to come again in smaller calls.
        FailedCallError
            If the problem's own code failed, and the call does not know in which run.
        """
        ...

    def make_room(self, member: Member, error: Exception) -> None:
        """Have calls with members like this one take less memory.

        Raises
        ------
        ProblemError
            If they hold one member already.
        """
        ...


@dataclass
class Pace:
    """How fast members of one line have trained so far."""

    member_steps: int = 0
    seconds: float = 0.0
    seconds_per_epoch: float | None = None  # of one member, in the last call
    members_per_call: int = 1

    def note(self, before: Sequence[Run], after: Sequence[Run]) -> None:
        """Note what a call did."""
        old, new = ([run.curve for run in runs] for runs in (before, after))
        seconds = sum(c.seconds for c in new) - sum(c.seconds for c in old)
        epochs = sum(c.epochs for c in new) - sum(c.epochs for c in old)
        self.member_steps += sum(c.steps for c in new) - sum(c.steps for c in old)
        self.seconds += seconds
        self.seconds_per_epoch = seconds / max(1, epochs)
        self.members_per_call = max(self.members_per_call, len(before))

    @property
    def microseconds_per_member_step(self) -> float | None:
        """Return how long a step took; ``None`` before the first."""
        return round(1e6 * self.seconds / self.member_steps, 3) if self.member_steps else None


Paces: TypeAlias = defaultdict[Key, Pace]


class Queue:
    """Runs that wait to be trained.

    Parameters
    ----------
    runs : those that have reached ``epochs``, or ended, do not wait.
    judge : whether those that reach ``epochs`` are measured on test there.
    paces, failures : what earlier calls have shown, to be added to.
    """

    def __init__(
        self, runs: Iterable[Run], epochs: int, judge: bool, paces: Paces, failures: list[Failure]
    ) -> None:
        self._epochs, self._judge = epochs, judge
        self._paces, self._failures = paces, failures
        self._lines: dict[Key, deque[Run]] = {}
        self._one_by_one: set[Key] = set()
        for run in runs:
            self._put(run)

    def __len__(self) -> int:
        """Return how many runs wait."""
        return sum(map(len, self._lines.values()))

    def members(self) -> list[Member]:
        """Return a member of each line."""
        return [line[0].member for line in self._lines.values() if line]

    def seconds_in_sight(self) -> float:
        """Return how long what waits would take one worker; an unknown pace counts as the usual."""
        known = {k: p.seconds_per_epoch for k, p in self._paces.items() if p.seconds_per_epoch}
        usual = sum(known.values()) / max(1, len(known))
        return sum(
            (self._epochs - run.curve.epochs) * known.get(key, usual)
            for key, line in self._lines.items()
            for run in line
        )

    def trained_by(
        self, workers: Workers, ready: Callable[[Member], bool] = lambda _: True
    ) -> Iterator[list[Run]]:
        """Keep every worker busy until nothing waits; yield the runs of each call as it is done.

        Parameters
        ----------
        ready : whether members like this one come before others.
        """
        under_way: dict[Future[Any], Task] = {}
        while self or under_way:
            while len(under_way) < workers.count + workers.queued:
                task = self._next_task(workers, ready, under_way.values())
                if task is None:
                    break
                under_way[workers.submit(task)] = task
            done, _rest = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                runs = self._taken_in(workers, under_way.pop(future), future)
                if runs:
                    yield runs

    # ---- out of the queue -----------------------------------------------------------------------

    def _next_task(
        self, workers: Workers, ready: Callable[[Member], bool], under_way: Iterable[Task]
    ) -> Task | None:
        """Take a task off the queue; none is made of a line whose first call is under way."""
        begun = {key_of(task.member) for task in under_way}
        free = [
            line
            for key, line in self._lines.items()
            if line and (key not in begun or self._paces[key].seconds_per_epoch is not None)
        ]
        if not free:
            return None
        line = next((line for line in free if ready(line[0].member)), free[0])
        capacity = workers.capacity(line[0].member)
        members, epochs = self._size(line, capacity, workers.count)
        runs = [line.popleft()]
        done, seeds = runs[0].curve.epochs, {runs[0].member.seed}
        while line and len(runs) < members:
            seeds.add(line[0].member.seed)
            if line[0].curve.epochs != done or len(seeds) > capacity.seeds:
                break
            runs.append(line.popleft())
        ends = self._judge and done + epochs >= self._epochs
        return Task(tuple(runs), epochs, ends, capacity.members)

    def _size(self, line: deque[Run], capacity: Capacity, workers: int) -> tuple[int, int]:
        """Return how many members a call should take, and for how many epochs."""
        key, left = key_of(line[0].member), self._epochs - line[0].curve.epochs
        pace, most = self._paces[key].seconds_per_epoch, capacity.members
        if key in self._one_by_one:
            most = 1
        if pace is None:  # a short call, to learn it
            return (most if capacity.filled else 1), 1
        fitting = SECONDS_PER_CALL / max(1e-9, pace)  # epochs of one member
        if capacity.filled:
            taken = min(most, len(line))
            return most, _clipped(fitting / taken, min(left, capacity.epochs))
        epochs = _clipped(fitting, min(left, capacity.epochs))
        # Ever smaller shares, so that the workers end at the same time.
        share = -(-len(line) // (2 * workers)) if workers > 1 else len(line)
        return _clipped(fitting / epochs, min(most, share)), epochs

    # ---- back into it ---------------------------------------------------------------------------

    def _put(self, run: Run) -> None:
        if run.curve.epochs < self._epochs and not run.curve.ended:
            self._lines.setdefault(key_of(run.member), deque()).append(run)

    def _again(self, task: Task) -> None:
        self._lines[key_of(task.member)].extendleft(reversed(task.runs))

    def _taken_in(self, workers: Workers, task: Task, future: Future[Any]) -> list[Run]:
        """Return the runs that a call has advanced: none, if it is to come again otherwise."""
        try:
            runs = list(workers.result(future))
            self._paces[key_of(task.member)].note(task.runs, runs)
        except OutOfMemoryError as error:
            self._again(task)
            if workers.capacity(task.member).members >= task.room:  # no other call found out before
                workers.make_room(task.member, error)
            return []
        except FailedCallError as error:
            if len(task.runs) > 1:  # to find out whose code fails: the others go on
                self._one_by_one.add(key_of(task.member))
                self._again(task)
                return []
            runs = [ended_by_error(task.runs[0], str(error))]
        for run in runs:
            self._put(run)
        self._failures += [failure(run, run.error) for run in runs if run.error]
        return runs


def _clipped(number: float, most: int) -> int:
    return max(1, min(int(number), most))


def done_here(function: Callable[..., Any], *arguments: Any) -> Future[Any]:
    """Call a function in this thread; return what became of it as of a call to another."""
    future: Future[Any] = Future()
    try:
        future.set_result(function(*arguments))
    except Exception as error:
        future.set_exception(error)
    return future
