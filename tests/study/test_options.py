"""Seeds until decided, other splits, several problems: whole studies on real data."""

from dataclasses import replace

import numpy as np
import pytest

from descenso import language, problems
from descenso.errors import BudgetError, SettingError
from descenso.report import words
from descenso.study import as_json, overview, run_study, with_text
from descenso.study._sequential import decided, judge, level, looks
from descenso.study._splits import parted_anew, split_of

QUICK = {"epochs": 3, "trials": 3}


@pytest.fixture(autouse=True)
def _english():
    language.use("en")


@pytest.fixture(scope="module")
def until_decided(tmp_path_factory):
    store = tmp_path_factory.mktemp("options") / "studies.db"
    return run_study("wine", "adam,batch(lr=0.0001)", seeds=3, until_decided=True, most_seeds=12,
                     margin=0.02, store=store, **QUICK)  # fmt: skip


def test_seeds_are_added_only_until_the_methods_are_told_apart(until_decided):
    result = until_decided  # one learns, one is held at a rate at which nothing is learnt
    assert [look.seeds for look in result.looks] == looks(3, 12)[: len(result.looks)]
    assert result.looks[-1].decided
    assert not any(look.decided for look in result.looks[:-1])
    assert len(result.looks) < len(looks(3, 12))
    assert result.seeds == result.looks[-1].seeds == len(result.method("adam").tuned.scores)
    assert result.verdict.best == "adam"
    text = with_text(result).verdict.text
    assert f"Seeds were added until this was decided: {result.seeds} of at most 12." in text


def test_the_level_is_divided_among_the_looks_planned_not_those_taken(until_decided):
    planned = looks(3, 12)
    assert all(look.alpha == level(len(planned)) for look in until_decided.looks)
    assert level(len(planned)) * len(planned) == pytest.approx(0.05)
    assert as_json(until_decided)["looks"][0]["alpha"] == level(len(planned))


def test_the_first_seeds_are_those_of_a_study_that_does_not_go_on(until_decided, tmp_path):
    plain = run_study("wine", "adam,batch(lr=0.0001)", seeds=3, store=tmp_path / "s.db", **QUICK)
    first = until_decided.method("adam").tuned.scores[:3]
    assert plain.method("adam").tuned.scores == first


def test_methods_within_the_margin_are_shown_to_be_equivalent():
    rng = np.random.default_rng(0)
    base = rng.normal(0.9, 0.01, 20)
    scores = {"a": base, "b": base + rng.normal(0, 0.002, 20), "c": base - 0.1}
    verdict = judge({m: list(s) for m, s in scores.items()}, True, 0.0, 0.05, margin=0.01)
    assert decided(verdict)
    assert all(c.tied or not c.equivalent for c in verdict.comparisons)
    told = {c.other: (c.tied, c.equivalent) for c in verdict.comparisons}
    assert told.pop("c") == (False, False)
    assert list(told.values()) == [(True, True)]
    undecided = judge({m: list(s[:3]) for m, s in scores.items()}, True, 0.0, 0.05, margin=1e-4)
    assert not decided(undecided)


def test_without_a_race_every_setting_of_the_search_is_trained_to_the_end(tmp_path):
    store = tmp_path / "s.db"
    raced, full = (
        run_study("line", "adam@all", epochs=10, trials=6, seeds=2, race=race, store=store)
        for race in (True, False)
    )
    assert raced.identity != full.identity
    assert {point.epochs for point in full.methods[0].search} == {10}
    assert min(point.epochs for point in raced.methods[0].search) < 10
    assert "none was stopped early" in " ".join(words.protocol(full))
    assert "the worse ones are stopped early" in " ".join(words.protocol(raced))
    assert "--no-race" in words.command(full)
    assert "race" not in words.command(raced)
    assert as_json(full)["design"]["race"] is False


