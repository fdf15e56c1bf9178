"""Checks of problems made of Keras models; run in a process of their own, with Keras on JAX."""

import functools
import random
import warnings

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.datasets import load_digits

from descenso import methods, problems
from descenso.engine.jax import JaxEngine
from descenso.engine.randomness import example_order
from descenso.errors import DataError, ProblemError, UnknownNameError
from descenso.problems import from_keras
from descenso.records import Member

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype(np.float32)
LABELS = np.arange(60) % 3
PARTS = {"train": (X[:40], LABELS[:40]), "validation": (X[40:50], LABELS[40:50])}
PARTS["test"] = (X[50:], LABELS[50:])


def dense(*middle, outputs=3, activation=None, **first):
    def make_model():
        last = layers.Dense(outputs, activation=activation)
        hidden = layers.Dense(8, activation="relu", **first)
        return keras.Sequential([keras.Input((4,)), hidden, *(m() for m in middle), last])

    return make_model


def member(seed=0, lr=0.1, batch_size=8):
    rule = methods.parse("gradient_descent").definition()
    return Member("gd", rule.name, rule.settings(lr=lr), batch_size, seed)


def trained(problem, who, epochs, judge=False):
    engine = JaxEngine(problem, problem.make_data(0), 0)
    *_earlier, [run] = engine.train([who], epochs, judge=judge)
    return engine, run


def variables(problem, engine, run):
    """Return the trained and the carried arrays at the end of a run."""
    params = engine._arguments.progress(run).params
    return params.trained, params.carried


def model_at_start(problem, make_model, engine, seed):
    model = make_model()
    start = engine.initial(seed)
    for variable, value in zip(model.trainable_variables, start.trained, strict=True):
        variable.assign(value)
    return model


def fitted(model, batches, **compiled):
    """Train with Keras's own fit, on these very batches."""
    model.compile(keras.optimizers.SGD(0.1), **compiled)
    rows = np.concatenate(batches)
    history = model.fit(X[rows], LABELS[rows], batch_size=8, shuffle=False, verbose=0)
    return history.history["loss"][0]


CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def check_an_epoch_equals_fit_with_batch_normalisation_and_a_penalty():
    make_model = dense(layers.BatchNormalization, kernel_regularizer=keras.regularizers.L2(0.1))
    problem = from_keras(make_model, PARTS, loss=CROSS_ENTROPY)
    engine, run = trained(problem, member(5), 1)
    moved, carried = variables(problem, engine, run)
    model = model_at_start(problem, make_model, engine, 5)
    loss = fitted(model, [example_order(0, 5, 0, 40)], loss=CROSS_ENTROPY)
    for mine, theirs in zip(moved, model.trainable_variables, strict=True):
        np.testing.assert_allclose(mine, theirs.value, atol=2e-6)
    for mine, theirs in zip(carried, model.non_trainable_variables, strict=True):
        np.testing.assert_allclose(mine, theirs.value, atol=2e-6)
    assert run.curve.train_loss[0] == pytest.approx(loss, rel=1e-5)


def check_moving_averages_equal_a_hand_loop_and_serve_in_evaluation():
    def make_model():
        normalised = layers.BatchNormalization(momentum=0.8)
        return keras.Sequential([keras.Input((4,)), normalised, layers.Dense(3)])

    problem = from_keras(make_model, PARTS, loss="cross-entropy")
    engine, run = trained(problem, member(2, lr=0.05), 2)
    mean, variance = np.zeros(4), np.ones(4)
    for epoch in range(2):
        for rows in example_order(0, 2, epoch, 40).reshape(5, 8):
            mean = 0.8 * mean + 0.2 * X[rows].mean(0)
            variance = 0.8 * variance + 0.2 * X[rows].var(0)
    (gamma, beta, weight, bias), carried = variables(problem, engine, run)
    np.testing.assert_allclose(carried, [mean, variance], rtol=1e-5)
    inputs = (X[50:] - mean) / np.sqrt(variance + 1e-3) * gamma + beta
    outputs = inputs @ weight + bias
    loss = np.log(np.exp(outputs).sum(1)) - outputs[np.arange(10), LABELS[50:]]
    _engine, judged = trained(problem, member(2, lr=0.05), 2, judge=True)
    assert judged.curve.test_loss == pytest.approx(loss.mean(), rel=1e-4)


