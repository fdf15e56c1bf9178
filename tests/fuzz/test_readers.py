"""Whatever stands in a file or a text, a reader gives its content or an error in words."""

import gzip
import io
import json
import sqlite3
import zipfile
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from descenso import methods, paths
from descenso.data._table_files import read_table
from descenso.errors import DescensoError
from descenso.problems import _table_names, from_table
from descenso.store import Store
from descenso.study import external

few = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SIGNS = (
    "\x00", ",", ";", "\n", '"', "'", "nan", "-inf", "1e999", "9" * 400, "é", "\ufeff", "=1+1", "../",
    "\t", "|", "1.234,56", "%", "$", "(", ")", "#", "\u202e", "x" * 3000, "0x1f", "12:61:99", "٣", "@",
)  # fmt: skip
TABLE = "a,b,when,y\n" + "".join(f"{i},{i}.5,2021-01-{i % 28 + 1:02d},{i % 3}\n" for i in range(40))
RUNS = "method,seed,step,acc\n" + "".join(
    f"{m},{s},{t},0.{s}{t}\n" for m in "ab" for s in range(4) for t in range(3)
)


@st.composite
def damaged(draw, text):
    """Draw a text in which pieces are put in, taken out and doubled."""
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(text)))
        size = draw(st.sampled_from((0, 1, 3, 40)))
        put = draw(st.sampled_from(SIGNS) | st.text(max_size=5)) if draw(st.booleans()) else ""
        text = text[:place] + put + text[place + size :]
    return text


def packed(text: str, how: str) -> bytes:
    raw = text.encode("utf-16" if how == "utf-16" else "utf-8", "replace")
    if how == "zip":
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("a.csv", raw)
        return file.getvalue()
    return {"gzip": gzip.compress(raw), "cut": gzip.compress(raw)[:-20]}.get(how, raw)


HOW = st.sampled_from(("plain", "plain", "utf-16", "gzip", "cut", "zip"))


@few
@given(text=damaged(TABLE), how=HOW, target=st.sampled_from(("y", "b", "when")))
def test_a_table(tmp_path, text, how, target):
    path = tmp_path / "a.csv"
    path.write_bytes(packed(text, how))
    with suppress(DescensoError):
        from_table(path, target=target, say=lambda line: None).make_data(0)


@few
@given(text=damaged(RUNS), how=HOW)
def test_runs(tmp_path, text, how):
    path = tmp_path / "a.csv"
    path.write_bytes(packed(text, how))
    with suppress(DescensoError):
        found = external.judge_runs(external.read_runs(path), True)
        json.dumps(external.as_json(found), allow_nan=False)


@few
@given(
    text=damaged(
        json.dumps([{"method": m, "seed": s, "value": s / 7} for m in "ab" for s in range(4)])
    )
)
def test_runs_in_json(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_bytes(text.encode("utf-8", "replace"))
    with suppress(DescensoError):
        external.as_json(external.judge_runs(external.read_runs(path), False))


@few
@given(raw=st.data())
def test_a_damaged_archive(tmp_path, raw):
    whole = bytearray(packed(TABLE, "zip"))
    for _ in range(raw.draw(st.integers(1, 4))):
        whole[raw.draw(st.integers(0, len(whole) - 1))] = raw.draw(st.integers(0, 255))
    path = tmp_path / "a.csv"
    path.write_bytes(whole)
    with suppress(DescensoError):
        read_table(path, None, None, lambda line: None)
    with suppress(DescensoError):
        external.read_runs(path)


WRITTEN = (
    "adam(lr=0.003,beta2=0.99)@64", "sgd,batch,momentum(beta=0.9)", "minibatch@all",
    "houses.csv(target=price, drop=id)", "cosine(0.3)", "warmup(10,constant(0.1))", "x**2+10*y**2",
    "ravine(condition=50)", "adam(self=1)", "adam(lr=" + "9" * 400 + ")",
)  # fmt: skip


@pytest.mark.parametrize(
    "read",
    [
        methods.parse, methods.parse_list, _table_names.read, paths.get,
        lambda text: paths.learning_rate(text, 10), lambda text: paths.get(None, function=text),
    ],
    ids=["method", "methods", "table", "surface", "schedule", "formula"],
)  # fmt: skip
@few
@given(text=st.sampled_from(WRITTEN).flatmap(damaged) | st.text(max_size=40))
def test_what_is_written_in_a_line(read, text):
    with suppress(DescensoError):
        read(text)


COLUMNS = {
    "descenso_studies": ("identity", "problem", "started", "design", "result"),
    "descenso_runs": ("identity", "member", "curve", "checkpoint"),
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "a.db"
    store = Store(path)
    store.begin("abc", "wine", "2026-01-01T00:00:00+00:00", {"methods": ["adam"]})
    store.finish("abc", {"verdict": [1.0, "nan"]})
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()
    return path.read_bytes()


@few
@given(raw=st.data())
def test_a_store_of_other_cells_or_bytes(tmp_path_factory, stored, raw):
    path = tmp_path_factory.mktemp("damaged") / "a.db"
    whole = bytearray(stored)
    for _ in range(raw.draw(st.integers(0, 3))):
        whole[raw.draw(st.integers(0, len(whole) - 1))] = raw.draw(st.integers(0, 255))
    path.write_bytes(whole)
    table = raw.draw(st.sampled_from(sorted(COLUMNS)))
    column = raw.draw(st.sampled_from(COLUMNS[table]))
    cell = raw.draw(st.sampled_from((None, -1, 1e308, b"\xff", "", "{", "[[]]", '{"a": NaN}')))
    connection = sqlite3.connect(path)
    with suppress(sqlite3.Error):
        connection.execute(f"update {table} set {column} = ?", (cell,))
        connection.commit()
    connection.close()
    with suppress(DescensoError):
        store = Store(path)
        try:
            store.damaged()
            for study in store.studies():
                store.runs(study.identity)
        finally:
            store.close()


@few
@given(text=st.sampled_from(("sqlite:///a.db", "postgresql://a:b@c/d", "a.db")).flatmap(damaged))
def test_the_address_of_a_store(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "1")
    with suppress(DescensoError):
        Store(text.replace("/", ":", text.count("/") - 3)).close()
