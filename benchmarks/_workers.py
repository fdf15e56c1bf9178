"""Processes that hold what contenders need and run them when told, so that no start is timed."""

from __future__ import annotations

import importlib
import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from typing import Any, NamedTuple


class Call(NamedTuple):
    """Something to time: what it does, and how many member-steps that is worth."""

    run: Callable[[], Any]
    steps: float


class Worker:
    """A process of a module whose ``calls(*arguments)`` gives the calls it can be told, by name.

    Parameters
    ----------
    environment : set before the module, and with it a framework, is imported.
    """

    def __init__(self, module: str, *arguments: Any, environment: Mapping[str, str]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        given = (theirs, module, arguments, dict(environment))
        self._process = context.Process(target=_serve, args=given)
        self._process.start()
        theirs.close()  # so that its end is seen here
        self.steps: dict[str, float] = {}

    def ready(self) -> Worker:
        """Wait until it can be told what to do."""
        self.steps = self._pipe.recv()
        return self

    def tell(self, name: str) -> None:
        """Have it make a call."""
        self._pipe.send(name)

    def wait(self) -> None:
        """Wait for the call to end."""
        self._pipe.recv()

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join()


def calls_of(workers: Sequence[Worker], name: str) -> Call:
    """Return the call that has all these workers make the call of this name at once."""

    def run() -> None:
        for worker in workers:
            worker.tell(name)
        for worker in workers:
            worker.wait()

    return Call(run, sum(worker.steps[name] for worker in workers))


def _serve(
    pipe: Connection, module: str, arguments: tuple[Any, ...], environment: dict[str, str]
) -> None:
    os.environ.update(environment)
    calls: dict[str, Call] = importlib.import_module(module).calls(*arguments)
    pipe.send({name: call.steps for name, call in calls.items()})
    try:
        while True:
            calls[pipe.recv()].run()
            pipe.send(None)
    except (EOFError, ConnectionError):  # nothing more is asked for
        return
