"""The frames hold what the records say, and nothing that a reader would be misled by."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from descenso.report import data
from descenso.study._results import SearchPoint


def of(frame, method):
    return frame[frame["method"] == method].reset_index(drop=True)


def test_curves_hold_a_row_per_method_and_epoch_from_before_training(study):
    frame = data.curves(study)
    assert len(frame) == 6 * 21
    assert list(of(frame, "adam")["epoch"]) == list(range(21))


def test_the_mean_of_the_curves_lies_between_the_worst_and_the_best_seed(study):
    frame = of(data.curves(study), "adam")
    values = np.array([c.validation_metric for c in study.method("adam").tuned.curves])
    assert np.allclose(frame["mean"], values.mean(axis=0))
    assert np.allclose(frame["low"], values.min(axis=0))
    assert np.allclose(frame["high"], values.max(axis=0))


def test_a_diverged_run_counts_as_the_untrained_network_from_there_on(study):
    frame = of(data.curves(study), "momentum")
    confirmation = study.method("momentum").tuned
    crashed = next(c for c in confirmation.curves if c.diverged)
    assert list(frame["runs"]) == [5] * 4 + [4] * 17
    assert frame["low"].iloc[-1] == crashed.validation_metric[0]
    others = [c.validation_metric[-1] for c in confirmation.curves if not c.diverged]
    assert frame["mean"].iloc[-1] == pytest.approx((sum(others) + crashed.validation_metric[0]) / 5)


def test_values_recorded_after_the_divergence_are_not_trusted(study):
    method = study.method("momentum")
    curves = tuple(
        dataclasses.replace(c, validation_metric=np.nan_to_num(c.validation_metric, nan=0.5))
        for c in method.tuned.curves
    )
    changed = dataclasses.replace(method, tuned=dataclasses.replace(method.tuned, curves=curves))
    result = dataclasses.replace(study, methods=(changed,))
    assert list(data.curves(result)["runs"]) == [5] * 4 + [4] * 17


def test_a_diverged_run_whose_curve_ends_early_is_carried_to_the_last_epoch(study):
    method = study.method("momentum")
    curves = tuple(
        dataclasses.replace(
            c, validation_metric=c.validation_metric[:4], train_loss=c.train_loss[:3]
        )
        if c.diverged
        else c
        for c in method.tuned.curves
    )
    changed = dataclasses.replace(method, tuned=dataclasses.replace(method.tuned, curves=curves))
    short = data.curves(dataclasses.replace(study, methods=(changed,)))
    assert short["mean"].equals(of(data.curves(study), "momentum")["mean"])


@pytest.mark.parametrize(("method", "steps"), [("sgd", 1078), ("batch", 1), ("adam", 34)])
def test_the_same_place_is_given_in_examples_steps_and_seconds(study, method, steps):
    row = of(data.curves(study), method).iloc[1]
    assert (row["examples"], row["steps"]) == (1078, steps)
    assert row["seconds"] == pytest.approx(0.4 / 20)


def test_sensitivity_says_how_far_the_race_let_each_setting_come(study):
    frame = of(data.sensitivity(study), "adam")
    points = study.method("adam").search
    assert list(frame["lr"]) == sorted(point.lr for point in points)
    assert list(frame["full"]) == [point.epochs == 20 for point in points]
    assert frame["chosen"].sum() == 1
    assert frame[frame["chosen"]]["lr"].item() == study.method("adam").settings["lr"]


def test_a_seed_that_diverged_in_the_search_counts_as_the_untrained_network(study):
    method = study.method("adam")
    point = SearchPoint("adam", method.settings, 20, (0.9, math.nan), (0.1, math.nan))
    result = dataclasses.replace(study, methods=(dataclasses.replace(method, search=(point,)),))
    row = data.sensitivity(result).iloc[0]
    start = data.untrained(method.tuned)
    assert row["diverged"] == 0.5
    assert row["mean"] == pytest.approx((0.9 + start) / 2)
    assert (row["low"], row["high"]) == (start, 0.9)


def test_results_hold_every_seed_tuned_and_default_best_method_first(study):
    frame = data.results(study)
    assert len(frame) == 6 * 2 * 5
    assert list(frame["method"].unique()) == [m.name for m in study.ranking]
    tuned = frame[(frame["method"] == "sgd") & (frame["setting"] == "tuned")]
    assert tuple(tuned["score"]) == study.method("sgd").tuned.scores
    assert set(tuned["mean"]) == {study.method("sgd").tuned.test.mean}
    assert frame[frame["diverged"]]["method"].unique() == ["momentum"]


def test_differences_repeat_the_verdict_and_nothing_else(study):
    frame = data.differences(study)
    for c in study.verdict.comparisons:
        row = of(frame, c.other).iloc[0]
        assert (row["difference"], row["low"], row["high"]) == (
            c.difference.mean,
            c.difference.low,
            c.difference.high,
        )
        assert (row["p_value"], bool(row["tied"])) == (c.p_value, c.tied)
    assert frame["difference"].is_monotonic_increasing
    assert study.verdict.best not in set(frame["method"])


def test_settings_of_the_second_stage_are_told_from_the_learning_rates(study):
    method = study.method("adam")
    more = SearchPoint("adam", {**method.settings, "beta1": 0.95}, 20, (0.9,), (0.1,), stage=2)
    changed = dataclasses.replace(method, search=(*method.search, more))
    frame = data.sensitivity(dataclasses.replace(study, methods=(changed,)))
    assert sorted(frame["stage"]) == [1] * 12 + [2]
