import equinox as eqx
import flax.linen as linen
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from descenso import problems
from descenso.errors import DataError, ProblemError, UnknownNameError
from descenso.problems import Data, Metric, Split
from descenso.problems._from_jax import _metric

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
LABELS = np.arange(60) % 3
TARGETS = X[:, :1] * 2


def init(key):
    first, second = jax.random.split(key)
    return {
        "w": 0.5 * jax.random.normal(first, (4, 8)),
        "v": 0.5 * jax.random.normal(second, (8, 3)),
    }


def apply(params, inputs):
    return jnp.tanh(inputs @ params["w"]) @ params["v"]


def linear_init(key):
    return jax.random.normal(key, (4, 1))


def linear(params, inputs):
    return inputs @ params


def rehearse(problem):
    return problems.rehearse(problem, problem.make_data(0))


@pytest.mark.slow
def test_a_classifier_is_rehearsed_and_judged_by_accuracy():
    problem = problems.from_jax(init, apply, (X, LABELS))
    assert problem.metric.name == "accuracy"
    assert problem.metric.percent
    assert rehearse(problem) == pytest.approx(1.1, abs=0.6)


def test_a_regression_is_judged_by_r2():
    problem = problems.from_jax(linear_init, linear, (X, TARGETS), loss="mse")
    assert problem.metric.name == "r2"
    assert rehearse(problem) > 0


def test_initial_weights_follow_the_generator():
    problem = problems.from_jax(init, apply, (X, LABELS))
    first, again, other = (problem.init(np.random.default_rng(seed))["w"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_one_pair_is_split_by_the_seed_and_stratified_by_class():
    problem = problems.from_jax(init, apply, (X, LABELS))
    data = problem.make_data(1)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [36, 12, 12]
    assert np.bincount(data.train.targets).tolist() == [12, 12, 12]
    assert data.train.targets.dtype == np.int32
    assert not np.array_equal(data.train.inputs, problem.make_data(2).train.inputs)


PARTS = {"train": (X[:40], LABELS[:40]), "validation": (X[40:50], LABELS[40:50])}
PARTS["test"] = (X[50:], LABELS[50:])


@pytest.mark.parametrize(
    "given",
    [
        PARTS,
        {name: Split(*pair) for name, pair in PARTS.items()},
        Data(**{name: Split(*pair) for name, pair in PARTS.items()}),
        {name: (jnp.asarray(x), y.tolist()) for name, (x, y) in PARTS.items()},
    ],
    ids=["pairs", "splits", "data", "other arrays"],
)
def test_three_parts_are_taken_as_they_are_whatever_the_seed(given):
    problem = problems.from_jax(init, apply, given)
    for seed in (0, 1):
        data = problem.make_data(seed)
        np.testing.assert_allclose(data.validation.inputs, X[40:50], rtol=1e-6)
        np.testing.assert_array_equal(data.test.targets, LABELS[50:])
    assert rehearse(problem) > 0


@pytest.mark.parametrize(
    ("name", "higher"), [("f1", True), ("hamming_error", False), ("mine", False)]
)
def test_the_name_of_a_function_tells_which_values_are_the_better_ones(name, higher):
    def metric(outputs, targets):
        return jnp.mean(outputs) + jnp.mean(targets)

    metric.__name__ = name
    assert _metric(metric, None).higher_is_better is higher


def test_functions_may_be_given_for_loss_and_metric():
    def absolute(outputs, targets):
        return jnp.mean(jnp.abs(outputs - targets))

    problem = problems.from_jax(linear_init, linear, (X, TARGETS), loss=absolute)
    assert problem.metric.function is absolute
    assert not problem.metric.higher_is_better
    problem = problems.from_jax(linear_init, linear, (X, TARGETS), loss="mse", metric=absolute)
    assert problem.metric.name == "absolute"
    bounded = Metric("hits", lambda o, t: jnp.mean(jnp.abs(o - t) < 1), higher_is_better=True)
    problem = problems.from_jax(linear_init, linear, (X, TARGETS), loss="mse", metric=bounded)
    assert problem.metric is bounded
    assert rehearse(problem) > 0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"loss": "crossentropy"},
            UnknownNameError,
            r"no loss named 'crossentropy'.*'cross-entropy'",
        ),
        ({"metric": "acuracy"}, UnknownNameError, r"no metric named 'acuracy'.*'accuracy'"),
        ({"loss": 3}, ProblemError, "loss must be a function; got int"),
        ({"init": {}}, ProblemError, "init must be a function; got dict"),
        ({"apply": None}, ProblemError, "apply must be a function; got NoneType"),
        ({"train_loss": 3}, ProblemError, "train_loss must be a function; got int"),
        ({"batch_size": 0}, ProblemError, "batch_size must be a whole number ≥ 1; got 0"),
        ({"epochs": 2.5}, ProblemError, r"epochs must be a whole number ≥ 1; got 2\.5"),
        ({"data": (X, LABELS[:-1])}, DataError, "60 inputs but 59 targets"),
        ({"data": (X, np.zeros(60, int))}, DataError, "all examples are of one class, 0"),
        ({"data": X}, DataError, r"must be a pair \(inputs, targets\); got ndarray"),
        ({"data": {"train": (X, LABELS)}}, DataError, "exactly the parts train, validation, test"),
        ({"data": (np.where(X > 2, np.nan, X), LABELS)}, DataError, r"inputs of the data: .*nan"),
        (
            {"data": {**PARTS, "test": (X[:0], LABELS[:0])}},
            DataError,
            "test: there are no examples",
        ),
        ({"data": ([[1], [2, 3]], [0, 1])}, DataError, "NumPy cannot read it"),
    ],
)
def test_a_wrong_argument_is_named_at_once(options, error, message):
    given = {"init": init, "apply": apply, "data": (X, LABELS), **options}
    with pytest.raises(error, match=message):
        problems.from_jax(**given)


