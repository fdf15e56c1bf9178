"""Choose where members are trained by what a user writes: ``local``, ``ray`` or ``ray:address``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

from descenso.engine import Engine, open_engine
from descenso.errors import SettingError
from descenso.language import _
from descenso.problems import Data, Problem
from descenso.study._splits import SplitEngine
from descenso.study.design import Design

#: Opens an engine for a study's problem and data, and closes what it needs at the end.
Opener: TypeAlias = Callable[[Problem, Data, Design], AbstractContextManager[Engine]]


def opener(executor: str) -> Opener:
    """Return what opens the engine of an executor.

    Raises
    ------
    SettingError
        If there is no executor of that name, or what it needs is not installed.
    """
    kind, colon, address = executor.partition(":")
    if executor == "local":
        return _local
    if kind == "ray" and (address or not colon):
        from descenso.study.executors._ray import ray_opener

        return ray_opener(address or None)
    raise SettingError(
        _("an executor is local, ray or ray:address; got {text!r}").format(text=executor)
    )


@contextmanager
def _local(problem: Problem, data: Data, design: Design) -> Iterator[Engine]:
    def open_for(part: Data) -> Engine:
        return open_engine(problem, part, design.seed)

    yield with_splits(open_for, data, design)


def with_splits(open_for: Callable[[Data], Engine], data: Data, design: Design) -> Engine:
    """Return the engine of the data, or of the data parted in each of the design's ways."""
    if design.split_seeds == 1:
        return open_for(data)
    return SplitEngine(open_for, data, design.seed, design.split_seeds)
