"""Studies started from the page: each in a process of its own, which can be cancelled."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from descenso.errors import BudgetError, StoreError, UnknownNameError
from descenso.language import _, current
from descenso.study.design import Design
from descenso.web._current_store import CurrentStore

MOST_AT_ONCE = 1
_REMEMBERED = 20


@dataclass
class Job:
    """A study under way, or over.

    ``state`` is ``running``, ``finished``, ``failed`` or ``cancelled``.
    """

    number: int
    problem: str
    process: subprocess.Popen[str]
    state: str = "running"
    stage: str = ""
    method: str = ""
    share: float = 0.0
    study: str = ""
    error: str = ""
    code: int | None = None
    lost: bool = False
    complaints: deque[str] = field(default_factory=lambda: deque(maxlen=5))

    def as_json(self) -> dict[str, Any]:
        """Return what the page shows of it."""
        names = ("number", "problem", "state", "stage", "method", "share", "study")
        return {**{name: getattr(self, name) for name in names}, "error": self.why()}

    def why(self) -> str:
        """Return why it failed, and what to do; empty if it did not."""
        if self.state != "failed":
            return ""
        if self.error:
            return self.error
        if self.lost:
            return _(
                "the store was moved, replaced or emptied while it ran: the study is not in it; "
                "start it again"
            )
        if self.code is not None and self.code < 0:
            return _killed(-self.code)
        last = self.complaints[-1] if self.complaints else ""
        return _(
            "its process ended with exit code {code} ({last}); what was finished is stored: start it "
            "again to go on"
        ).format(code=self.code, last=last or _("it said nothing"))


def _killed(number: int) -> str:
    """Say that a signal ended the process of a study."""
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = str(number)
    text = (
        _(
            "its process was killed ({signal}), most often because memory ran out; what was finished "
            "is stored. Close other programs, or choose fewer seeds or a smaller problem, and start "
            "it again to go on"
        )
        if name == "SIGKILL"
        else _(
            "its process was ended from elsewhere ({signal}); what was finished is stored: start it "
            "again to go on"
        )
    )
    return text.format(signal=name)


class Jobs:
    """The studies that this server started."""

    def __init__(self, store: str | None, stores: CurrentStore) -> None:
        self._store = store
        self._stores = stores
        self._jobs: dict[int, Job] = {}
        self._lock = threading.Lock()
        self._next = 1

    def start(self, problem: str, design: Design) -> Job:
        """Start a study.

        Parameters
        ----------
        problem : what :func:`descenso.compare` finds the design's problem by.

        Raises
        ------
        BudgetError
            If one is running already: a second would slow both, and their times would mislead.
        """
        with self._lock:
            if sum(job.state == "running" for job in self._jobs.values()) >= MOST_AT_ONCE:
                raise BudgetError(_("a study is running; wait for it or cancel it"))
            job = Job(self._next, problem, self._launch(problem, design))
            self._jobs[job.number] = job
            self._next += 1
            for old in sorted(self._jobs)[:-_REMEMBERED]:
                del self._jobs[old]
        threading.Thread(target=self._follow, args=(job,), daemon=True).start()
        return job

    def _launch(self, problem: str, design: Design) -> subprocess.Popen[str]:
        asked = {"problem": problem, **design.asked()}
        text = json.dumps({**asked, "store": self._store, "language": current()})
        command = [sys.executable, "-m", "descenso.web._worker", text]
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _follow(self, job: Job) -> None:
        complaints = threading.Thread(target=self._listen, args=(job,), daemon=True)
        complaints.start()
        assert job.process.stdout is not None
        with job.process.stdout as lines:
            for line in lines:
                self._read(job, line)
        code = job.process.wait()
        complaints.join(timeout=5)
        lost = code == 0 and not self._is_stored(job.study)
        with self._lock:
            job.code, job.lost = code, lost
            if job.state == "running":
                job.state = "failed" if code or lost else "finished"

    def _is_stored(self, identity: str) -> bool:
        try:
            with self._stores.open() as store:
                return store.find(identity) is not None
        except StoreError:
            return False

    def _listen(self, job: Job) -> None:
        assert job.process.stderr is not None
        with job.process.stderr as lines:
            job.complaints.extend(line.strip() for line in lines if line.strip())

    def _read(self, job: Job, line: str) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            return  # a library printed something of its own
        if not isinstance(said, dict):
            return
        with self._lock:
            job.study = said.get("study", job.study)
            job.error = said.get("error", job.error)
            if said.get("total"):
                job.stage, job.method = said["stage"], said["method"]
                job.share = min(1.0, said["done"] / said["total"])

    def cancel(self, number: int) -> Job:
        """End a study; what it has finished stays in the store.

        Raises
        ------
        UnknownNameError
            If there is no such study.
        """
        with self._lock:
            job = self._jobs.get(number)
            if job is None:
                raise UnknownNameError(
                    _("no study {number} was started here").format(number=number)
                )
            if job.state == "running":
                job.state = "cancelled"
                job.process.terminate()
        return job

    def listing(self) -> list[dict[str, Any]]:
        """Return all studies started here, the newest first."""
        with self._lock:
            return [job.as_json() for job in reversed(self._jobs.values())]

    def close(self) -> None:
        """End every study that is still running."""
        for job in list(self._jobs.values()):
            if job.state == "running":
                self.cancel(job.number)
            try:
                job.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                job.process.kill()