CALLS = []  # a global state


def _counting(apply):
    def counted(*arguments):
        CALLS.append(1)
        return apply(*arguments)

    return counted


def _drifting_loss(variables, inputs, targets, key):
    CALLS.append(1)
    return jnp.mean(apply(variables.trained, inputs) ** 2) + len(CALLS), variables.carried


def _in_variables(key):
    return problems.Variables(init(key), ())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"apply": _counting(lambda p, x: apply(p, x) * len(CALLS))},
            "apply gives other values when it is called again .*no global state",
        ),
        (
            {"apply": _counting(lambda p, x: apply(p, x)[:, : 3 - len(CALLS) % 2])},
            r"apply changes shape when it is called again: \(32, [23]\), then \(32, [23]\)",
        ),
        (
            {"init": lambda key: {**init(key), "w": np.random.default_rng().normal(size=(4, 8))}},
            r"init gives other values \(\['w'\]\) when it is called again",
        ),
        (
            {
                "init": _in_variables,
                "apply": lambda v, x: apply(v.trained, x),
                "train_loss": _drifting_loss,
            },
            "train_loss gives other values when it is called again",
        ),
    ],
)
def test_a_function_that_depends_on_more_than_its_arguments_is_refused(options, message):
    given = {"init": init, "apply": apply, **options}
    problem = problems.from_jax(given.pop("init"), given.pop("apply"), (X, LABELS), **given)
    with pytest.raises(ProblemError, match=message):
        rehearse(problem)


# ---- trees and outputs of Flax and Equinox ------------------------------------------------------


class Normed(linen.Module):
    @linen.compact
    def __call__(self, inputs, train=False):
        return linen.Dense(3)(linen.BatchNorm(use_running_average=not train)(inputs))


class Gated(eqx.Module):
    layer: eqx.nn.Linear
    order: jax.Array
    activation: object

    def __init__(self, key):
        self.layer = eqx.nn.Linear(4, 3, key=key)
        self.order, self.activation = jnp.arange(4), jax.nn.relu


def normed_nnx(key):
    return nnx.split(nnx.BatchNorm(4, rngs=nnx.Rngs(params=key)))[1]


@pytest.mark.parametrize(
    ("init", "message"),
    [
        (lambda key: Normed().init(key, X[:1]), r"batch_stats beside the parameters .*Variables"),
        (normed_nnx, "BatchStat beside the parameters"),
        (Gated, r"parameter \.order has type int32; .*eqx\.partition"),
        (
            lambda key: eqx.tree_at(lambda m: m.order, Gated(key), None),
            r"\.activation is of type .*eqx",
        ),
        (lambda key: {"scale": 0.5}, r"\['scale'\] is of type float; .*: jnp\.asarray\(0\.5\)"),
        (
            lambda key: {"name": "relu"},
            r"type str; .*What is not trained stays out of it: in apply",
        ),
        (lambda key: {"key": key}, r"has type key<fry>; .*stays out of it"),
        (lambda key: jnp.ones(3, "complex64"), "complex64; .*imaginary part as two arrays"),
    ],
)
def test_what_a_tree_holds_beside_parameters_is_refused_with_where_it_belongs(init, message):
    problem = problems.from_jax(init, lambda params, inputs: inputs, (X, LABELS))
    with pytest.raises(ProblemError, match=message):
        rehearse(problem)


def test_flax_parameters_alone_are_trained():
    module = linen.Dense(3)
    problem = problems.from_jax(lambda key: module.init(key, X[:1]), module.apply, (X, LABELS))
    assert set(problem.init(np.random.default_rng(0))) == {"params"}
    assert rehearse(problem) > 0


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (lambda outputs: (outputs, {"mean": 0}), r"it returned tuple: return its \[0\]"),
        (lambda outputs: {"logits": outputs}, "it returned dict$"),
    ],
)
def test_an_apply_that_returns_more_than_one_array_is_refused(form, message):
    problem = problems.from_jax(init, lambda p, x: form(apply(p, x)), (X, LABELS))
    with pytest.raises(ProblemError, match=message):
        rehearse(problem)


def test_labels_that_do_not_count_need_a_loss_that_leaves_them_out():
    labels = np.where(np.arange(60) % 5, LABELS, -100)
    with pytest.raises(DataError, match=r"-100 marks labels that do not count.*labels >= 0"):
        problems.from_jax(init, apply, (X, labels))

    def loss(outputs, labels):
        losses = optax.softmax_cross_entropy_with_integer_labels(outputs, labels)
        return jnp.sum(losses * (labels >= 0)) / jnp.sum(labels >= 0)

    problem = problems.from_jax(init, apply, (X, labels), loss=loss, metric="accuracy")
    outputs = jnp.eye(3)[jnp.maximum(labels, 0)]
    assert float(problem.metric.function(outputs, labels)) == 1
    assert float(problem.loss(outputs, labels)) == pytest.approx(np.log(np.e + 2) - 1)


def test_labels_that_count_from_one_are_refused_with_what_to_do():
    with pytest.raises(ProblemError, match=r"label 3 .*\. Give labels - 1"):
        rehearse(problems.from_jax(init, apply, (X, LABELS + 1)))


def test_a_dataset_of_tensorflow_is_refused_with_how_to_give_its_arrays():
    class Batches:
        def as_numpy_iterator(self):
            return iter([(X, LABELS)])

    with pytest.raises(DataError, match=r"got Batches\. Give its arrays: .*as_numpy_iterator"):
        problems.from_jax(init, apply, Batches())
