"""Networks that train in ways of their own."""

from __future__ import annotations

import numpy as np
import pytest

from descenso import problems


@pytest.fixture(scope="module")
def torch_digits():
    torch = pytest.importorskip("torch")
    from sklearn.datasets import load_digits

    digits = load_digits()

    def make_model():
        return torch.nn.Sequential(
            torch.nn.Unflatten(1, (1, 8, 8)), torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4),
            torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Dropout(0.2), torch.nn.Linear(144, 10),
        )  # fmt: skip

    return problems.from_torch(
        make_model, (digits.data.astype("float32") / 16, digits.target), epochs=3
    )


@pytest.fixture(scope="module")
def carrying():
    """A JAX problem that carries a moving average along, and draws."""
    import jax

    from descenso.problems import Variables, from_jax

    def init(key):
        drawn = jax.random.normal(key, (3, 2)) * 0.1
        return Variables(
            {"weight": drawn}, {"mean": np.zeros(3, np.float32), "count": np.zeros((), int)}
        )

    def apply(variables, inputs):
        return (inputs - variables.carried["mean"]) @ variables.trained["weight"]

    def train_loss(variables, inputs, targets, key):
        mean = inputs.mean(axis=0)
        noise = 1 + 0.1 * jax.random.normal(key, inputs.shape)
        outputs = (inputs - mean) * noise @ variables.trained["weight"]
        kept = {"mean": 0.9 * variables.carried["mean"] + 0.1 * mean,
                "count": variables.carried["count"] + 1}  # fmt: skip
        return ((outputs - targets) ** 2).mean(), kept

    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(80, 3)) + 2
    return from_jax(
        init, apply, (inputs, (inputs - 2) @ rng.normal(size=(3, 2))), loss="mse",
        train_loss=train_loss,
    )  # fmt: skip