def test_other_splits_take_turns_and_the_test_part_stays(tmp_path):
    problem = problems.get("wine")
    data = problem.make_data(0)
    other = parted_anew(data, 0, 1)
    assert other.test is data.test
    assert len(other.train) == len(data.train)
    assert not np.array_equal(other.train.inputs, data.train.inputs)
    pooled = [np.sort(np.concatenate([d.train.inputs, d.validation.inputs]).ravel())
              for d in (data, other)]  # fmt: skip
    assert np.array_equal(*pooled)  # the same examples, parted otherwise
    assert [split_of(seed, 3) for seed in range(4)] == [0, 1, 2, 0]
    assert split_of(1_000_002, 3) == 0  # the search stays on one


@pytest.mark.slow
def test_a_study_on_several_splits_keeps_methods_paired(tmp_path):
    plain = run_study("wine", "adam", seeds=4, store=tmp_path / "a.db", **QUICK)
    varied = run_study("wine", "adam", seeds=4, split_seeds=2, store=tmp_path / "b.db", **QUICK)
    a, b = plain.method("adam").tuned, varied.method("adam").tuned
    assert plain.identity != varied.identity
    assert a.settings == b.settings  # the search did not change
    assert [a.curves[s].validation_loss[0] for s in (0, 2)] == [
        b.curves[s].validation_loss[0] for s in (0, 2)
    ]
    assert a.curves[1].validation_loss[0] != b.curves[1].validation_loss[0]
    assert varied.layout["splits"] == 2


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    store = tmp_path_factory.mktemp("several") / "studies.db"
    options = {"seeds": 4, "store": store, **QUICK}
    return [run_study(name, "adam,minibatch,batch(lr=0.0001)", **options)
            for name in ("wine", "breast-cancer")]  # fmt: skip


@pytest.mark.slow
def test_several_problems_are_judged_together(two):
    found = overview.overview(two)
    assert found.verdict.best != "batch(lr=0.0001)"
    assert "batch(lr=0.0001)" not in found.verdict.tied
    assert all(s.shape == (2, 4) for s in found.scores.values())
    best = max(float(np.mean(s)) for s in found.scores.values())
    assert 0.9 <= best <= 1.0
    text = overview.in_words(found)
    assert text.startswith("Over wine and breast-cancer, ")
    assert "batch(lr=0.0001) by" in text.partition("Worse: ")[2]


def test_a_performance_profile_rises_and_never_solves_a_missed_run(two):
    found = overview.overview(two)
    for name, shares in found.profile.items():
        assert (np.diff(shares) >= 0).all()
        reached = [np.isfinite(t) for r in two for t in r.method(name).tuned.epochs_to_target]
        assert shares[-1] == pytest.approx(np.mean(reached))


def test_the_interquartile_mean_forgets_neither_half_nor_all():
    scores = np.array([[0.0, 1.0, 2.0, 100.0]])
    found = overview.interquartile_mean(scores)
    assert found.mean == 1.5
    assert found.low <= 1.5 <= found.high


def test_problems_with_other_methods_are_not_judged_together(two):
    strange = replace(two[1], design=replace(two[1].design, methods=("adam",)))
    with pytest.raises(BudgetError, match="on the same methods"):
        overview.overview([two[0], strange])


@pytest.mark.parametrize(("options", "error", "complaint"), [
    ({"margin": 0.0}, BudgetError, "margin must be a positive"),
    ({"margin": float("nan")}, BudgetError, "margin must be a positive"),
    ({"most_seeds": 10}, BudgetError, "goes on until it is decided"),
    ({"until_decided": True, "most_seeds": 5}, BudgetError, "more than the 5 seeds"),
    ({"split_seeds": 0}, BudgetError, "split_seeds must be a whole number"),
    ({"sampler": "sobel"}, SettingError, "Did you mean 'sobol'"),
    ({"executor": "cloud"}, SettingError, "an executor is local, ray or ray:address"),
    ({"space": ["adam.beta2"]}, SettingError, "a range is written"),
])  # fmt: skip
def test_what_cannot_be_done_is_refused_before_anything_is_trained(
    tmp_path, options, error, complaint
):
    with pytest.raises(error, match=complaint):
        run_study("wine", "adam", store=tmp_path / "studies.db", **options)
    assert not (tmp_path / "studies.db").exists()
