"""The transforms themselves: alike in every framework, and equal to independent ones."""

import json
import pickle

import numpy as np
import pytest
from tests.transforms._reference import start, train

from descenso import schedules, transforms
from descenso.errors import SettingError, UnknownNameError
from descenso.ops import namespace

EVERY = {
    "clip_by_value": transforms.clip_by_value(0.3),
    "clip_by_norm": transforms.clip_by_norm(0.5),
    "clip_by_global_norm": transforms.clip_by_global_norm(0.5, eps=1e-6),
    "coupled_weight_decay": transforms.coupled_weight_decay(0.1),
    "coupled_by_parameter": transforms.coupled_weight_decay([0.1, 0.0]),
    "decoupled_weight_decay": transforms.decoupled_weight_decay(0.1),
    "independent_weight_decay": transforms.independent_weight_decay(schedules.cosine(0.01, 40)),
    "moving_average": transforms.moving_average(0.9),
    "moving_average_debiased": transforms.moving_average(0.9, debias=True),
    "uniform_average": transforms.uniform_average(begin=7, every=3),
    "lookahead": transforms.lookahead(every=5, share=0.3),
}


@pytest.fixture(autouse=True)
def x64():
    import jax

    with jax.enable_x64(True):
        yield


def everything(chain, **options):
    thetas, kept = train(chain, **options)
    slots = [array for state in kept for arrays in state.values() for array in arrays]
    return [np.asarray(a) for a in (*thetas, *slots)]


