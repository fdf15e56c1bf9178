"""Time to the target with runs that never reach it, sensitivity as one number, cost of a step."""

import math
from dataclasses import replace

import numpy as np
import pytest

from descenso.records import Curve
from descenso.study._results import SearchPoint
from descenso.study.cost import cost, time_to_target
from descenso.study.sensitivity import curve, tolerance

from .test_verdict import GOOD, method


def searched(shares, lrs=(0.001, 0.01, 0.1, 1.0)):
    """Return a method whose search saw these shares of the way from 0.1 (untrained) to 0.9."""
    points = tuple(
        SearchPoint("m", {"lr": lr}, 20, (0.1 + 0.8 * share,) * 2, (0.0, 0.0))
        for lr, share in zip(lrs, shares, strict=True)
    )
    return replace(method("m", GOOD), search=points)


def test_a_run_that_misses_the_target_is_infinite_and_never_dropped():
    found = time_to_target((3.0, math.inf, 2.0))
    assert (found.median, found.reached, found.runs) == (3.0, 2, 3)
    assert time_to_target((3.0, math.inf, math.inf)).median == math.inf
    assert time_to_target((3.0, math.inf)).median == math.inf  # half of them miss
    assert time_to_target(()) is None


def test_the_interval_of_the_median_time_comes_from_ranks():
    found = time_to_target(tuple(map(float, range(1, 11))))
    assert (found.low, found.high) == (2.0, 9.0)  # ranks 2 and 9 of 10: 97.9%
    assert math.isnan(time_to_target((1.0,) * 5).low)


def test_the_tolerated_range_is_read_off_the_curve_on_a_log_scale():
    found = tolerance(searched([0.0, 1.0, 0.98, 0.0]), higher_is_better=True)
    assert found.low == pytest.approx(10 ** (-3 + 0.95))
    assert 0.1 < found.high < 1.0
    assert not found.low_open
    assert found.factor == pytest.approx(found.high / found.low)


def test_a_range_that_goes_on_beyond_what_was_tried_says_so():
    found = tolerance(searched([0.2, 0.3, 0.97, 1.0]), higher_is_better=True)
    assert found.high_open
    assert found.high == 1.0


def test_a_diverged_search_run_counts_as_untrained_in_the_curve():
    m = searched([0.5, 1.0, 0.9, 0.8])
    broken = replace(m.search[3], values=(math.nan, 0.9))
    shares = dict(curve(replace(m, search=(*m.search[:3], broken)), higher_is_better=True))
    assert shares[1.0] == pytest.approx(0.5)


def test_no_tolerance_is_given_where_nothing_was_learnt():
    assert tolerance(searched([0.0, 0.0, 0.0, 0.0]), higher_is_better=True) is None


def test_the_cost_of_a_step_counts_the_state_that_the_rule_keeps():
    runs = (Curve(np.zeros(2), np.zeros(2), np.zeros(1), 0, 0, steps=100, seconds=0.5),) * 2
    m = method("m", GOOD)
    found = cost(replace(m, tuned=replace(m.tuned, curves=runs)), parameters=1000)
    assert found.seconds_per_step == pytest.approx(0.005)
    assert (found.state_arrays, found.state_bytes) == (2, 8000)  # adam keeps m and v
