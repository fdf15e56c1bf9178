"""The operations on class labels and images, on the arrays of every framework."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from descenso import ops

LABELS = np.array([2, 0, 1], np.int32)
SCORES = np.array([[0.1, 0.2, 0.9], [3.0, 1.0, 2.0], [-2.0, -1.0, -3.0]], np.float32)


def keras_tensor(values):
    import keras

    return keras.ops.convert_to_tensor(values)


@pytest.mark.parametrize("make", [np.asarray, jnp.asarray, torch.tensor, keras_tensor])
def test_one_hot_marks_the_place_of_each_label_and_argmax_finds_it(make):
    labels, scores = make(LABELS), make(SCORES)
    xp = ops.namespace(scores)
    np.testing.assert_array_equal(np.asarray(xp.one_hot(labels, 3)), np.eye(3, dtype=bool)[LABELS])
    np.testing.assert_array_equal(np.asarray(xp.argmax(scores, axis=-1)), LABELS)
    assert np.asarray(xp.argmax(scores, axis=-1) == labels).all()


@pytest.mark.parametrize("make", [np.asarray, jnp.asarray, torch.tensor, keras_tensor])
def test_convolve_sums_what_lies_under_the_kernel(make):
    rng = np.random.default_rng(0)
    images, kernel = (rng.normal(size=s).astype(np.float32) for s in ((2, 5, 6, 3), (3, 3, 3, 4)))
    sums = sum(images[:, i : i + 3, j : j + 4] @ kernel[i, j] for i in range(3) for j in range(3))
    xp = ops.namespace(make(images))
    ours = np.asarray(xp.convolve(make(images), make(kernel)))
    np.testing.assert_allclose(ours, sums, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["numpy", "jax", "torch", "keras"])
def test_every_adapter_has_the_whole_list_and_nothing_else(name):
    import importlib

    adapter = importlib.import_module(f"descenso.ops.{name}")
    assert sorted(adapter.__all__) == sorted(ops.OPERATIONS)
    assert all(callable(getattr(adapter, operation)) for operation in ops.OPERATIONS)
