"""Each schedule against an independent implementation, and in every framework."""

import copy
import json
import math
import pickle

import numpy as np
import pytest

from descenso import schedules
from descenso.errors import SettingError, UnknownNameError

EVERY = {
    "constant": schedules.constant(0.3),
    "step_decay": schedules.step_decay(0.1, every=7, factor=0.3),
    "exponential": schedules.exponential(0.1, factor=0.7, every=5),
    "cosine": schedules.cosine(0.1, steps=31, end=0.01),
    "cosine_restarts": schedules.cosine_restarts(0.1, steps=5, stretch=2, shrink=0.8, end=0.01),
    "polynomial": schedules.polynomial(0.1, steps=31, end=0.01, power=0.9),
    "one_cycle": schedules.one_cycle(0.1, steps=40),
    "one_cycle_linear": schedules.one_cycle(0.1, steps=40, shape="linear"),
    "momentum_cycle": schedules.one_cycle(0.85, start=0.95, end=0.95, steps=40),
    "rounded_correction": schedules.rounded_correction(
        schedules.cosine(0.1, 31), 0.9, 0.99, 0.90625, 0.9921875
    ),
    "uncorrected": schedules.uncorrected(1e-2, beta=0.99),
    "warmup": schedules.warmup(schedules.polynomial(0.1, steps=20, power=0.5), steps=6),
    "join": schedules.join([0.1, schedules.cosine(0.2, steps=9), 0.05], at=[4, 17]),
}


def values(schedule, count=80):
    return np.array([schedule(k) for k in range(count)])


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


# --- torch.optim.lr_scheduler ---------------------------------------------------------------


def torch_values(make, lr, count):
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler = make(optimizer)
    seen = []
    for _ in range(count):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return np.array(seen)


@pytest.mark.parametrize(
    ("ours", "theirs", "lr", "count"),
    [
        (EVERY["step_decay"], lambda o, s: s.StepLR(o, 7, 0.3), 0.1, 80),
        (schedules.exponential(0.1, 0.9), lambda o, s: s.ExponentialLR(o, 0.9), 0.1, 80),
        (EVERY["cosine"], lambda o, s: s.CosineAnnealingLR(o, 31, 0.01), 0.1, 31),
        (
            schedules.cosine_restarts(0.1, 5, stretch=3, end=0.01),
            lambda o, s: s.CosineAnnealingWarmRestarts(o, 5, 3, 0.01),
            0.1,
            80,
        ),
        (
            schedules.cosine_restarts(0.1, 6),
            lambda o, s: s.CosineAnnealingWarmRestarts(o, 6),
            0.1,
            80,
        ),
        (
            schedules.polynomial(0.1, 31, power=0.9),
            lambda o, s: s.PolynomialLR(o, 31, 0.9),
            0.1,
            80,
        ),
        (EVERY["one_cycle"], lambda o, s: s.OneCycleLR(o, 0.1, total_steps=40), 0.1, 40),
        (
            EVERY["one_cycle_linear"],
            lambda o, s: s.OneCycleLR(o, 0.1, total_steps=40, anneal_strategy="linear"),
            0.1,
            40,
        ),
        (
            schedules.warmup(0.1, steps=6, start=0.02),
            lambda o, s: s.LinearLR(o, start_factor=0.2, total_iters=6),
            0.1,
            20,
        ),
    ],
    ids=lambda case: getattr(case, "name", None),
)
@pytest.mark.filterwarnings("ignore:Detected call of")
def test_a_schedule_equals_pytorchs(ours, theirs, lr, count):
    from torch.optim import lr_scheduler

    close(values(ours, count), torch_values(lambda o: theirs(o, lr_scheduler), lr, count))