def _with_dropout():
    return dense(lambda: layers.Dropout(0.5, seed=1), lambda: layers.GaussianNoise(1.0))


def check_dropout_draws_as_fit_does_in_distribution():
    problem = from_keras(_with_dropout(), PARTS, loss="cross-entropy")
    engine, run = trained(problem, member(3, lr=1e-9), 200)
    model = model_at_start(problem, _with_dropout(), engine, 3)
    model.compile(keras.optimizers.SGD(1e-9), loss=CROSS_ENTROPY)
    history = model.fit(X[:40], LABELS[:40], batch_size=8, epochs=200, verbose=0).history["loss"]
    mine, theirs = run.curve.train_loss, np.array(history)
    error = np.hypot(mine.std(), theirs.std()) / np.sqrt(200)
    assert abs(mine.mean() - theirs.mean()) < 4 * error
    assert mine.std() == pytest.approx(theirs.std(), rel=0.3)
    assert len(set(mine)) == 200
    still = model.evaluate(X[:40], LABELS[:40], verbose=0)
    assert mine.mean() > still + 10 * error  # noise costs; evaluation is without it


def _convolutional():
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Rescaling(1 / 16),
            layers.Conv2D(8, 3, use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(10),
        ]
    )


def check_a_convolutional_network_learns_real_digits_as_well_as_by_fit():
    digits = load_digits()
    images, labels = digits.images[..., None].astype("float32"), digits.target
    parts = {"train": slice(1024), "validation": slice(1024, 1400), "test": slice(1400, None)}
    data = {part: (images[rows], labels[rows]) for part, rows in parts.items()}
    problem = from_keras(_convolutional, data, loss="cross-entropy")
    engine = JaxEngine(problem, problem.make_data(0), 0)
    runs = {}
    for chunk in engine.train([member(s, lr=0.2, batch_size=32) for s in range(8)], 4, judge=True):
        runs.update({run.member.seed: run.curve for run in chunk})
    keras.utils.set_random_seed(0)  # what fit draws: dropout, and the order of the examples
    model = _convolutional()
    model.compile(keras.optimizers.SGD(0.2), loss=CROSS_ENTROPY, metrics=["accuracy"])
    differences = []
    for seed, curve in sorted(runs.items()):
        start = engine.initial(seed)
        arrays = iter([*start.trained, *start.carried])
        seeds = [v for v in model.non_trainable_variables if v.name == "seed_generator_state"]
        for variable in (*model.trainable_variables, *model.non_trainable_variables):
            if not any(variable is s for s in seeds):
                variable.assign(next(arrays))
        history = model.fit(*data["train"], batch_size=32, epochs=4, verbose=0).history
        reached = model.evaluate(*data["test"], verbose=0)[1]
        assert min(reached, curve.test_metric) > 0.85
        differences.append(
            (curve.test_metric - reached, curve.train_loss[-1] - history["loss"][-1])
        )
    error = np.std(differences, axis=0, ddof=1) / np.sqrt(len(differences))
    assert (np.abs(np.mean(differences, axis=0)) < 4 * error + 1e-3).all(), differences
    assert (error < [0.02, 0.05]).all()


def check_dropout_and_noise_are_off_in_evaluation():
    problem = from_keras(_with_dropout(), PARTS, loss="cross-entropy")
    engine, run = trained(problem, member(3, lr=1e-9), 2, judge=True)
    model = model_at_start(problem, _with_dropout(), engine, 3)
    model.compile(loss=CROSS_ENTROPY)
    assert run.curve.test_loss == pytest.approx(model.evaluate(X[50:], LABELS[50:], verbose=0))
    assert np.ptp(run.curve.validation_loss) < 1e-6


def check_jax_is_started_as_suits_training_before_the_model_is_built():
    done = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("descenso.problems._from_keras.start_jax", lambda: done.append("started"))
        from_keras(lambda: done.append("built") or dense()(), PARTS, loss="cross-entropy")
    assert done[:2] == ["started", "built"]