@pytest.mark.parametrize("name", EVERY)
def test_a_transform_does_the_same_in_every_framework(name):
    import jax.numpy as jnp
    import keras
    import tensorflow as tf
    import torch

    chain = [EVERY[name]]
    expected = everything(chain)
    others = [
        everything(chain, make=lambda a: torch.tensor(np.asarray(a))),
        everything(chain, make=jnp.asarray),
        everything(chain, make=jnp.asarray, number=lambda t: jnp.asarray(float(t))),
    ]
    if keras.backend.backend() == "tensorflow":
        others.append(everything(chain, make=tf.constant))
        others.append(
            everything(chain, make=tf.constant, number=lambda t: tf.constant(t, tf.float64))
        )
    for other in others:
        for ours, theirs in zip(expected, other, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", EVERY)
def test_a_transform_changes_something(name):
    plain, _ = train([])
    thetas, kept = train([EVERY[name]])
    moved = any(np.abs(a - b).max() > 1e-3 for a, b in zip(plain, thetas, strict=True))
    assert moved or any("average" in state for state in kept)


# --- against independent implementations ----------------------------------------------------


def gradients():
    return start()[1][0]


def test_global_norm_clipping_with_its_epsilon_equals_pytorchs():
    import torch

    tensors = [torch.zeros(a.shape, dtype=torch.float64) for a in gradients()]
    for limit in (0.5, 100.0):
        for tensor, g in zip(tensors, gradients(), strict=True):
            tensor.grad = torch.tensor(g)
        torch.nn.utils.clip_grad_norm_(tensors, limit)
        ours = transforms.clip_by_global_norm(limit, eps=1e-6).gradients(
            namespace(1.0), gradients(), gradients(), 1
        )
        for a, tensor in zip(ours, tensors, strict=True):
            np.testing.assert_allclose(a, tensor.grad.numpy(), rtol=1e-14)


@pytest.mark.filterwarnings("ignore:__array__")
def test_clipping_equals_optaxs_and_kerass():
    import jax.numpy as jnp
    import keras
    import optax

    grads = gradients()
    for limit in (0.5, 100.0):
        pairs = [
            (transforms.clip_by_global_norm(limit), optax.clip_by_global_norm(limit)),
            (transforms.clip_by_value(limit / 5), optax.clip(limit / 5)),
        ]
        for ours, theirs in pairs:
            expected, _ = theirs.update([jnp.asarray(g) for g in grads], theirs.init(None))
            for a, b in zip(ours.gradients(namespace(1.0), grads, grads, 1), expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-14)
        for keyword, ours in (
            ("clipnorm", transforms.clip_by_norm(limit)),
            ("global_clipnorm", transforms.clip_by_global_norm(limit)),
            ("clipvalue", transforms.clip_by_value(limit)),
        ):
            optimizer = keras.optimizers.SGD(**{keyword: limit})
            tensors = [keras.ops.convert_to_tensor(g, "float64") for g in grads]
            expected = optimizer._clip_gradients(tensors)
            for a, b in zip(ours.gradients(namespace(1.0), grads, grads, 1), expected, strict=True):
                digits = 1e-6 if keras.backend.backend() == "jax" else 1e-14
                np.testing.assert_allclose(a, keras.ops.convert_to_numpy(b), rtol=digits)


def test_a_zero_gradient_is_clipped_to_zero_without_a_warning():
    zeros = [np.zeros(3)]
    for name in ("clip_by_value", "clip_by_norm", "clip_by_global_norm"):
        assert not EVERY[name].gradients(namespace(1.0), zeros, zeros, 1)[0].any()


def optax_run(make):
    import jax.numpy as jnp
    import optax

    thetas, rows = start()
    params, optimizer = [jnp.asarray(a) for a in thetas], make(optax)
    state = optimizer.init(params)
    for row in rows:
        updates, state = optimizer.update([jnp.asarray(g) for g in row], state, params)
        params = optax.apply_updates(params, updates)
    return params


def same(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-13)


def test_coupled_decay_equals_optaxs_added_decayed_weights():
    theirs = optax_run(lambda o: o.chain(o.add_decayed_weights(0.1), o.adam(0.05)))
    same(train([EVERY["coupled_weight_decay"]])[0], theirs)


def test_decoupled_decay_of_adam_is_adamw():
    theirs = optax_run(lambda o: o.adamw(0.05, weight_decay=0.1))
    same(train([EVERY["decoupled_weight_decay"]])[0], theirs)


def test_independent_decay_does_not_follow_the_learning_rate():
    chain = [transforms.independent_weight_decay(0.01)]
    theirs = optax_run(
        lambda o: o.chain(o.scale_by_adam(), o.scale(-0.05), o.add_decayed_weights(-0.01))
    )
    same(train(chain)[0], theirs)


def test_lookahead_equals_optaxs():
    import jax.numpy as jnp
    import optax

    thetas, rows = start()
    optimizer = optax.lookahead(optax.adam(0.05), 5, 0.3)
    params = optax.LookaheadParams.init_synced([jnp.asarray(a) for a in thetas])
    state = optimizer.init(params)
    for row in rows:
        updates, state = optimizer.update([jnp.asarray(g) for g in row], state, params)
        params = optax.apply_updates(params, updates)
    ours, kept = train([EVERY["lookahead"]])
    same(ours, params.fast)
    same(kept[0]["slow"], params.slow)


@pytest.mark.parametrize(
    ("ours", "averaging"),
    [
        (transforms.uniform_average(), lambda s: None),
        (transforms.moving_average(0.9), lambda s: s.get_ema_multi_avg_fn(0.9)),
    ],
    ids=["uniform", "moving"],
)
def test_averages_equal_pytorchs_averaged_model(ours, averaging):
    import torch
    from torch.optim import swa_utils

    thetas, rows = start()
    model = torch.nn.ParameterList([torch.tensor(a) for a in thetas])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    averaged = swa_utils.AveragedModel(model, multi_avg_fn=averaging(swa_utils))
    if ours.name == "moving_average":
        averaged.update_parameters(model)  # it copies the first parameters that it sees
    for row in rows:
        for p, g in zip(model, row, strict=True):
            p.grad = torch.tensor(g)
        optimizer.step()
        averaged.update_parameters(model)
    _, kept = train([ours])
    same(kept[0]["average"], [p.detach().numpy() for p in averaged.module])


def test_a_debiased_average_equals_optaxs_ema():
    import jax.numpy as jnp
    import optax

    chain = [EVERY["moving_average_debiased"]]
    ema, seen = optax.ema(0.9, debias=True), []
    thetas, kept = start()[0], None
    state = ema.init([jnp.asarray(a) for a in thetas])
    kept = transforms.start(namespace(1.0), chain, thetas)
    for t in range(1, 20):
        thetas = [a + 0.1 * t for a in thetas]
        _, kept = transforms.parameters(namespace(1.0), chain, thetas, thetas, [1, 1], t, kept)
        seen, state = ema.update([jnp.asarray(a) for a in thetas], state)
    same(transforms.averages(chain, kept, 19), seen)


def test_stochastic_weight_averaging_is_the_mean_of_the_chosen_steps():
    chain, path = [transforms.uniform_average(begin=4, every=3)], []
    kept = transforms.start(namespace(1.0), chain, [np.zeros(2)])
    for t in range(1, 15):
        theta = [np.array([t, t**2], float)]
        _, kept = transforms.parameters(namespace(1.0), chain, theta, theta, [1], t, kept)
        path.append(theta[0])
    chosen = [path[t - 1] for t in (7, 10, 13)]
    np.testing.assert_allclose(transforms.averages(chain, kept, 14)[0], np.mean(chosen, axis=0))


# --- as values ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_a_transform_survives_pickling_and_json(name):
    transform = EVERY[name]
    revived = transforms.from_config(json.loads(json.dumps(transform.get_config())))
    assert revived == transform == pickle.loads(pickle.dumps(transform))
    assert hash(revived) == hash(transform)


def test_a_parameter_without_gradient_is_left_alone():
    thetas = [np.ones(2), np.ones(2)]
    for name in ("clip_by_global_norm", "coupled_weight_decay"):
        out = EVERY[name].gradients(namespace(1.0), thetas, [np.ones(2), None], 1)
        assert out[1] is None
    for name in ("decoupled_weight_decay", "independent_weight_decay"):
        new, _ = EVERY[name].parameters(namespace(1.0), thetas, thetas, [0.1, None], 1, {})
        assert (new[0] < 1).all()
        assert (new[1] == 1).all()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: transforms.clip_by_value(0), r"limit must lie in \(0, inf\); got 0"),
        (lambda: transforms.clip_by_norm(1, esp=1), "Did you mean 'eps'"),
        (lambda: transforms.coupled_weight_decay(-0.1), "at least 0, or a schedule; got -0.1"),
        (lambda: transforms.decoupled_weight_decay([0.1, "a"]), "got 'a'"),
        (lambda: transforms.lookahead(every=0), "every must lie in"),
        (lambda: transforms.lookahead(share=1.5), r"share must lie in \(0, 1\]"),
        (lambda: transforms.moving_average(1.0), r"decay must lie in \[0, 1\)"),
        (lambda: transforms.moving_average(0.9, debias="yes"), "True or False; got 'yes'"),
        (lambda: transforms.moving_average(0.9, debias=np.ones(2)), "True or False; got array"),
        (lambda: transforms.clip_by_value(10**400), "limit must lie in .*; got inf"),
        (lambda: transforms.coupled_weight_decay(np.ones(2)), "or a schedule; got array"),
        (lambda: transforms.decoupled_weight_decay(10**400), "or a schedule; got 1000"),
        (lambda: transforms.from_config([1]), "must be a mapping with 'transform'"),
        (
            lambda: transforms.moving_average(schedules.constant(0.9), debias=True),
            "debias needs a decay that is a number",
        ),
        (lambda: transforms.check([abs]), "made by descenso.transforms"),
        (lambda: transforms.check(EVERY["lookahead"]), "must be a list"),
        (
            lambda: EVERY["coupled_by_parameter"].gradients(namespace(1.0), [1.0], [1.0], 1),
            "given for 2 parameters; there are 1",
        ),
        (lambda: transforms.averages([EVERY["lookahead"]], [{"slow": []}], 1), "must average"),
    ],
)
def test_a_wrong_argument_is_refused_with_its_value(make, says):
    with pytest.raises(SettingError, match=says):
        make()


def test_an_unknown_transform_is_refused_by_name():
    with pytest.raises(UnknownNameError, match="no transform named 'clip'"):
        transforms.from_config({"transform": "clip"})
