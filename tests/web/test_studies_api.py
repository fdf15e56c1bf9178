"""Stored studies over the network: right, live, and robust against what a store may hold."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import descenso
from descenso import language
from descenso.language import _
from descenso.methods import parse
from descenso.records import Curve, Member, Run
from descenso.report import data
from descenso.store import Store
from descenso.study.design import OPTIONS
from descenso.web import _form as form
from descenso.web import create_app
from descenso.web._jobs import Job

CHANGE = {"x-descenso": "1"}


@pytest.fixture
def client(store_place, finished):
    with TestClient(
        create_app(store_place, hosts=["testserver"]), raise_server_exceptions=False
    ) as opened:
        yield opened


@pytest.fixture
def own(tmp_path):
    """A client on a store of its own, and that store."""
    place = str(tmp_path / "own.db")
    with TestClient(
        create_app(place, hosts=["testserver"]), raise_server_exceptions=False
    ) as opened:
        yield opened, Store(place), place


def half_done(store, identity="abc123def456", problem="digits", epochs=3):
    import numpy as np

    rule = parse("adam").definition()
    member = Member("adam", "adam", rule.settings(), 32, 0)
    curve = Curve(
        validation_loss=np.linspace(2, 1, epochs + 1),
        validation_metric=np.linspace(0.1, 0.9, epochs + 1),
        train_loss=np.linspace(2, 1, epochs),
    ) if "test_loss" not in Curve.__dataclass_fields__ else Curve(
        np.linspace(2, 1, epochs + 1), np.linspace(0.1, 0.9, epochs + 1), np.linspace(2, 1, epochs)
    )  # fmt: skip
    store.begin(identity, problem, "2026-01-02T03:04:05+00:00", {"methods": ["adam"]})
    store.save_runs(identity, [Run(member, curve, {})], 1.0)
    return identity


def test_a_finished_study_is_listed_opened_and_downloaded(client, finished):
    (line,) = [s for s in client.get("/api/studies").json() if s["identity"] == finished]
    assert line["problem"] == "line"
    assert line["methods"] == ["momentum", "adam"]
    assert line["state"] == "finished"
    study = client.get(f"/api/studies/{finished}").json()
    assert study["verdict"]
    assert {row["method"] for row in study["rows"]} == {"momentum", "adam"}
    assert len(study["rows"][0]["curve"]) == 9
    data = client.get(f"/studies/{finished}/study.json")
    assert "attachment" in data.headers["content-disposition"]
    assert data.json()["study"] == finished


def test_the_report_is_shut_in_and_runs_its_own_scripts_alone(client, finished):
    answer = client.get(f"/studies/{finished}/report.html", params={"lang": "es"})
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "unsafe-inline" not in policy.split("style-src")[0]
    assert policy.count("sha256-") == answer.text.count("<script>")
    assert '<html lang="es">' in answer.text


def test_verdicts_are_said_in_the_language_asked_for(client, finished):
    said = [client.get(f"/api/studies/{finished}", params={"lang": code}).json()["verdict"]
            for code in ("en", "es", "en")]  # fmt: skip
    assert said[0] == said[2] != said[1]


@pytest.mark.parametrize("identity", ["nothere", "a" * 100, "'; drop table x; --"])
def test_an_unknown_study_is_said(client, identity):
    for path in (f"/api/studies/{identity}", f"/studies/{identity}/study.json"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "error" in answer.json()


def test_a_study_that_grows_is_seen_growing(own):
    client, store, _place = own
    identity = half_done(store, epochs=2)
    before = client.get(f"/api/studies/{identity}").json()["live"]
    half_done(store, epochs=5)
    after = client.get(f"/api/studies/{identity}").json()["live"]
    assert len(before["curves"][0]["values"]) == 3
    assert len(after["curves"][0]["values"]) == 6
    assert client.get(f"/studies/{identity}/study.json").status_code == 404
    store.delete(identity)
    assert client.get(f"/api/studies/{identity}").status_code == 404


def test_a_hostile_problem_name_is_data_and_never_markup(own):
    client, store, _place = own
    half_done(store, problem="<script>alert(1)</script>")
    answer = client.get("/api/studies")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()[0]["problem"] == "<script>alert(1)</script>"
    assert "alert(1)" not in client.get("/studies").text


def test_a_damaged_result_is_said_and_the_others_are_listed(own):
    client, store, place = own
    half_done(store)
    store.close()
    with sqlite3.connect(place) as raw:
        raw.execute("update descenso_studies set result = ?", [json.dumps({"broken": True})])
    raw.close()
    assert client.get("/api/studies").status_code == 200
    answer = client.get("/api/studies/abc123def456")
    assert answer.status_code == 503
    assert "cannot be read" in answer.json()["error"]


def test_a_store_that_breaks_while_it_is_read_is_said(own):
    client, _store, place = own
    with sqlite3.connect(place) as raw:
        raw.execute("drop table descenso_runs")
        raw.execute("drop table descenso_studies")
    raw.close()
    answer = client.get("/api/studies")
    assert answer.status_code == 503
    assert len(answer.json()["error"]) > 10


def test_a_store_that_was_deleted_is_said_and_not_made_anew(own):
    client, store, place = own
    half_done(store)
    assert len(client.get("/api/studies").json()) == 1
    store.close()
    for file in Path(place).parent.glob("own.db*"):
        file.unlink()
    for path in ("/api/studies", "/api/studies/abc123def456", "/studies/abc123def456/study.json"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert f"the store {place} is gone" in answer.json()["error"]
    assert not Path(place).exists()


def test_a_store_that_was_replaced_is_read_and_the_page_is_told(own, tmp_path):
    client, store, place = own
    half_done(store)
    before = client.get("/api/studies")
    store.close()
    half_done(other := Store(str(tmp_path / "other.db")), identity="feedfeedfeed")
    other.close()
    (tmp_path / "other.db").replace(place)
    after = client.get("/api/studies")
    assert [s["identity"] for s in after.json()] == ["feedfeedfeed"]
    assert before.headers["x-descenso-store"] == "0"
    assert after.headers["x-descenso-store"] == "1"
    assert client.get("/api/studies/abc123def456").status_code == 404
    again = Store(place)  # what the server did has not damaged it
    assert [s.identity for s in again.studies()] == ["feedfeedfeed"]
    again.close()


def test_a_file_that_is_no_store_in_its_place_is_said(own):
    client, store, place = own
    store.close()
    for file in Path(place).parent.glob("own.db*"):
        file.unlink()
    Path(place).write_text("not a database" * 100)
    answer = client.get("/api/studies")
    assert answer.status_code == 503
    assert "not a database" in answer.json()["error"]
    assert Path(place).read_text().startswith("not a database")


def job_that_ended(tmp_path, code, lost=False, complaints=()):
    job = Job(1, "digits", None, state="failed", code=code, lost=lost)  # type: ignore[arg-type]
    job.complaints.extend(complaints)
    return job.as_json()["error"]


def test_why_a_study_ended_is_said_with_what_to_do(tmp_path):
    assert "killed (SIGKILL), most often because memory ran out" in job_that_ended(tmp_path, -9)
    assert "ended from elsewhere (SIGTERM)" in job_that_ended(tmp_path, -15)
    assert "start it again to go on" in job_that_ended(tmp_path, -15)
    said = job_that_ended(tmp_path, 3, complaints=["MemoryError: no more"])
    assert "exit code 3 (MemoryError: no more)" in said
    assert "replaced" in job_that_ended(tmp_path, 0, lost=True)
    language.use("es")
    assert "SIGKILL" in job_that_ended(tmp_path, -9)
    assert "memoria" in job_that_ended(tmp_path, -9)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "name the problem"),
        ([], "name the problem"),
        ("x", "name the problem"),
        ({"problem": "os:system"}, "only built-in problems"),
        ({"problem": "/tmp/evil.py:problem"}, "only built-in problems"),
        ({"problem": "line", "methods": "nope"}, "no method named"),
        ({"problem": "line", "methods": ["adam"]}, "one text of at most 500"),
        ({"problem": "line", "methods": "adam," * 200}, "one text of at most 500"),
        ({"problem": "line", "epochs": "1e9"}, "from 1 to 200"),
        ({"problem": "line", "seeds": 10**7}, "from 1 to 50"),
        ({"problem": "line", "trials": -1}, "from 1 to 48"),
    ],
)
def test_what_cannot_be_started_is_refused_and_nothing_is_run(own, body, says):
    client, _store, _place = own
    answer = client.post("/api/jobs/start", json=body, headers=CHANGE)
    assert answer.status_code in (400, 404)
    assert says in answer.json()["error"]
    assert client.get("/api/jobs").json() == []


def wait_for(client, state, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        (job, *_others) = client.get("/api/jobs").json()
        if job["state"] == state:
            return job
        assert job["state"] == "running", job
        time.sleep(0.2)
    raise AssertionError(f"not {state} in time: {job}")


def test_a_study_is_started_followed_and_found_in_the_store(own):
    client, _store, _place = own
    body = {"problem": "line", "methods": "adam,momentum", "epochs": 3, "seeds": 2, "trials": 2}
    assert client.post("/api/jobs/start", json=body, headers=CHANGE).status_code == 200
    second = client.post("/api/jobs/start", json=body, headers=CHANGE)
    assert "a study is running" in second.json()["error"]
    job = wait_for(client, "finished")
    assert client.get(f"/api/studies/{job['study']}").json()["verdict"]


def test_a_study_whose_process_is_killed_says_so(own):
    client, _store, _place = own
    body = {"problem": "digits", "epochs": 200, "seeds": 50, "trials": 48}
    assert client.post("/api/jobs/start", json=body, headers=CHANGE).status_code == 200
    (job,) = client.app.state.jobs._jobs.values()
    os.kill(job.process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while client.get("/api/jobs").json()[0]["state"] == "running" and time.monotonic() < deadline:
        time.sleep(0.1)
    (shown,) = client.get("/api/jobs").json()
    assert shown["state"] == "failed"
    assert "killed (SIGKILL)" in shown["error"]


def test_a_study_is_cancelled_and_what_was_done_stays(own):
    client, store, _place = own
    body = {"problem": "digits", "epochs": 200, "seeds": 50, "trials": 48}
    number = client.post("/api/jobs/start", json=body, headers=CHANGE).json()["number"]
    deadline = time.monotonic() + 60
    while not client.get("/api/jobs").json()[0]["study"] and time.monotonic() < deadline:
        time.sleep(0.2)
    assert client.post(f"/api/jobs/{number}/cancel", headers=CHANGE).json()["state"] == "cancelled"
    (study,) = store.studies()
    assert study.result is None
    assert len(store.runs(study.identity)) > 0
    assert client.post("/api/jobs/99/cancel", headers=CHANGE).status_code == 404


def test_two_people_at_once_are_each_answered_in_their_language(address):
    import urllib.request
    from concurrent.futures import ThreadPoolExecutor

    def title(code):
        with urllib.request.urlopen(f"{address}/studies?lang={code}", timeout=30) as page:
            return "Estudios" in page.read().decode()

    asked = ["en", "es"] * 12
    with ThreadPoolExecutor(8) as people:
        answers = list(people.map(title, asked))
    assert answers == [code == "es" for code in asked]


def test_a_curve_counts_diverged_runs_as_the_report_does(own):
    client, _store, place = own
    study = descenso.compare("line", "gradient_descent(lr=1e30)@all,adam@all", epochs=4, trials=2,
                             seeds=2, store=place)  # fmt: skip
    rows = client.get(f"/api/studies/{study.result.identity}").json()["rows"]
    drawn = data.curves(study.result)
    for row in rows:
        means = drawn[drawn["method"] == row["method"]]["mean"]
        assert row["curve"] == pytest.approx(list(means), rel=1e-4)
    (lost,) = (row["curve"] for row in rows if row["method"].startswith("gradient_descent"))
    assert lost == [lost[0]] * 5  # from the first step on they count as the untrained network


def test_the_form_has_a_field_for_every_option_and_reads_it(own):
    client, _store, _place = own
    page = client.get("/studies", params={"lang": "es"}).text
    language.use("es")
    for name, option in OPTIONS.items():
        assert f'id="{name}"' in page
        assert f"> {_(option.label)}" in page or f">{_(option.label)} " in page
    written = {"epochs": "3", "until_decided": True, "margin": "0.01", "sampler": "tpe",
               "space": "adam.beta1=0.1..0.9\nadam.beta2=0.5..0.99", "defaults": False, "seeds": "",
               "seed": 4294967295}  # fmt: skip
    assert form.asked(written) == {
        "epochs": 3, "until_decided": True, "margin": 0.01, "sampler": "tpe",
        "space": ["adam.beta1=0.1..0.9", "adam.beta2=0.5..0.99"], "defaults": False,
        "seed": 4294967295,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"margin": "wide"}, "margin must be a number; got 'wide'"),
        ({"margin": "nan"}, "margin must be a positive difference"),
        ({"defaults": "on"}, "defaults must be one of true, false; got 'on'"),
        ({"sampler": "tpf"}, "Did you mean 'tpe'"),
        ({"space": "x" * 501}, "space is one text of at most 500 letters"),
        ({"space": "adam.beta2"}, "a range is written"),
        ({"most_seeds": 9}, "only for a study that goes on until it is decided"),
        ({"split_seeds": 21}, "split_seeds must be a whole number from 1 to 20; got 21"),
        ({"seed": "9" * 4000}, "seed must be a whole number from 0"),
    ],
)
def test_an_option_that_no_study_can_have_is_refused_at_the_form(own, written, says):
    client, _store, _place = own
    body = {"problem": "line", "methods": "adam", **written}
    answer = client.post("/api/jobs/start", json=body, headers=CHANGE)
    assert answer.status_code == 400
    assert says in answer.json()["error"]
    assert client.get("/api/jobs").json() == []