def _with_everything():
    return keras.Sequential([
        keras.Input((9, 9, 3)), layers.Conv2D(6, 3, activation="relu"), layers.BatchNormalization(),
        layers.MaxPooling2D(3, strides=2), layers.Conv2D(4, 2, groups=2), layers.Flatten(),
        layers.Dropout(0.3), layers.Dense(3),
    ])  # fmt: skip


def check_members_laid_out_as_on_a_gpu_train_as_on_a_cpu():
    images = RNG.normal(size=(60, 9, 9, 3)).astype(np.float32)
    problem = from_keras(_with_everything, (images, LABELS), loss="cross-entropy", batch_size=8)
    crowd = [member(seed, lr) for seed in range(3) for lr in (0.05, 1e12)]
    runs = {}
    for platform in ("cpu", "gpu"):
        engine = JaxEngine(problem, problem.make_data(0), 0, platform=platform)
        last = {r.member.key: r for rs in engine.train(crowd, 3, judge=True) for r in rs}
        runs[platform] = [last[who.key].curve for who in crowd]
    for one, other in zip(*runs.values(), strict=True):
        assert (one.steps, one.diverged_at) == (other.steps, other.diverged_at)
        np.testing.assert_allclose(one.validation_loss, other.validation_loss, rtol=1e-4)
        np.testing.assert_allclose(one.train_loss, other.train_loss, rtol=1e-4)
        np.testing.assert_allclose(one.test_loss, other.test_loss, rtol=1e-4)
    assert [curve.diverged for curve in runs["gpu"]] == [False, True] * 3


def check_weights_follow_the_seed_and_the_generators_of_the_user_do_not_move():
    problem = from_keras(_with_dropout(), PARTS, loss="cross-entropy")
    before, numpy_before = random.getstate(), np.random.get_state()[1].copy()
    one, again, other = (problem.init(np.random.default_rng(s)).trained[0] for s in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    assert random.getstate() == before
    assert (np.random.get_state()[1] == numpy_before).all()


def check_a_frozen_layer_stays_as_it_is():
    def make_model():
        frozen = layers.Dense(8, kernel_initializer="ones", trainable=False)
        return keras.Sequential([keras.Input((4,)), frozen, layers.Dense(3)])

    problem = from_keras(make_model, PARTS, loss="cross-entropy")
    engine, run = trained(problem, member(), 2)
    moved, carried = variables(problem, engine, run)
    assert (engine.parameters(), len(moved)) == (8 * 3 + 3, 2)
    np.testing.assert_array_equal(carried[0], np.ones((4, 8)))


def check_a_softmax_is_seen_and_not_taken_for_scores():
    scores = from_keras(dense(), PARTS, loss="cross-entropy")
    shares = from_keras(dense(activation="softmax"), PARTS, loss="cross-entropy")
    outputs = RNG.normal(size=(5, 3)).astype(np.float32)
    labels = np.array([0, 1, 2, 0, 1])
    soft = np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
    assert float(shares.loss(soft, labels)) == pytest.approx(float(scores.loss(outputs, labels)))
    assert scores.metric.name == shares.metric.name == "accuracy"
    assert scores.metric.percent


def _compiled(loss, **options):
    def make_model():
        model = dense(**options)()
        model.compile("adam", loss=loss)
        return model

    return make_model


def check_the_compiled_loss_serves_and_labels_may_stand_in_a_column():
    make_model = _compiled("sparse_categorical_crossentropy", activation="softmax")
    problem = from_keras(make_model, (X, LABELS[:, None]))
    data = problem.make_data(0)
    assert data.train.targets.shape == (36,)
    assert np.bincount(data.train.targets).tolist() == [12, 12, 12]
    assert problems.rehearse(problem, data) > 0
    assert problem.metric.name == "accuracy"


def check_two_classes_with_one_output_are_judged_by_accuracy():
    data = (X, (X[:, 0] > 0).astype(int))
    shares = from_keras(dense(outputs=1, activation="sigmoid"), data, loss="binary_crossentropy")
    scored = keras.losses.BinaryCrossentropy(from_logits=True)
    for problem, step in (
        (shares, 0.0),
        (from_keras(dense(outputs=1), data, loss=scored), -0.5),
    ):
        outputs = np.array([[0.6], [0.4], [0.7]]) + step
        assert float(problem.metric.function(outputs, np.array([[1.0], [0], [0]]))) == 2 / 3
        parts = problem.make_data(0)
        assert parts.train.targets.shape == (36, 1)
        _engine, run = trained(problem, member(lr=0.5), 30)
        assert run.curve.validation_metric[-1] > 0.7


def check_rows_of_one_one_are_judged_by_accuracy():
    data = (X, np.eye(3, dtype=np.float32)[LABELS])
    make_model = dense(activation="softmax")
    problem = from_keras(make_model, data, loss="categorical_crossentropy", metric="accuracy")
    outputs = np.array([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]])
    assert float(problem.metric.function(outputs, np.array([[1, 0, 0], [0, 1, 0]]))) == 0.5
    assert problems.rehearse(problem, problem.make_data(0)) > 0


