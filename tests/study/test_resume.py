"""A study that is killed, interrupted or run twice at once ends as if nothing had happened."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = (
    "compare", "wine", "--methods", "adam,momentum", "--epochs", "8", "--trials", "6",
    "--seeds", "3", "--json", "-", "--lang", "en",
)  # fmt: skip
RUNS = 2 * (6 * 3 + 2 * 3)  # of two methods: 6 rates × 3 seeds, and two settings × 3 fresh seeds
SEED = 20261123  # of the moments at which processes are killed
#: What tells of the machine and the moment, and not of what was found.
_OF_THE_MOMENT = {"wall_seconds", "layout", "started"}


def _start(place: Path) -> subprocess.Popen[str]:
    code = "from descenso.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *COMMAND, "--store", str(place)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(process: subprocess.Popen[str]) -> dict:
    out, complaints = process.communicate(timeout=120)
    assert process.returncode == 0, complaints
    return json.loads(out)


def _findings(value):
    """Return what was found, the verdict's text included, without what tells of the moment."""
    if isinstance(value, dict):
        return {k: _findings(v) for k, v in value.items() if k not in _OF_THE_MOMENT}
    return [_findings(v) for v in value] if isinstance(value, list) else value


def _stored(place: Path) -> dict[str, dict]:
    """Return the curve of each run in the store, by the run's key."""
    try:
        connection = sqlite3.connect(f"file:{place}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return {}
    try:
        rows = connection.execute("select member_key, curve from descenso_runs").fetchall()
    except sqlite3.OperationalError:
        return {}
    finally:
        connection.close()
    assert len({key for key, _ in rows}) == len(rows)
    return {key: json.loads(curve) for key, curve in rows}


def _stop_at(process: subprocess.Popen[str], place: Path, runs: int, signal_: int) -> None:
    """Send a signal as soon as the store holds that many runs."""
    while process.poll() is None and len(_stored(place)) < runs:
        time.sleep(0.002)
    process.send_signal(signal_)


@pytest.fixture(autouse=True)
def _nothing_is_left_running(monkeypatch):
    """End what a failed test would leave behind."""
    started = []
    begin = subprocess.Popen.__init__

    def noted(self, *args, **more):
        started.append(self)
        begin(self, *args, **more)

    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    yield
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()


def _went_on(before: dict, after: dict) -> bool:
    """Whether a curve is the one stored before, or that one continued: never one trained anew.

    The seconds of a run trained anew would differ, and those of one that goes on only grow.
    """
    epochs = len(before["train_loss"])
    if len(after["train_loss"]) == epochs:
        return after == before
    return (
        after["train_loss"][:epochs] == before["train_loss"]
        and after["validation_loss"][: epochs + 1] == before["validation_loss"]
        and after["seconds"] > before["seconds"]
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return _findings(_finish(_start(tmp_path_factory.mktemp("undisturbed") / "studies.db")))


@pytest.mark.slow
def test_a_study_killed_at_any_moment_ends_with_the_same_numbers_and_trains_no_run_twice(
    tmp_path, undisturbed
):
    place = tmp_path / "studies.db"
    draw = random.Random(SEED)
    before: dict[str, dict] = {}
    killed = 0
    for moment in sorted(draw.sample(range(1, RUNS), 3)):
        process = _start(place)
        _stop_at(process, place, moment, signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        after = _stored(place)
        assert len(after) >= moment
        assert all(_went_on(curve, after[key]) for key, curve in before.items())
        before = after
    assert killed == 3
    again = _finish(_start(place))
    after = _stored(place)
    assert all(_went_on(curve, after[key]) for key, curve in before.items())
    assert _findings(again) == undisturbed


@pytest.mark.slow
def test_a_study_killed_before_it_stored_anything_runs_as_if_it_were_new(tmp_path, undisturbed):
    place = tmp_path / "studies.db"
    process = _start(place)
    while not place.exists():
        time.sleep(0.001)
    process.kill()
    process.communicate()
    assert _findings(_finish(_start(place))) == undisturbed


@pytest.mark.slow
def test_ctrl_c_exits_with_130_in_one_line_and_the_study_goes_on(tmp_path, undisturbed):
    place = tmp_path / "studies.db"
    process = _start(place)
    _stop_at(process, place, 10, signal.SIGINT)
    out, complaints = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert complaints.count("\n") == 1
    assert complaints.startswith("descenso: error: interrupted; what was finished is stored")
    before = _stored(place)
    assert len(before) >= 10
    again = _finish(_start(place))
    assert all(_went_on(curve, _stored(place)[key]) for key, curve in before.items())
    assert _findings(again) == undisturbed


@pytest.mark.slow
def test_two_processes_that_run_the_same_study_at_once_both_find_the_one_result(
    tmp_path, undisturbed
):
    place = tmp_path / "studies.db"
    first, second = _start(place), _start(place)
    assert _findings(_finish(first)) == undisturbed
    assert _findings(_finish(second)) == undisturbed
    assert len(_stored(place)) == len({*_stored(place)})
    assert _findings(_finish(_start(place))) == undisturbed


@pytest.mark.slow
def test_a_study_killed_while_it_writes_its_report_leaves_the_old_report_whole(tmp_path):
    report, place = tmp_path / "report.html", tmp_path / "studies.db"
    report.write_text("the old one")
    dies_before_the_move = (
        "import os, signal; from descenso.cli import run; "
        "os.fsync = lambda fd: os.kill(os.getpid(), signal.SIGKILL); "
        "run(['compare', 'line', '--methods', 'batch', '--epochs', '2', '--trials', '2', "
        f"'--seeds', '1', '--store', {str(place)!r}, '--report', {str(report)!r}])"
    )
    done = subprocess.run([sys.executable, "-c", dies_before_the_move], capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert report.read_text() == "the old one"
    again = ["report", "latest", "--store", str(place), "--report", str(report)]
    code = "from descenso.cli import main; main()"
    subprocess.run([sys.executable, "-c", code, *again], check=True, capture_output=True)
    assert report.read_text().rstrip().endswith("</html>")
