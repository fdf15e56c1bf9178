"""Run an optimizer of any framework for some steps on the same random float64 gradients."""

import numpy as np

from descenso.conventions._recipe import as_array

SHAPES = ((3, 2), (2,))
STEPS = 60


def start():
    random = np.random.default_rng(3)
    return [random.normal(size=shape) for shape in SHAPES]


def gradients(first=0, last=STEPS):
    random = np.random.default_rng(4)
    rows = [
        [random.normal(size=shape) * 10 ** random.uniform(-3, 1) for shape in SHAPES]
        for _ in range(STEPS)
    ]
    return rows[first:last]


def torch_parameters(values=None):
    import torch

    return [torch.nn.Parameter(torch.tensor(np.array(a))) for a in values or start()]


def run_torch(optimizer, parameters, rows):
    import torch

    for row in rows:
        for p, g in zip(parameters, row, strict=True):
            p.grad = torch.tensor(g)
        optimizer.step()
    return [p.detach().numpy().copy() for p in parameters]


def keras_variables(values=None):
    import keras

    return [keras.Variable(np.array(a), dtype="float64") for a in values or start()]


def run_keras(optimizer, variables, rows):
    import keras

    for row in rows:
        optimizer.apply([keras.ops.convert_to_tensor(g, "float64") for g in row], variables)
    return [as_array(v.value) for v in variables]


def run_jax(optimizer, params, state, rows):
    import jax.numpy as jnp

    params = [jnp.asarray(p) for p in params]
    state = optimizer.init(params) if state is None else state
    for row in rows:
        updates, state = optimizer.update([jnp.asarray(g) for g in row], state, params)
        params = [p + u for p, u in zip(params, updates, strict=True)]
    return [np.asarray(p) for p in params], state


def run_numpy(optimizer, thetas, state, rows):
    state = optimizer.start(thetas) if state is None else state
    for row in rows:
        thetas, state = optimizer.step(thetas, row, state)
    return thetas


def farthest(ours, theirs):
    """Return the largest difference between two lists of arrays."""
    return max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))
