"""Transforms and schedules inside each framework's optimizers, against the formulas alone."""

import json
import subprocess
import sys

import numpy as np
import pytest
from tests.transforms._reference import start, train

from descenso import schedules, transforms
from descenso.errors import ParameterError, SettingError

CHAINS = {
    "clip": [transforms.clip_by_global_norm(0.5, eps=1e-6)],
    "coupled": [transforms.coupled_weight_decay([0.1, 0.0])],
    "decoupled": [transforms.decoupled_weight_decay(0.1)],
    "independent": [transforms.independent_weight_decay(schedules.cosine(0.01, 40))],
    "lookahead": [transforms.lookahead(every=5, share=0.3)],
    "average": [transforms.moving_average(0.9)],
    "debiased": [transforms.moving_average(0.9, debias=True)],
    "uniform": [transforms.uniform_average(begin=7, every=3)],
    "many": [
        transforms.clip_by_value(0.8),
        transforms.coupled_weight_decay(0.01),
        transforms.decoupled_weight_decay(0.1),
        transforms.lookahead(every=4),
        transforms.moving_average(0.9),
    ],
}
LR = schedules.warmup(schedules.cosine(0.05, steps=50, end=0.001), steps=8, start=0.01)
EPS = schedules.exponential(0.1, factor=0.9)


@pytest.fixture(autouse=True)
def x64():
    import jax

    with jax.enable_x64(True):
        yield


def expected(chain):
    thetas, kept = train(chain, lr=LR, eps=0.1)
    averages = None
    if any(name in repr(chain) for name in ("moving_average", "uniform_average")):
        averages = transforms.averages(chain, kept, 60)
    return thetas, averages


def same(ours, theirs, atol=1e-12):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(np.asarray(a), b, rtol=0, atol=atol)


@pytest.mark.parametrize("name", CHAINS)
def test_numpy_trains_as_the_formulas_say(name):
    import descenso.numpy

    optimizer = descenso.numpy.adam(lr=LR, eps=0.1, transforms=CHAINS[name])
    thetas, rows = start()
    state = optimizer.start(thetas)
    for row in rows:
        thetas, state = optimizer.step(thetas, row, state)
    right, averages = expected(CHAINS[name])
    same(thetas, right)
    if averages:
        same(optimizer.averages(state), averages)


def test_minimize_takes_schedules_and_transforms():
    from descenso.numpy import minimize

    path = minimize(
        lambda x: float(x @ x), lambda x: 2 * x, [3.0, 4.0], "gradient_descent", steps=40,
        lr=schedules.step_decay(0.5, every=10), transforms=[transforms.clip_by_global_norm(1.0)],
    )  # fmt: skip
    assert np.linalg.norm(path.points[1] - path.points[0]) == pytest.approx(0.5)
    assert np.linalg.norm(path.points[0] + path.gradients[0]) > 1  # the path keeps raw gradients


@pytest.mark.parametrize("name", CHAINS)
def test_jax_trains_as_the_formulas_say_inside_scan(name):
    import jax
    import jax.numpy as jnp

    import descenso.jax

    optimizer = descenso.jax.adam(lr=LR, eps=0.1, transforms=CHAINS[name])
    thetas, rows = start()
    stacked = [jnp.stack([row[i] for row in rows]) for i in range(2)]

    @jax.jit
    def run(params):
        def body(carry, grads):
            params, state = carry
            updates, state = optimizer.update(grads, state, params)
            return (descenso.jax.apply_updates(params, updates), state), None

        return jax.lax.scan(body, (params, optimizer.init(params)), stacked)[0]

    params, state = run([jnp.asarray(a) for a in thetas])
    right, averages = expected(CHAINS[name])
    same(params, right)
    if averages:
        same(descenso.jax.averaged(state, CHAINS[name]), averages)


@pytest.mark.slow
def test_a_transformed_rule_is_a_link_of_an_optax_chain():
    import jax.numpy as jnp
    import optax

    import descenso.jax

    chain = CHAINS["decoupled"]
    optimizer = optax.chain(optax.clip(0.5), descenso.jax.adam(lr=0.05, transforms=chain))
    params = [jnp.asarray(a) for a in start()[0]]
    state = optimizer.init(params)
    for row in start()[1]:
        updates, state = optimizer.update([jnp.asarray(g) for g in row], state, params)
        params = optax.apply_updates(params, updates)
    same(params, train([transforms.clip_by_value(0.5), *chain])[0])


def test_jax_leaves_everything_alone_where_a_gradient_is_not_finite():
    import jax.numpy as jnp

    import descenso.jax

    optimizer = descenso.jax.adam(transforms=CHAINS["many"], nonfinite="skip")
    params = [jnp.ones(3)]
    state = optimizer.init(params)
    updates, after = optimizer.update([jnp.full(3, jnp.nan)], state, params)
    assert not np.asarray(updates[0]).any()
    for before, now in zip(state.transforms, after.transforms, strict=True):
        for key, arrays in before.items():
            same(now[key], arrays)


def test_jax_asks_for_the_parameters():
    import jax.numpy as jnp

    import descenso.jax

    optimizer = descenso.jax.adam(transforms=CHAINS["clip"])
    state = optimizer.init([jnp.ones(2)])
    with pytest.raises(ParameterError, match="need the parameters"):
        optimizer.update([jnp.ones(2)], state)


KERAS = """
import json, sys
import keras, numpy as np
import descenso.keras
from descenso import schedules, transforms
from tests.transforms._reference import start
from tests.transforms.test_in_bindings import CHAINS, LR

if keras.backend.backend() == "jax":
    import jax
    jax.config.update("jax_enable_x64", True)
out = {}
for name, chain in CHAINS.items():
    thetas, rows = start()
    variables = [keras.Variable(a, dtype="float64") for a in thetas]
    made = descenso.keras.Adam(lr=LR, eps=0.1, transforms=chain)
    optimizer = type(made).from_config(json.loads(json.dumps(made.get_config())))
    for row in rows:
        grads = [keras.ops.convert_to_tensor(g, "float64") for g in row]
        optimizer.apply(grads, variables)
    out[name] = [v.numpy().tolist() for v in variables]
    if any("average" in t.name for t in chain):
        read = optimizer.averages()
        out[name] += [np.asarray(keras.ops.convert_to_numpy(a)).tolist() for a in read]
print(json.dumps(out))
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_keras_trains_as_the_formulas_say(backend):
    import os

    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", KERAS], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    # Keras on JAX computes settings in float32 unless all of JAX is set to 64 bits from the start.
    for name, arrays in json.loads(done.stdout.splitlines()[-1]).items():
        right, averages = expected(CHAINS[name])
        same(arrays, [*right, *(averages or [])], atol=1e-7 if backend == "jax" else 1e-12)


def test_a_single_transform_in_place_of_a_list_is_refused():
    import descenso.numpy

    with pytest.raises(SettingError, match="must be a list"):
        descenso.numpy.adam(transforms=transforms.clip_by_value(1.0))
