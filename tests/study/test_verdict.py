"""The verdict: what it says, and what it must not say."""

import json
from dataclasses import replace

import numpy as np
import pytest

from descenso import language
from descenso.records import Curve
from descenso.study import as_json, with_text
from descenso.study._results import (
    Confirmation,
    MethodResult,
    MetricInfo,
    SearchPoint,
    StudyResult,
)
from descenso.study._storage import decode_result, encode_result
from descenso.study.design import Design
from descenso.study.statistics import estimate
from descenso.study.verdict import BACKING, costs_in_words, decide, sentences

ACCURACY = MetricInfo("accuracy", higher_is_better=True, percent=True, target=None)


@pytest.fixture(autouse=True)
def _english():
    language.use("en")


def confirmation(scores, lr=0.01, diverged=0, seconds=1.0):
    curve = Curve(np.array([2.0, 1.0]), np.array([0.1, 0.9]), np.array([1.0]), 0.5, 0.9,
                  steps=100, seconds=seconds / len(scores))  # fmt: skip
    return Confirmation(
        settings={"lr": lr, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "eps_root": 0.0},
        seeds=tuple(range(len(scores))),
        curves=(curve,) * len(scores),
        scores=tuple(scores),
        test=estimate(scores),
        validation=estimate(scores),
        diverged=diverged,
        epochs_to_target=(),
        seconds=seconds,
    )


def method(name, scores, default=(0.5, 0.5), at_edge="", **more):
    return MethodResult(
        name, "adam", "mini-batch", 32, confirmation(scores, **more),
        confirmation(default, lr=0.001), (), at_edge, 100, 1.0,
    )  # fmt: skip


def result(*methods, seeds=5, metric=ACCURACY):
    design = Design("digits", tuple(m.name for m in methods), 20, 12, 3, seeds, 0)
    verdict = decide(methods, metric, 360)
    return StudyResult(
        "id", design, "", metric, {"train": 1078, "validation": 359, "test": 360}, 10,
        tuple(methods), verdict, 1.0, {}, {}, "2026-01-01T00:00:00+00:00",
    )  # fmt: skip


GOOD = (0.971, 0.974, 0.969, 0.972, 0.975)
SAME = (0.972, 0.970, 0.971, 0.973, 0.972)
POOR = (0.90, 0.91, 0.905, 0.90, 0.907)


def test_a_clear_winner_is_named_with_its_settings_and_its_interval():
    text = with_text(result(method("fast", GOOD), method("slow", POOR))).verdict.text
    assert "train with fast (lr = 0.01; batch size 32): accuracy 97.2% on test" in text
    assert "95% interval 96.9% to 97.5%, 5 fresh seeds" in text
    assert "Worse: slow by 6.8 points (p < 0.001)" in text
    assert "No other method ties" in text


def test_a_difference_inside_the_noise_is_called_a_tie():
    verdict = with_text(result(method("a", GOOD), method("b", SAME), method("c", POOR))).verdict
    assert verdict.best == "a"
    assert verdict.tied == ("b",)
    assert "b ties with it: the difference is inside the noise of 5 seeds" in verdict.text


def searched(base, gains):
    """Return the method with a search over learning rates a decade apart."""
    points = tuple(
        SearchPoint(base.name, {"lr": 10.0**-k}, 20, (gain,), (1.0,)) for k, gain in gains.items()
    )
    return replace(base, search=points)


FRAGILE = {1: 0.3, 2: 0.95, 3: 0.3}
FORGIVING = {1: 0.95, 2: 0.95, 3: 0.95}


def test_of_methods_that_tie_the_most_forgiving_is_recommended_everywhere():
    best = searched(method("a", GOOD), FRAGILE)
    other = searched(method("b", SAME, lr=0.02), FORGIVING)
    found = with_text(result(best, other, method("c", POOR)))
    verdict, text = found.verdict, found.verdict.text
    assert (verdict.best, verdict.recommended, verdict.chosen_by) == ("a", "b", ("forgiveness",))
    assert text.startswith(
        "On digits, 2 methods tie. Take b (lr = 0.02; batch size 32): it is the most"
    )
    assert "forgiving, and as cheap as any. It reaches" in text
    assert "a has the best mean, 97.2%; b ties with it" in text
    assert "Worse than a: c by 6.8 points" in text
    written = as_json(found)["verdict"]
    assert (written["best"], written["recommended"]) == ("a", "b")
    assert "lr=0.02" in written["code"]["torch"]
    assert [m.name for m in found.ranking] == ["a", "b", "c"]  # the table keeps the means
    again = decode_result(json.loads(json.dumps(encode_result(found))))
    assert again.verdict.recommended == "b"


