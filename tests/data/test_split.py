import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descenso import data
from descenso.data import Data, Split
from descenso.errors import DataError


def numbered(count, classes=None):
    inputs = np.arange(count, dtype=np.float32)[:, None]
    return inputs, np.arange(count) % classes if classes else inputs[:, 0]


def parts(whole):
    return whole.train, whole.validation, whole.test


@given(seed=st.integers(0, 2**63), count=st.integers(4, 200))
def test_every_example_is_in_exactly_one_part(seed, count):
    whole = data.split(*numbered(count), seed, stratify=False)
    seen = np.concatenate([part.inputs[:, 0] for part in parts(whole)])
    assert sorted(seen) == list(range(count))


@given(count=st.integers(4, 500))
def test_the_parts_are_60_20_20_to_within_one_example(count):
    whole = data.split(*numbered(count), 0, stratify=False)
    for part, share in zip(parts(whole), (0.6, 0.2, 0.2), strict=True):
        assert abs(len(part) - share * count) < 1


@given(seed=st.integers(0, 1000), classes=st.integers(2, 7))
def test_a_stratified_split_keeps_the_share_of_each_class(seed, classes):
    whole = data.split(*numbered(20 * classes, classes), seed, stratify=True)
    for part, share in zip(parts(whole), (12, 4, 4), strict=True):
        assert np.bincount(part.targets).tolist() == [share] * classes


def test_classes_of_uneven_size_still_give_a_whole_of_60_20_20():
    labels = np.repeat(
        np.arange(6), 7
    )  # 42 examples: rounding each class by itself would give 24, 12, 6
    whole = data.split(np.zeros((42, 1)), labels, 0, stratify=True)
    assert [len(part) for part in parts(whole)] == [25, 9, 8]


def test_inputs_stay_with_their_targets():
    inputs, targets = numbered(50)
    whole = data.split(inputs, 2 * targets, 3, stratify=False)
    for part in parts(whole):
        np.testing.assert_array_equal(part.targets, 2 * part.inputs[:, 0])


def test_the_seed_decides_the_split_and_nothing_else_does():
    first, again, other = (
        data.split(*numbered(50), seed, stratify=False).train.inputs for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_too_few_examples_to_split_are_refused():
    with pytest.raises(DataError, match="3 examples are too few"):
        data.split(*numbered(3), 0, stratify=False)


def uneven_data(rng=None):
    rng = rng or np.random.default_rng(0)
    return Data(*(Split(rng.normal(5, 3, (30, 4)), rng.normal(9, 2, (30, 1))) for _ in range(3)))


def test_the_training_part_has_mean_0_and_deviation_1():
    train = data.standardise(uneven_data()).train.inputs
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(train.std(axis=0), 1, atol=1e-6)
    assert train.dtype == np.float32


def test_the_other_parts_are_scaled_with_the_training_figures():
    before = uneven_data()
    after = data.standardise_targets(data.standardise(before))
    mean, scale = before.train.inputs.mean(axis=0), before.train.inputs.std(axis=0)
    np.testing.assert_allclose(after.test.inputs, (before.test.inputs - mean) / scale, rtol=1e-4)
    mean, scale = before.train.targets.mean(), before.train.targets.std()
    np.testing.assert_allclose(after.test.targets, (before.test.targets - mean) / scale, rtol=1e-4)


def test_a_constant_column_becomes_zero_in_every_part():
    before = uneven_data()
    before.train.inputs[:, 2] = 0.1  # its computed deviation is a rounding error, not zero
    after = data.standardise(before)
    assert not after.train.inputs[:, 2].any()
    assert not after.test.inputs[:, 2].any()
