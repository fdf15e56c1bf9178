"""The Python face, on a real study."""

import pytest

import descenso
from descenso import language
from descenso.errors import UnknownNameError


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    store = tmp_path_factory.mktemp("store") / "studies.db"
    return descenso.compare("wine", ["minibatch", "adam"], epochs=6, seeds=3, trials=5, store=store)


def test_a_study_ends_in_a_verdict_on_both_methods(study):
    language.use("en")
    assert study.verdict.best in ("minibatch", "adam")
    assert "On wine, train with" in study.verdict.text
    assert {m.name for m in study.methods} == {"minibatch", "adam"}


def test_its_table_has_a_row_for_each_method_best_first(study):
    frame = study.frame()
    assert list(frame["method"]) == [m.name for m in study.methods]


@pytest.mark.parametrize("name", ["curves", "sensitivity", "results", "differences"])
def test_its_figures_can_be_drawn(study, name):
    assert len(study.figure(name).data) > 0


def test_an_unknown_figure_is_refused_with_the_nearest_name(study):
    with pytest.raises(UnknownNameError, match="curves"):
        study.figure("curve")


def test_its_report_is_one_file(study, tmp_path):
    path = study.save(tmp_path / "report.html")
    assert path.read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html>")


def test_its_test_data_took_no_part_in_the_choice(study):
    """The setting chosen is the best on validation among those that had the whole budget."""
    for method in study.methods:
        full = [p for p in method.search if p.epochs == 6 and not p.diverged]
        best = max(sum(p.values) / len(p.values) for p in full)
        chosen = next(p for p in method.search if p.chosen)
        assert sum(chosen.values) / len(chosen.values) == best
        assert chosen.settings == method.settings


def test_every_method_had_the_same_budget(study):
    """Per setting and seed the same epochs; only a search that widened saw more."""
    steps = {m.name: {c.epochs for c in m.tuned.curves} for m in study.methods}
    assert set.union(*steps.values()) == {6}


def test_the_same_study_is_recalled_not_run_again(study, tmp_path):
    store = tmp_path / "studies.db"
    calls = []
    options = {"epochs": 2, "seeds": 2, "trials": 2, "store": store, "on_progress": calls.append}
    first = descenso.compare("wine", "adam", **options)
    seen = len(calls)
    again = descenso.compare("wine", "adam", **options)
    assert seen > 0
    assert len(calls) == seen
    assert again.result.wall_seconds == first.result.wall_seconds
    assert again.verdict == first.verdict


def test_a_fresh_study_is_run_anew_and_ends_the_same(study, tmp_path):
    store = tmp_path / "studies.db"
    first = descenso.compare("wine", "adam", epochs=2, seeds=2, trials=2, store=store)
    calls = []
    anew = descenso.compare(
        "wine", "adam", epochs=2, seeds=2, trials=2, store=store, fresh=True,
        on_progress=calls.append,
    )  # fmt: skip
    assert calls[-1].done == calls[-1].total
    assert anew.verdict == first.verdict


def test_train_returns_a_run_for_each_seed():
    runs = descenso.train("line", "momentum(lr=0.05)", epochs=5, seeds=2)
    assert [run.member.seed for run in runs] == [0, 1]
    assert all(run.curve.epochs == 5 for run in runs)
