from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from descenso import problems
from descenso.errors import DataError, ProblemError
from descenso.problems import Data, Metric, Split


@pytest.fixture
def wine():
    return problems.get("wine")


def rehearse(problem, **changes):
    return problems.rehearse(replace(problem, **changes), problem.make_data(0))


def test_the_loss_of_the_untrained_network_is_returned(wine):
    data = wine.make_data(0)
    params = wine.init(np.random.default_rng(0))
    outputs = wine.apply(params, data.train.inputs[:16])
    assert rehearse(wine) == pytest.approx(wine.loss(outputs, data.train.targets[:16]))


def fail(*_):
    raise RuntimeError("a long story\nin two lines")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"init": fail}, r"init fails on the first batch: RuntimeError: a long story$"),
        ({"init": lambda rng: {}}, "init gives no parameters"),
        ({"init": lambda rng: {"w": 1.0}}, r"parameter \['w'\] is of type float; it must be a"),
        ({"init": lambda rng: [np.ones(3, int)]}, r"parameter \[0\] has type int64; it must be fl"),
        ({"init": lambda rng: np.full(3, np.nan)}, r"parameter \(the only one\) holds values that"),
        ({"init": lambda rng: {"f": fail}}, r"parameter \['f'\] is of type function"),
        ({"apply": fail}, "apply fails on the first batch: RuntimeError"),
        ({"apply": lambda p, x: x[:, 0]}, r"outputs of shape \(examples, classes\); got \(16,\)"),
        ({"apply": lambda p, x: x[:, :2]}, "apply gives 2 outputs, but there is a label 2"),
        ({"apply": lambda p, x: np.nan * x[:, :3]}, "loss: it is nan on the first batch"),
        ({"loss": lambda o, t: o[:, 0]}, r"loss: it must be one number.*got shape \(16,\)"),
        ({"loss": lambda o, t: o @ t}, "loss fails on the first batch: ValueError"),
        ({"loss": lambda o, t: np.inf}, "loss: it is inf"),
        (
            {"metric": Metric("odd", lambda o, t: o[0], higher_is_better=True)},
            r"metric: it must be one number.*got shape \(3,\)",
        ),
    ],
)
def test_the_rule_that_is_broken_is_named(wine, changes, message):
    with pytest.raises(ProblemError, match=message):
        rehearse(wine, **changes)


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_a_part_without_examples_is_named(wine, part):
    data = wine.make_data(0)
    whole = getattr(data, part)
    empty = replace(data, **{part: Split(whole.inputs[:0], whole.targets[:0])})
    with pytest.raises(DataError, match=f"{part}: there are no examples"):
        problems.rehearse(wine, empty)
    short = replace(data, **{part: Split(whole.inputs, whole.targets[:-1])})
    with pytest.raises(DataError, match=rf"{part}: \d+ inputs but \d+ targets"):
        problems.rehearse(wine, short)


def test_labels_below_zero_are_refused_wherever_they_stand(wine):
    data = wine.make_data(0)
    below = replace(data, test=Split(data.test.inputs, data.test.targets - 1))
    with pytest.raises(ProblemError, match="class labels count from 0; got -1"):
        problems.rehearse(wine, below)


def test_outputs_that_would_broadcast_against_targets_are_refused():
    line = problems.get("line")
    whole = Split(line.make_data(0).train.inputs, np.arange(1.0, 6.0))
    with pytest.raises(ProblemError, match=r"\(2, 1\) do not fit targets of shape \(2,\)"):
        problems.rehearse(line, Data(whole, whole, whole))


def test_the_16_bit_parameters_of_jax_are_floating_too(wine):
    params = [
        {name: jnp.asarray(value, jnp.bfloat16) for name, value in layer.items()}
        for layer in wine.init(np.random.default_rng(0))
    ]
    assert rehearse(wine, init=lambda rng: params) > 0
    assert problems.fingerprint(replace(wine, init=lambda rng: params), wine.make_data(0))


def test_the_same_problem_has_the_same_fingerprint(wine):
    data = wine.make_data(0)
    assert problems.fingerprint(wine, data) == problems.fingerprint(
        problems.get("wine"), problems.get("wine").make_data(0)
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"init": lambda rng: [{"weight": np.ones((13, 3), np.float32), "bias": np.ones(3)}]},
        {"loss": lambda o, t: 2 * problems.get("wine").loss(o, t)},
        {"metric": Metric("other", problems.get("wine").metric.function, higher_is_better=True)},
    ],
    ids=["weights", "loss", "metric"],
)
def test_a_changed_problem_has_another_fingerprint(wine, changes):
    data = wine.make_data(0)
    changed = replace(wine, **changes)
    assert problems.fingerprint(changed, data) != problems.fingerprint(wine, data)


def test_changed_data_have_another_fingerprint(wine):
    data = wine.make_data(0)
    before = problems.fingerprint(wine, data)
    assert problems.fingerprint(wine, wine.make_data(1)) != before
    data.test.inputs[-1, -1] += 1e-3
    assert problems.fingerprint(wine, data) != before
