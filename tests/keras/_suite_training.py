"""The optimizers in ``compile`` and ``fit``, saved and loaded, in low precision, on bad input."""

import inspect
import re
import tempfile
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops
from tests import typical

import descenso.keras
from descenso import adopt, rules
from descenso.errors import ParameterError, SettingError
from descenso.transforms import clip_by_global_norm, moving_average

CLASSES = [rules.class_name(rules.get(name)) for name in typical.RULES]


def data(examples=256):
    random = np.random.default_rng(3)
    x = random.normal(size=(examples, 8)).astype("float32")
    return x, (2 * x[:, :1] - x[:, 1:2] + 0.5).astype("float32")


def model(optimizer, policy="float32", **compiled):
    keras.utils.set_random_seed(4)
    built = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(16, "tanh", dtype=policy),
            keras.layers.Dense(1, dtype=policy),
        ]
    )
    if optimizer is not None:
        built.compile(optimizer, "mse", **compiled)
    return built


def fit(built, epochs=1):
    history = built.fit(*data(), epochs=epochs, batch_size=32, shuffle=False, verbose=0)
    return history.history["loss"]


def weights(built):
    return np.concatenate([np.asarray(w, "float32").ravel() for w in built.get_weights()])


def raises(error, message, call):
    with pytest.raises(error, match=re.escape(message)):
        call()


def check_every_rule_trains_in_fit_compiled_and_eagerly():
    for name in CLASSES:
        made = getattr(descenso.keras, name)
        compiled = model(made(lr=0.02))
        losses = fit(compiled, 6)
        assert losses[-1] < 0.6 * losses[0], (name, losses)
        eager = model(made(lr=0.02), run_eagerly=True)
        fit(eager, 6)
        assert np.allclose(weights(compiled), weights(eager), atol=2e-4), name


def check_settings_survive_a_config():
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 100)
    original = descenso.keras.RMSprop(
        schedule, beta=0.8, centered=True, momentum=0.5, clipnorm=1.0, nonfinite="skip",
        eps=keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5), name="mine",
    )  # fmt: skip
    copy = descenso.keras.RMSprop.from_config(original.get_config())
    assert copy.get_config() == original.get_config()
    assert (copy.beta, copy.centered, copy.momentum, copy.name) == (0.8, True, 0.5, "mine")
    assert copy.clipnorm == 1.0
    written = keras.optimizers.serialize(descenso.keras.AdamW(weight_decay=0.2))
    read = keras.optimizers.deserialize(written)
    assert type(read) is descenso.keras.AdamW
    assert read.weight_decay == 0.2
    assert read.get_config()["learning_rate"] == written["config"]["learning_rate"]


def check_a_model_saved_in_mid_training_goes_on_exactly():
    for name in CLASSES:
        straight = model(getattr(descenso.keras, name)(lr=0.02))
        fit(straight, 2)
        with tempfile.TemporaryDirectory() as folder:
            file = str(Path(folder) / "model.keras")
            straight.save(file)
            loaded = keras.models.load_model(file)
        assert type(loaded.optimizer) is getattr(descenso.keras, name)
        fit(straight, 2)
        fit(loaded, 2)
        assert np.array_equal(weights(straight), weights(loaded)), name


def check_low_precision_trains_as_float32_does_with_float32_state():
    for name in CLASSES:
        full = fit(model(getattr(descenso.keras, name)(lr=0.02)), 12)
        for policy in ("mixed_bfloat16", "bfloat16"):
            low = model(getattr(descenso.keras, name)(lr=0.02), policy)
            losses = fit(low, 12)
            assert losses[-1] < 1.3 * full[-1] + 0.02, (name, policy, losses[-1], full[-1])
            for slot in low.optimizer.variables[2:]:
                assert "bfloat16" not in str(slot.dtype), (name, policy, slot.path)


