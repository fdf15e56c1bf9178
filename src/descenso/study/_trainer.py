"""Train members once: take from the store what is there, and keep what is new as it comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from descenso.engine import Engine
from descenso.records import Member, Run
from descenso.store import Store
from descenso.study._failures import check_not_all_void, is_void


@dataclass(frozen=True)
class Progress:
    """How far a study is.

    ``done`` and ``total`` are in epochs of members; ``total`` grows when a search widens.
    """

    stage: str  # "search" or "confirm"
    method: str
    done: float
    total: float


ProgressFunction: TypeAlias = Callable[[Progress], None]


class Trainer:
    """Trains the members of one study through its store.

    Parameters
    ----------
    total : epochs of members that the study plans to train.
    """

    def __init__(
        self,
        engine: Engine,
        store: Store,
        identity: str,
        total: float,
        on_progress: ProgressFunction | None = None,
    ) -> None:
        self._engine, self._store, self._identity = engine, store, identity
        self._runs = {run.member.key: run for run in store.runs(identity)}
        self._on_progress = on_progress or (lambda progress: None)
        self._done = 0.0
        self.total = total

    def train(
        self, members: Sequence[Member], epochs: int, stage: str, planned: float
    ) -> list[Run]:
        """Return a run of each member, trained to ``epochs`` epochs, in the order given.

        Parameters
        ----------
        planned : the part of ``total`` that this call stands for.

        Raises
        ------
        ProblemError
            If every run of the study, or every one to confirm, ended by an error or had no loss to
            begin with. Such runs are not stored, for what is wrong may be mended.
        """
        waiting = [m for m in dict.fromkeys(members) if self._epochs_left(m, epochs)]
        at_first = sum(self._epochs_left(m, epochs) for m in waiting)
        started = time.perf_counter()
        known = [self._runs.get(m.key, m) for m in waiting]
        void: list[Run] = []
        for chunk in self._engine.train(known, epochs, judge=stage == "confirm"):
            void += filter(is_void, chunk)
            now = time.perf_counter()
            self._keep(chunk, now - started)
            started = now
            left = sum(self._epochs_left(m, epochs) for m in waiting)
            part = planned * (1 - left / at_first)
            method = chunk[0].member.method
            self._on_progress(Progress(stage, method, self._done + part, self.total))
        self._done += planned
        runs = [self._runs[m.key] for m in members]
        check_not_all_void(runs if stage == "confirm" else self.runs())
        if void:  # others are not: it is these runs' own, and kept
            self._store.save_runs(self._identity, void, 0.0)
        return runs

    def runs(self) -> list[Run]:
        """Return all runs so far."""
        return list(self._runs.values())

    def runs_of(self, method: str) -> list[Run]:
        """Return all runs of a method so far."""
        return [run for run in self._runs.values() if run.member.method == method]

    def _epochs_left(self, member: Member, epochs: int) -> int:
        run = self._runs.get(member.key)
        if run is None:
            return epochs
        return 0 if run.curve.ended else max(0, epochs - run.curve.epochs)

    def _keep(self, chunk: list[Run], seconds: float) -> None:
        sound = [run for run in chunk if not is_void(run)]
        if sound:
            self._store.save_runs(self._identity, sound, seconds)
        self._runs.update({run.member.key: run for run in chunk})
