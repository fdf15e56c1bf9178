"""The statistics against other implementations, by simulation, and at their edges."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from descenso.study._paired import permutation_decides, sign_flip_p_value
from descenso.study.external._judge import judge_by_seed
from descenso.study.statistics import (
    chance_of_better,
    compare_with_best,
    difference_of,
    equivalence_p_value,
    estimate,
    holm,
    noise_of_test_set,
    paired_p_value,
    seeds_to_settle,
    smallest_step,
    welch,
)


def test_the_interval_of_a_mean_holds_the_mean_and_narrows_with_more_seeds():
    rng = np.random.default_rng(0)
    few, many = estimate(rng.normal(size=5)), estimate(rng.normal(size=80))
    assert few.low < few.mean < few.high
    assert many.high - many.low < few.high - few.low


def test_the_same_values_always_give_the_same_interval():
    values = [0.91, 0.95, 0.93, 0.92, 0.97]
    assert estimate(values) == estimate(values)


def test_one_value_has_no_interval():
    one = estimate([0.9])
    assert one.mean == 0.9
    assert math.isnan(one.low)
    assert math.isnan(one.high)


def test_equal_values_have_an_interval_of_no_width():
    same = estimate([0.5, 0.5, 0.5])
    assert (same.low, same.high) == (0.5, 0.5)


def test_the_paired_p_value_is_scipys():
    a, b = [0.91, 0.95, 0.93, 0.92], [0.90, 0.92, 0.94, 0.89]
    assert paired_p_value(a, b, 0.0) == pytest.approx(stats.ttest_rel(a, b).pvalue)


def test_two_seeds_that_agree_on_a_coarse_metric_prove_nothing():
    one_example = 1 / 36
    assert paired_p_value([0.5 + one_example] * 2, [0.5] * 2, one_example) > 0.05


def test_methods_that_agree_to_the_last_digit_do_not_differ():
    assert paired_p_value([0.9, 0.8], [0.9, 0.8], 0.0) == 1.0


def test_one_pair_has_no_p_value():
    assert math.isnan(paired_p_value([0.9], [0.1], 0.0))


def test_holm_corrects_as_in_the_textbook():
    # sorted 0.01, 0.03, 0.04 -> 3·0.01, 2·0.03, max(0.06, 1·0.04)
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p_values):
    corrected = holm(p_values)
    assert all(c >= p for c, p in zip(corrected, p_values, strict=True))
    ranks = np.argsort(p_values, kind="stable")
    assert all(np.diff(np.asarray(corrected)[ranks]) >= 0)


def test_a_clear_gap_is_found_and_a_tie_is_called_a_tie():
    rng = np.random.default_rng(3)
    base = rng.normal(0.9, 0.01, 10)
    scores = {
        "good": base,
        "same": base + rng.normal(0, 0.003, 10),
        "poor": base - 0.1 + rng.normal(0, 0.003, 10),
    }
    best, comparisons = compare_with_best(scores, higher_is_better=True)
    tied = {c.other: c.tied for c in comparisons}
    assert best in ("good", "same")
    assert tied.pop("poor") is False
    assert list(tied.values()) == [True]


def test_the_best_has_the_lowest_mean_where_lower_is_better():
    best, comparisons = compare_with_best(
        {"a": [1.0, 1.1, 1.2], "b": [0.1, 0.2, 0.15]}, higher_is_better=False
    )
    assert best == "b"
    assert comparisons[0].difference.mean > 0


def test_equal_methods_are_called_different_in_at_most_one_study_in_twenty():
    """Six methods, five seeds, no true difference: a claim of any difference is an error."""
    rng = np.random.default_rng(11)
    studies, errors = 400, 0
    for _ in range(studies):
        shared = rng.normal(size=5)  # a seed that is lucky for one is lucky for all
        scores = {name: shared + rng.normal(size=5) for name in "abcdef"}
        p = holm([
            paired_p_value(scores[a], scores[b], 0.0)
            for i, a in enumerate("abcdef")
            for b in "abcdef"[i + 1 :]
        ])  # fmt: skip
        best = max(scores, key=lambda name: scores[name].mean())
        pairs = [(a, b) for i, a in enumerate("abcdef") for b in "abcdef"[i + 1 :]]
        errors += any(q < 0.05 for q, pair in zip(p, pairs, strict=True) if best in pair)
    # 5% of 400 is 20; above 33 a true rate of 5% would come less than one time in two hundred
    assert errors <= stats.binom.ppf(0.995, studies, 0.05)


def test_seeds_to_settle_agrees_with_a_simulation_of_its_promise():
    rng = np.random.default_rng(5)
    seen = estimate(list(rng.normal(1.0, 1.0, 6)))
    n = seeds_to_settle(seen, comparisons=1)
    effect = np.std(seen.values, ddof=1)
    found = [
        stats.ttest_1samp(rng.normal(seen.mean, effect, n), 0).pvalue < 0.05 for _ in range(500)
    ]
    assert 0.72 <= np.mean(found) <= 0.92


def test_no_number_of_seeds_is_promised_where_no_difference_was_seen():
    assert seeds_to_settle(estimate([0.0, 0.0]), 1) is None
    assert seeds_to_settle(estimate([1e-9, -1e-9, 1e-9, -1.1e-9]), 15) is None


def test_the_permutation_test_is_scipys():
    difference = np.array([0.3, -0.1, 0.4, 0.2, 0.6, -0.05, 0.1, 0.25, 0.33, 0.07])
    reference = stats.permutation_test(
        (difference,), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    assert sign_flip_p_value(difference) == pytest.approx(reference.pvalue)


def test_drawn_signs_agree_with_all_signs():
    rng = np.random.default_rng(2)
    difference = rng.normal(0.4, 1, 18)
    drawn = sign_flip_p_value(difference)
    signs = 1 - 2 * ((np.arange(2**18)[:, None] >> np.arange(18)) & 1)
    exact = np.mean(np.abs(signs @ difference) >= abs(difference.sum()) * (1 - 1e-12))
    assert drawn == pytest.approx(exact, abs=4 * math.sqrt(exact / 20_000))
    assert sign_flip_p_value(difference) == drawn


def test_with_five_seeds_a_permutation_could_never_claim_anything_so_student_decides():
    difference = np.array([1.0, 1.1, 0.9, 1.05, 0.95])
    assert sign_flip_p_value(difference) == 0.0625
    assert not permutation_decides(5, 1)
    assert paired_p_value(difference, np.zeros(5), 0.0) < 0.05


def test_with_enough_seeds_the_permutation_decides():
    assert permutation_decides(10, 1)
    assert not permutation_decides(10, 15)
    assert permutation_decides(14, 15)
    values = np.random.default_rng(0).lognormal(size=12) - 0.4
    assert paired_p_value(values, np.zeros(12), 0.0) == sign_flip_p_value(values)


def test_the_probability_of_improvement_is_mann_whitneys():
    a, b = [0.9, 0.95, 0.97], [0.91, 0.95, 0.6, 0.5]
    u = stats.mannwhitneyu(a, b).statistic
    assert chance_of_better(a, b, higher_is_better=True) == pytest.approx(u / 12)
    assert chance_of_better(a, b, higher_is_better=False) == pytest.approx(1 - u / 12)
    assert chance_of_better([0.5], [0.5], higher_is_better=True) == 0.5


def test_two_one_sided_tests_are_scipys():
    values = [0.1, -0.2, 0.05, 0.15, -0.1]
    sides = [
        stats.ttest_1samp(values, -0.5, alternative="greater").pvalue,
        stats.ttest_1samp(values, 0.5, alternative="less").pvalue,
    ]
    assert equivalence_p_value(values, 0.5) == pytest.approx(max(sides))
    # Equal differences show no noise: their number bounds what they can show.
    assert equivalence_p_value([0.0] * 5, 0.1) == pytest.approx(2 / 252)
    assert equivalence_p_value([0.0] * 2, 0.1) > 0.05  # two equal runs show nothing
    assert equivalence_p_value([0.2] * 5, 0.1) == 1.0
    assert math.isnan(equivalence_p_value([0.0], 0.1))


def test_an_interval_of_a_share_stays_a_share():
    wide = estimate([0.99, 1.0, 0.9], within=(0.0, 1.0))
    assert 0 <= wide.low < wide.high <= 1


def test_from_six_values_on_the_interval_is_the_bootstraps():
    values = np.random.default_rng(4).lognormal(size=8)
    found = estimate(values)
    mean = values.mean()
    assert found.high - mean > 1.05 * (mean - found.low)  # BCa follows the skew; Student's cannot


@pytest.mark.parametrize(("seeds", "least"), [(2, 1 / 3), (3, 0.1), (4, 2 / 70)])
@pytest.mark.parametrize("noise", [0.0, 1e-9, 1e-7])
def test_few_nearly_equal_differences_claim_no_more_than_their_number_allows(seeds, least, noise):
    a = np.array([0.91234, 0.92345, 0.9, 0.8876])[:seeds]
    b = a - 0.1 + noise * np.arange(seeds)
    assert paired_p_value(a, b, 0.0) >= least
    assert paired_p_value(a, b, 1 / 100) >= least
    assert compare_with_best({"a": a, "b": b}, True)[1][0].p_value >= least


def test_runs_without_spread_that_share_no_seeds_claim_no_more_either():
    found = judge_by_seed({"a": dict.fromkeys("012", 0.9), "b": dict.fromkeys("345", 0.8)}, True)
    assert found.comparisons[0].p_value >= 0.1
    nearly = {"a": {"0": 0.9, "1": 0.9 + 1e-9}, "b": {"2": 0.8, "3": 0.8}}
    assert judge_by_seed(nearly, True).tied == ("b",)


def test_differences_of_the_size_of_rounding_are_none():
    a = np.array([0.9, 0.8, 0.7])
    assert paired_p_value(a, a + 1e-8, 0.0) == 1.0
    assert chance_of_better(a, a + 1e-8, higher_is_better=True) == 0.5


def test_the_smallest_step_of_scores_passes_over_rounding():
    scores = np.array([30, 31, 34]) / 35
    assert smallest_step([*scores, scores[0] + 1e-9]) == pytest.approx(1 / 35)
    assert smallest_step([0.5, 0.5]) == 0.0


def test_without_spread_no_two_or_three_seeds_are_said_to_settle_a_difference():
    seen = difference_of([0.9, 0.8], [0.8, 0.7], family=1)
    assert seeds_to_settle(seen, 1, resolution=0.1) >= 4


def test_seeds_that_all_tie_have_an_interval_of_one_step_of_the_metric():
    step = 1 / 35
    same = estimate([34 / 35] * 5, within=(0, 1), resolution=step)
    half = stats.t.ppf(0.975, 4) * step / 2 / math.sqrt(5)
    assert (same.low, same.high) == pytest.approx((34 / 35 - half, 34 / 35 + half))
    many = estimate([34 / 35] * 12, within=(0, 1), resolution=step)
    assert many.low < many.mean < many.high


def test_intervals_of_differences_hold_zero_where_methods_tie_and_only_there():
    rng = np.random.default_rng(6)
    for seeds in (3, 5, 8, 15):
        for _ in range(15):
            scores = {m: rng.normal(0.1 * i, 0.1, seeds) for i, m in enumerate("abcdef")}
            for c in compare_with_best(scores, True)[1]:
                inside = c.difference.low <= 0 <= c.difference.high
                assert inside or not c.tied
                assert c.tied or c.difference.low >= 0


def test_the_interval_beside_a_corrected_p_value_is_bonferronis():
    a, b = [0.91, 0.95, 0.93, 0.92], [0.90, 0.92, 0.94, 0.89]
    found = difference_of(a, b, family=15)
    want = stats.ttest_rel(a, b).confidence_interval(1 - 0.05 / 15)
    assert (found.low, found.high) == pytest.approx((want.low, want.high))


def test_a_difference_of_shares_stays_between_minus_one_and_one():
    wide = difference_of([0.99, 0.1], [0.02, 0.9], family=15, within=(-1, 1))
    assert (wide.low, wide.high) == (-1, 1)


def test_welchs_test_is_scipys():
    a, b = [0.9, 0.95, 0.97, 0.91], [0.91, 0.85, 0.8]
    reference = stats.ttest_ind(a, b, equal_var=False)
    p, low, high = welch(a, b, 0.0)
    assert p == pytest.approx(reference.pvalue)
    assert (low, high) == pytest.approx(tuple(reference.confidence_interval()))


def test_the_noise_of_the_test_set_is_wilsons():
    assert noise_of_test_set(34 / 35, 35) == pytest.approx((0.8547, 0.9949), abs=1e-4)
    assert noise_of_test_set(1.0, 35)[1] == pytest.approx(1.0)