def check_averages_are_put_in_place_in_each_precision_and_fit_goes_on():
    average = {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 3}
    for policy in ("float32", "mixed_bfloat16", "bfloat16"):
        built = model(descenso.keras.RMSprop(lr=0.02, **average), policy)
        first, again = fit(built, 4), fit(built, 4)
        assert again[-1] < first[0], (policy, first, again)
        for variable, kept in zip(
            built.trainable_variables, built.optimizer._model_variables_moving_average, strict=True
        ):
            now = np.asarray(ops.convert_to_numpy(ops.cast(variable, "float32")))
            wanted = ops.convert_to_numpy(ops.cast(ops.cast(kept, variable.dtype), "float32"))
            assert np.array_equal(now, wanted), (policy, variable.path)


def check_pure_bfloat16_adam_moves_where_that_of_keras_stands_still():
    moved = {}
    for made in (descenso.keras.Adam, keras.optimizers.Adam):
        weight = keras.Variable(np.full(4, 0.5), dtype="bfloat16")
        optimizer = made(learning_rate=0.01)
        for _step in range(20):
            optimizer.apply([ops.ones(4, "bfloat16")], [weight])
        now = ops.convert_to_numpy(ops.cast(weight, "float32"))
        moved[made] = float(np.max(np.nan_to_num(np.abs(now - 0.5))))
    assert abs(moved[descenso.keras.Adam] - 0.2) < 0.02, moved


def check_the_loss_scale_optimizer_of_keras_wraps_the_rules():
    optimizer = keras.optimizers.LossScaleOptimizer(descenso.keras.Adam(lr=0.02))
    losses = fit(model(optimizer, "mixed_float16"), 6)
    assert losses[-1] < 0.6 * losses[0], losses


def check_embeddings_train():
    keras.utils.set_random_seed(5)
    built = keras.Sequential(
        [keras.Input((3,)), keras.layers.Embedding(20, 4), keras.layers.Flatten(), keras.layers.Dense(1)]
    )  # fmt: skip
    built.compile(descenso.keras.Adam(lr=0.05), "mse")
    x = np.random.default_rng(0).integers(0, 20, (128, 3))
    y = (x[:, :1] / 10).astype("float32")
    losses = built.fit(x, y, epochs=15, verbose=0).history["loss"]
    assert losses[-1] < 0.2 * losses[0], losses


def check_frozen_layers_stay_and_callbacks_change_the_rate():
    built = model(descenso.keras.Adam(lr=0.02))
    built.layers[0].trainable = False
    built.compile(built.optimizer, "mse")
    before = [np.asarray(w) for w in built.layers[0].get_weights()]
    rates = []
    callback = keras.callbacks.LearningRateScheduler(lambda epoch: [0.02, 0.005][epoch])
    seen = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: rates.append(
            float(ops.convert_to_numpy(built.optimizer.lr))
        )
    )
    built.fit(*data(), epochs=2, verbose=0, callbacks=[callback, seen])
    assert np.allclose(rates, [0.02, 0.005]), rates
    for old, new in zip(before, built.layers[0].get_weights(), strict=True):
        assert np.array_equal(old, new)


def check_a_changed_setting_takes_effect():
    weight = keras.Variable(np.zeros(1), dtype="float32")
    optimizer = descenso.keras.GradientDescent(lr=1.0)
    optimizer.apply([ops.ones(1)], [weight])
    optimizer.lr = 0.25
    optimizer.apply([ops.ones(1)], [weight])
    assert np.allclose(ops.convert_to_numpy(weight), -1.25)


def check_variables_may_come_in_any_order_and_number_from_step_to_step():
    paths = []
    for beta1 in (0.9, lambda: 0.9):  # a setting that may change takes the general way
        optimizer = descenso.keras.AdamW(lr=0.1, beta1=beta1)
        optimizer.exclude_from_weight_decay(var_names=["b"])
        named = [keras.Variable(np.ones(2), name=name, dtype="float32") for name in "abc"]
        optimizer.build(named)
        a, b, c = named
        for step, given in enumerate(
            ([b], [a, b, c], [c, a, b], [a, b, c], [a, b, c], [c], [b, a])
        ):
            optimizer.apply([ops.full((2,), float(step + ord(v.name))) for v in given], given)
        paths.append([ops.convert_to_numpy(v) for v in named])
    assert np.allclose(*paths, atol=1e-5), paths


