"""A study leaves the store in other tools' formats, whole, and comes back to the same verdict."""

import json

import pandas as pd
import pytest

from descenso import language
from descenso.errors import ReportError, SettingError, StoreError
from descenso.store import Store
from descenso.study import as_json, export, external, run_study, with_text


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    language.use("en")
    store = Store(tmp_path_factory.mktemp("export") / "studies.db")
    result = run_study("wine", "adam,momentum,batch", epochs=6, trials=5, seeds=4, store=store)
    return store, store.resolve("latest"), with_text(result)


def verdict_of(path):
    found = external.judge_runs(external.read_runs(path))
    return external.as_json(found)["verdict"]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_exported_and_shuffled_study_has_the_same_verdict(done, tmp_path, suffix):
    store, stored, result = done
    path = tmp_path / f"runs.{suffix}"
    export.export(store, stored, str(path))
    whole = pd.read_csv(path, dtype=str) if suffix == "csv" else pd.read_parquet(path)
    shuffled = whole.sample(frac=1, random_state=3)
    shuffled.to_csv(path, index=False) if suffix == "csv" else shuffled.to_parquet(path)
    theirs, ours = verdict_of(path), as_json(result)["verdict"]
    assert theirs["best"] == ours["best"]
    assert theirs["tied"] == ours["tied"]
    for got, want in zip(theirs["comparisons"], ours["comparisons"], strict=True):
        assert (got["other"], got["p_value"]) == (want["other"], want["p_value"])
        assert got["difference"] == want["difference"]


def test_without_the_column_of_roles_validation_chooses_the_same_settings(done, tmp_path):
    store, stored, result = done
    frame = export.long_form(store, stored).drop(columns="role").drop_duplicates()
    frame.to_csv(tmp_path / "runs.csv", index=False, na_rep="nan")
    assert verdict_of(tmp_path / "runs.csv")["best"] == result.verdict.best


def test_every_value_of_every_run_is_there(done):
    store, stored, result = done
    frame = export.long_form(store, stored)
    runs = store.runs(stored.identity)
    validation = frame[frame["split"] == "validation"].drop_duplicates(
        ["method", "setting", "seed", "step"]
    )
    assert len(validation) == sum(len(run.curve.validation_metric) for run in runs)
    tuned = frame[(frame["role"] == "tuned") & (frame["split"] == "test")]
    for method in result.methods:
        own = tuned[tuned["method"] == method.name].sort_values("seed")["value"]
        assert list(own) == list(method.tuned.scores)


def test_tensorboard_reads_the_event_files(done, tmp_path):
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    store, stored, _ = done
    where = export.export(store, stored, f"tensorboard:{tmp_path}")
    files = sorted((tmp_path / stored.identity).rglob("events.out.tfevents.*"))
    assert len(files) == len(store.runs(stored.identity))
    assert where.endswith(stored.identity)
    events = [e for e in loader.LegacyEventFileLoader(str(files[0])).Load() if e.summary.value]
    values = {(e.summary.value[0].tag, e.step) for e in events}
    assert ("validation/accuracy", 0) in values
    assert ("train/loss", 1) in values


@pytest.mark.filterwarnings("ignore")  # MLflow's own, of its database's library
def test_mlflow_holds_every_run(done, tmp_path):
    tracking = pytest.importorskip("mlflow.tracking")
    store, stored, result = done
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    export.export(store, stored, f"mlflow:{uri}")
    client = tracking.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("descenso wine")
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == len(store.runs(stored.identity))
    best = result.method(result.verdict.best)
    scores = [
        run.data.metrics["test_accuracy"]
        for run in runs
        if run.data.params["method"] == best.name and "tuned" in run.data.tags["descenso.role"]
    ]
    assert sorted(scores) == sorted(best.tuned.scores)


@pytest.mark.filterwarnings("ignore")
def test_a_place_that_mlflow_cannot_write_is_refused_with_its_reason(done, monkeypatch):
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    store, stored, _ = done
    with pytest.raises(ReportError, match=r"http://127\.0\.0\.1:1 cannot be written"):
        export.export(store, stored, "mlflow:http://127.0.0.1:1")


def test_a_target_of_no_known_kind_is_refused(done, tmp_path):
    store, stored, _ = done
    with pytest.raises(SettingError, match=r"exported to file\.csv"):
        export.export(store, stored, str(tmp_path / "runs.xlsx"))


def test_an_unfinished_study_is_shown_but_not_exported(tmp_path):
    store = Store(tmp_path / "studies.db")
    design = {"methods": ["adam"], "seed": 0}
    store.begin("abc", "wine", "2026-01-01T00:00:00+00:00", design)
    with pytest.raises(StoreError, match="not finished"):
        export.export(store, store.resolve("abc"), str(tmp_path / "runs.csv"))
    assert export.summary(store, store.resolve("abc")).empty


def test_the_summary_counts_the_runs_of_every_setting(done):
    store, stored, _ = done
    frame = export.summary(store, stored)
    assert frame["runs"].sum() == len(store.runs(stored.identity))
    assert json.dumps(frame.to_dict("records"))


def test_names_lead_no_file_out_of_the_folder_and_compute_nothing_in_a_spreadsheet(done, tmp_path):
    from dataclasses import replace

    store, stored, _result = done
    evil = "../../../../escaped"
    copied = Store(tmp_path / "evil.db")
    copied.begin(evil, "=1+1", "2026-01-01", {"methods": ["adam"]})
    runs = [
        replace(run, member=replace(run.member, method=evil))
        for run in store.runs(stored.identity)
        if run.member.method == "adam"
    ]
    copied.save_runs(evil, runs, 1.0)
    result = json.loads(json.dumps(stored.result).replace('"adam"', json.dumps(evil)))
    result["identity"], result["design"]["problem"] = evil, "=1+1"
    result["methods"] = [m for m in result["methods"] if m["name"] == evil]
    result["methods"][0]["rule"] = "adam"
    copied.finish(evil, result)
    within = tmp_path / "deep" / "er" / "board"
    export.export(copied, copied.resolve(evil), f"tensorboard:{within}")
    written = [path for path in tmp_path.rglob("*") if "tfevents" in path.name]
    assert written
    assert all(path.is_relative_to(within) for path in written)
    export.export(copied, copied.resolve(evil), str(tmp_path / "runs.csv"))
    text = (tmp_path / "runs.csv").read_text()
    assert "'=1+1," in text
    assert "\n=1+1" not in text
