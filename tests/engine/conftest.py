"""Small problems on which an engine can be checked against plain loops."""

import numpy as np
import pytest

from descenso.problems import Data, Metric, Problem, Split


def _data(seed: int, dtype: type = np.float32) -> Data:
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(60, 4)).astype(dtype)
    targets = np.tanh(inputs @ rng.normal(size=(4, 2))).astype(dtype)
    cut = [Split(inputs[a:b], targets[a:b]) for a, b in ((0, 36), (36, 48), (48, 60))]
    return Data(*cut)


def _init(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {"w": rng.normal(size=(4, 2)) * 0.5, "b": np.zeros(2)}


def _apply(params, inputs):
    return inputs @ params["w"] + params["b"]


def _mse(outputs, targets):
    return ((outputs - targets) ** 2).mean()


def _exploding(outputs, targets):
    return _mse(outputs, targets) ** 4


@pytest.fixture
def linear() -> Problem:
    """Four inputs, two outputs, squared loss: its gradient is known in closed form."""
    metric = Metric("mse", _mse, higher_is_better=False)
    return Problem("linear", "", _data, _init, _apply, _mse, metric, batch_size=8, epochs=3)


@pytest.fixture
def steep() -> Problem:
    """The same with a loss that blows up at once when the step is too long."""
    metric = Metric("mse", _mse, higher_is_better=False)
    return Problem("steep", "", _data, _init, _apply, _exploding, metric, batch_size=8, epochs=3)
