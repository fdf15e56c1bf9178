"""The transformations against optax, an independent implementation, and inside its combinators."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import descenso.jax
from descenso.testing import conformance

EQUALS = {
    "gradient descent": (descenso.jax.gradient_descent(0.05), optax.sgd(0.05)),
    "heavy ball": (
        descenso.jax.momentum(0.05, beta=0.8, dampening=0.0),
        optax.sgd(0.05, momentum=0.8),
    ),
    "averaging momentum": (
        descenso.jax.momentum(0.05, beta=0.8),
        optax.chain(optax.ema(0.8, debias=False), optax.scale(-0.05)),
    ),
    "nesterov": (
        descenso.jax.nesterov(0.05, beta=0.8),
        optax.sgd(0.05, momentum=0.8, nesterov=True),
    ),
    "rmsprop, ε inside the root": (
        descenso.jax.rmsprop(0.05, beta=0.7, eps_root=0.3),
        optax.rmsprop(0.05, decay=0.7, eps=0.3),
    ),
    "rmsprop, ε beside the root": (
        descenso.jax.rmsprop(0.05, beta=0.7, eps=0.3, eps_root=0.0),
        optax.rmsprop(0.05, decay=0.7, eps=0.3, eps_in_sqrt=False),
    ),
    "rmsprop, centered": (
        descenso.jax.rmsprop(0.05, beta=0.7, eps_root=0.3, centered=True),
        optax.rmsprop(0.05, decay=0.7, eps=0.3, centered=True),
    ),
    "rmsprop with momentum at a constant rate": (
        descenso.jax.rmsprop(0.05, beta=0.7, eps_root=0.3, momentum=0.6),
        optax.rmsprop(0.05, decay=0.7, eps=0.3, momentum=0.6),
    ),
    "adam": (
        descenso.jax.adam(0.05, beta1=0.7, beta2=0.95, eps=0.3, eps_root=0.2),
        optax.adam(0.05, b1=0.7, b2=0.95, eps=0.3, eps_root=0.2),
    ),
    "adamw": (
        descenso.jax.adamw(0.05, beta1=0.7, eps=0.3, weight_decay=0.3),
        optax.adamw(0.05, b1=0.7, eps=0.3, weight_decay=0.3),
    ),
}


def run(transformation, theta=None, all_grads=None):
    theta = jax.tree.map(jnp.asarray, theta or conformance.start())
    state = transformation.init(theta)
    update = jax.jit(transformation.update)
    for grads in all_grads or conformance.gradients():
        updates, state = update(jax.tree.map(jnp.asarray, grads), state, theta)
        theta = optax.apply_updates(theta, updates)
    return jax.tree.map(np.asarray, theta)


@pytest.mark.parametrize("case", EQUALS)
def test_a_rule_equals_its_counterpart_in_float64(case):
    ours, theirs = EQUALS[case]
    with jax.enable_x64(True):
        assert conformance.worst(run(ours), run(theirs)) <= 1e-13


def test_float32_is_as_close_to_float64_as_optax_is():
    random = np.random.default_rng(0)
    grads = [{"w": random.normal(size=64)} for _ in range(1000)]
    start = {"w": random.normal(size=64)}

    def single(tree):
        return jax.tree.map(lambda a: a.astype(np.float32), tree)

    with jax.enable_x64(True):
        exact = run(optax.adam(1e-3), start, grads)
    ours = run(descenso.jax.adam(1e-3), single(start), [single(g) for g in grads])
    theirs = run(optax.adam(1e-3), single(start), [single(g) for g in grads])
    assert conformance.worst(ours, exact) <= 1.5 * conformance.worst(theirs, exact)


def test_an_update_small_beside_its_parameter_keeps_its_precision():
    theta, g = jnp.full(3, 1e4), jnp.full(3, 0.1)
    transformation = descenso.jax.gradient_descent(1e-3)
    updates, _state = transformation.update(g, transformation.init(theta), theta)
    assert np.allclose(updates, -1e-4, rtol=1e-6)  # half a unit in the last place of 1e4 is 5e-4


def test_chain_masked_and_multi_transform_accept_the_rules():
    ours = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.masked(descenso.jax.adam(0.1), {"kernel": True, "bias": False, "gain": True}),
        optax.scale(0.5),
    )
    theirs = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.masked(optax.adam(0.1), {"kernel": True, "bias": False, "gain": True}),
        optax.scale(0.5),
    )
    labels = {"kernel": "a", "bias": "b", "gain": "a"}
    ours_by_label = optax.multi_transform(
        {"a": descenso.jax.adamw(0.1), "b": descenso.jax.momentum(0.1), "unused": ours}, labels
    )
    theirs_by_label = optax.multi_transform(
        {
            "a": optax.adamw(0.1, weight_decay=1e-2),
            "b": optax.chain(optax.ema(0.9, debias=False), optax.scale(-0.1)),
            "unused": theirs,
        },
        labels,
    )
    with jax.enable_x64(True):
        assert conformance.worst(run(ours), run(theirs)) <= 1e-13
        assert conformance.worst(run(ours_by_label), run(theirs_by_label)) <= 1e-13


def test_multi_steps_and_apply_if_finite_accept_the_rules():
    with jax.enable_x64(True):
        ours = run(optax.MultiSteps(descenso.jax.adam(0.1), 4))
        theirs = run(optax.MultiSteps(optax.adam(0.1), 4))
        assert conformance.worst(ours, theirs) <= 1e-13
        ours = run(optax.apply_if_finite(descenso.jax.adam(0.1), 3))
        assert conformance.worst(ours, run(optax.adam(0.1))) <= 1e-13


def test_an_injected_learning_rate_changes_without_compiling_again():
    transformation = optax.inject_hyperparams(descenso.jax.adam)(lr=0.1)
    theta = jnp.ones(3)
    state = transformation.init(theta)
    update = jax.jit(transformation.update)
    first, state = update(theta, state, theta)
    state.hyperparams["lr"] = jnp.float32(0.01)
    state.hyperparams["beta2"] = jnp.float32(0.9)
    second, state = update(theta, state, theta)
    assert update._cache_size() == 1
    assert np.allclose(first, -0.1)
    assert np.all(np.abs(second) < 0.02)


def test_an_injected_momentum_of_zero_can_be_raised_later():
    transformation = optax.inject_hyperparams(descenso.jax.rmsprop)(lr=0.1)
    theta = jnp.ones(3)
    state = transformation.init(theta)
    update = jax.jit(transformation.update)
    _updates, state = update(theta, state, theta)
    state.hyperparams["momentum"] = jnp.float32(0.9)
    _updates, state = update(theta, state, theta)
    assert update._cache_size() == 1
    assert np.all(state.inner_state.slots["b"] > 1)


@pytest.mark.parametrize(
    "schedule", [optax.linear_schedule(0.1, 0.001, 50), lambda count: 0.1 / (count + 1)]
)
def test_a_schedule_counts_as_optax_counts(schedule):
    with jax.enable_x64(True):
        ours = run(descenso.jax.adam(schedule))
        assert conformance.worst(ours, run(optax.adam(schedule))) <= 1e-13
