"""One process per core, each training members on one thread; the examples are shared as files."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import cloudpickle
import numpy as np
import torch
from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.process_executor import BrokenProcessPool

from descenso import rules
from descenso.engine import layout
from descenso.engine.contract import StepLayout
from descenso.engine.scheduling import Capacity, Task, too_little_memory
from descenso.engine.torch.serial import SerialTrainer
from descenso.errors import ProblemError, first_line
from descenso.language import _
from descenso.problems import Problem
from descenso.problems.torch_modules import Batch
from descenso.records import Member, Run

_PARTS = ("train", "validation", "test")
# A worker keeps the memory it frees: glibc hands large blocks back to the system and has them
# cleared again in every step, which takes a third of a convolutional network's time.
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**40),
}


class Done(NamedTuple):
    """What became of a task.

    Attributes
    ----------
    steps : batch size → how its steps are taken where the task was done.
    warmed : (rule, batch size) → seconds that compiling took there.
    """

    runs: list[Run]
    steps: Mapping[int, StepLayout]
    warmed: Mapping[tuple[str, int], float]


class CannotShareError(Exception):
    """The problem cannot be sent to another process; the message says why."""


class Processes:
    """Worker processes that share a trainer; see :class:`descenso.engine.scheduling.Workers`.

    Attributes
    ----------
    steps, warmed : what the workers have said of themselves so far, as of :class:`Done`.

    Raises
    ------
    CannotShareError
        If the problem cannot be pickled.
    """

    queued = 1  # so that no worker waits while the results of another are taken in

    def __init__(self, trainer: SerialTrainer, count: int) -> None:
        self.count = count
        self.steps: dict[int, StepLayout] = {}
        self.warmed: dict[tuple[str, int], float] = {}
        self._folder = tempfile.mkdtemp(prefix="descenso-")
        try:
            _save(trainer, Path(self._folder))
        except Exception as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise CannotShareError(f"{type(error).__name__}: {error}") from error
        self._executor = ProcessPoolExecutor(
            max_workers=count,
            initializer=_begin,
            initargs=(list(sys.path),),
            env=_ENVIRONMENT,
        )

    def capacity(self, member: Member) -> Capacity:
        """Return what a call takes of members like this one."""
        return Capacity(layout.MEMBERS_PER_CALL)

    def submit(self, task: Task) -> Future[Done]:
        """Have a worker do a task."""
        files = {run.member.rule: rules.get(run.member.rule).file for run in task.runs}
        future: Future[Done] = self._executor.submit(_work, self._folder, files, task)
        return future

    def result(self, future: Future[Done]) -> list[Run]:
        """Return the runs of a task advanced."""
        try:
            done = future.result()
        except BrokenProcessPool as error:
            raise ProblemError(
                _(
                    "a worker process ended while it trained ({why}); if memory ran out, fewer "
                    "processes or a smaller batch may fit"
                ).format(why=first_line(error))
            ) from error
        self.steps |= done.steps
        self.warmed |= done.warmed
        return done.runs

    def make_room(self, member: Member, error: Exception) -> None:
        """Say that there is none: a call trains one member at a time."""
        raise too_little_memory(member, error) from error

    def close(self) -> None:
        """End the workers, amid their work if need be, and remove the shared files."""
        with contextlib.suppress(Exception):
            self._executor.shutdown(wait=True, kill_workers=True)
        shutil.rmtree(self._folder, ignore_errors=True)


# ---- handing the trainer over -------------------------------------------------------------------


def _save(trainer: SerialTrainer, folder: Path) -> None:
    for name in _PARTS:
        inputs, targets = getattr(trainer, name)
        for i, tensor in enumerate((*inputs, targets)):
            np.save(folder / f"{name}{i}.npy", _packed(tensor).numpy())
    with _by_value(trainer.problem):
        # The examples go as files; what makes them again would carry them all once more.
        problem = replace(trainer.problem, make_data=_no_data)
        kinds = [tensor.dtype for tensor in (*trainer.train[0], trainer.train[1])]
        sent = cloudpickle.dumps((problem, kinds))
    (folder / "problem.pickle").write_bytes(sent)
    (folder / "seed").write_text(str(trainer.study_seed))


def _packed(tensor: torch.Tensor) -> torch.Tensor:
    """Return the bytes of a type that NumPy has not, as integers."""
    return tensor.view(torch.int16) if tensor.dtype is torch.bfloat16 else tensor


def _no_data(split_seed: int) -> Any:
    raise AssertionError("a worker reads its examples from files")


@contextmanager
def _by_value(problem: Problem) -> Iterator[None]:
    """Send the code of modules that a new process could not import."""
    owners = {
        getattr(given, "__module__", None)
        for given in (getattr(problem.init, "make_model", problem.init), problem.loss,
                      problem.apply, problem.metric.function)
    }  # fmt: skip
    modules = [sys.modules[name] for name in owners if name in sys.modules]
    sent = [m for m in modules if m.__name__ != "__main__" and not _can_be_imported(m)]
    for module in sent:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in sent:
            cloudpickle.unregister_pickle_by_value(module)


def _can_be_imported(module: Any) -> bool:
    known = sys.modules.pop(module.__name__, None)
    try:
        spec = importlib.util.find_spec(module.__name__)
    except (ImportError, ValueError, AttributeError):
        return False
    finally:
        if known is not None:
            sys.modules[module.__name__] = known
    return spec is not None and spec.origin == getattr(module, "__file__", None)


# ---- in a worker ------------------------------------------------------------------------------

_trainers: dict[str, SerialTrainer] = {}


def _begin(path: Sequence[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when it is over
    sys.path[:] = list(path)
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    with contextlib.suppress(ImportError):
        from tqdm import tqdm

        # torch's compiler shows a bar, whose lock between processes would outlive a worker that
        # is ended amid its work, and be complained of.
        tqdm.set_lock(threading.RLock())


def _work(folder: str, rule_files: dict[str, str], task: Task) -> Done:
    for name, file in rule_files.items():
        if name not in rules.names():
            rules.load_rule_file(file)
    if folder not in _trainers:
        _trainers.clear()
        _trainers[folder] = _load(Path(folder))
    trainer = _trainers[folder]
    return Done(trainer.do(task), trainer.described_steps(), dict(trainer.warmed))


def _load(folder: Path) -> SerialTrainer:
    problem, kinds = cloudpickle.loads((folder / "problem.pickle").read_bytes())
    train, validation, test = (_part(folder, name, kinds) for name in _PARTS)
    return SerialTrainer(problem, train, validation, test, int((folder / "seed").read_text()))


def _part(folder: Path, name: str, kinds: Sequence[torch.dtype]) -> Batch:
    # Mapped, not read: the machine holds the examples once for all workers.
    mapped = [np.load(folder / f"{name}{i}.npy", mmap_mode="c") for i in range(len(kinds))]
    tensors = [torch.from_numpy(np.asarray(array)) for array in mapped]
    *inputs, targets = (x.view(kind) for x, kind in zip(tensors, kinds, strict=True))
    return tuple(inputs), targets
