"""Your own Flax module, with dropout and batch normalisation: which optimizer should train it?

Run it with ``descenso compare examples/own/flax_model.py:problem``.
"""

import flax.linen as nn
import jax.numpy as jnp
import optax
from sklearn.datasets import load_digits

from descenso.problems import Variables, from_jax


class Network(nn.Module):
    """64-32-10 with batch normalisation and dropout."""

    @nn.compact
    def __call__(self, inputs, train=False):
        """Return a score for each class."""
        hidden = nn.Dense(32)(inputs)
        hidden = nn.relu(nn.BatchNorm(use_running_average=not train, momentum=0.9)(hidden))
        return nn.Dense(10)(nn.Dropout(0.2, deterministic=not train)(hidden))


network = Network()


def init(key):
    """Return what is trained, and what training carries along: the moving averages."""
    fresh = network.init(key, jnp.zeros((1, 64)))
    return Variables(fresh["params"], fresh["batch_stats"])


def apply(variables, inputs):
    """Evaluate: no dropout, moving averages as they are."""
    return network.apply({"params": variables.trained, "batch_stats": variables.carried}, inputs)


def train_loss(variables, inputs, targets, key):
    """Return the loss of a training step, and the moving averages after it."""
    outputs, state = network.apply(
        {"params": variables.trained, "batch_stats": variables.carried},
        inputs,
        train=True,
        rngs={"dropout": key},
        mutable=["batch_stats"],
    )
    loss = optax.softmax_cross_entropy_with_integer_labels(outputs, targets).mean()
    return loss, state["batch_stats"]


digits = load_digits()
problem = from_jax(
    init,
    apply,
    (digits.data / 16, digits.target),
    train_loss=train_loss,
    name="flax-digits",
    epochs=10,
)