def check_a_regression_is_judged_by_r2_and_its_targets_may_be_flat():
    for loss in ("mse", "mean_squared_error", keras.losses.MeanSquaredError()):
        problem = from_keras(dense(outputs=1), (X, 2 * X[:, 0]), loss=loss)
        assert problem.metric.name == "r2"
        _engine, run = trained(problem, member(lr=0.05), 20)
        assert run.curve.validation_metric[-1] > 0.5
    absolute = from_keras(dense(outputs=1), (X, X[:, 0]), loss="mean_absolute_error")
    assert (absolute.metric.name, absolute.metric.higher_is_better) == ("loss", False)

    def largest(targets, outputs):
        return keras.ops.max(keras.ops.abs(targets - outputs))

    own = from_keras(dense(outputs=1), (X, X[:, 0]), loss="mse", metric=largest)
    assert own.metric.name == "largest"
    assert problems.rehearse(own, own.make_data(0)) > 0


def check_a_subclassed_model_is_built_on_the_data():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.drop, self.last = layers.Dropout(0.5), layers.Dense(3)

        def call(self, inputs, training=False):
            return self.last(self.drop(inputs, training=training))

    problem = from_keras(Own, PARTS, loss="cross-entropy")
    _engine, run = trained(problem, member(), 2)
    assert np.isfinite(run.curve.validation_loss).all()


SAME = dense()()


def _two_inputs():
    one, other = keras.Input((4,)), keras.Input((4,))
    return keras.Model([one, other], layers.Dense(3)(one + other))


def _fails():
    raise RuntimeError("no weights today")


def check_what_is_wrong_is_named():
    columns = dense(kernel_constraint="non_neg")
    widths = iter(range(4, 99))
    cases = [
        ({"make_model": 3}, ProblemError, "make_model must be a function; got int"),
        ({"make_model": lambda: 3}, ProblemError, "make_model must return a Keras model; got int"),
        ({"make_model": _fails}, ProblemError, "make_model fails: RuntimeError: no weights today"),
        ({"make_model": _two_inputs}, ProblemError, "one input and one output; it has 2 and 1"),
        ({"make_model": columns}, ProblemError, "kernel has a constraint"),
        ({"data": (X[:, :3], LABELS)}, ProblemError, r"inputs of shape \(4,\); the data have \(3,"),
        ({"loss": None}, ProblemError, "give a loss, or a model that is compiled with one"),
        ({"loss": "crossentropy"}, UnknownNameError, "no loss named 'crossentropy'.*Did you mean"),
        ({"loss": 3}, ProblemError, "loss must be a function; got int"),
        ({"metric": "acuracy"}, UnknownNameError, "no metric named 'acuracy'.*'accuracy'"),
        ({"data": (X, LABELS[:-1])}, DataError, "60 inputs but 59 targets"),
        ({"data": X}, DataError, "must be a pair"),
        ({"data": (X[:0], LABELS[:0])}, DataError, "there are no examples"),
        ({"epochs": 0}, ProblemError, "epochs must be a whole number ≥ 1; got 0"),
    ]
    for given, error, message in cases:
        options = {"make_model": dense(), "data": (X, LABELS), "loss": "cross-entropy", **given}
        with pytest.raises(error, match=message):
            from_keras(options.pop("make_model"), options.pop("data"), **options)
    for make_model, message in (
        (lambda: SAME, "must build a model anew each time"),
        (lambda: dense(outputs=next(widths))(), "built another model the second time"),
    ):
        problem = from_keras(make_model, (X, LABELS), loss="cross-entropy")
        with pytest.raises(ProblemError, match=message):
            problems.rehearse(problem, problem.make_data(0))


