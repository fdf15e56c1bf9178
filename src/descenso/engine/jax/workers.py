"""Threads that call compiled programs: on a CPU one per core, on an accelerator two."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import jax

from descenso.engine import layout
from descenso.engine.bookkeeping import in_words
from descenso.engine.jax.arguments import Arguments, taken_out
from descenso.engine.jax.judge import Judge
from descenso.engine.jax.programs import Program, Programs
from descenso.engine.scheduling import (
    Capacity,
    FailedCallError,
    OutOfMemoryError,
    Task,
    too_little_memory,
)
from descenso.records import Member, Run


class Threads:
    """Trains tasks; see :class:`descenso.engine.scheduling.Workers`."""

    queued = 1  # so that no thread waits while the results of another's call are taken in

    def __init__(self, count: int, programs: Programs, arguments: Arguments, judge: Judge) -> None:
        self.count = count
        self._programs, self._arguments, self._judge = programs, arguments, judge
        self._pool = ThreadPoolExecutor(count, "worker")
        self._compilers = ThreadPoolExecutor(layout.cores(), "compiler")

    def close(self) -> None:
        """End the threads after the calls under way."""
        self._pool.shutdown(cancel_futures=True)
        self._compilers.shutdown(cancel_futures=True)

    def compile_ahead(self, members: Iterable[Member]) -> None:
        """Compile programs before a worker comes to them: not on a CPU, whose cores it takes."""
        for member in members:
            self._compilers.submit(self._programs.of(member).compiled.get)

    def is_compiled(self, member: Member) -> bool:
        """Whether the program of members like this one has been compiled."""
        return self._programs.of(member).compiled.ready

    def capacity(self, member: Member) -> Capacity:
        """Return what a call takes of members like this one."""
        return self._programs.of(member).capacity

    def submit(self, task: Task) -> Future[list[Run]]:
        """Begin a task."""
        program, precision = self._programs.of(task.member), jax.config.jax_enable_x64
        return self._pool.submit(self._done, task, program, precision)  # which is kept by thread

    def result(self, future: Future[list[Run]]) -> Sequence[Run]:
        """Return the runs of a task advanced."""
        try:
            return future.result()
        except (jax.errors.JaxRuntimeError, MemoryError) as error:
            if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error):
                raise OutOfMemoryError(str(error)) from error
            raise FailedCallError(in_words(error)) from error

    def make_room(self, member: Member, error: Exception) -> None:
        """Have calls hold half the members."""
        if not self._programs.halve(member):
            raise too_little_memory(member, error) from error

    def _done(self, task: Task, program: Program, precision: bool) -> list[Run]:
        with jax.enable_x64(precision):
            call = program.compiled.get()
            started = time.perf_counter()
            result = call(*self._arguments.of(program.recipe, task.runs, task.epochs))
            jax.block_until_ready(result)
            runs = taken_out(result, task.runs, task.epochs, time.perf_counter() - started)
            return self._judge.judged(runs) if task.judge else runs
