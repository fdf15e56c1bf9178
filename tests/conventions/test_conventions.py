"""What the frameworks mean by their settings: each difference measured, each translation exact.

The figures are those of ``docs/conventions.md``; a test keeps each true.
"""

import jax
import numpy as np
import pytest
import torch
from tests.conventions._run import (
    farthest,
    gradients,
    keras_variables,
    run_jax,
    run_keras,
    run_numpy,
    run_torch,
    start,
    torch_parameters,
)

import descenso.numpy
from descenso import rules, schedules
from descenso.conventions import adopt, convert_state
from descenso.conventions._recipe import as_array
from descenso.errors import ConventionError

EXACT = 1e-14


@pytest.fixture(autouse=True)
def x64():
    with jax.enable_x64(True):
        yield


def in_torch(name, **settings):
    parameters = torch_parameters()
    return run_torch(getattr(torch.optim, name)(parameters, **settings), parameters, gradients())


def in_keras(name, **settings):
    import keras

    made = getattr(keras.optimizers, name)(**settings)
    return run_keras(made, keras_variables(), gradients())


def in_optax(name, **settings):
    import optax

    return run_jax(getattr(optax, name)(**settings), start(), None, gradients())[0]


def ours(rule, **settings):
    return run_numpy(getattr(descenso.numpy, rule)(**settings), start(), None, gradients())


# --- momentum -------------------------------------------------------------------------------


def test_averaging_momentum_is_a_heavy_ball_at_a_smaller_rate():
    averaging = ours("momentum", lr=0.5, beta=0.9)
    assert farthest(averaging, in_torch("SGD", lr=0.05, momentum=0.9)) <= EXACT
    assert farthest(averaging, in_optax("sgd", learning_rate=0.05, momentum=0.9)) <= EXACT


def test_dampening_in_torch_leaves_the_first_gradient_whole():
    averaging = ours("momentum", lr=0.5, beta=0.9)
    dampened = in_torch("SGD", lr=0.5, momentum=0.9, dampening=0.9)
    assert farthest(averaging, dampened) > 0.4
    first = schedules.join([0.0, 0.9], at=[1])
    assert farthest(ours("momentum", lr=0.5, beta=0.9, dampening=first), dampened) <= EXACT


def test_a_buffer_of_zeros_makes_torchs_dampening_averaging():
    parameters = torch_parameters()
    optimizer = torch.optim.SGD(parameters, lr=0.5, momentum=0.9, dampening=0.9)
    for p in parameters:
        optimizer.state[p]["momentum_buffer"] = torch.zeros_like(p)
    filled = run_torch(optimizer, parameters, gradients())
    assert farthest(ours("momentum", lr=0.5, beta=0.9), filled) <= EXACT


def test_optaxs_ema_debiases_unless_told_not_to():
    import optax

    averaging = ours("momentum", lr=0.5, beta=0.9)
    chain = [optax.chain(optax.ema(0.9, debias=d), optax.scale(-0.5)) for d in (True, False)]
    debiased, plain = (run_jax(c, start(), None, gradients())[0] for c in chain)
    assert farthest(averaging, debiased) > 0.4
    assert farthest(averaging, plain) <= EXACT


def test_under_a_schedule_keras_keeps_the_rate_inside_the_velocity():
    import keras
    import optax

    decay = schedules.exponential(0.05, 0.8, every=5)
    rate = keras.optimizers.schedules.ExponentialDecay(
        np.float64(0.05), np.float64(5), np.float64(0.8)
    )
    inside = in_keras("SGD", learning_rate=rate, momentum=np.float64(0.9))
    outside = in_optax("sgd", learning_rate=decay, momentum=0.9)
    assert farthest(inside, outside) > 1e-2
    trace = optax.chain(
        optax.scale_by_schedule(decay), optax.trace(float(np.float32(0.9))), optax.scale(-1.0)
    )
    nearest = run_jax(trace, start(), None, gradients())[0]
    assert farthest(inside, nearest) <= 1e-5  # Keras rounds μ and its rates to float32


