"""Your own model in plain JAX: which optimizer should train it?

Run it with ``descenso compare examples/own/jax_model.py:problem``.
"""

import jax
import jax.numpy as jnp
from sklearn.datasets import load_wine

from descenso.problems import from_jax


def init(key):
    """Return fresh weights: a tree of arrays."""
    hidden, last = jax.random.split(key)
    return {
        "hidden": jax.random.normal(hidden, (13, 16)) * (2 / 13) ** 0.5,
        "last": jax.random.normal(last, (16, 3)) * (2 / 19) ** 0.5,
    }


def apply(params, inputs):
    """Return a score for each class, shape (examples, 3)."""
    return jax.nn.gelu(inputs @ params["hidden"]) @ params["last"]


wine = load_wine()
scaled = (wine.data - wine.data.mean(0)) / wine.data.std(0)
problem = from_jax(init, apply, (jnp.asarray(scaled), wine.target), name="wine-gelu", epochs=20)