_CALLS = []  # a global state


class _Counting(layers.Layer):
    def call(self, inputs):
        _CALLS.append(1)
        return inputs * len(_CALLS)


def check_what_is_wrong_in_training_is_told_before_it():
    nothing = dense(lambda: layers.Lambda(lambda x: keras.ops.log(-1 - x * x)))
    cases = [
        (nothing, LABELS, "loss: it is nan on the first batch, before any training"),
        (dense(), LABELS + 5, "gives 3 outputs, but there is a label 7"),
        (dense(outputs=2), LABELS, "gives 2 outputs, but there is a label 2"),
        (dense(_Counting), LABELS, "other values when it is called again with the same arguments"),
    ]
    for make_model, labels, message in cases:
        problem = from_keras(make_model, (X, labels), loss="cross-entropy")
        with pytest.raises(ProblemError, match=message):
            problems.rehearse(problem, problem.make_data(0))
    with pytest.raises(DataError, match="validation: there are no examples"):
        from_keras(dense(), {**PARTS, "validation": (X[:0], LABELS[:0])}, loss="cross-entropy")


def check_another_backend_is_refused_with_what_to_set():
    patch = pytest.MonkeyPatch()
    with patch.context() as patched:
        patched.setattr(keras.backend, "backend", lambda: "tensorflow")
        with pytest.raises(ProblemError, match="Keras runs on tensorflow: set KERAS_BACKEND=jax"):
            from_keras(dense(), (X, LABELS), loss="cross-entropy")


class _Overriding(keras.Model):
    def __init__(self):
        super().__init__()
        self.last = layers.Dense(1)

    def call(self, inputs):
        return self.last(inputs)


def _with_method(name):
    kind = type("Own", (_Overriding,), {name: lambda self, *args, **more: None})

    def make_model():
        model = kind()
        model.compile("sgd", "mse")
        return model

    return make_model


def check_a_model_that_trains_by_code_of_its_own_is_refused_by_name():
    for name in ("train_step", "test_step", "compute_loss", "compute_metrics", "fit"):
        with pytest.raises(ProblemError, match=f"Own overrides {name}, which is not followed"):
            from_keras(_with_method(name), (X, X[:, 0]))
    from_keras(_with_method("compute_loss"), (X, X[:, 0]), loss="mse")  # it is told another way


def check_compiled_metrics_are_followed_and_equal_evaluate():
    yes = (X[:, 0] > 0).astype(int)

    def make_model():
        model = dense(outputs=1, activation="sigmoid")()
        model.compile("sgd", "binary_crossentropy", metrics=["AUC"])
        return model

    problem = from_keras(make_model, (X, yes))
    assert (problem.metric.name, problem.metric.higher_is_better) == ("auc", True)
    model = make_model()
    wanted = model.evaluate(X, yes, verbose=0, batch_size=60)[1]
    found = float(problem.metric.function(model(X), yes[:, None].astype("float32")))
    assert found == pytest.approx(wanted, abs=1e-6)
    unknown = lambda targets, outputs: keras.ops.mean(outputs)  # noqa: E731
    own = _compiled("mse", outputs=1)

    def with_unknown():
        model = own()
        model.compile("sgd", "mse", metrics=[unknown])
        return model

    with pytest.raises(ProblemError, match="whether a higher <lambda> is better is not known"):
        from_keras(with_unknown, (X, X[:, 0]))