def test_nesterov_is_the_same_everywhere_at_a_constant_rate():
    mine = ours("nesterov", lr=0.05, beta=0.9)
    assert farthest(mine, in_torch("SGD", lr=0.05, momentum=0.9, nesterov=True)) <= EXACT
    theirs = in_optax("sgd", learning_rate=0.05, momentum=0.9, nesterov=True)
    assert farthest(mine, theirs) <= EXACT
    rounded = {"lr": float(np.float32(0.05)), "beta": float(np.float32(0.9))}
    keras = in_keras("SGD", learning_rate=0.05, momentum=0.9, nesterov=True)
    assert farthest(ours("nesterov", **rounded), keras) <= EXACT


# --- RMSprop --------------------------------------------------------------------------------


def test_rmsprops_epsilon_stands_beside_the_root_in_torch_and_inside_it_in_keras():
    common = {"lr": 0.05, "beta": 0.9}
    beside = ours("rmsprop", eps=0.3, eps_root=0.0, **common)
    inside = ours("rmsprop", eps=0.0, eps_root=0.3, **common)
    assert farthest(beside, inside) > 0.05
    assert farthest(beside, in_torch("RMSprop", lr=0.05, alpha=0.9, eps=0.3)) <= EXACT
    assert farthest(inside, in_optax("rmsprop", learning_rate=0.05, eps=0.3)) <= EXACT
    theirs = in_optax("rmsprop", learning_rate=0.05, eps=0.3, eps_in_sqrt=False)
    assert farthest(beside, theirs) <= EXACT
    rounded = {**common, "lr": float(np.float32(0.05))}
    keras = in_keras("RMSprop", learning_rate=0.05, epsilon=0.3)
    assert farthest(ours("rmsprop", eps=0.0, eps_root=0.3, **rounded), keras) <= EXACT


def test_rmsprops_velocity_holds_the_rate_in_optax_and_not_in_torch():
    decay = schedules.exponential(0.05, 0.8, every=5)
    common = {"beta": 0.9, "eps": 0.3, "eps_root": 0.0, "momentum": 0.8}
    outside = ours("rmsprop", lr=decay, **common)
    inside = in_optax("rmsprop", learning_rate=decay, eps=0.3, eps_in_sqrt=False, momentum=0.8)
    assert farthest(outside, inside) > 1e-2
    ratio = lambda k: 0.8 * decay(max(k - 1, 0)) / decay(k)  # noqa: E731
    assert farthest(ours("rmsprop", lr=decay, **{**common, "momentum": ratio}), inside) <= EXACT


CONSTANT = np.linspace(0.1, 3, 64, dtype=np.float32)


def centered_in_torch():
    p = torch.nn.Parameter(torch.zeros(64))
    optimizer = torch.optim.RMSprop([p], lr=0.01, alpha=0.9, eps=1e-8, centered=True)
    for _ in range(400):
        p.grad = torch.tensor(CONSTANT)
        optimizer.step()
    return p.detach().numpy()


def centered_in_keras():
    import keras

    variable = keras.Variable(np.zeros(64), dtype="float32")
    optimizer = keras.optimizers.RMSprop(0.01, rho=0.9, epsilon=1e-8, centered=True)
    for _ in range(400):
        optimizer.apply([keras.ops.convert_to_tensor(CONSTANT)], [variable])
    return as_array(variable.value)


def centered_in_optax():
    import jax.numpy as jnp
    import optax

    optimizer, theta = optax.rmsprop(0.01, centered=True, eps=1e-8), jnp.zeros(64, jnp.float32)
    state, update = optimizer.init(theta), jax.jit(optimizer.update)
    for _ in range(400):
        step, state = update(jnp.asarray(CONSTANT), state)
        theta = theta + step
    return np.asarray(theta)


@pytest.mark.parametrize("theirs", [centered_in_torch, centered_in_keras, centered_in_optax])
def test_centered_rmsprop_is_nan_elsewhere_on_constant_gradients(theirs):
    assert np.isnan(theirs()).any()