def test_a_study_stored_before_there_was_a_recommendation_is_judged_anew():
    best, other = searched(method("a", GOOD), FRAGILE), searched(method("b", SAME), FORGIVING)
    stored = json.loads(json.dumps(encode_result(result(best, other))))
    del stored["verdict"]["recommended"], stored["verdict"]["chosen_by"]
    assert decode_result(stored).verdict.recommended == "b"


def test_a_fragile_best_is_kept_where_the_tie_loses_much_of_the_gain():
    best = searched(method("a", (0.97, 0.9)), FRAGILE)
    other = searched(method("b", (0.85, 0.80)), FORGIVING)
    found = with_text(result(best, other, seeds=2))
    assert found.verdict.tied == ("b",)
    assert found.verdict.recommended == "a"
    assert "b was not chosen from: it loses more than 5% of the gain" in found.verdict.text


def test_seeds_that_score_alike_and_the_size_of_the_test_part_are_said():
    text = with_text(result(method("a", (0.95,) * 5), method("b", POOR))).verdict.text
    assert (
        "All its seeds score alike: its interval is that of one test example (0.3 points)" in text
    )
    assert "360 test examples alone leave its accuracy on new data between 92.2% and 96.8%" in text


def test_where_an_interval_was_cut_is_said():
    cut = method("a", (0.99, 1.0, 0.98))
    tuned = replace(cut.tuned, test=estimate(cut.tuned.scores, (0.0, 1.0)))
    found = result(replace(cut, tuned=tuned), method("b", POOR[:3]), seeds=3)
    assert "Intervals end at 100.0%, where the metric does." in with_text(found).verdict.text


def test_methods_equal_to_the_last_digit_tie():
    verdict = decide([method("a", GOOD), method("b", GOOD)], ACCURACY, 360)
    assert len(verdict.tied) == 1


def test_one_seed_says_what_it_cannot_say():
    text = with_text(result(method("a", (0.97,)), method("b", (0.5,)), seeds=1)).verdict.text
    assert "(one seed)" in text
    assert "cannot be said from one seed" in text
    assert "Worse" not in text
    assert "One seed shows no noise" in text


def test_two_seeds_come_with_a_caution():
    text = with_text(
        result(method("a", (0.97, 0.96)), method("b", (0.96, 0.97)), seeds=2)
    ).verdict.text
    assert "With 2 seeds only differences far larger" in text


def test_diverged_runs_are_counted_aloud():
    methods = method("a", GOOD), method("b", (0.97, 0.97, 0.1, 0.97, 0.1), diverged=2)
    text = with_text(result(*methods)).verdict.text
    assert "Runs diverged, and count as untrained networks: 2 of 5 of b." in text


def test_where_every_run_of_every_method_diverged_none_is_recommended():
    lost = result(method("a", (0.1,) * 5, diverged=5), method("b", (0.1,) * 5, diverged=5))
    assert lost.verdict.best is None
    text = with_text(lost).verdict.text
    assert "every confirmation run of every method diverged" in text
    assert as_json(with_text(lost))["verdict"]["best"] is None


def test_the_worth_of_tuning_is_said():
    text = with_text(result(method("a", GOOD, default=(0.90,) * 5))).verdict.text
    assert "Its default (lr = 0.001) reaches 90.0%: tuning was worth 7.2 points." in text


def test_a_learning_rate_at_the_edge_is_said():
    text = with_text(result(method("a", GOOD, at_edge="high"), method("b", POOR))).verdict.text
    assert "The best learning rate of a lies at the edge" in text


def test_among_ties_the_quickest_is_named_only_where_it_is_clearly_quicker():
    slow, quick = method("a", GOOD, seconds=10.0), method("b", SAME, seconds=1.0)
    assert "b is the quickest: 0.2 s a run against 2 s" in costs_in_words(result(slow, quick))
    near = method("b", SAME, seconds=9.0)
    assert "quickest" not in costs_in_words(result(slow, near))


