"""The table says of each method what the records say."""

from __future__ import annotations

import math

import pytest
from tests.report.studies import make

from descenso import report


def test_the_frame_holds_a_row_per_method_best_first(study):
    frame = report.frame(study)
    assert list(frame["method"]) == [m.name for m in study.ranking]
    row = frame.set_index("method").loc["adam"]
    adam = study.method("adam")
    assert (row["test"], row["low"], row["high"]) == (
        adam.tuned.test.mean,
        adam.tuned.test.low,
        adam.tuned.test.high,
    )
    assert (row["validation"], row["default"]) == (
        adam.tuned.validation.mean,
        adam.default.test.mean,
    )
    assert row["settings"].startswith("lr = ")
    assert row["seconds_per_run"] == pytest.approx(0.4)


def test_diverged_runs_and_missed_targets_are_counted(study):
    frame = report.frame(study).set_index("method")
    assert (frame.loc["momentum", "diverged"], frame.loc["momentum", "runs"]) == (1, 5)
    assert math.isinf(frame.loc["batch", "epochs_to_target"])
    assert frame.loc["adam", "epochs_to_target"] > 0


def test_the_standing_is_the_verdict(study):
    standing = report.frame(study).set_index("method")["standing"]
    assert standing[study.verdict.best] == "best"
    assert set(standing[standing == "tied"].index) == set(study.verdict.tied)
    assert standing["batch"] == ""


def test_of_one_seed_no_standing_is_claimed_but_the_best_mean():
    assert set(report.frame(make(seeds=1))["standing"]) == {"best", "unknown"}


def test_without_a_target_there_are_no_epochs_to_it(regression):
    assert report.frame(regression)["epochs_to_target"].isna().all()