def check_accuracy_of_one_output_works_with_any_loss():
    yes = (X[:, 0] > 0).astype(int)
    for loss in ("mse", keras.losses.Huber(), "binary_crossentropy"):
        problem = from_keras(
            dense(outputs=1, activation="sigmoid"), (X, yes), loss=loss, metric="accuracy"
        )
        outputs = np.where(yes, 0.6, 0.4)[:, None]
        assert float(problem.metric.function(outputs, yes[:, None].astype("float32"))) == 1
        assert problems.rehearse(problem, problem.make_data(0)) > 0


def check_labels_of_pixels_and_those_ignored_give_the_loss_of_keras():
    images = RNG.normal(size=(30, 4, 4, 1)).astype("float32")
    labels = (images[..., 0] > 0).astype("int32")
    labels[:, 0] = 255

    def make_model():
        return keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(2, 1)])

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    for given in (labels, labels[..., None]):
        problem = from_keras(make_model, (images, given), loss=loss)
        assert problem.make_data(0).train.targets.shape == (18, 4, 4)
        outputs = make_model()(images)
        assert float(problem.loss(outputs, labels)) == pytest.approx(float(loss(labels, outputs)))
        right = np.concatenate([-images, images], -1)
        assert float(problem.metric.function(right, labels)) == 1
        assert problems.rehearse(problem, problem.make_data(0)) > 0


def check_a_function_gets_targets_of_one_rank_with_the_outputs_as_from_compile():
    def squares(targets, outputs):
        return keras.ops.mean((targets - outputs) ** 2)

    steps = RNG.normal(size=(60, 8, 3)).astype("float32")
    model = lambda: keras.Sequential([keras.Input((8, 3)), layers.Dense(1)])  # noqa: E731
    problem = from_keras(model, (steps, steps[..., 0]), loss=squares)
    built = model()
    built.compile("sgd", squares)
    wanted = built.evaluate(steps, steps[..., 0], verbose=0, batch_size=60)
    assert float(problem.loss(built(steps), steps[..., :1])) == pytest.approx(wanted, rel=1e-5)
    assert float(problem.loss(built(steps), steps[..., 0])) == pytest.approx(wanted, rel=1e-5)


def check_what_cannot_be_followed_says_the_way():
    def masked():
        embedding = layers.Embedding(9, 4, mask_zero=True)
        return keras.Sequential([keras.Input((6,), dtype="int32"), embedding, layers.Dense(9)])

    words = RNG.integers(0, 9, (60, 6))
    cases = [
        (masked, (words, words), "outputs carry a mask"),
        (_two_inputs, ((X, X), LABELS), "one input and one output; the data have 2 inputs"),
        (_two_inputs, ({"a": X, "b": X}, LABELS), "the data have 2 inputs"),
        (dense(), (X, LABELS, np.ones(60)), "Sample weights are not followed"),
    ]
    for make_model, data, message in cases:
        with pytest.raises(ProblemError, match=message):
            from_keras(make_model, data, loss="cross-entropy")


def warned(make_model, data, loss):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        problem = from_keras(make_model, data, loss=loss)
        problems.rehearse(problem, problem.make_data(0))
    return [str(warning.message) for warning in caught]


YES = (X[:, 0] > 0).astype(np.float32)
ONE_HOT = np.eye(3)[LABELS]


