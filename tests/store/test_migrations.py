"""A store that an older descenso wrote is brought up to date when it is opened, and loses nothing."""

import sqlite3
import subprocess
import sys

import pytest

from descenso.store import Store
from descenso.store._schema import SCHEMA_VERSION


@pytest.fixture
def old(place, make_run):
    """Return a store as schema 1 wrote it: without numbers, one study begun by a clock gone wrong."""
    store = Store(place)
    for identity, started in (("first", "2026-01-01T00:00:00"), ("second", "2026-01-02T00:00:00")):
        store.begin(identity, "wine", started, {"methods": ["adam"]})
        store.save_runs(identity, [make_run(seed) for seed in range(3)], 1.0)
    store.close()
    connection = sqlite3.connect(place)
    for column in ("number", "arrangements"):
        connection.execute(f"alter table descenso_studies drop column {column}")
    connection.execute("update descenso_about set value = '1' where key = 'schema_version'")
    connection.commit()
    connection.close()
    return place


def test_nothing_is_lost_and_the_order_is_kept(old):
    store = Store(old)
    assert [s.identity for s in store.studies()] == ["second", "first"]
    assert [s.number for s in store.studies()] == [2, 1]
    assert len(store.runs("first")) == len(store.runs("second")) == 3
    store.close()
    connection = sqlite3.connect(old)
    (version,) = connection.execute("select value from descenso_about").fetchone()
    connection.close()
    assert int(version) == SCHEMA_VERSION


def test_opening_it_again_changes_nothing(old):
    for _ in range(2):
        store = Store(old)
        numbers = [s.number for s in store.studies()]
        store.close()
        assert numbers == [2, 1]


def test_processes_that_open_it_at_once_migrate_it_once(old):
    code = "import sys; from descenso.store import Store; Store(sys.argv[1]).close()"
    opening = [subprocess.Popen([sys.executable, "-c", code, str(old)]) for _ in range(3)]
    assert [process.wait(60) for process in opening] == [0, 0, 0]
    store = Store(old)
    assert [s.number for s in store.studies()] == [2, 1]
    store.close()


def test_the_latest_study_is_the_last_begun_even_if_the_clock_jumps_back(store):
    store.begin("before", "wine", "2026-06-01T00:00:00", {"methods": []})
    store.begin("after", "wine", "1999-01-01T00:00:00", {"methods": []})
    assert store.resolve("latest").identity == "after"