def test_the_closest_tie_says_how_many_seeds_would_settle_it():
    base = np.array([0.950, 0.952, 0.948, 0.951, 0.949])
    close = base - np.array([0.004, 0.001, 0.006, -0.002, 0.004])
    topics = sentences(result(method("a", base), method("b", close)))
    assert "seeds would show it" in topics["settle"]


def test_the_verdict_is_said_in_spanish():
    language.use("es")
    text = with_text(result(method("a", GOOD), method("b", POOR))).verdict.text
    assert "entren" in text.lower()
    assert "train with" not in text


def test_a_single_method_needs_no_comparison():
    verdict = decide([method("a", GOOD)], ACCURACY, 360)
    assert verdict.best == "a"
    assert verdict.comparisons == ()


def test_a_metric_that_is_the_same_everywhere_tells_nothing_apart():
    text = with_text(result(method("a", (0.5,) * 5), method("b", (0.5,) * 5))).verdict.text
    assert "Every run of every method ends at that very value" in text
    assert "b ties with it" in text
    assert "coin toss" not in text


def test_a_tie_that_was_shown_is_told_from_one_that_was_not_refuted():
    base = np.linspace(0.95, 0.96, 12)
    methods = method("a", base), method("b", base - 1e-4 * np.arange(12) % 3e-4)
    plain = result(*methods)
    design = replace(plain.design, margin=0.005)
    verdict = decide(methods, ACCURACY, 10_000, margin=0.005)
    text = with_text(replace(plain, design=design, verdict=verdict)).verdict.text
    assert "is shown to be as good to within 0.5 points" in text
    assert "inside the noise" not in text


def test_every_sentence_has_the_part_of_the_report_that_backs_it():
    found = result(method("a", GOOD, diverged=1, at_edge="low"), method("b", POOR))
    for topic, sentence in sentences(found).items():
        if sentence:
            assert topic in BACKING or topic in ("looks", "caution")
    listed = as_json(with_text(found))["verdict"]["sentences"]
    assert {s["topic"]: s["figure"] for s in listed}["worse"] == "differences"


def test_the_words_of_the_verdict_do_not_tell_of_the_moment():
    one, other = result(method("a", GOOD, seconds=1.0)), result(method("a", GOOD, seconds=9.0))
    assert with_text(one).verdict.text == with_text(other).verdict.text
    assert costs_in_words(one) != costs_in_words(other)


def test_the_recommendation_comes_as_a_line_of_code():
    code = as_json(with_text(result(method("a", GOOD), method("b", POOR))))["verdict"]["code"]
    assert code["torch"].startswith("torch.optim.Adam(model.parameters(), lr=0.01")
    assert set(code) == {"torch", "keras", "optax"}


def test_it_says_how_sure_it_is():
    text = with_text(result(method("a", GOOD), method("b", SAME))).verdict.text
    assert "A run of a beats a run of b " in text
    few = with_text(result(method("a", GOOD[:3]), method("b", SAME[:3]), seeds=3)).verdict.text
    assert "beats a run of" not in few


def test_the_cost_of_a_rule_without_state_is_said_in_words():
    plain = replace(method("a", GOOD), rule="gradient_descent")
    settings = {"lr": 0.01}
    plain = replace(plain, tuned=replace(plain.tuned, settings=settings))
    plain = replace(plain, default=replace(plain.default, settings=settings))
    assert "it keeps nothing from step to step" in costs_in_words(result(plain))


def test_runs_that_an_error_ended_are_never_said_to_have_diverged():
    worse = method("b", POOR)
    curves = tuple(replace(c, diverged_at=3, error="RuntimeError: no") for c in worse.tuned.curves)
    worse = replace(worse, tuned=replace(worse.tuned, curves=curves, diverged=0))
    found = with_text(result(method("a", GOOD), worse))
    n = len(curves)
    text = found.verdict.text
    assert f"count as untrained networks: {n} of {n} of b (RuntimeError: no)." in text
    assert "diverged" not in text
    as_dict = as_json(found)["methods"][-1]
    assert (as_dict["diverged"], as_dict["failed"]) == (0, n)
