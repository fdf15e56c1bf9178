import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from sklearn import metrics as reference

from descenso.errors import ProblemError
from descenso.problems import _figures as figures

ARRAYS = {"numpy": np.asarray, "jax": jnp.asarray, "torch": torch.tensor}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def value_of(function, outputs, targets, framework):
    make = ARRAYS[framework]
    return float(function(make(outputs), make(targets)))


@pytest.mark.parametrize("framework", ARRAYS)
class TestOnEveryFramework:
    def test_cross_entropy_is_the_mean_log_loss(self, rng, framework):
        scores = rng.normal(size=(20, 5)).astype(np.float32)
        labels = rng.integers(0, 5, 20).astype(np.int32)
        shares = np.exp(scores.astype(float))
        shares /= shares.sum(axis=1, keepdims=True)
        expected = reference.log_loss(labels, shares, labels=range(5))
        got = value_of(figures.cross_entropy, scores, labels, framework)
        assert got == pytest.approx(expected, rel=1e-5)

    def test_cross_entropy_of_huge_scores_neither_overflows_nor_vanishes(self, framework):
        scores = np.array([[1e4, 0.0, -1e4], [0.0, 1e4, 0.0]], np.float32)
        labels = np.array([1, 1], np.int32)
        assert value_of(figures.cross_entropy, scores, labels, framework) == 5e3

    def test_accuracy_is_the_share_of_right_labels(self, rng, framework):
        scores = rng.normal(size=(50, 3)).astype(np.float32)
        labels = rng.integers(0, 3, 50).astype(np.int32)
        expected = reference.accuracy_score(labels, scores.argmax(axis=1))
        assert value_of(figures.accuracy, scores, labels, framework) == pytest.approx(expected)

    def test_equal_scores_are_not_all_counted_as_right(self, framework):
        labels = np.array([0, 1, 2, 3], np.int32)
        scores = np.zeros((4, 4), np.float32)
        assert value_of(figures.accuracy, scores, labels, framework) == 0.25

    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [
            (figures.mean_squared_error, reference.mean_squared_error),
            (figures.root_mean_squared_error, reference.root_mean_squared_error),
            (figures.r_squared, reference.r2_score),
        ],
    )
    def test_regression_figures_are_scikit_learns(self, rng, framework, ours, theirs):
        outputs, targets = rng.normal(size=(2, 30, 1))
        expected = theirs(targets, outputs)
        assert value_of(ours, outputs, targets, framework) == pytest.approx(expected, rel=1e-5)


def test_r_squared_of_several_columns_is_their_mean(rng):
    outputs, targets = rng.normal(size=(2, 30, 3)) * [1, 10, 100]
    assert figures.r_squared(outputs, targets) == pytest.approx(
        reference.r2_score(targets, outputs)
    )


def test_r_squared_does_not_depend_on_the_unit(rng):
    outputs, targets = rng.normal(size=(2, 30, 1))
    here = figures.r_squared(outputs, targets)
    assert figures.r_squared(7 * outputs + 3, 7 * targets + 3) == pytest.approx(here)


def test_r_squared_of_constant_targets_is_zero_and_not_nan():
    assert figures.r_squared(np.ones((4, 1)), np.ones((4, 1))) == 0


@pytest.mark.slow
def test_the_gradient_of_cross_entropy_is_shares_minus_truth(rng):
    scores = jnp.asarray(rng.normal(size=(6, 4)), jnp.float32)
    labels = jnp.asarray(rng.integers(0, 4, 6))
    expected = (jax.nn.softmax(scores) - jax.nn.one_hot(labels, 4)) / 6
    got = jax.grad(figures.cross_entropy)(scores, labels)
    np.testing.assert_allclose(got, expected, atol=1e-7)


@pytest.mark.parametrize("function", [figures.mean_squared_error, figures.r_squared])
def test_outputs_that_would_broadcast_against_targets_are_refused(function):
    with pytest.raises(ProblemError, match=r"\(5, 1\) do not fit targets of shape \(5,\)"):
        function(np.zeros((5, 1)), np.zeros(5))


@pytest.mark.parametrize("function", [figures.cross_entropy, figures.accuracy])
@pytest.mark.parametrize(("outputs", "labels"), [((5,), (5,)), ((5, 2), (5, 1)), ((5, 2), (4,))])
def test_labels_that_do_not_fit_the_outputs_are_refused(function, outputs, labels):
    with pytest.raises(ProblemError, match="class labels need outputs of shape"):
        function(np.zeros(outputs), np.zeros(labels, np.int32))