@pytest.mark.parametrize("where", [{"eps": 1e-8, "eps_root": 0.0}, {"eps_root": 1e-8}])
def test_centered_rmsprop_stays_finite_here_on_constant_gradients(where):
    optimizer = descenso.numpy.rmsprop(lr=0.01, centered=True, **where)
    theta = np.zeros(64, np.float32)
    state = optimizer.start(theta)
    for _ in range(400):
        theta, state = optimizer.step(theta, CONSTANT, state)
    assert np.isfinite(theta).all()


# --- Adam -----------------------------------------------------------------------------------


def test_adams_epsilon_stands_before_the_correction_in_keras():
    common = {"beta1": 0.5, "beta2": 0.75}  # exact in float32, which Keras corrects with
    rate = float(np.float32(0.05))
    keras = in_keras("Adam", learning_rate=0.05, beta_1=0.5, beta_2=0.75, epsilon=0.3)
    plain = ours("adam", lr=rate, eps=0.3, **common)
    assert farthest(plain, keras) > 1e-2
    eps = schedules.uncorrected(0.3, beta=0.75)
    assert farthest(ours("adam", lr=rate, eps=eps, **common), keras) <= EXACT
    settings = {"learning_rate": rate, "b1": 0.5, "b2": 0.75, "eps": 0.3}
    assert farthest(plain, in_optax("adam", **settings)) <= EXACT
    assert farthest(plain, in_torch("Adam", lr=rate, betas=(0.5, 0.75), eps=0.3)) <= EXACT


def test_keras_corrects_with_factors_rounded_to_float32():
    eps = schedules.uncorrected(0.3, beta=0.999)
    rate, (b1, b2) = float(np.float32(0.05)), (float(np.float32(b)) for b in (0.9, 0.999))
    keras = in_keras("Adam", learning_rate=0.05, epsilon=0.3)
    assert 1e-7 < farthest(ours("adam", lr=rate, eps=eps), keras) < 1e-4
    lr = schedules.rounded_correction(rate, 0.9, 0.999, b1, b2)
    assert farthest(ours("adam", lr=lr, eps=eps), keras) <= EXACT


def test_amsgrad_keeps_the_raw_maximum_in_torch_and_keras_and_the_corrected_one_in_optax():
    settings = {"lr": 0.05, "beta1": 0.5, "beta2": 0.75, "eps": 0.3}
    mine = ours("amsgrad", **settings)
    theirs = in_torch("Adam", lr=0.05, betas=(0.5, 0.75), eps=0.3, amsgrad=True)
    assert farthest(mine, theirs) <= EXACT
    optax = in_optax("amsgrad", learning_rate=0.05, b1=0.5, b2=0.75, eps=0.3)
    assert farthest(mine, optax) > 1e-4
    eps = schedules.uncorrected(0.3, beta=0.75)
    rate = float(np.float32(0.05))
    keras = in_keras("Adam", learning_rate=0.05, beta_1=0.5, beta_2=0.75, epsilon=0.3, amsgrad=True)
    assert farthest(ours("amsgrad", **{**settings, "lr": rate, "eps": eps}), keras) <= EXACT


def test_adamws_default_decay_differs_by_framework():
    import inspect

    import keras
    import optax

    def default(function):
        return inspect.signature(function).parameters["weight_decay"].default

    found = [default(f) for f in (torch.optim.AdamW, keras.optimizers.AdamW, optax.adamw)]
    assert found == [1e-2, 4e-3, 1e-4]
    assert rules.get("adamw").hyperparameters["weight_decay"].default == 1e-2


def test_weight_decay_is_in_the_gradient_in_torch_and_outside_it_in_keras():
    coupled = in_torch("Adam", lr=0.05, weight_decay=0.1, eps=0.3)
    decoupled = in_torch("AdamW", lr=0.05, weight_decay=0.1, eps=0.3)
    assert farthest(coupled, decoupled) > 1e-2
    import optax

    chain = optax.chain(optax.add_decayed_weights(0.1), optax.adam(0.05, eps=0.3))
    assert farthest(coupled, run_jax(chain, start(), None, gradients())[0]) <= EXACT
    assert farthest(ours("adamw", lr=0.05, weight_decay=0.1, eps=0.3), decoupled) <= EXACT


