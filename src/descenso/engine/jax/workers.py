"""Share out calls into compiled code among streams: a thread for each, on a CPU one per core."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax

from descenso.engine import layout
from descenso.engine.bookkeeping import ended_by_error, failure, in_words
from descenso.engine.jax.compiled import Program, ran_out_of_memory
from descenso.errors import ProblemError, first_line
from descenso.language import _
from descenso.records import Member, Run


def is_unfinished(run: Run, epochs: int) -> bool:
    """Whether a run has yet to reach ``epochs`` epochs."""
    return run.curve.epochs < epochs and not run.curve.ended


@dataclass(frozen=True)
class Task:
    """A call into compiled code: runs that stand at one epoch, to be trained for some more."""

    program: Program
    runs: list[Run]
    epochs: int
    judge: bool


Advance: TypeAlias = tuple[list[Run], float]  # the runs advanced, and the seconds it took


@dataclass
class Group:
    """Runs that wait for one program, and where to note those whose code fails."""

    program: Program
    waiting: deque[Run]
    failures: list[dict[str, Any]]
    one_by_one: bool = False

    def take(self, streams: int, epochs: int, judge: bool) -> Task:
        """Take what the next call should train off the queue."""
        batch_shape, pace = self.program.recipe.batch_shape, self.program.pace
        way = self.program.recipe.arrangement
        most = layout.members_for_call(way, batch_shape, pace, len(self.waiting), streams)
        if self.one_by_one:
            most = 1
        done = self.waiting[0].curve.epochs
        runs: list[Run] = []
        while self.waiting and len(runs) < most:
            run = self.waiting[0]
            seeds = {r.member.seed for r in (*runs, run)}
            if run.curve.epochs != done or len(seeds) > batch_shape.seeds:
                break
            runs.append(self.waiting.popleft())
        more = layout.epochs_for_call(batch_shape, pace, len(runs), epochs - done)
        return Task(self.program, runs, more, judge and done + more >= epochs)


class Workers:
    """Runs tasks on so many threads.

    Parameters
    ----------
    do : (task, whether 64-bit numbers are in use) → the runs advanced and the seconds it took.
    with_fewer : (program, one of its members) → a program whose calls hold fewer members.
    ahead : whether programs are compiled before a stream comes to them; not on a CPU, whose cores
        the streams take.
    """

    def __init__(
        self,
        count: int,
        do: Callable[[Task, bool], Advance],
        with_fewer: Callable[[Program, Member], Program],
        ahead: bool,
    ) -> None:
        self._count, self._do, self._with_fewer, self._ahead = count, do, with_fewer, ahead

    def run(self, groups: Sequence[Group], epochs: int, judge: bool) -> Iterator[list[Run]]:
        """Train all that wait to ``epochs`` epochs; yield the runs of each call as it is done."""
        pool = ThreadPoolExecutor(self._count, "stream")
        compilers = ThreadPoolExecutor(layout.cores(), "compiler")
        under_way: dict[Future[Advance], tuple[Group, Task]] = {}
        try:
            for group in groups if self._ahead else ():
                compilers.submit(group.program.compiled.get)
            while any(group.waiting for group in groups) or under_way:
                self._keep_busy(pool, groups, under_way, epochs, judge)
                done, _rest = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    group, task = under_way.pop(future)
                    runs = self._taken_in(group, task, future)
                    group.waiting.extend(run for run in runs if is_unfinished(run, epochs))
                    if runs:
                        yield runs
        finally:
            pool.shutdown(cancel_futures=True)
            compilers.shutdown(cancel_futures=True)

    def _keep_busy(
        self,
        pool: ThreadPoolExecutor,
        groups: Sequence[Group],
        under_way: dict[Future[Advance], tuple[Group, Task]],
        epochs: int,
        judge: bool,
    ) -> None:
        """Give every stream a call to run, and one that waits for the first to be free."""
        while len(under_way) <= self._count:
            compiling = {id(t.program) for _, t in under_way.values() if not t.program.ready}
            free = [g for g in groups if g.waiting and id(g.program) not in compiling]
            if not free:
                return
            ready = [g for g in free if g.program.ready] if self._ahead else []
            group = (ready or free)[0]
            task = group.take(self._count, epochs, judge)
            precision = jax.config.jax_enable_x64  # kept by thread: a stream must be told
            under_way[pool.submit(self._do, task, precision)] = group, task

    def _taken_in(self, group: Group, task: Task, future: Future[Advance]) -> list[Run]:
        """Return the runs that a call has advanced: none, if memory ran out and it comes again."""
        try:
            runs, seconds = future.result()
        except (jax.errors.JaxRuntimeError, MemoryError) as error:
            return self._after_error(group, task, error)
        task.program.note(task.runs, runs, seconds)
        return runs

    def _after_error(self, group: Group, task: Task, error: Exception) -> list[Run]:
        """Have the runs of a call that failed come again; end the one that fails by itself."""
        if not ran_out_of_memory(error) and len(task.runs) == 1:
            (run,) = task.runs
            group.failures.append(failure(run, in_words(error)))
            return [ended_by_error(run, in_words(error))]
        group.waiting.extendleft(reversed(task.runs))
        if not ran_out_of_memory(error):
            group.one_by_one = True  # to find out whose code fails: the others go on
        elif task.program is group.program:  # and not another stream's call found out before
            self._back_off(group, error)
        return []

    def _back_off(self, group: Group, error: Exception) -> None:
        """Have calls hold fewer members, for they did not fit into memory."""
        recipe = group.program.recipe
        if recipe.batch_shape.members == 1:
            raise ProblemError(
                _("the memory does not suffice for one member at batch size {size}: {why}").format(
                    size=recipe.batch_size, why=first_line(error)
                )
            ) from error
        group.program = self._with_fewer(group.program, group.waiting[0].member)
