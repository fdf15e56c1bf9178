import numpy as np
import pytest

from descenso.data import check_examples
from descenso.errors import DataError


def check(inputs, targets, classes=False):
    check_examples(np.asarray(inputs), np.asarray(targets), "the training part", classes=classes)


def test_sound_examples_pass():
    check(np.zeros((4, 2)), [0.0, 1.0, 2.0, 3.0])
    check(np.zeros((4, 2), np.uint8), [0, 1, 1, 0], classes=True)


def test_a_value_that_is_not_finite_is_told_with_its_place_and_count():
    inputs = np.zeros((5, 3))
    inputs[2, 1] = np.nan
    with pytest.raises(
        DataError, match=r"inputs of the training part: 1 value.*nan, at row 2, column 1"
    ):
        check(inputs, np.zeros(5))
    inputs[4, 0] = np.inf
    with pytest.raises(DataError, match=r"2 values are not finite.*row 2, column 1"):
        check(inputs, np.zeros(5))


def test_targets_that_are_not_finite_are_refused():
    with pytest.raises(DataError, match=r"targets of the training part: 1 value.*-inf, at row 1"):
        check(np.zeros((2, 1)), [0.0, -np.inf])


@pytest.mark.parametrize(
    ("inputs", "targets", "classes", "message"),
    [
        (np.zeros((3, 1)), [0.0, 1.0], False, "3 inputs but 2 targets"),
        (np.zeros((0, 1)), [], False, "there are no examples"),
        (np.float64(1), [1.0], False, "first axis counts examples"),
        (np.array([["a"], ["b"]]), [0, 1], False, "must be real numbers; got type <U1"),
        (np.zeros((2, 1)), [1j, 0], False, "must be real numbers"),
        (np.zeros((3, 1)), [1, 1, 1], True, "all examples are of one class, 1"),
        (np.zeros((2, 1)), [-1, 1], True, "labels count from 0; got -1"),
        (np.zeros((2, 1)), [0.5, 1], True, "must be whole numbers; got 0.5"),
        (np.zeros((2, 1)), [[0, 1], [1, 0]], True, r"must have one axis; got shape \(2, 2\)"),
    ],
)
def test_each_broken_rule_is_named(inputs, targets, classes, message):
    with pytest.raises(DataError, match=message):
        check(inputs, targets, classes)
