"""Keras trains compiled with transforms and schedules, and goes on exactly from a saved model."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys
import keras, numpy as np
import descenso.keras
from descenso import schedules, transforms

keras.utils.set_random_seed(0)
x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
y = x @ np.array([[1.0], [-2.0], [0.5], [3.0]], "float32")
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(8), keras.layers.Dense(1)])
chain = [
    transforms.clip_by_global_norm(1.0),
    transforms.decoupled_weight_decay(0.01),
    transforms.lookahead(every=3),
    transforms.moving_average(0.9),
]
lr = schedules.warmup(schedules.cosine(0.05, steps=100), steps=5)
model.compile(descenso.keras.Adam(lr, transforms=chain), "mse")
before = model.evaluate(x, y, verbose=0)
model.fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0)
model.save(sys.argv[1])
twin = keras.saving.load_model(sys.argv[1])
assert twin.optimizer.transforms == tuple(chain)
for m in (model, twin):
    m.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
for a, b in zip(model.get_weights(), twin.get_weights()):
    np.testing.assert_array_equal(a, b)
assert model.evaluate(x, y, verbose=0) < before / 2
numbers = [keras.ops.convert_to_numpy(a) for a in model.optimizer.averages()]
others = [keras.ops.convert_to_numpy(a) for a in twin.optimizer.averages()]
for a, b in zip(numbers, others):
    np.testing.assert_array_equal(a, b)
assert np.abs(numbers[0] - model.get_weights()[0]).max() > 0
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_a_saved_model_goes_on_exactly(backend, tmp_path):
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "model.keras")],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
