"""The rules as optimizers of NumPy arrays, alone or in nested collections."""

import numpy as np
import pytest

import descenso.numpy
from descenso.errors import ParameterError, SettingError


def test_nested_collections_step_as_their_arrays_do_alone():
    theta = {"layers": [np.ones((2, 3)), np.zeros(3)], "bias": np.full(2, 5.0)}
    grads = {"layers": [np.full((2, 3), 0.1), np.ones(3)], "bias": np.full(2, -1.0)}
    optimizer = descenso.numpy.adam(lr=0.1)
    new, state = optimizer.step(theta, grads, optimizer.start(theta))
    alone, _state = optimizer.step(
        theta["layers"][1], grads["layers"][1], optimizer.start(theta["layers"][1])
    )
    assert list(new) == ["layers", "bias"]
    assert np.array_equal(new["layers"][1], alone)
    assert state.steps == 1
    assert np.all(theta["bias"] == 5.0)  # nothing is changed in place


def test_float16_arrays_have_float32_state_and_keep_their_type():
    optimizer = descenso.numpy.adam(lr=0.1)
    theta = np.ones(3, np.float16)
    state = optimizer.start(theta)
    for _step in range(200):
        theta, state = optimizer.step(theta, theta, state)
    assert theta.dtype == np.float16
    assert state.slots[0]["v"].dtype == np.float32
    assert np.all(np.abs(theta) < 0.05)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_nonfinite_gradient_passes_is_skipped_or_raises(bad):
    theta, g = {"w": np.ones(2)}, {"w": np.array([1.0, bad])}
    passing = descenso.numpy.momentum()
    assert not np.all(np.isfinite(passing.step(theta, g, passing.start(theta))[0]["w"]))
    skipping = descenso.numpy.momentum(nonfinite="skip")
    start = skipping.start(theta)
    new, state = skipping.step(theta, g, start)
    assert np.array_equal(new["w"], theta["w"])
    assert state.steps == 0
    raising = descenso.numpy.momentum(nonfinite="raise")
    with pytest.raises(ParameterError, match=r"theta\['w'\] is not finite"):
        raising.step(theta, g, raising.start(theta))


def test_bad_input_is_refused_by_name():
    adam = descenso.numpy.adam()
    theta = {"w": np.ones(2)}
    state = adam.start(theta)
    with pytest.raises(ParameterError, match=r"parameter theta\['n'\] .* int64"):
        adam.start({"n": np.arange(3)})
    for nothing in ({}, []):
        with pytest.raises(ParameterError, match="no parameters"):
            adam.start(nothing)
    with pytest.raises(ParameterError, match=r"theta\['w'\] has shape \(3,\)"):
        adam.step(theta, {"w": np.ones(3)}, state)
    with pytest.raises(ParameterError, match=r"gradients are of \(theta\['v'\]\)"):
        adam.step(theta, {"v": np.ones(2)}, state)
    with pytest.raises(ParameterError, match="the state is not one"):
        adam.step(theta, theta, descenso.numpy.momentum().start(theta))
    with pytest.raises(SettingError, match="nonfinite must be"):
        descenso.numpy.adam(nonfinite="stop")
    with pytest.raises(SettingError, match="Did you mean 'beta1'"):
        descenso.numpy.adam(bet1=0.5)
    with pytest.raises(AttributeError, match="no attribute 'no_such_rule'"):
        descenso.numpy.no_such_rule  # noqa: B018
