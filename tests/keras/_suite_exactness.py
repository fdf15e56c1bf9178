"""The optimizers against the rule itself and against Keras's own, in float64.

Keras on TensorFlow takes its settings through float32, so those compared with it are numbers that
float32 holds exactly.
"""

import keras
import numpy as np
from keras import ops

import descenso.keras
from descenso import rules
from descenso.conventions import adopt
from descenso.testing import check_rule, conformance


def run(make, steps=conformance.STEPS):
    """Return where the optimizer that ``make()`` gives ends, from the suite's start."""
    with conformance.keras_in_float64():
        optimizer = make()
        theta = {
            name: keras.Variable(array, dtype="float64", name=name)
            for name, array in conformance.start().items()
        }
        for grads in conformance.gradients()[:steps]:
            optimizer.apply([ops.convert_to_tensor(grads[k]) for k in theta], list(theta.values()))
        return {name: ops.convert_to_numpy(v) for name, v in theta.items()}


def assert_equal(ours, theirs, tolerance=1e-13, steps=conformance.STEPS):
    difference = conformance.worst(run(ours, steps), run(theirs, steps))
    assert difference <= tolerance, difference


def eps_after_correction(eps, beta2):
    """Return the ε that, beside the root of v̂, stands for Keras's beside the root of v."""
    return lambda updates: eps / ops.sqrt(1 - beta2 ** (ops.cast(updates, "float64") + 1))


def check_every_rule_conforms():
    for name in rules.names():
        assert check_rule(name, ["keras"])["keras"] <= conformance.TOLERANCE


def check_gradient_descent_equals_keras():
    assert_equal(lambda: descenso.keras.GradientDescent(0.05), lambda: keras.optimizers.SGD(0.05))


def check_heavy_ball_and_nesterov_equal_keras():
    for nesterov, ours in ((False, descenso.keras.Momentum), (True, descenso.keras.Nesterov)):
        assert_equal(
            lambda ours=ours: ours(0.05, beta=0.75, dampening=0.0),
            lambda nesterov=nesterov: keras.optimizers.SGD(0.05, 0.75, nesterov=nesterov),
        )


def check_rmsprop_equals_keras():
    for options in ({}, {"centered": True}, {"momentum": 0.6}):
        assert_equal(
            lambda o=options: descenso.keras.RMSprop(0.05, beta=0.7, eps_root=0.3, **o),
            lambda o=options: keras.optimizers.RMSprop(0.05, 0.7, epsilon=0.3, **o),
        )


def check_adam_and_adamw_equal_keras_with_its_eps_rescaled():
    eps = eps_after_correction(0.25, 0.9375)
    assert_equal(
        lambda: descenso.keras.Adam(0.05, beta1=0.75, beta2=0.9375, eps=eps),
        lambda: keras.optimizers.Adam(0.05, 0.75, 0.9375, epsilon=0.25),
    )
    assert_equal(
        lambda: descenso.keras.AdamW(0.05, beta1=0.75, beta2=0.9375, eps=eps, weight_decay=0.25),
        lambda: keras.optimizers.AdamW(0.05, 0.25, 0.75, 0.9375, epsilon=0.25),
    )


def check_clipping_ema_and_decay_are_those_of_keras():
    for options in (
        {"clipnorm": 0.5},
        {"clipvalue": 0.125},
        {"global_clipnorm": 0.5},
        {"weight_decay": 0.25},
        {"use_ema": True, "ema_momentum": 0.75, "ema_overwrite_frequency": 7},
        {"loss_scale_factor": 8.0},
    ):
        assert_equal(
            lambda o=options: descenso.keras.GradientDescent(0.05, **o),
            lambda o=options: keras.optimizers.SGD(0.05, **o),
            tolerance=1e-12,
        )


def check_accumulated_gradients_step_as_those_of_keras():
    for options in ({}, {"clipnorm": 0.5}, {"weight_decay": 0.25}):
        assert_equal(
            lambda o=options: descenso.keras.RMSprop(
                0.05, eps_root=0.3, gradient_accumulation_steps=4, **o
            ),
            lambda o=options: keras.optimizers.RMSprop(
                0.05, 0.9, epsilon=0.3, gradient_accumulation_steps=4, **o
            ),
            steps=40,
        )


def check_schedules_count_updates_also_under_accumulation():
    asked = descenso.keras.GradientDescent(
        keras.optimizers.schedules.PiecewiseConstantDecay([0, 1], [1.0, 0.5, 0.25]),
        gradient_accumulation_steps=2,
    )
    weight = keras.Variable(np.zeros(1), dtype="float32")
    seen = []
    for _batch in range(6):
        asked.apply([ops.ones(1)], [weight])
        seen.append(float(ops.convert_to_numpy(weight)[0]))
    assert np.allclose(seen, [0, -1, -1, -1.5, -1.5, -1.75]), seen


def check_a_schedule_of_keras_gives_the_same_path():
    def schedule():
        return keras.optimizers.schedules.ExponentialDecay(0.05, 10, 0.5)

    assert_equal(
        lambda: descenso.keras.GradientDescent(schedule()),
        lambda: keras.optimizers.SGD(schedule()),
    )


def check_every_numeric_setting_may_be_a_schedule():
    assert_equal(
        lambda: descenso.keras.Adam(lr=lambda n: 0.1, beta1=lambda n: 0.8, eps_root=lambda n: 0.2),
        lambda: descenso.keras.Adam(lr=0.1, beta1=0.8, eps_root=0.2),
    )


def check_own_weight_decay_is_not_applied_twice_and_honours_exclusions():
    def excluding():
        optimizer = descenso.keras.AdamW(0.05, weight_decay=0.5)
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        return optimizer

    mixed = run(excluding)
    plain = run(lambda: descenso.keras.Adam(0.05))
    decayed = run(lambda: descenso.keras.AdamW(0.05, weight_decay=0.5))
    assert np.allclose(mixed["bias"], plain["bias"], rtol=1e-12)
    assert np.array_equal(mixed["kernel"], decayed["kernel"])
    assert not np.allclose(mixed["kernel"], plain["kernel"])


def check_an_optimizer_of_keras_is_adopted_exactly_in_mid_training():
    theirs = keras.optimizers
    near = 1e-6 if keras.config.backend() == "jax" else 1e-12  # there ε_t is computed in float32
    for make in (
        lambda: theirs.SGD(0.01, 0.9, nesterov=True),
        lambda: theirs.RMSprop(0.01, centered=True, momentum=0.5, epsilon=0.3),
        lambda: theirs.Adam(0.01, epsilon=0.3),
        lambda: theirs.SGD(0.01, weight_decay=0.01),
        lambda: theirs.AdamW(0.01, weight_decay=0.1, epsilon=0.3),
        lambda: theirs.Adam(0.01, amsgrad=True, epsilon=0.3),
    ):
        with conformance.keras_in_float64():
            old = [keras.Variable(a, dtype="float64") for a in conformance.start().values()]
            rows = [
                [ops.convert_to_tensor(g) for g in row.values()] for row in conformance.gradients()
            ]
            original = make()
            for row in rows[:25]:
                original.apply(row, old)
            new = [keras.Variable(np.array(ops.convert_to_numpy(v)), dtype="float64") for v in old]
            adopted = adopt(original, params=new)
            for row in rows[25:60]:
                original.apply(row, old)
                adopted.apply(row, new)
            for a, b in zip(old, new, strict=True):
                assert np.allclose(ops.convert_to_numpy(a), ops.convert_to_numpy(b), 0, near)
