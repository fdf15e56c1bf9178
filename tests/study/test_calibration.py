"""The verdict's claims hold as often as they say, over simulated studies (a smaller benchmark)."""

import numpy as np
import pytest
from benchmarks import calibration
from scipy import stats

STUDIES = 300


@pytest.mark.parametrize("methods", [2, 6])
@pytest.mark.parametrize("seeds", [2, 5, 10])
@pytest.mark.parametrize("law", ["paired normal", "coarse (36 test examples)",
                                 "one run in ten diverges"])  # fmt: skip
def test_equal_methods_are_called_different_in_at_most_one_study_in_twenty(law, seeds, methods):
    rng = np.random.default_rng(7)
    errors = calibration.false_claims(law, methods, seeds, STUDIES, rng)
    assert errors <= stats.binom.ppf(0.999, STUDIES, 0.05)


@pytest.mark.parametrize("methods", [2, 6])
def test_a_gap_of_two_deviations_is_found_with_ten_seeds(methods):
    found = calibration.found(methods, 10, True, STUDIES, np.random.default_rng(8))
    assert found >= stats.binom.ppf(0.001, STUDIES, 0.95)


def test_the_intervals_hold_the_true_mean_even_with_few_seeds():
    for seeds in (2, 5, 10):
        held = calibration.covered(seeds, "normal", 200, np.random.default_rng(9))
        assert held >= stats.binom.ppf(0.001, 200, 0.93)


@pytest.mark.parametrize("seeds", [3, 5])
def test_the_intervals_of_all_differences_hold_together(seeds):
    held = calibration.covered_together(6, seeds, STUDIES, np.random.default_rng(12))
    assert held >= stats.binom.ppf(0.001, STUDIES, 0.95)


@pytest.mark.slow
def test_stopping_when_decided_claims_no_more_falsely_than_one_look():
    rng = np.random.default_rng(10)
    equal = calibration.sequential_errors(0.0, 1.0, 100, rng)
    at_margin = calibration.sequential_errors(1.0, 1.0, 100, rng)
    most = stats.binom.ppf(0.999, 100, 0.05) / 100
    assert equal["worse"] <= most
    assert at_margin["equal"] <= most
    assert equal["decided"] > 0.5
    assert equal["seeds"] < 40
