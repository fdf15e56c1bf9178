"""Whatever lies where the store should be: one clear line, and nothing that was stored is lost."""

import sqlite3
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa

from descenso.errors import StoreError
from descenso.store import Store, _store
from descenso.store._schema import SCHEMA_VERSION

DESIGN = {"methods": ["adam"]}


@pytest.fixture
def filled(place, make_run):
    store = Store(place)
    store.begin("abc", "wine", "2026-01-01", DESIGN)
    store.save_runs("abc", [make_run(seed, 30) for seed in range(50)], 1.0)
    store.close()
    return place


def _refused(place, match: str) -> None:
    with pytest.raises(StoreError, match=match) as caught:
        Store(place).studies()
    assert str(place) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"just some text, long enough to be no database\n" * 40, b"\x89PNG\r\n\x1a\n" * 200]
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(place, content):
    place.write_bytes(content)
    _refused(place, "not a database")
    assert place.read_bytes() == content


def test_an_empty_file_becomes_a_store(place):
    place.touch()
    assert Store(place).studies() == []


def test_a_directory_is_refused(tmp_path):
    _refused(tmp_path, "that is a directory")


def test_a_device_is_refused_and_left_alone():
    _refused("/dev/null", "that is a device")
    assert Path("/dev/null").exists()
    assert not Path("/dev/null").is_file()


def test_a_path_through_a_file_is_refused(place):
    place.write_text("x")
    _refused(place / "inner" / "x.db", "not a directory")


def test_an_empty_name_is_refused():
    with pytest.raises(StoreError, match="database URL or a file; got ''"):
        Store("")


def test_someone_elses_database_gains_tables_of_ours_and_loses_nothing(place):
    with sqlite3.connect(place) as other:
        other.execute("create table runs (a)")
        other.execute("insert into runs values (42)")
    other.close()
    store = Store(place)
    store.begin("abc", "wine", "now", DESIGN)
    store.close()
    with sqlite3.connect(place) as other:
        assert other.execute("select a from runs").fetchall() == [(42,)]
        tables = {name for (name,) in other.execute("select name from sqlite_master")}
    other.close()
    assert {"runs", "descenso_runs", "descenso_studies", "descenso_about"} <= tables


@pytest.mark.parametrize(
    ("version", "match"),
    [
        ("99", rf"newer descenso \(its schema is 99, this one knows up to {SCHEMA_VERSION}\)"),
        ("abc", "do not say which schema .*'abc'"),
        ("-1", "do not say which schema"),
        (None, "do not say which schema .*None"),
    ],
)
def test_a_store_of_another_schema_is_refused_and_left_alone(filled, version, match):
    with sqlite3.connect(filled) as other:
        if version is None:
            other.execute("delete from descenso_about")
        else:
            other.execute("update descenso_about set value = ?", (version,))
    other.close()
    _refused(filled, match)
    with sqlite3.connect(filled) as other:
        assert other.execute("select count(*) from descenso_runs").fetchone() == (50,)
    other.close()


def test_a_table_of_our_name_that_is_not_ours_is_refused(place):
    with sqlite3.connect(place) as other:
        other.execute("create table descenso_about (foo)")
    other.close()
    _refused(place, "its tables are not those of descenso")


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_truncated_database_is_said_to_be_damaged(filled, kept):
    content = filled.read_bytes()
    filled.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(StoreError, match="damaged"):
        Store(filled).runs("abc")


def test_overwritten_pages_are_said_to_be_damaged(filled):
    content = bytearray(filled.read_bytes())
    content[4096:] = bytes((7 * i) % 251 for i in range(len(content) - 4096))
    filled.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        Store(filled).runs("abc")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("curve", "not json"),
        ("curve", "{}"),
        ("curve", "[1, 2]"),
        ("curve", '{"validation_loss": ["x"]}'),
        ("member", '{"method": 3}'),
        ("checkpoint", b"not an archive"),
        ("checkpoint", b""),
        ("checkpoint", b"PK\x03\x04 cut off"),
    ],
)
def test_a_row_that_cannot_be_read_is_said_to_be_damaged(filled, column, value):
    with sqlite3.connect(filled) as other:
        other.execute(f"update descenso_runs set {column} = ?", (value,))
    other.close()
    with pytest.raises(StoreError, match=r"cannot be read .* damaged"):
        Store(filled).runs("abc")


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("ftp://host/x", "SQLite or PostgreSQL, not in ftp"),
        ("mysql://host/x", "SQLite or PostgreSQL, not in mysql"),
        ("://", "neither a database URL nor a file"),
        ("postgresql+nodriver://host/x", "kind of database is not known"),
    ],
)
def test_a_kind_of_database_that_is_not_served_is_refused(url, match):
    with pytest.raises(StoreError, match=match):
        Store(url)


