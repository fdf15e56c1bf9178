"""Your own Equinox module, with dropout: which optimizer should train it?

Run it with ``descenso compare examples/own/equinox_model.py:problem``.
"""

import equinox as eqx
import jax
import optax
from sklearn.datasets import load_digits

from descenso.problems import Variables, from_jax


class Network(eqx.Module):
    """64-32-10 with dropout."""

    hidden: eqx.nn.Linear
    last: eqx.nn.Linear
    dropout: eqx.nn.Dropout

    def __init__(self, key):
        one, other = jax.random.split(key)
        self.hidden = eqx.nn.Linear(64, 32, key=one)
        self.last = eqx.nn.Linear(32, 10, key=other)
        self.dropout = eqx.nn.Dropout(0.2)

    def __call__(self, pixels, key=None):
        """Return a score for each class of one image; dropout only with a key."""
        hidden = jax.nn.relu(self.hidden(pixels))
        return self.last(self.dropout(hidden, key=key, inference=key is None))


# An Equinox module holds more than arrays: only the arrays are trained.
static = eqx.partition(Network(jax.random.key(0)), eqx.is_inexact_array)[1]


def init(key):
    """Return what is trained; nothing is carried along."""
    return Variables(eqx.filter(Network(key), eqx.is_inexact_array), ())


def apply(variables, inputs):
    """Evaluate: no dropout."""
    return jax.vmap(eqx.combine(variables.trained, static))(inputs)


def train_loss(variables, inputs, targets, key):
    """Return the loss of a training step, with a key for each example."""
    network = eqx.combine(variables.trained, static)
    outputs = jax.vmap(network)(inputs, jax.random.split(key, len(inputs)))
    return optax.softmax_cross_entropy_with_integer_labels(outputs, targets).mean(), ()


digits = load_digits()
problem = from_jax(
    init,
    apply,
    (digits.data / 16, digits.target),
    train_loss=train_loss,
    name="equinox-digits",
    epochs=10,
)
