"""A store on a real PostgreSQL server keeps what an SQLite one keeps."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from descenso.store import Store
from descenso.store._schema import SCHEMA_VERSION, metadata
from descenso.study import as_json, run_study

from . import _postgres

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(_postgres.why_not()), reason=_postgres.why_not() or "never"),
]


@pytest.fixture(scope="module")
def url():
    with _postgres.server() as place:
        yield place


def _findings(result):
    moment = {"wall_seconds", "layout", "started"}

    def strip(value):
        if isinstance(value, dict):
            return {k: strip(v) for k, v in value.items() if k not in moment}
        return [strip(v) for v in value] if isinstance(value, list) else value

    return strip(as_json(result))


def test_a_study_ends_with_the_same_verdict_on_postgresql_as_on_sqlite(url, tmp_path):
    options = {"epochs": 4, "trials": 4, "seeds": 2}
    there = run_study("wine", "adam,momentum", store=url, **options)
    here = run_study("wine", "adam,momentum", store=tmp_path / "studies.db", **options)
    assert _findings(there) == _findings(here)
    recalled = run_study("wine", "adam,momentum", store=url, **options)
    assert as_json(recalled) == as_json(there)  # read back from the server, to the bit


def test_runs_curves_and_checkpoints_come_back_to_the_bit(url, make_run):
    store = Store(url)
    store.begin("bits", "wine", "2026-01-01T00:00:00+00:00", {"methods": []})
    run = make_run()
    run.curve.validation_metric[1] = float("nan")  # bare NaN is refused by PostgreSQL's JSON
    store.save_runs("bits", [run], 1.0)
    (back,) = store.runs("bits")
    assert back.member == run.member
    assert back.curve.validation_loss.tobytes() == run.curve.validation_loss.tobytes()
    assert (back.checkpoint["leaf0"] == run.checkpoint["leaf0"]).all()
    store.delete("bits")
    assert store.find("bits") is None
    store.close()


_WRITER = """
import sys
import numpy as np
from descenso.records import Curve, Member, Run
from descenso.store import Store

store = Store(sys.argv[1])
store.begin("many", "wine", "2026-01-01T00:00:00+00:00", {"methods": []})
losses = np.ones(3)
for seed in range(int(sys.argv[2]), int(sys.argv[2]) + 20):
    member = Member("adam", "adam", {"lr": 0.1}, 32, seed)
    store.save_runs("many", [Run(member, Curve(losses, losses, losses[1:], 0.1, 0.9))], 0.5)
"""


def test_writers_at_once_lose_nothing_and_count_nothing_twice(url):
    # The halves overlap: seeds 10 to 19 are written by both.
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, url, str(k)]) for k in (0, 10)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    store = Store(url)
    assert sorted(run.member.seed for run in store.runs("many")) == list(range(30))
    assert store.find("many").seconds == pytest.approx(2 * 20 * 0.5)
    store.close()


def _at_once(calls):
    together = threading.Barrier(len(calls))

    def wait_and_call(call):
        together.wait()
        call()

    with ThreadPoolExecutor(len(calls)) as pool:
        list(pool.map(wait_and_call, calls))  # raises what any of them raised


def test_writers_of_the_same_runs_in_opposite_orders_both_end(url, make_run):
    store = Store(url)
    store.begin("opposite", "wine", "2026-01-01T00:00:00", {"methods": []})
    advanced = [make_run(seed) for seed in range(50)]
    orders = [advanced, advanced[::-1]] * 3
    for _ in range(5):
        _at_once([lambda runs=runs: store.save_runs("opposite", runs, 0.5) for runs in orders])
    assert len(store.runs("opposite")) == 50
    assert store.find("opposite").seconds == pytest.approx(5 * 6 * 0.5)
    store.close()


@pytest.mark.parametrize("attempt", range(5))
def test_a_database_without_tables_can_be_opened_by_many_at_once(url, attempt):
    engine = sa.create_engine(url)
    metadata.drop_all(engine)
    _at_once([lambda: Store(url).close()] * 6)
    assert set(metadata.tables) <= set(sa.inspect(engine).get_table_names())
    engine.dispose()


@pytest.mark.parametrize("attempt", range(5))
def test_tables_of_an_older_descenso_can_be_opened_by_many_at_once(url, attempt):
    engine = sa.create_engine(url)
    metadata.drop_all(engine)
    store = Store(url)
    store.begin("old", "wine", "2026-01-01T00:00:00", {"methods": []})
    store.close()
    with engine.begin() as connection:
        for column in ("number", "arrangements"):
            connection.exec_driver_sql(f"ALTER TABLE descenso_studies DROP COLUMN {column}")
        connection.exec_driver_sql("UPDATE descenso_about SET value = '1'")
    _at_once([lambda: Store(url).close()] * 6)
    with engine.begin() as connection:
        version = connection.exec_driver_sql("SELECT value FROM descenso_about").scalar_one()
    assert int(version) == SCHEMA_VERSION
    engine.dispose()