def test_a_missing_driver_is_named(monkeypatch):
    def missing(*_args, **_more):
        raise ModuleNotFoundError("No module named 'psycopg'", name="psycopg")

    monkeypatch.setattr(sa, "create_engine", missing)
    with pytest.raises(StoreError, match=r"pip install 'descenso\[postgres\]'"):
        Store("postgresql://host/x")


def test_a_password_is_never_said():
    with pytest.raises(StoreError) as caught:
        Store("mysql://someone:secret@host/x")
    assert "secret" not in str(caught.value)
    assert "someone" in str(caught.value)


def test_a_locked_store_is_said_to_be_locked_and_loses_nothing(filled, make_run, monkeypatch):
    monkeypatch.setattr(_store, "_LOCK_PATIENCE_MS", 50)
    store = Store(filled)
    holder = sqlite3.connect(filled, isolation_level=None)
    holder.execute("begin exclusive")
    with pytest.raises(StoreError, match="another process holds it locked"):
        store.save_runs("abc", [make_run(99)], 1.0)
    holder.execute("rollback")
    holder.close()
    store.save_runs("abc", [make_run(99)], 1.0)
    assert len(store.runs("abc")) == 51
    store.close()


def test_a_store_that_is_locked_while_it_is_made_is_said_to_be_locked(place, monkeypatch):
    monkeypatch.setattr(_store, "_LOCK_PATIENCE_MS", 50)
    holder = sqlite3.connect(place, isolation_level=None)
    holder.execute("begin exclusive")
    _refused(place, "another process holds it locked")
    holder.close()
    assert Store(place).studies() == []


def test_a_read_only_store_can_be_read_and_says_why_it_cannot_be_written(filled, make_run):
    store = Store(f"sqlite:///file:{filled}?mode=ro&uri=true")
    assert len(store.runs("abc")) == 50
    with pytest.raises(StoreError, match="it is read-only"):
        store.save_runs("abc", [make_run(99)], 1.0)
    store.close()


def test_a_store_that_is_not_there_is_not_made_by_a_reader(tmp_path):
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(f"sqlite:///file:{tmp_path / 'none.db'}?mode=ro&uri=true")
    assert not (tmp_path / "none.db").exists()


def test_a_full_database_loses_nothing_that_was_stored(filled, make_run):
    store = Store(filled)

    def no_more_pages(connection, _record, _proxy):
        pages = connection.execute("pragma page_count").fetchone()[0]
        connection.execute(f"pragma max_page_count = {pages}")

    sa.event.listen(store._engine, "checkout", no_more_pages)
    with pytest.raises(StoreError, match="disk is full; what was stored before is safe"):
        store.save_runs("abc", [make_run(1000 + seed, 500) for seed in range(50)], 1.0)
    sa.event.remove(store._engine, "checkout", no_more_pages)
    assert len(store.runs("abc")) == 50
    store.close()


@pytest.fixture
def tiny_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk takes rights that this user lacks")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_loses_nothing_that_was_stored(tiny_disk, make_run):
    store = Store(tiny_disk / "studies.db")
    store.begin("abc", "wine", "now", DESIGN)
    store.save_runs("abc", [make_run()], 1.0)
    with pytest.raises(StoreError, match="disk"):
        store.save_runs("abc", [make_run(seed, 500) for seed in range(1, 50)], 1.0)
    assert len(store.runs("abc")) == 1
    store.close()
    assert len(Store(tiny_disk / "studies.db").runs("abc")) == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("design", "{not json"), ("design", "[]"), ("design", '{"methods": 3}'), ("result", "[1]"),
        ("problem", b"\xff\xfe"), ("started", b"\x00"), ("seconds", "long"),
    ],
)  # fmt: skip
def test_a_damaged_study_hides_no_other_and_can_be_removed(filled, column, value):
    store = Store(filled)
    store.begin("sound", "digits", "2026-01-02", DESIGN)
    with sqlite3.connect(filled) as other:
        other.execute(f"update descenso_studies set {column} = ? where identity = 'abc'", (value,))
    other.close()
    assert [study.identity for study in store.studies()] == ["sound"]
    assert store.damaged() == ["abc"]
    assert store.resolve("latest").identity == "sound"
    with pytest.raises(StoreError, match="is damaged"):
        store.resolve("abc")
    store.delete(store.identity("ab"))
    assert store.damaged() == []
    assert store.runs("abc") == []


def test_a_store_that_is_only_read_is_not_created(tmp_path):
    for place in (tmp_path / "typo.db", f"sqlite:///{tmp_path / 'deep' / 'typo.db'}"):
        with pytest.raises(StoreError, match="there is none; `descenso compare` creates it"):
            Store(place, create=False)
    assert list(tmp_path.iterdir()) == []
