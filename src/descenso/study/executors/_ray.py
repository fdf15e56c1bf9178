"""Train members on a Ray cluster: chunks of members as tasks, on workers that may die.

The driver alone knows of the store: workers get members and give runs back. All randomness is keyed
by seed and epoch, so where a member is trained, or how often it is begun anew, changes nothing.
"""

from __future__ import annotations

import importlib
import logging
import sys
import sysconfig
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import Any

from descenso.engine import Engine, open_engine
from descenso.errors import ProblemError, SettingError, first_line
from descenso.language import _
from descenso.problems import Data, Problem
from descenso.records import Member, Run
from descenso.study.design import Design
from descenso.study.executors._open import with_splits

#: Members in a task: enough to hide the cost of a task, few enough that a lost one costs little.
MEMBERS_PER_TASK = 12
#: Tasks under way for each core of the cluster, so that no core waits for the driver.
TASKS_PER_CORE = 2
#: How often a task whose worker or node died is begun anew.
RETRIES = 5


def ray_opener(
    address: str | None,
) -> Callable[[Problem, Data, Design], AbstractContextManager[Engine]]:
    """Return what opens an engine on a Ray cluster, a local one of its own without an address.

    Raises
    ------
    SettingError
        If Ray is not installed.
    """
    try:
        importlib.import_module("ray")
        importlib.import_module("cloudpickle")
    except ModuleNotFoundError as error:
        raise SettingError(
            _("this executor needs a package: pip install {package}").format(
                package="'descenso[ray]'"
            )
        ) from error

    @contextmanager
    def opened(problem: Problem, data: Data, design: Design) -> Iterator[Engine]:
        with _connected(address) as ray:

            def open_for(part: Data) -> Engine:
                return RayEngine(ray, problem, part, design.seed)

            yield with_splits(open_for, data, design)

    return opened


@contextmanager
def _connected(address: str | None) -> Iterator[Any]:
    """Join a cluster for the block; one that this process has joined already stays joined."""
    import ray

    if ray.is_initialized():
        yield ray
        return
    try:
        ray.init(
            address=address, log_to_driver=False, include_dashboard=False, logging_level=logging.ERROR,
            configure_logging=False,
        )  # fmt: skip
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ProblemError(
            _("the Ray cluster {address} cannot be joined: {reason}").format(
                address=address or "local", reason=first_line(error)
            )
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


class RayEngine:
    """Trains members as tasks of a Ray cluster; see :class:`descenso.engine.Engine`."""

    def __init__(self, ray: Any, problem: Problem, data: Data, study_seed: int) -> None:
        self._ray = ray
        self._work = ray.put(_packed(problem, data, study_seed))
        self._local: Engine = open_engine(problem, data, study_seed)
        self._task = ray.remote(num_cpus=1, max_retries=RETRIES, retry_exceptions=False)(_train)
        self._workers: dict[str, dict[str, Any]] = {}
        self._calls = 0

    def train(
        self, members: Sequence[Member | Run], epochs: int, *, judge: bool = False
    ) -> Iterator[list[Run]]:
        """Train each member until it has seen ``epochs`` epochs, resuming those given as runs."""
        waiting = list(reversed(_chunks(members, epochs)))
        running: dict[Any, None] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self._most_at_once():
                    task = self._task.remote(self._work, waiting.pop(), epochs, judge)
                    running[task] = None
                done, _rest = self._ray.wait(list(running), num_returns=1)
                for task in done:
                    del running[task]
                    yield self._received(task)
        finally:  # interrupted: a cluster that goes on must not go on with this
            for task in running:
                self._ray.cancel(task, force=True)

    def _received(self, task: Any) -> list[Run]:
        try:
            runs, worker, layout = self._ray.get(task)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except self._ray.exceptions.RayError as error:
            raise ProblemError(
                _("a chunk of runs failed on the cluster {count} times: {reason}").format(
                    count=RETRIES + 1, reason=first_line(error)
                )
            ) from error
        self._workers[worker] = layout
        self._calls += 1
        finished: list[Run] = runs
        return finished

    def _most_at_once(self) -> int:
        """Return how many tasks to keep under way; a cluster may grow or lose nodes meanwhile."""
        cores = int(self._ray.cluster_resources().get("CPU", 1))
        return max(1, TASKS_PER_CORE * cores)

    def parameters(self) -> int:
        """Return how many parameters the problem trains."""
        return self._local.parameters()

    def describe(self) -> Mapping[str, Any]:
        """Return what a worker chose, with the number of workers and tasks."""
        layout = next(iter(self._workers.values()), self._local.describe())
        return {**layout, "executor": "ray", "workers": len(self._workers), "tasks": self._calls}


def _packed(problem: Problem, data: Data, study_seed: int) -> bytes:
    """Return what workers open an engine with; a user's own modules go along by value."""
    import cloudpickle

    own = _modules_of_the_user(problem)
    for module in own:
        cloudpickle.register_pickle_by_value(module)
    try:
        packed: bytes = cloudpickle.dumps((problem, data, study_seed))
        return packed
    finally:
        for module in own:
            cloudpickle.unregister_pickle_by_value(module)


def _modules_of_the_user(problem: Problem) -> list[ModuleType]:
    """Return the modules that the problem's functions come from and that no worker can import."""
    functions = (
        problem.make_data, problem.init, problem.apply, problem.loss, problem.metric.function,
    )  # fmt: skip
    names = {getattr(function, "__module__", None) or "" for function in functions}
    loaded = [sys.modules[name] for name in sorted(names) if name in sys.modules]
    installed = tuple(sysconfig.get_paths()[kind] for kind in ("stdlib", "purelib", "platlib"))
    return [
        module
        for module in loaded
        if module.__name__.partition(".")[0] not in ("descenso", "__main__")
        and not str(getattr(module, "__file__", None) or installed[0]).startswith(installed)
    ]


def _chunks(members: Sequence[Member | Run], epochs: int) -> list[list[Member | Run]]:
    """Cut the members into tasks; those of one rule and batch size share a compiled program."""
    groups: dict[Any, list[Member | Run]] = defaultdict(list)
    for given in members:
        member = given.member if isinstance(given, Run) else given
        groups[member.rule, member.batch_size].append(given)
    return [
        group[start : start + MEMBERS_PER_TASK]
        for group in groups.values()
        for start in range(0, len(group), MEMBERS_PER_TASK)
    ]


# ---- on the worker ----------------------------------------------------------------------------

_opened: dict[int, Engine] = {}  # a worker process serves many tasks: it compiles once


def _train(
    work: bytes, members: Sequence[Member | Run], epochs: int, judge: bool
) -> tuple[list[Run], str, dict[str, Any]]:
    """Train a chunk on this worker and return its runs; nothing is stored here."""
    import os
    import socket

    key = hash(work)
    if key not in _opened:
        import cloudpickle

        os.environ["DESCENSO_CORES"] = "1"  # a worker has one core to itself
        _opened[key] = open_engine(*cloudpickle.loads(work))
    done: dict[str, Run] = {}
    started = time.perf_counter()
    for chunk in _opened[key].train(members, epochs, judge=judge):
        done.update({run.member.key: run for run in chunk})
    layout = {**_opened[key].describe(), "last_task_seconds": time.perf_counter() - started}
    return list(done.values()), f"{socket.gethostname()}/{os.getpid()}", layout
