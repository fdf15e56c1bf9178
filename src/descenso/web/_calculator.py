"""Formulas of one's own, computed in a process of its own: one that takes too long is ended."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from descenso import language
from descenso.errors import BudgetError, DescensoError
from descenso.language import _

PATIENCE = 10.0  # seconds for one answer
_MOST_WAITING = 5


class BusyError(DescensoError):
    """Too much is being computed already."""


class Calculator:
    """Answers what the playground asks about formulas.

    Parameters
    ----------
    patience : seconds until the process of an answer is ended.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._process: subprocess.Popen[str] | None = None
        self._turn = threading.Lock()
        self._places = threading.BoundedSemaphore(_MOST_WAITING)
        self._closed = False

    def answer(
        self, kind: str, query: Mapping[str, str], written: Sequence[str]
    ) -> tuple[str, int]:
        """Return the answer as JSON, and its HTTP status.

        Parameters
        ----------
        kind : ``surface`` or ``paths``.
        query, written : see :func:`descenso.web._playground.paths_answer`.

        Raises
        ------
        BudgetError
            If it took too long.
        BusyError
            If too many wait already.
        """
        if not self._places.acquire(blocking=False):
            raise BusyError(_("the server is busy with other formulas; try again in a moment"))
        try:
            with self._turn:
                return self._ask([kind, dict(query), list(written), language.current()])
        finally:
            self._places.release()

    def prepare(self) -> None:
        """Start the process, if nothing is being computed: the first formula then need not wait."""
        if self._turn.acquire(blocking=False):
            try:
                self._running()
            finally:
                self._turn.release()

    def _ask(self, question: list[Any]) -> tuple[str, int]:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        alarm = threading.Timer(self._patience, process.kill)
        alarm.start()
        try:
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:  # it was ended from elsewhere
            line = ""
        finally:
            alarm.cancel()
        status, _space, answer = line.partition(" ")
        if not answer.endswith("\n"):
            self.close()
            raise BudgetError(
                _(
                    "this formula was given up after {seconds:g} s; make it simpler, or ask for "
                    "fewer steps, seeds or methods"
                ).format(seconds=self._patience)
            )
        return answer, int(status)

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "descenso.web._calculator_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="backslashreplace",
            )
        return self._process

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # of what could not be sent any more
                    pipe.close()