def check_a_stateless_step_leaves_variables_as_they_are():
    if keras.config.backend() == "tensorflow":  # has none
        return
    weight = keras.Variable(np.ones(2), dtype="float32")
    optimizer = descenso.keras.Momentum(lr=0.5)
    for _step in range(2):
        optimizer.apply([ops.ones(2)], [weight])
    before = np.array(ops.convert_to_numpy(weight))
    kept = [ops.copy(ops.convert_to_tensor(v)) for v in optimizer.variables]
    (new,), _ = optimizer.stateless_apply(
        kept, [ops.ones(2)], [ops.copy(ops.convert_to_tensor(weight))]
    )
    assert np.array_equal(ops.convert_to_numpy(weight), before)
    with keras.StatelessScope() as scope:
        optimizer.apply([ops.ones(2)], [weight])
    assert np.array_equal(ops.convert_to_numpy(weight), before)
    assert np.allclose(
        ops.convert_to_numpy(scope.get_current_value(weight)), ops.convert_to_numpy(new)
    )
    optimizer.apply([ops.ones(2)], [weight])
    assert np.allclose(ops.convert_to_numpy(weight), ops.convert_to_numpy(new))


def check_a_variable_given_other_memory_is_stepped_there():
    if keras.config.backend() != "torch":
        return
    import torch

    weight, other = (keras.Variable(np.ones(2), dtype="float32") for _ in range(2))
    optimizer = descenso.keras.GradientDescent(lr=0.5)
    optimizer.apply([ops.ones(2), ops.ones(2)], [weight, other])
    other._value = torch.nn.Parameter(torch.zeros(2))
    optimizer.apply([ops.ones(2), ops.ones(2)], [weight, other])
    assert np.allclose(ops.convert_to_numpy(weight), 0.0)
    assert np.allclose(ops.convert_to_numpy(other), -0.5)


def check_a_nonfinite_gradient_is_skipped_and_not_counted():
    steps = {}
    for bad in (False, True):
        weight = keras.Variable(np.ones(2), dtype="float32")
        optimizer = descenso.keras.AdamW(lr=0.1, nonfinite="skip")
        for step in range(6):
            if bad:
                optimizer.apply([ops.convert_to_tensor([1.0, float("nan")])], [weight])
            optimizer.apply([ops.convert_to_tensor([1.0 + step, -2.0])], [weight])
        steps[bad] = ops.convert_to_numpy(weight)
    assert np.array_equal(steps[False], steps[True]), steps


def check_a_nonfinite_gradient_is_skipped_in_fit():
    built = model(descenso.keras.Adam(lr=0.02, nonfinite="skip"))
    x, y = data()
    y[40] = np.nan
    built.fit(x, y, epochs=3, batch_size=32, shuffle=False, verbose=0)
    assert np.all(np.isfinite(weights(built)))
    assert int(ops.convert_to_numpy(built.optimizer._skipped)) == 3


def check_a_nonfinite_gradient_raises_by_name_or_passes():
    weight = keras.Variable(np.ones(2), dtype="float32", name="kernel")
    bad = [ops.convert_to_tensor([1.0, float("inf")])]
    raises(
        ParameterError,
        "kernel is not finite",
        lambda: descenso.keras.Adam(nonfinite="raise").apply(bad, [weight]),
    )
    assert np.all(np.isfinite(ops.convert_to_numpy(weight)))
    descenso.keras.GradientDescent().apply(bad, [weight])
    assert not np.all(np.isfinite(ops.convert_to_numpy(weight)))


