"""Several processes, one store."""

import subprocess
import sys

import pytest

from descenso.store import Store

_WRITE = """
import sys
import numpy as np
from descenso.records import Curve, Member, Run
from descenso.store import Store
place, identity, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
store = Store(place)
store.begin(identity, "wine", "2026-01-01", {"methods": ["adam"]})
for seed in range(rounds):
    member = Member("adam", "adam", {"lr": 0.1}, 32, seed)
    losses = np.full(20, float(seed))
    store.save_runs(identity, [Run(member, Curve(losses, losses, losses[1:], 0.1, 0.9), {})], 1.0)
"""


def _write_at_once(place, identities, rounds):
    """Start a writer per identity, and let all of them open the store at the same moment."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITE, str(place), identity, str(rounds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for identity in identities
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        _, complaints = writer.communicate(timeout=60)
        assert writer.returncode == 0, complaints


@pytest.mark.slow
def test_processes_that_make_and_fill_one_store_at_once_lose_nothing(tmp_path):
    for attempt in range(2):
        place = tmp_path / f"{attempt}.db"
        identities = ["one", "two", "three", "four"]
        _write_at_once(place, identities, rounds=25)
        store = Store(place)
        for identity in identities:
            assert {run.member.seed for run in store.runs(identity)} == set(range(25))
            assert store.find(identity).seconds == 25.0
        store.close()


@pytest.mark.slow
def test_processes_that_write_the_same_study_keep_each_run_once(tmp_path):
    place = tmp_path / "same.db"
    _write_at_once(place, ["one", "one"], rounds=25)
    store = Store(place)
    assert len(store.studies()) == 1
    assert sorted(run.member.seed for run in store.runs("one")) == list(range(25))
    store.close()
