"""A study without its methods' defaults: what it leaves out, and what stays as it was."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

import pandas as pd
import pytest

import descenso
from descenso import language, methods, report
from descenso.report import captions, words
from descenso.report.pictures import _study_file
from descenso.store import Store
from descenso.study import export, external, run_study, with_text
from descenso.study._run import PROTOCOL_VERSION, identity_of
from descenso.study._storage import decode_result, encode_result

METHODS, EPOCHS, SEEDS = "adam,momentum", 4, 3
WANTED = {"epochs": EPOCHS, "trials": 4, "seeds": SEEDS}


@pytest.fixture(autouse=True)
def _english():
    language.use("en")


def _compare(place, defaults, **more):
    seen = []
    study = descenso.compare("wine", METHODS, store=place, defaults=defaults,
                             on_progress=seen.append, **WANTED | more)  # fmt: skip
    return study, seen


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("defaults") / "studies.db"


@pytest.fixture(scope="module")
def with_them(place):
    return _compare(place, True)


@pytest.fixture(scope="module")
def without(place, with_them):
    return _compare(place, False)


def _confirmed(place, study):
    """Return (method, settings, seed) of every run that took no part in the search."""
    runs = Store(place).runs(study.result.identity)
    fresh = [run.member for run in runs if run.member.seed < 1000]
    return {(m.method, tuple(sorted(m.settings.items())), m.seed) for m in fresh}


def _expected(study, defaults):
    return {
        (m.name, tuple(sorted(settings.items())), seed)
        for m in study.result.methods
        for settings in [m.settings] + [methods.parse(m.name).default_settings()] * defaults
        for seed in range(SEEDS)
    }


@pytest.mark.slow
def test_the_defaults_are_not_trained_and_nothing_else_changes(place, with_them, without):
    for (study, _), defaults in ((with_them, True), (without, False)):
        assert _confirmed(place, study) == _expected(study, defaults)
    first, second = with_them[0].result, without[0].result
    for one, other in zip(first.methods, second.methods, strict=True):
        assert repr(one.search) == repr(other.search)  # some are NaN
        assert one.tuned.scores == other.tuned.scores
        assert (one.default is None, other.default) == (False, None)
        assert one.examples > other.examples
    assert first.verdict.comparisons == second.verdict.comparisons


def test_the_progress_promises_what_is_trained(with_them, without):
    (_, long), (_, short) = with_them, without
    assert long[0].total - short[0].total == 2 * SEEDS * EPOCHS
    for seen in (long, short):
        assert seen[-1].done == pytest.approx(seen[-1].total)


def test_the_two_studies_are_told_apart_and_each_is_recalled(place, with_them, without):
    (first, _), (second, _) = with_them, without
    assert first.result.identity != second.result.identity
    for study, defaults in ((first, True), (second, False)):
        again, seen = _compare(place, defaults)
        assert not seen
        assert encode_result(again.result) == encode_result(study.result)


def test_the_verdict_is_silent_on_what_tuning_was_worth(with_them, without):
    assert "Its default (" in with_them[0].verdict.text
    said = without[0].verdict.text
    assert "default" not in said
    assert said == with_them[0].verdict.text.replace(
        next(s for s, _ in words.verdict(with_them[0].result) if s.startswith("Its default")) + " ",
        "",
    )


@pytest.mark.parametrize("defaults", [True, False])
@pytest.mark.slow
def test_a_setting_found_that_is_the_default_is_called_so(tmp_path, defaults):
    study = descenso.compare("wine", "adam(lr=0.01),sgd(lr=0.5)@8", epochs=2, seeds=2,
                             defaults=defaults, store=tmp_path / "x.db")  # fmt: skip
    assert all(m.at_default for m in study.methods)
    assert "That is its default setting." in study.verdict.text


def test_its_tables_have_no_column_for_them(with_them, without):
    columns = [set(study.frame().columns) for study, _ in (with_them, without)]
    assert columns[0] - columns[1] == {"default", "default_diverged"}


def test_its_json_says_null(without):
    written = without[0].to_json()
    assert written["design"]["defaults"] is False
    assert [m["default"] for m in written["methods"]] == [None, None]
    assert "default" not in {s["topic"] for s in written["verdict"]["sentences"]}


def test_its_report_says_that_they_were_left_out(with_them, without):
    page, plain = (report.render(with_text(s.result)) for s, _ in (with_them, without))
    for shown in ("test with the default settings", "chosen; default", "hollow with the method"):
        assert (shown in page, shown in plain) == (True, False)
    for shown in ("its default was left out", "what tuning was worth cannot be said",
                  "--no-defaults", "defaults=False"):  # fmt: skip
        assert (shown in page, shown in plain) == (False, True)
    assert plain.count("<th scope") == page.count("<th scope") - 1
    cells = [html.count("<td") for html in (page, plain)]
    assert cells[0] - cells[1] == 2  # one less for each of two methods


@pytest.mark.parametrize("tongue", ["en", "es"])
def test_every_figure_is_drawn_without_them(without, tongue):
    language.use(tongue)
    result = with_text(without[0].result)
    for name in report.names():
        assert len(report.figure(result, name).data)
        assert captions.caption(result, name)
        assert _study_file.draw(result, name).axes
    heights = {y for trace in report.figure(result, "results").data for y in trace.y}
    assert heights == {0, 1}  # in the middle of each method's row


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_its_exported_runs_are_judged_alike(place, without, tmp_path, suffix):
    result, path = without[0].result, tmp_path / f"runs.{suffix}"
    store = Store(place)
    export.export(store, store.resolve(result.identity), str(path))
    table = pd.read_csv(path) if suffix == "csv" else pd.read_parquet(path)
    assert set(table["role"]) == {"search", "tuned"}
    found = external.as_json(external.judge_runs(external.read_runs(path)))["verdict"]
    assert (found["best"], tuple(found["tied"])) == (result.verdict.best, result.verdict.tied)
    p_values = [c["p_value"] for c in found["comparisons"]]
    assert p_values == [c.p_value for c in result.verdict.comparisons]
    assert "default" not in found["text"]


@pytest.mark.slow
def test_seeds_are_added_and_splits_varied_without_them(tmp_path):
    study, seen = _compare(tmp_path / "x.db", False, until_decided=True, most_seeds=5,
                           margin=1e-9, split_seeds=2)  # fmt: skip
    looks = study.result.looks
    assert [look.seeds for look in looks] == [3, 5]
    confirmed = {(method, seed) for method, _, seed in _confirmed(tmp_path / "x.db", study)}
    assert confirmed == {(method, seed) for method in METHODS.split(",") for seed in range(5)}
    assert seen[-1].done == pytest.approx(seen[-1].total)


@pytest.mark.slow
def test_several_problems_are_judged_together_without_them(tmp_path):
    options = {"epochs": 2, "trials": 3, "seeds": 2, "store": tmp_path / "x.db", "defaults": False}
    studies = descenso.compare_all(["wine", "breast-cancer"], METHODS, **options)
    assert studies.text.startswith("Over wine and breast-cancer, ")
    studies.save(tmp_path / "together.html")


class _CutError(Exception):
    """What interrupts a study."""


def _interrupt_at(stage):
    def stop(progress):
        if progress.stage == stage:
            raise _CutError

    return stop


def _findings(result):
    return [(repr(m.search), [c.scores for c in m.confirmations.values()]) for m in result.methods]


@pytest.mark.parametrize("stage", ["search", "confirm"])
@pytest.mark.slow
def test_an_interrupted_one_goes_on_without_them(tmp_path, without, stage):
    place = tmp_path / "x.db"
    with pytest.raises(_CutError):
        run_study("wine", METHODS, store=place, defaults=False,
                  on_progress=_interrupt_at(stage), **WANTED)  # fmt: skip
    again, _ = _compare(place, False)
    assert _findings(again.result) == _findings(without[0].result)
    assert _confirmed(place, again) == _expected(again, False)


@pytest.mark.slow
def test_a_study_begun_before_they_could_be_left_out_goes_on_with_them(tmp_path, with_them):
    place = tmp_path / "x.db"
    with pytest.raises(_CutError):
        run_study("wine", METHODS, store=place, on_progress=_interrupt_at("confirm"), **WANTED)
    _forget_the_field(place)
    again, _ = _compare(place, True)
    assert len(Store(place).studies()) == 1  # it is the same study
    assert _findings(again.result) == _findings(with_them[0].result)


def _forget_the_field(place):
    """Make the one study of a store as it was written before designs had the field."""
    store = Store(place)
    (stored,) = store.studies()
    design = {name: value for name, value in stored.design.items() if name not in ADDED}
    runs = store.runs(stored.identity)
    store.delete(stored.identity)
    store.begin(stored.identity, stored.problem, stored.started, design)
    store.save_runs(stored.identity, runs, stored.seconds)
    store.close()


def test_a_result_stored_before_they_could_be_left_out_is_read(with_them):
    stored = encode_result(with_them[0].result)
    del stored["design"]["defaults"]
    read = decode_result(stored)
    assert read.design.defaults
    assert with_text(read).verdict.text == with_them[0].verdict.text


ADDED = ("defaults", "race")  # after studies were stored


def test_the_identity_of_a_study_with_them_is_the_one_it_always_had(with_them):
    design, rest = with_them[0].result.design, [[["adam", 16]], "data"]
    older = {name: value for name, value in asdict(design).items() if name not in ADDED}
    known = hashlib.sha256(json.dumps([PROTOCOL_VERSION, older, *rest]).encode()).hexdigest()
    assert known.startswith(identity_of(design, {"adam": 16}, "data"))