def check_raising_inside_compiled_code_says_what_to_do():
    if keras.config.backend() == "torch":  # runs eagerly, and can look
        fit(model(descenso.keras.Adam(nonfinite="raise")))
        return
    built = model(descenso.keras.Adam(nonfinite="raise"))
    raises(SettingError, "run_eagerly=True", lambda: fit(built))
    fit(model(descenso.keras.Adam(nonfinite="raise"), run_eagerly=True))


def check_bad_settings_are_refused():
    adam = descenso.keras.Adam
    raises(SettingError, "lr must lie in (0, inf); got -1.0", lambda: adam(lr=-1.0))
    raises(SettingError, "lr must lie in", lambda: adam(learning_rate=float("nan")))
    raises(SettingError, "not both", lambda: adam(lr=0.1, learning_rate=0.1))
    raises(SettingError, "Did you mean 'beta1'", lambda: adam(bet1=0.5))
    raises(SettingError, "adam has no setting 'self'", lambda: adam(self=1))
    raises(SettingError, "nonfinite must be", lambda: adam(nonfinite="stop"))
    raises(SettingError, "is a switch", lambda: descenso.keras.RMSprop(centered=lambda n: True))
    raises(AttributeError, "no attribute 'NoSuchRule'", lambda: descenso.keras.NoSuchRule)


def check_bad_parameters_and_gradients_are_refused_by_name():
    adam = descenso.keras.Adam
    whole = keras.Variable(np.arange(3), dtype="int32", trainable=False, name="counter")
    raises(ParameterError, "counter must be real floating-point; it is int32",
           lambda: adam().build([whole]))  # fmt: skip
    weight = keras.Variable(np.ones(2), dtype="float32", name="kernel")
    raises(ParameterError, "gradient of kernel has shape (3,)",
           lambda: adam().apply([ops.ones(3)], [weight]))  # fmt: skip


def check_the_state_of_another_rule_is_refused():
    store = {}
    weight = keras.Variable(np.ones(2), dtype="float32", name="kernel")
    source = descenso.keras.RMSprop(centered=True)
    source.apply([ops.ones(2)], [weight])
    source.save_own_variables(store)
    target = descenso.keras.Adam()
    target.build([weight])
    raises(ParameterError, "is of another rule: s,m", lambda: target.load_own_variables(store))
    same = descenso.keras.RMSprop(centered=True)
    same.build([weight])
    same.load_own_variables(store)
    for ours, theirs in zip(same.variables, source.variables, strict=True):
        assert np.array_equal(ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs))


def check_help_shows_a_signature_the_formula_ranges_and_the_paper():
    for name in rules.names():
        rule = rules.get(name)
        made = getattr(descenso.keras, rules.class_name(rule))
        assert set(rule.hyperparameters) <= set(inspect.signature(made).parameters)
        assert {"learning_rate", "clipnorm"} <= set(inspect.signature(made).parameters)
        assert rule.formula.splitlines()[0] in made.__doc__
        assert rule.paper in made.__doc__
        for setting, h in rule.hyperparameters.items():
            assert f"{setting} : in {h.range_text}" in made.__doc__


def check_frozen_and_weightless_models_compile_fit_save_and_load():
    x, y = data(32)
    for transforms in ([], [clip_by_global_norm(1.0), moving_average(0.9)]):
        for weightless in (False, True):
            built = model(None) if not weightless else keras.Sequential(
                [keras.Input((8,)), keras.layers.Rescaling(2.0)]
            )  # fmt: skip
            built.trainable = False
            built.compile(
                descenso.keras.Adam(1e-3, transforms=transforms), keras.losses.MeanSquaredError()
            )
            built.fit(x, y, verbose=0)
            for kind in (".keras", ".h5"):
                with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # Keras advises against HDF5
                    file = str(Path(folder) / f"model{kind}")
                    built.save(file)
                    loaded = keras.models.load_model(file)
                assert np.allclose(loaded.predict(x, verbose=0), built.predict(x, verbose=0))


