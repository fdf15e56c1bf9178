"""The transformations under JAX's own transformations, on every kind of parameters."""

import pickle
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from tests import typical

import descenso.jax
import descenso.transforms
from descenso import rules
from descenso.errors import ParameterError, SettingError, UnknownNameError

RULES = typical.RULES


def quadratic(theta):
    return sum(jnp.sum((leaf - 1) ** 2) for leaf in jax.tree.leaves(theta))


def descend(transformation, theta, steps):
    state = transformation.init(theta)
    for _step in range(steps):
        updates, state = transformation.update(jax.grad(quadratic)(theta), state, theta)
        theta = descenso.jax.apply_updates(theta, updates)
    return theta


@pytest.mark.parametrize("name", RULES)
def test_scan_under_jit_equals_a_python_loop(name):
    transformation = getattr(descenso.jax, name)(lr=0.05)
    theta = {"a": jnp.zeros((2, 3)), "b": (jnp.full(4, 3.0), None)}

    @jax.jit
    def scanned(theta):
        def body(carry, _):
            theta, state = carry
            updates, state = transformation.update(jax.grad(quadratic)(theta), state, theta)
            return (descenso.jax.apply_updates(theta, updates), state), None

        return jax.lax.scan(body, (theta, transformation.init(theta)), length=20)[0][0]

    looped = descend(transformation, theta, 20)
    compared = jax.tree.map(lambda a, b: np.allclose(a, b, rtol=1e-5), scanned(theta), looped)
    assert all(jax.tree.leaves(compared))


def test_vmap_runs_a_population_with_a_learning_rate_each():
    rates = jnp.asarray([0.01, 0.1])
    theta = jnp.zeros((2, 3))

    def run(rate, theta):
        return descend(descenso.jax.adam(rate), theta, 10)

    together = jax.jit(jax.vmap(run))(rates, theta)
    alone = [descend(descenso.jax.adam(float(rate)), theta[0], 10) for rate in rates]
    assert np.allclose(together, jnp.stack(alone), rtol=1e-5)


def test_settings_that_follow_a_live_setting_follow_it():
    g = jnp.ones(2)

    def first_step(beta):
        transformation = descenso.jax.momentum(lr=1.0, beta=beta)
        return transformation.update(g, transformation.init(g))[0]

    assert np.allclose(jax.jit(first_step)(0.75), -0.25)
    assert np.allclose(first_step(lambda count: 0.75), -0.25)


