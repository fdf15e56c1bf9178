"""Problems whose training draws numbers and carries a state along: dropout, moving averages."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from descenso import methods, problems
from descenso.engine import layout
from descenso.engine.jax import JaxEngine
from descenso.engine.randomness import example_order, noise_key, weights_generator
from descenso.errors import ProblemError
from descenso.problems import Variables
from descenso.records import Member

KEEP = 0.7


def _mask(key, shape):
    return jax.random.bernoulli(key, KEEP, shape) / KEEP


@pytest.fixture
def dropping(linear):
    """The linear problem with dropout on its inputs, and a count and moving mean of the losses."""

    def init(rng):
        carried = {"steps": np.zeros((), np.int32), "mean": np.zeros(3, np.float32)}
        return Variables(linear.init(rng), carried)

    def apply(variables, inputs):
        return linear.apply(variables.trained, inputs)

    def train_loss(variables, inputs, targets, key):
        kept = inputs * _mask(key, inputs.shape)
        loss = linear.loss(linear.apply(variables.trained, kept), targets)
        steps, mean = variables.carried["steps"], variables.carried["mean"]
        mean = 0.9 * mean + 0.1 * jax.lax.stop_gradient(loss)
        return loss, {"steps": steps + 1, "mean": mean.astype(variables.carried["mean"].dtype)}

    return replace(linear, init=init, apply=apply, train_loss=train_loss)


def member(seed=0, batch_size=8, rule="gradient_descent", **settings):
    definition = methods.parse(rule).definition()
    return Member(rule, rule, definition.settings(**settings), batch_size, seed)


def finished(engine, members, epochs, judge=False):
    done = {}
    for chunk in engine.train(members, epochs, judge=judge):
        done.update({run.member.key: run for run in chunk})
    return done


def test_a_run_equals_a_plain_loop_with_the_key_of_each_step(dropping):
    data, who = dropping.make_data(0), member(3, lr=0.1)
    run = finished(JaxEngine(dropping, data, 7), [who], 3)[who.key]
    params = dropping.init(weights_generator(7, 3)).trained
    x, y = data.train.inputs, data.train.targets
    key, mean = jax.random.wrap_key_data(noise_key(7, 3), impl="threefry2x32"), 0.0
    for epoch in range(3):
        order = example_order(7, 3, epoch, len(x))
        for step in range(4):
            rows = order[8 * step : 8 * step + 8]
            drawn = jax.random.fold_in(jax.random.fold_in(key, epoch), step)
            kept = np.float64(x[rows]) * np.asarray(_mask(drawn, (8, 4)))
            error = kept @ params["w"] + params["b"] - y[rows]
            mean = 0.9 * mean + 0.1 * (error**2).mean()
            params["w"] -= 0.1 * kept.T @ error * 2 / error.size
            params["b"] -= 0.1 * 2 * error.sum(0) / error.size
    leaves = [run.checkpoint[f"leaf{i}"] for i in range(4)]  # b, w, mean, steps
    np.testing.assert_allclose(leaves[0], params["b"], atol=1e-5)
    np.testing.assert_allclose(leaves[1], params["w"], atol=1e-5)
    np.testing.assert_allclose(leaves[2], [mean] * 3, rtol=1e-4)
    assert leaves[3] == 12


def _with_own_loss(linear, change=lambda inputs, key: inputs, carried=()):
    """The linear problem with a penalty in its training loss, and inputs changed for training."""

    def init(rng):
        return Variables(linear.init(rng), carried)

    def train_loss(variables, inputs, targets, key):
        outputs = linear.apply(variables.trained, change(inputs, key))
        penalty = 0.01 * (variables.trained["w"] ** 2).sum()
        return linear.loss(outputs, targets) + penalty, variables.carried

    def apply(variables, inputs):
        return linear.apply(variables.trained, inputs)

    return replace(linear, init=init, apply=apply, train_loss=train_loss)


def _trained_in_small_parts(problem, monkeypatch):
    monkeypatch.setattr(layout, "BYTES_AT_A_TIME", 32)  # four outputs
    engine, who = JaxEngine(problem, problem.make_data(0), 0), member(2, lr=0.05)
    run = finished(engine, [who], 3)[who.key]
    return run, engine.describe()["programs"][0]["examples_at_a_time"]


def test_a_step_with_a_loss_of_its_own_comes_in_parts_with_the_figures_of_the_whole(
    linear, monkeypatch
):
    problem, who = _with_own_loss(linear), member(2, lr=0.05)
    expected = finished(JaxEngine(problem, problem.make_data(0), 0), [who], 3)[who.key]
    run, part = _trained_in_small_parts(problem, monkeypatch)
    assert part == 4
    np.testing.assert_allclose(run.curve.train_loss, expected.curve.train_loss, rtol=1e-5)
    np.testing.assert_allclose(run.curve.validation_loss, expected.curve.validation_loss, rtol=1e-5)


NOT_APART = {
    "dropout": {"change": lambda inputs, key: inputs * _mask(key, inputs.shape)},
    "dropout of next to nothing": {
        "change": lambda inputs, key: inputs * (1 + 1e-9 * _mask(key, inputs.shape))
    },
    "a mean of the batch": {"change": lambda inputs, key: inputs - inputs.mean(0)},
    "a state": {"carried": np.zeros(3, np.float32)},
}


@pytest.mark.parametrize("options", NOT_APART.values(), ids=NOT_APART)
def test_a_step_that_draws_or_sees_the_whole_batch_never_comes_in_parts(
    linear, monkeypatch, options
):
    _run, part = _trained_in_small_parts(_with_own_loss(linear, **options), monkeypatch)
    assert part == 8


def test_dropout_is_off_where_a_run_is_judged(dropping, linear):
    data, who = dropping.make_data(0), member(1, lr=0.1)
    engine = JaxEngine(dropping, data, 0)
    run = finished(engine, [who], 2)[who.key]
    params = {"b": run.checkpoint["leaf0"], "w": run.checkpoint["leaf1"]}
    loss = linear.loss(linear.apply(params, data.test.inputs), data.test.targets)
    judged = finished(engine, [who], 2, judge=True)[who.key]
    assert judged.curve.test_loss == pytest.approx(float(loss), rel=1e-5)


def test_what_is_drawn_does_not_depend_on_neighbours_chunks_or_resuming(dropping, monkeypatch):
    data = dropping.make_data(0)
    crowd = [member(seed, rule="adam", lr=lr) for lr in (0.01, 0.1) for seed in range(11)]
    together = finished(JaxEngine(dropping, data, 0), crowd, 4)
    halves = finished(JaxEngine(dropping, data, 0), crowd, 2)
    monkeypatch.setattr(layout, "MEMBERS_PER_CALL", 1)
    resumed = finished(JaxEngine(dropping, data, 0), list(halves.values())[::-1], 4)
    alone = finished(JaxEngine(dropping, data, 0), crowd[7:8], 4)
    for others in (resumed, alone):
        for key, run in others.items():
            curve = together[key].curve
            np.testing.assert_array_equal(run.curve.train_loss, curve.train_loss)
            np.testing.assert_array_equal(run.curve.validation_loss, curve.validation_loss)


def test_each_epoch_and_each_seed_draws_anew(dropping):
    one_batch = replace(dropping, batch_size=36)
    still = [member(seed, 36, lr=1e-9) for seed in (0, 1)]  # the weights do not move
    runs = finished(JaxEngine(one_batch, one_batch.make_data(0), 0), still, 4)
    losses = [loss for run in runs.values() for loss in run.curve.train_loss]
    assert len(set(losses)) == len(losses) == 8
    assert not np.array_equal(noise_key(0, 0), noise_key(1, 0))


def test_only_what_is_trained_counts_and_has_state_of_the_rule(dropping):
    engine = JaxEngine(dropping, dropping.make_data(0), 0)
    assert engine.parameters() == 4 * 2 + 2
    who = member(rule="adam", lr=0.1)
    run = finished(engine, [who], 1)[who.key]
    assert len(run.checkpoint) == 4 + 2 * 2 + 1  # variables, two moments of each, the step


def test_a_problem_without_such_a_loss_draws_nothing(linear):
    engine = JaxEngine(linear, linear.make_data(0), 0)
    assert engine._arguments.inputs(member(lr=0.1), [0], 0).noise is None


def test_the_training_loss_is_rehearsed(dropping):
    data = dropping.make_data(0)
    assert problems.rehearse(dropping, data) > 0
    forgets = replace(dropping, train_loss=lambda v, x, y, key: (jnp.mean(v.trained["w"]), {}))
    with pytest.raises(ProblemError, match=r"train_loss carries on \{\}; it was given .*int32\[\]"):
        problems.rehearse(forgets, data)
    fails = replace(dropping, train_loss=lambda v, x, y, key: v.nothing)
    with pytest.raises(ProblemError, match="train_loss fails on the first batch: AttributeError"):
        problems.rehearse(fails, data)
    bare = replace(dropping, init=lambda rng: dropping.init(rng).trained)
    with pytest.raises(ProblemError, match="init must give descenso"):
        problems.rehearse(bare, data)
    assert problems.fingerprint(dropping, data) != problems.fingerprint(
        replace(dropping, train_loss=lambda v, x, y, key: (jnp.mean(v.trained["w"]), v.carried)),
        data,
    )