def check_a_rate_of_zero_freezes_until_it_is_set():
    built = model(descenso.keras.Momentum(0))
    before = weights(built)
    fit(built)
    assert np.array_equal(weights(built), before)
    built.optimizer.learning_rate = 0.01
    fit(built)
    assert not np.array_equal(weights(built), before)


def check_exclusions_hold_for_transforms_and_survive_adopt():
    for make in (keras.optimizers.SGD, keras.optimizers.AdamW):
        for build in (False, True):
            kernel, bias = (
                keras.Variable(np.full(2, 2.0), dtype="float32", name=n) for n in ("kernel", "bias")
            )
            original = make(0.1, weight_decay=0.04)
            original.exclude_from_weight_decay(var_names=["bias"])
            if build:
                original.build([kernel, bias])
            adopt(original).apply([ops.zeros(2), ops.zeros(2)], [kernel, bias])
            assert np.allclose(ops.convert_to_numpy(kernel), 1.992), (make, build)
            assert np.array_equal(ops.convert_to_numpy(bias), [2.0, 2.0]), (make, build)


def check_a_sparse_gradient_is_made_dense_and_said_once():
    backend = keras.config.backend()
    values, rows = np.asarray([[1.0, 1.0], [2.0, 0.5]], "float32"), [2, 0]
    dense = np.asarray([[2.0, 0.5], [0, 0], [1, 1], [0, 0]], "float32")
    if backend == "tensorflow":
        import tensorflow as tf

        sparse = [tf.IndexedSlices(values, rows, shape) for shape in ((4, 2), None)]
    elif backend == "jax":
        from jax.experimental.sparse import BCOO

        sparse = [BCOO((ops.convert_to_tensor(values), np.asarray(rows)[:, None]), shape=(4, 2))]
    else:
        import torch

        sparse = [torch.sparse_coo_tensor([rows], torch.tensor(values), (4, 2))]
    for g in sparse:
        ours, wanted = (keras.Variable(np.ones((4, 2)), dtype="float32") for _ in range(2))
        optimizer, plain = descenso.keras.Adam(0.1), descenso.keras.Adam(0.1)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            for _step in range(2):
                optimizer.apply([g], [ours])
                plain.apply([ops.convert_to_tensor(dense)], [wanted])
        assert np.allclose(ops.convert_to_numpy(ours), ops.convert_to_numpy(wanted), atol=1e-6)
        assert sum("is sparse" in str(w.message) for w in said) == 1


def check_a_shape_that_a_graph_does_not_know_is_checked_when_it_runs():
    if keras.config.backend() != "tensorflow":
        return
    import tensorflow as tf

    weight = keras.Variable(np.ones((2, 3)), dtype="float32")
    optimizer = descenso.keras.GradientDescent(1.0)
    optimizer.build([weight])
    for spec in (None, (None, 3)):
        step = tf.function(
            lambda g: optimizer.apply([g], [weight]), input_signature=[tf.TensorSpec(spec)]
        )
        step(tf.ones((2, 3)))
        with pytest.raises(tf.errors.InvalidArgumentError):
            step(tf.ones((5, 3)))
    assert np.allclose(ops.convert_to_numpy(weight), -1.0)


def check_a_setting_of_keras_is_answered_with_ours():
    adam = descenso.keras.Adam
    raises(SettingError, "Write beta1=", lambda: adam(beta_1=0.5))
    raises(SettingError, "Write eps=", lambda: adam(epsilon=0.5))
    raises(SettingError, "Write beta=", lambda: descenso.keras.RMSprop(rho=0.5))
    raises(SettingError, "Write eps_root=", lambda: descenso.keras.RMSprop(epsilon=0.5))
    raises(SettingError, "amsgrad", lambda: adam(amsgrad=True))
    raises(SettingError, "give settings after lr by name", lambda: adam(0.1, 0.9))