def check_a_loss_that_takes_something_else_than_the_model_gives_is_warned_of():
    losses = keras.losses
    softmax, yes = dense(activation="softmax"), dense(outputs=1, activation="sigmoid")
    nested = lambda: keras.Sequential([keras.Input((4,)), softmax()])  # noqa: E731
    scores, twice = "the loss takes probabilities", "runs twice"
    for make_model, targets, loss, said in (
        (dense(), LABELS, "sparse_categorical_crossentropy", [scores]),
        (dense(), ONE_HOT, losses.CategoricalCrossentropy(), [scores]),
        (dense(outputs=1), YES, "binary_crossentropy", [scores]),
        (softmax, LABELS, CROSS_ENTROPY, [twice]),
        (nested, LABELS, "cross-entropy", [twice]),
        (yes, YES, losses.BinaryCrossentropy(from_logits=True), [twice]),
        (dense(outputs=1), YES, losses.MeanSquaredError(reduction="sum"), ["adds up over examples"]),
        (softmax, LABELS, "sparse_categorical_crossentropy", []),
        (softmax, ONE_HOT, "categorical_crossentropy", []),
        (yes, YES, "binary_focal_crossentropy", []),
        (dense(), LABELS, functools.partial(losses.sparse_categorical_crossentropy, from_logits=True),
         []),
    ):  # fmt: skip
        found = warned(make_model, (X, targets), loss)
        assert len(found) == len(said), (loss, found)
        assert all(words in text for words, text in zip(said, found, strict=True)), (loss, found)


def check_targets_of_another_form_than_the_loss_takes_are_refused_with_what_to_give():
    for make_model, targets, loss, way in (
        (dense(activation="softmax"), ONE_HOT, "sparse_categorical_crossentropy", r"argmax\(-1\)"),
        (dense(activation="softmax"), LABELS, "categorical_crossentropy", "to_categorical"),
        (dense(outputs=2), YES, "binary_crossentropy", r"End the model with Dense\(1\)"),
    ):
        with pytest.raises(ProblemError, match=way):
            from_keras(make_model, (X, targets), loss=loss)


def check_a_model_that_cannot_be_built_anew_or_trained_is_named():
    class Broken(keras.Model):
        def call(self, inputs):
            return self.lost(inputs)

    def frozen():
        model = dense()()
        model.trainable = False
        return model

    for make_model, message in (
        (dense()(), r"a new model each time.*Write lambda: Sequential\(\.\.\.\)"),
        (frozen, "all are frozen"),
        (Broken, r"calling Broken\.call\(\)\. 'Broken' object has no attribute 'lost'$"),
    ):
        with pytest.raises(ProblemError, match=message):
            from_keras(make_model, (X, LABELS), loss="cross-entropy")


def with_metric(metric, loss, outputs=3, activation="softmax"):
    def make_model():
        model = dense(outputs=outputs, activation=activation)()
        model.compile("sgd", loss, metrics=[metric])
        return model

    return make_model


class OwnTop(keras.metrics.SparseCategoricalAccuracy):
    """Says by the class it comes from that higher is better."""


def check_metrics_that_do_not_suit_the_loss_are_refused_or_warned_of():
    labels, scores = "sparse_categorical_crossentropy", keras.losses.BinaryCrossentropy(True)
    for metric, targets, loss, message in (
        (keras.metrics.F1Score(), LABELS, labels, r"shape \(N,\) beside outputs of shape \(N, 3\)"),
        ("categorical_accuracy", LABELS, labels, "takes rows of one 1, and the loss takes labels"),
        (keras.metrics.TopKCategoricalAccuracy(2), LABELS, labels, "takes rows of one 1"),
        (
            "sparse_categorical_accuracy",
            ONE_HOT,
            "categorical_crossentropy",
            "takes labels, and the",
        ),
    ):
        with pytest.raises(ProblemError, match=message):
            from_keras(with_metric(metric, loss), (X, targets))
    for metric, way in (
        ("AUC", r"AUC\(from_logits=True\)"),
        (keras.metrics.Precision(), r"Precision\(thresholds=0\)"),
        ("binary_accuracy", r"BinaryAccuracy\(threshold=0\)"),
    ):
        with pytest.warns(UserWarning, match=way):
            from_keras(with_metric(metric, scores, 1, None), (X, YES))
    for metric in (keras.metrics.AUC(from_logits=True), keras.metrics.Recall(thresholds=0)):
        found = from_keras(with_metric(metric, scores, 1, None), (X, YES)).metric
        assert found.name == type(metric).__name__.lower()  # not auc_7, whatever came before it
    own = from_keras(with_metric(OwnTop(name="mine"), labels), (X, LABELS)).metric
    assert (own.name, own.higher_is_better) == ("mine", True)
    assert float(own.function(10 * ONE_HOT, LABELS)) == 1