# --- bfloat16 and counting ------------------------------------------------------------------


def test_bfloat16_rounds_beta2_to_one_unless_state_is_float32():
    assert torch.tensor(0.999, dtype=torch.bfloat16).item() == 1.0
    p = torch.nn.Parameter(torch.ones(1, dtype=torch.bfloat16))
    optimizer = torch.optim.Adam([p], lr=1e-3)
    mine = torch.nn.Parameter(torch.ones(1, dtype=torch.bfloat16))
    adopted = adopt(torch.optim.Adam([mine], lr=1e-3))
    for _ in range(2000):
        for q in (p, mine):
            q.grad = torch.full_like(q, 1.0)
        optimizer.step()
        adopted.step()
    theirs, kept = optimizer.state[p]["exp_avg_sq"].item(), adopted.state[mine]["v"].item()
    assert theirs < 0.6  # it sticks where 0.001 of the rest is less than half a digit
    assert kept == pytest.approx(1 - 0.999**2000, rel=1e-3)


def test_schedules_count_updates_under_gradient_accumulation():
    import keras

    import descenso.keras

    decay = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    theirs = keras.optimizers.SGD(decay, gradient_accumulation_steps=3)
    mine = descenso.keras.GradientDescent(decay, gradient_accumulation_steps=3)
    run_keras(theirs, keras_variables(), gradients(0, 6))
    run_keras(mine, keras_variables(), gradients(0, 6))
    assert float(mine.learning_rate) == pytest.approx(0.1 * 0.5**2)
    assert float(theirs.learning_rate) in (
        pytest.approx(0.1 * 0.5**6),
        pytest.approx(0.1 * 0.5**2),
    )


# --- state ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("torch_name", "torch_settings", "keras_name", "keras_settings"),
    [
        ("Adam", {"lr": 0.1}, "Adam", {"learning_rate": 0.05}),
        ("Adam", {"amsgrad": True}, "Adam", {"amsgrad": True}),
        ("SGD", {"lr": 0.1, "momentum": 0.9}, "SGD", {"learning_rate": 0.05, "momentum": 0.9}),
        (
            "RMSprop",
            {"momentum": 0.8, "centered": True},
            "RMSprop",
            {"momentum": 0.8, "centered": True},
        ),
    ],
)
def test_state_goes_from_torch_to_keras_and_back(
    torch_name, torch_settings, keras_name, keras_settings
):
    import keras

    parameters = torch_parameters()
    source = getattr(torch.optim, torch_name)(parameters, **torch_settings)
    run_torch(source, parameters, gradients(0, 7))
    middle = getattr(keras.optimizers, keras_name)(**keras_settings)
    middle.build(keras_variables())
    convert_state(source, middle)
    twin = getattr(torch.optim, torch_name)(torch_parameters(), **torch_settings)
    convert_state(middle, twin)
    if torch_name != "SGD":  # which counts no steps
        assert int(middle.iterations) == 7
    for p, q in zip(parameters, twin.param_groups[0]["params"], strict=True):
        assert source.state[p].keys() == twin.state[q].keys()
        for name, value in source.state[p].items():
            np.testing.assert_allclose(as_array(value), as_array(twin.state[q][name]), rtol=1e-14)


def test_states_of_different_rules_do_not_convert():
    import keras

    parameters = torch_parameters()
    source = torch.optim.Adam(parameters)
    run_torch(source, parameters, gradients(0, 2))
    target = keras.optimizers.RMSprop()
    target.build(keras_variables())
    with pytest.raises(ConventionError, match="their states differ"):
        convert_state(source, target)
    with pytest.raises(ConventionError, match="build the Keras optimizer"):
        convert_state(source, keras.optimizers.Adam())
    centered = torch.optim.RMSprop(parameters, centered=True)
    with pytest.raises(ConventionError, match="centered is set in one only"):
        convert_state(centered, target)