def test_sharded_parameters_keep_their_sharding_on_two_devices():
    program = """
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
import descenso.jax
mesh = Mesh(np.array(jax.devices()), ("d",))
assert len(jax.devices()) == 2
sharding = NamedSharding(mesh, P("d"))
theta = jax.device_put(jnp.arange(8.0).reshape(4, 2), sharding)
plain = jnp.arange(8.0).reshape(4, 2)
transformation = descenso.jax.adamw(lr=0.1)
state, plain_state = transformation.init(theta), transformation.init(plain)
update = jax.jit(transformation.update)
for _ in range(5):
    u, state = update(theta, state, theta)
    theta = descenso.jax.apply_updates(theta, u)
    v, plain_state = transformation.update(plain, plain_state, plain)
    plain = plain + v
for array in (theta, state.slots["m"], state.slots["v"]):
    assert array.sharding.is_equivalent_to(sharding, array.ndim), array.sharding
assert np.allclose(theta, plain, rtol=1e-5)
first = transformation.init(theta)
assert first.slots["m"].sharding.is_equivalent_to(sharding, 2), first.slots["m"].sharding
print("sharded")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False,
        env={"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu",
             "PATH": ""},
    )  # fmt: skip
    assert done.stdout.strip() == "sharded", done.stderr


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
@pytest.mark.parametrize("name", RULES)
def test_low_precision_parameters_have_float32_state_and_train_as_float32_does(name, dtype):
    transformation = getattr(descenso.jax, name)(lr=0.05)
    state = transformation.init(jnp.zeros(4, dtype))
    assert {leaf.dtype for leaf in jax.tree.leaves(state.slots)} <= {jnp.dtype(jnp.float32)}
    updates, state = transformation.update(jnp.ones(4, dtype), state, jnp.zeros(4, dtype))
    assert updates.dtype == dtype
    low = descend(transformation, jnp.zeros(4, dtype), 60)
    full = descend(transformation, jnp.zeros(4), 60)
    assert np.allclose(low.astype(jnp.float32), full, atol=0.02)


@pytest.mark.parametrize("name", RULES)
def test_nothing_is_promoted_under_strict_promotion(name):
    with jax.numpy_dtype_promotion("strict"):
        transformation = getattr(descenso.jax, name)(lr=lambda count: jnp.float32(0.1))
        theta = {"a": jnp.ones(2), "b": jnp.ones((2, 2), jnp.bfloat16)}
        updates, state = transformation.update(theta, transformation.init(theta), theta)
    assert updates["a"].dtype == jnp.float32
    assert state.count.dtype == jnp.int32


@pytest.mark.parametrize("name", RULES)
def test_the_second_step_compiles_nothing(name):
    transformation = getattr(descenso.jax, name)()
    theta = {"a": jnp.ones(2), "b": jnp.ones((), jnp.bfloat16)}
    update = jax.jit(transformation.update)
    state = transformation.init(theta)
    for _step in range(3):
        _updates, state = update(theta, state, theta)
    assert update._cache_size() == 1


def test_a_pickled_state_goes_on_exactly():
    transformation = descenso.jax.adam(lr=0.1)
    theta = {"a": jnp.arange(3.0)}
    _updates, state = transformation.update(theta, transformation.init(theta))
    loaded = pickle.loads(pickle.dumps(state))
    ours, theirs = (transformation.update(theta, s)[0]["a"] for s in (loaded, state))
    assert np.array_equal(ours, theirs)
    assert pickle.loads(pickle.dumps(descenso.jax.adam)) is descenso.jax.adam


def test_parameters_are_asked_for_only_where_the_step_depends_on_them():
    g = jnp.ones(2)
    descenso.jax.adam().update(g, descenso.jax.adam().init(g))
    with pytest.raises(ParameterError, match="depends on the parameters"):
        descenso.jax.adamw().update(g, descenso.jax.adamw().init(g))


def test_a_skipped_step_changes_nothing_and_is_not_counted():
    transformation = descenso.jax.adamw(lr=0.1, nonfinite="skip")
    theta = {"a": jnp.ones(2), "b": jnp.ones(1)}
    state = transformation.init(theta)
    bad = {"a": jnp.asarray([1.0, jnp.nan]), "b": jnp.ones(1)}
    updates, after = jax.jit(transformation.update)(bad, state, theta)
    assert all(np.all(u == 0) for u in jax.tree.leaves(updates))
    assert int(after.count) == 0
    updates, after = transformation.update(theta, after, theta)
    assert int(after.count) == 1
    assert np.all(updates["a"] < 0)


def test_nonfinite_gradients_raise_by_name_and_cannot_under_jit():
    transformation = descenso.jax.adam(nonfinite="raise")
    theta = {"a": jnp.ones(2)}
    state = transformation.init(theta)
    transformation.update(theta, state)
    with pytest.raises(ParameterError, match=r"\['a'\] is not finite"):
        transformation.update({"a": jnp.asarray([jnp.inf, 1])}, state)
    with pytest.raises(SettingError, match="inside jit"):
        jax.jit(transformation.update)(theta, state)


def test_nonfinite_gradients_go_through_unless_told_otherwise():
    transformation = descenso.jax.gradient_descent()
    updates, _state = transformation.update(
        jnp.asarray([jnp.nan]), transformation.init(jnp.ones(1))
    )
    assert np.isnan(updates[0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr": -1.0}, r"lr must lie in \(0, inf\); got -1.0"),
        ({"lr": float("nan")}, "lr must lie in"),
        ({"lr": jnp.float32(-1)}, "lr must lie in"),
        ({"beta1": 1.0}, r"beta1 must lie in \[0, 1\)"),
        ({"lr": "fast"}, "lr must be a number"),
        ({"bet1": 0.9}, "Did you mean 'beta1'"),
        ({"self": 1}, "adam has no setting 'self'"),
        ({"momentum": lambda count: 0.9}, "has no setting 'momentum'"),
        ({"nonfinite": "stop"}, "nonfinite must be"),
    ],
)
def test_a_wrong_setting_is_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        descenso.jax.adam(**settings)


def test_a_switch_cannot_be_scheduled():
    with pytest.raises(SettingError, match="centered is a switch"):
        descenso.jax.rmsprop(centered=lambda count: True)


def test_wrong_parameters_gradients_and_states_are_refused_by_name():
    adam = descenso.jax.adam()
    theta = {"a": jnp.ones(2), "b": [jnp.ones(3)]}
    state = adam.init(theta)
    with pytest.raises(ParameterError, match=r"gradient of \['b'\]\[0\] has shape \(4,\)"):
        adam.update({"a": jnp.ones(2), "b": [jnp.ones(4)]}, state)
    with pytest.raises(ParameterError, match=r"structure"):
        adam.update({"a": jnp.ones(2)}, state)
    with pytest.raises(ParameterError, match="of another rule: v"):
        adam.update(theta, descenso.jax.momentum().init(theta))
    with pytest.raises(ParameterError, match="of another rule: tuple"):
        adam.update(theta, (1, 2))


def test_an_unknown_rule_is_refused_with_the_known_ones():
    with pytest.raises(AttributeError, match=r"no attribute 'no_such_rule'; it has .*adam"):
        descenso.jax.no_such_rule  # noqa: B018
    with pytest.raises(UnknownNameError):
        rules.get("no_such_rule")
    assert set(RULES) <= set(dir(descenso.jax))


def test_empty_trees_python_numbers_whole_numbers_and_missing_gradients_are_taken_as_in_optax():
    adam = descenso.jax.adam(0.1)
    for nothing in ({}, [], (), None):
        updates, _state = adam.update(nothing, adam.init(nothing), nothing)
        assert jax.tree.leaves(updates) == []
    theta = {"a": 1.0, "n": jnp.arange(3), "f": jnp.ones(2), "z": jnp.ones((0, 3)), "none": None}
    float0 = np.zeros(3, jax.dtypes.float0)
    grads = {"a": 2.0, "n": float0, "f": None, "z": jnp.ones((0, 3)), "none": None}
    for made in (adam, descenso.jax.adam(0.1, transforms=[descenso.transforms.clip_by_value(9)])):
        updates, state = made.update(grads, made.init(theta), theta, value=3.0)
        new = descenso.jax.apply_updates(theta, updates)
        assert np.allclose(new["a"], 0.9)
        assert np.array_equal(new["n"], [0, 1, 2])
        assert new["n"].dtype == jnp.int32
        assert np.array_equal(new["f"], [1, 1])
        assert new["z"].shape == (0, 3)
        assert new["none"] is None
        assert jax.tree.structure(state) == jax.tree.structure(made.init(theta))


def test_a_count_that_is_full_stands_still():
    adam = descenso.jax.adam(0.1)
    theta = jnp.ones(2)
    most = jnp.asarray(2**31 - 1, jnp.int32)
    updates, state = adam.update(theta, adam.init(theta)._replace(count=most))
    assert state.count == 2**31 - 1
    assert np.all(np.isfinite(updates))


def test_the_state_is_kept_in_the_type_asked_for_and_keeps_it():
    adam = descenso.jax.adam(0.1, state_dtype={"m": jnp.bfloat16})
    theta = jnp.ones(2)
    state = adam.init(theta)
    for _step in range(3):
        _updates, state = adam.update(theta, state)
        assert state.slots["m"].dtype == jnp.bfloat16
        assert state.slots["v"].dtype == jnp.float32
    with pytest.raises(SettingError, match="floating-point type; got 'int8'"):
        descenso.jax.adam(state_dtype="int8")
    with pytest.raises(SettingError, match=r"names 'mu'; the state is \(m, v\)"):
        descenso.jax.adam(state_dtype={"mu": "bfloat16"})


def test_complex_parameters_step_as_those_of_optax():
    theta = jnp.asarray([1 + 2j, -0.5j])
    ours, theirs = descenso.jax.adam(0.1, eps=0.3), optax.adam(0.1, eps=0.3)
    a, b = ours.init(theta), theirs.init(theta)
    for factor in (1, 2j, 0.1 - 1j):
        u, a = ours.update(theta * factor, a, theta)
        v, b = theirs.update(theta * factor, b, theta)
        assert np.allclose(u, v, atol=1e-6)


def test_it_is_of_the_type_that_optax_asks_for():
    made = descenso.jax.adam(transforms=[descenso.transforms.clip_by_norm(1.0)])
    assert isinstance(made, optax.GradientTransformationExtraArgs)
    assert isinstance(made, descenso.jax.GradientTransformation)