def test_the_momentum_leg_of_one_cycle_equals_pytorchs():
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=40)
    seen = []
    for k in range(40):
        seen.append(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        if k < 39:
            scheduler.step()
    close(values(EVERY["momentum_cycle"], 40), seen)


# --- keras.optimizers.schedules and optax ---------------------------------------------------


def keras_uses(backend):
    import keras

    return keras.backend.backend() == backend


D = np.float64  # what Keras is given decides what it computes in


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (EVERY["step_decay"], lambda s: s.ExponentialDecay(D(0.1), D(7), D(0.3), staircase=True)),
        (EVERY["exponential"], lambda s: s.ExponentialDecay(D(0.1), D(5), D(0.7))),
        (EVERY["cosine"], lambda s: s.CosineDecay(D(0.1), D(31), alpha=D(0.1))),
        (
            schedules.cosine_restarts(0.1, 5, end=0.01, stretch=2, shrink=0.8),
            lambda s: s.CosineDecayRestarts(D(0.1), D(5), D(2.0), D(0.8), D(0.1)),
        ),
        (EVERY["polynomial"], lambda s: s.PolynomialDecay(D(0.1), D(31), D(0.01), power=D(0.9))),
        (
            schedules.warmup(schedules.cosine(0.1, 25), 6),
            lambda s: s.CosineDecay(D(0.0), D(25), warmup_target=D(0.1), warmup_steps=D(6)),
        ),
        # Keras still holds the first value at its boundary: ours begins one later.
        (
            schedules.join([0.3, 0.2], [6]),
            lambda s: s.PiecewiseConstantDecay([D(5)], [D(0.3), D(0.2)]),
        ),
    ],
    ids=lambda case: getattr(case, "name", None),
)
def test_a_schedule_equals_kerass(ours, theirs):
    import keras

    if not keras_uses("tensorflow"):
        pytest.skip("on this backend Keras computes its schedules in float32")
    schedule = theirs(keras.optimizers.schedules)
    seen = [float(schedule(np.float64(k))) for k in range(60)]
    close(values(ours, 60), seen)


@pytest.fixture
def x64():
    import jax

    with jax.enable_x64(True):
        yield


def optax_peak_cosine(o):
    return o.warmup_cosine_decay_schedule(0.0, 0.1, warmup_steps=6, decay_steps=31)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (EVERY["constant"], lambda o: o.constant_schedule(0.3)),
        (EVERY["step_decay"], lambda o: o.exponential_decay(0.1, 7, 0.3, staircase=True)),
        (EVERY["exponential"], lambda o: o.exponential_decay(0.1, 5, 0.7)),
        (EVERY["cosine"], lambda o: o.cosine_decay_schedule(0.1, 31, alpha=0.1)),
        (EVERY["polynomial"], lambda o: o.polynomial_schedule(0.1, 0.01, 0.9, 31)),
        (schedules.warmup(schedules.cosine(0.1, 25), 6), optax_peak_cosine),
        (
            schedules.join([schedules.cosine(0.1, 9), schedules.exponential(0.2, 0.8)], [9]),
            lambda o: o.join_schedules(
                [o.cosine_decay_schedule(0.1, 9), o.exponential_decay(0.2, 1, 0.8)], [9]
            ),
        ),
    ],
    ids=lambda case: getattr(case, "name", None),
)
@pytest.mark.usefixtures("x64")
def test_a_schedule_equals_optaxs(ours, theirs):
    import jax.numpy as jnp
    import optax

    schedule = theirs(optax)
    seen = [float(schedule(jnp.asarray(k, jnp.float64))) for k in range(80)]
    close(values(ours), seen)


# --- every framework, plain and traced ------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.usefixtures("x64")
def test_a_schedule_gives_the_same_values_in_every_framework(name):
    import jax
    import jax.numpy as jnp
    import keras
    import tensorflow as tf
    import torch

    schedule, plain = EVERY[name], values(EVERY[name])
    steps = np.arange(80)
    close(schedule(steps), plain)
    close(schedule(torch.arange(80, dtype=torch.float64)).numpy(), plain)
    close(jax.jit(jax.vmap(schedule))(jnp.arange(80.0)), plain)
    if keras_uses("tensorflow"):
        traced = tf.function(schedule, autograph=False)
        close(traced(tf.range(80.0, dtype=tf.float64)).numpy(), plain)
        assert schedule(keras.Variable(3.0, dtype="float64").value).dtype == tf.float64


@pytest.mark.parametrize("name", EVERY)
def test_a_whole_number_step_of_any_framework_is_accepted(name):
    import jax.numpy as jnp
    import tensorflow as tf
    import torch

    schedule = EVERY[name]
    expected = schedule(5)
    assert isinstance(expected, float)
    steps = [np.int64(5), torch.tensor(5), jnp.asarray(5)]
    for step in [*steps, tf.constant(5)] if keras_uses("tensorflow") else steps:
        assert float(schedule(step)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.filterwarnings("ignore:__array__")
@pytest.mark.usefixtures("x64")
def test_a_whole_number_step_keeps_float64_where_the_framework_has_it():
    import jax.numpy as jnp
    import keras

    schedule = EVERY["cosine"]
    assert float(schedule(jnp.asarray(5, jnp.int32))) == pytest.approx(schedule(5), rel=1e-15)
    if not keras_uses("jax"):
        step = keras.Variable(5, dtype="int64", trainable=False)
        value = keras.ops.convert_to_numpy(schedule(step))
        assert float(value) == pytest.approx(schedule(5), rel=1e-15)


# --- a schedule as a value ------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_a_schedule_survives_copying_pickling_and_json(name):
    schedule = EVERY[name]
    revived = schedules.from_config(json.loads(json.dumps(schedule.get_config())))
    for twin in (revived, pickle.loads(pickle.dumps(schedule)), copy.deepcopy(schedule)):
        assert twin == schedule
        assert hash(twin) == hash(schedule)
        close(values(twin), values(schedule))


def test_restarts_fall_exactly_on_their_steps_however_late():
    schedule = schedules.cosine_restarts(1.0, steps=10, stretch=2)
    begins = [10 * (2**i - 1) for i in range(40)]
    assert all(schedule(begin) == 1.0 for begin in begins)
    assert all(schedule(begin - 1) < 0.5 for begin in begins[1:])


def test_a_schedule_shows_how_it_was_made():
    assert repr(schedules.cosine(0.1, 5)) == "cosine(start=0.1, steps=5, end=0.0)"
    assert "whole number in (0, inf)" in schedules.cosine.__doc__
    assert "SGDR" in schedules.cosine.__doc__


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: schedules.cosine(0.1, 0), r"steps must lie in \(0, inf\); got 0"),
        (lambda: schedules.cosine(0.1, 2.5), "whole number; got 2.5"),
        (lambda: schedules.cosine("a", 5), "start must be a number; got 'a'"),
        (lambda: schedules.cosine(math.nan, 5), "start must lie in"),
        (lambda: schedules.cosine(), "missing a required argument: 'start'"),
        (lambda: schedules.cosine(0.1, stepz=5), "Did you mean 'steps'"),
        (lambda: schedules.one_cycle(0.1, 5, shape="sine"), "cosine, linear; got 'sine'"),
        (lambda: schedules.one_cycle(0.1, 3), "rise·steps must lie above 1"),
        (lambda: schedules.warmup("x", 3), "number or a schedule; got 'x'"),
        (lambda: schedules.join([1, 2], []), "2 schedules have 1 boundaries; got 0"),
        (lambda: schedules.join([1, 2, 3], [5, 5]), "rising order"),
        (lambda: schedules.join([], []), "list of numbers or schedules"),
        (lambda: schedules.step_decay(0.1, every=True), "must be a number; got True"),
        (lambda: schedules.constant(10**400), "value must lie in .*; got inf"),
        (lambda: schedules.cosine(np.ones(2), 5), "start must be a number; got array"),
        (lambda: schedules.join([1, 2], [len]), "at must be whole numbers above 0"),
        (lambda: schedules.join([1, 2], ["3"]), "at must be whole numbers above 0"),
        (lambda: schedules.join([1, 2], [math.nan]), "at must be whole numbers above 0"),
        (lambda: schedules.join([1, np.ones(2)], [3]), "number or a schedule; got array"),
        (lambda: schedules.from_config(None), "must be a mapping with 'schedule'; got None"),
        (lambda: schedules.from_config({}), "must be a mapping with 'schedule'; got {}"),
    ],
)
def test_a_wrong_argument_is_refused_with_its_value(make, says):
    with pytest.raises(SettingError, match=says):
        make()


def test_an_unknown_schedule_is_refused_by_name():
    with pytest.raises(UnknownNameError, match="no schedule named 'sine'"):
        schedules.from_config({"schedule": "sine"})


def test_a_schedule_of_ones_own_needs_one_function():
    @schedules.schedule(source="Vaswani et al. (2017), section 5.3")
    def inverse_root(
        xp,
        step,
        *,
        start=schedules.argument("first value"),
        every=schedules.argument("scale", 1, above=0),
    ):
        """Fall with the square root of the step."""
        return start / xp.sqrt(1 + step / every)

    made = inverse_root(0.1, every=4)
    assert made(12) == pytest.approx(0.05)
    assert schedules.from_config(made.get_config()) == made
