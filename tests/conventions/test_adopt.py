"""``adopt`` against the originals: float64, 60 steps, from the start and from mid-training."""

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

import descenso.jax
from descenso import schedules
from descenso.conventions import adopt
from descenso.conventions._recipe import as_array
from descenso.errors import ConventionError

WITHIN, ACROSS = 1e-14, 1e-12
MIDDLE = 25


@pytest.fixture(autouse=True)
def x64():
    with jax.enable_x64(True):
        yield


TORCH = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.4, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.05, "alpha": 0.9, "eps": 0.3}),
    ("RMSprop", {"lr": 0.05, "eps": 0.3, "momentum": 0.8, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.05, "eps": 0.3, "momentum": 0.8, "centered": True}),
    ("Adam", {"lr": 0.05, "eps": 0.3}),
    ("Adam", {"lr": 0.05, "eps": 0.3, "betas": (0.8, 0.95), "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05, "eps": 0.3, "betas": (0.8, 0.95), "amsgrad": True}),
    ("AdamW", {"lr": 0.05, "eps": 0.3, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.05, "eps": 0.3, "weight_decay": 0.1, "amsgrad": True}),
]
KERAS = [
    ("SGD", {"learning_rate": 0.05}),
    ("SGD", {"learning_rate": 0.05, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("RMSprop", {"learning_rate": 0.05, "epsilon": 0.3}),
    ("RMSprop", {"learning_rate": 0.05, "epsilon": 0.3, "momentum": 0.8, "centered": True}),
    ("Adam", {"learning_rate": 0.05, "epsilon": 0.3}),
    ("Adam", {"learning_rate": 0.05, "epsilon": 0.3, "beta_2": 0.95, "amsgrad": True}),
    ("Adam", {"learning_rate": 0.05, "epsilon": 0.3, "global_clipnorm": 0.5}),
    ("Adam", {"learning_rate": 0.05, "epsilon": 0.3, "clipnorm": 0.5, "weight_decay": 0.1}),
    ("AdamW", {"learning_rate": 0.05, "epsilon": 0.3, "weight_decay": 0.1}),
    ("AdamW", {"learning_rate": 0.05, "epsilon": 0.3, "clipvalue": 0.5, "amsgrad": True}),
]
OPTAX = [
    ("sgd", {"learning_rate": 0.05}),
    ("sgd", {"learning_rate": 0.05, "momentum": 0.9}),
    ("sgd", {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True}),
    ("rmsprop", {"learning_rate": 0.05, "eps": 0.3}),
    ("rmsprop", {"learning_rate": 0.05, "eps": 0.3, "eps_in_sqrt": False, "momentum": 0.8}),
    ("rmsprop", {"learning_rate": 0.05, "eps": 0.3, "centered": True, "momentum": 0.8}),
    ("rmsprop", {"learning_rate": 0.05, "eps": 0.3, "bias_correction": True}),
    ("adam", {"learning_rate": 0.05, "eps": 0.3, "eps_root": 0.2}),
    ("adamw", {"learning_rate": 0.05, "eps": 0.3, "weight_decay": 0.1}),
    ("adamw", {"learning_rate": 0.05, "weight_decay": 0.1, "mask": [True, False]}),
    (
        "amsgrad",
        {"learning_rate": 0.05, "eps": 0.3, "b2": 0.95, "bias_correction_nu": False},
    ),
]


def spell(case):
    return "-".join(f"{k}={v}" for k, v in case.items()) if isinstance(case, dict) else str(case)


def torch_case(name, settings):
    parameters = torch_parameters()
    return getattr(torch.optim, name)(parameters, **settings), parameters


def keras_case(name, settings):
    import keras

    return getattr(keras.optimizers, name)(**settings), keras_variables()


def continue_elsewhere(original, to, values, first):
    """Adopt in another framework with parameters at ``values``, and take the remaining steps."""
    rows = gradients(first)
    if to == "torch":
        params = torch_parameters(values)
        return run_torch(adopt(original, to=to, params=params), params, rows)
    if to == "keras":
        variables = keras_variables(values)
        return run_keras(adopt(original, to=to, params=variables), variables, rows)
    made, state = adopt(original, to=to, params=values)
    if to == "jax":
        return run_jax(made, values, state, rows)[0]
    return run_numpy(made, values, state, rows)


@pytest.mark.parametrize("first", [0, MIDDLE])
@pytest.mark.parametrize(("name", "settings"), TORCH, ids=spell)
def test_an_optimizer_of_torch_goes_on_exactly_in_torch(name, settings, first):
    original, theirs = torch_case(name, settings)
    middle = run_torch(original, theirs, gradients(0, first))
    ours = torch_parameters(middle or start())
    adopted = adopt(original, params=ours)
    assert isinstance(adopted, torch.optim.Optimizer)
    right = run_torch(original, theirs, gradients(first))
    assert farthest(run_torch(adopted, ours, gradients(first)), right) <= WITHIN


@pytest.mark.parametrize("first", [0, MIDDLE])
@pytest.mark.parametrize("to", ["numpy", "jax", "keras"])
@pytest.mark.parametrize(("name", "settings"), TORCH, ids=spell)
def test_an_optimizer_of_torch_goes_on_elsewhere(name, settings, to, first):
    original, theirs = torch_case(name, settings)
    middle = run_torch(original, theirs, gradients(0, first))
    ours = continue_elsewhere(original, to, middle, first)
    assert farthest(ours, run_torch(original, theirs, gradients(first))) <= ACROSS


@pytest.mark.parametrize("first", [0, MIDDLE])
@pytest.mark.parametrize(("name", "settings"), KERAS, ids=spell)
def test_an_optimizer_of_keras_goes_on_exactly_in_keras(name, settings, first):
    import keras

    original, theirs = keras_case(name, settings)
    run_keras(original, theirs, gradients(0, first))
    ours = keras_variables([as_array(v.value) for v in theirs])
    adopted = adopt(original, params=ours)
    assert isinstance(adopted, keras.optimizers.Optimizer)
    right = run_keras(original, theirs, gradients(first))
    assert farthest(run_keras(adopted, ours, gradients(first)), right) <= WITHIN


@pytest.mark.parametrize("first", [0, MIDDLE])
@pytest.mark.parametrize("to", ["numpy", "jax", "torch"])
@pytest.mark.parametrize(("name", "settings"), KERAS, ids=spell)
def test_an_optimizer_of_keras_goes_on_elsewhere(name, settings, to, first):
    original, theirs = keras_case(name, settings)
    run_keras(original, theirs, gradients(0, first))
    values = [as_array(v.value) for v in theirs]
    ours = continue_elsewhere(original, to, values, first)
    assert farthest(ours, run_keras(original, theirs, gradients(first))) <= ACROSS


@pytest.mark.parametrize("first", [0, MIDDLE])
@pytest.mark.parametrize("to", ["jax", "torch", "keras", "numpy"])
@pytest.mark.parametrize(("name", "settings"), OPTAX, ids=spell)
def test_an_optimizer_of_optax_goes_on(name, settings, to, first):
    import optax

    original = getattr(optax, name)(**settings)
    middle, state = run_jax(original, start(), None, gradients(0, first))
    right, _ = run_jax(original, middle, state, gradients(first))
    rows = gradients(first)
    options = {"to": to, "state": state if first else None, **settings}
    if to == "torch":
        params = torch_parameters(middle)
        ours = run_torch(adopt(f"optax.{name}", params=params, **options), params, rows)
    elif to == "keras":
        params = keras_variables(middle)
        ours = run_keras(adopt(getattr(optax, name), params=params, **options), params, rows)
    else:
        made, state = adopt(f"optax.{name}", params=middle, **options)
        ours = (
            run_jax(made, middle, state, rows)[0]
            if to == "jax"
            else run_numpy(made, middle, state, rows)
        )
    assert farthest(ours, right) <= (WITHIN if to == "jax" else ACROSS)


# --- under a schedule -----------------------------------------------------------------------


@pytest.mark.parametrize("first", [0, MIDDLE])
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("SGD", {"momentum": 0.9}),
        ("SGD", {"momentum": 0.9, "nesterov": True}),
        ("RMSprop", {"momentum": 0.8, "epsilon": 0.3}),
        ("Adam", {"epsilon": 0.3}),
    ],
    ids=spell,
)
def test_a_rate_that_keras_keeps_inside_the_velocity_follows_its_schedule(name, settings, first):
    import keras

    rate = keras.optimizers.schedules.ExponentialDecay(0.05, 5, 0.8)
    original, theirs = keras_case(name, {"learning_rate": rate, **settings})
    run_keras(original, theirs, gradients(0, first))
    ours = keras_variables([as_array(v.value) for v in theirs])
    adopted = adopt(original, params=ours)
    right = run_keras(original, theirs, gradients(first))
    assert farthest(run_keras(adopted, ours, gradients(first)), right) <= WITHIN


@pytest.mark.parametrize("first", [0, MIDDLE])
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("sgd", {"momentum": 0.9, "nesterov": True}),
        ("rmsprop", {"momentum": 0.8, "eps": 0.3}),
        ("adamw", {"eps": 0.3}),
    ],
    ids=spell,
)
def test_a_rate_that_optax_keeps_inside_the_velocity_follows_its_schedule(name, settings, first):
    import optax

    settings = {"learning_rate": schedules.exponential(0.05, 0.8, every=5), **settings}
    original = getattr(optax, name)(**settings)
    middle, state = run_jax(original, start(), None, gradients(0, first))
    made, ours = adopt(f"optax.{name}", params=middle, state=state, **settings)
    right, _ = run_jax(original, middle, state, gradients(first))
    assert farthest(run_jax(made, middle, ours, gradients(first))[0], right) <= WITHIN


# --- what torch users have ------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Adam", "AdamW", "SGD"])
def test_groups_keep_settings_and_decay_of_their_own(kind):
    first, second = torch_parameters()
    original = getattr(torch.optim, kind)(
        [{"params": [first], "weight_decay": 0.1}, {"params": [second], "lr": 0.2}], lr=0.05
    )
    middle = run_torch(original, [first, second], gradients(0, MIDDLE))
    ours = torch_parameters(middle)
    adopted = adopt(original, params=ours)
    assert [group["lr"] for group in adopted.param_groups] == [0.05, 0.2]
    right = run_torch(original, [first, second], gradients(MIDDLE))
    assert farthest(run_torch(adopted, ours, gradients(MIDDLE)), right) <= WITHIN
    with pytest.raises(ConventionError, match="settings of their own"):
        adopt(original, to="numpy", params=middle)


def test_a_parameter_that_lagged_keeps_its_own_count():
    original, theirs = torch_case("Adam", {"lr": 0.05})
    run_torch(original, theirs, gradients(0, 5))
    theirs[1].grad = None
    for row in gradients(5, MIDDLE):
        theirs[0].grad = torch.tensor(row[0])
        original.step()
    ours = torch_parameters([p.detach().numpy() for p in theirs])
    adopted = adopt(original, params=ours)
    right = run_torch(original, theirs, gradients(MIDDLE))
    assert farthest(run_torch(adopted, ours, gradients(MIDDLE)), right) <= WITHIN
    with pytest.raises(ConventionError, match="different numbers of steps"):
        adopt(original, to="jax", params=right)


def test_climbing_is_adopted_in_torch_alone():
    original, theirs = torch_case("Adam", {"lr": 0.05, "maximize": True, "weight_decay": 0.1})
    ours = torch_parameters()
    adopted = adopt(original, params=ours)
    right = run_torch(original, theirs, gradients())
    assert farthest(run_torch(adopted, ours, gradients()), right) <= WITHIN
    with pytest.raises(ConventionError, match="negate the loss"):
        adopt(original, to="numpy", params=right)


def test_an_adopted_optimizer_can_be_saved_and_loaded(tmp_path):
    original, theirs = torch_case("SGD", TORCH[4][1])
    ours = torch_parameters()
    adopted = adopt(original, params=ours)
    run_torch(adopted, ours, gradients(0, MIDDLE))
    torch.save(adopted.state_dict(), tmp_path / "state.pt")
    twin = adopt(torch_case("SGD", TORCH[4][1])[0], params=ours)
    twin.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    right = run_torch(original, theirs, gradients())
    assert farthest(run_torch(twin, ours, gradients(MIDDLE)), right) <= WITHIN


# --- what Keras users have ------------------------------------------------------------------


def test_variables_without_decay_stay_without():
    import keras

    original = keras.optimizers.AdamW(0.05, weight_decay=0.1)
    theirs = keras_variables()
    original.exclude_from_weight_decay(var_list=[theirs[1]])
    run_keras(original, theirs, gradients(0, MIDDLE))
    values = [as_array(v.value) for v in theirs]
    ours = keras_variables(values)
    adopted = adopt(original, params=ours)
    elsewhere = continue_elsewhere(original, "torch", values, MIDDLE)
    right = run_keras(original, theirs, gradients(MIDDLE))
    assert farthest(run_keras(adopted, ours, gradients(MIDDLE)), right) <= WITHIN
    assert farthest(elsewhere, right) <= ACROSS


def test_kerass_own_average_and_accumulation_stay_kerass():
    import keras

    original = keras.optimizers.Adam(
        0.05, use_ema=True, ema_momentum=0.9, gradient_accumulation_steps=3
    )
    theirs = keras_variables()
    run_keras(original, theirs, gradients(0, 24))
    ours = keras_variables([as_array(v.value) for v in theirs])
    adopted = adopt(original, params=ours)
    right = run_keras(original, theirs, gradients(24))
    assert farthest(run_keras(adopted, ours, gradients(24)), right) <= WITHIN
    pairs = zip(
        original._model_variables_moving_average,
        adopted._model_variables_moving_average,
        strict=True,
    )
    assert max(np.abs(as_array(a.value) - as_array(b.value)).max() for a, b in pairs) <= WITHIN
    with pytest.raises(ConventionError, match="use_ema"):
        adopt(original, to="torch", params=torch_parameters())
    run_keras(adopted, ours, gradients(0, 1))
    run_keras(original, theirs, gradients(0, 1))
    with pytest.raises(ConventionError, match="middle of accumulating"):
        adopt(original)


def test_weights_laid_out_otherwise_are_arranged():
    layer = torch.nn.Linear(3, 2, dtype=torch.float64)
    original = torch.optim.Adam(layer.parameters(), lr=0.05)
    rows = [[g[0].T, g[1]] for g in gradients()]
    theirs = list(layer.parameters())
    run_torch(original, theirs, rows[:MIDDLE])
    values = [p.detach().numpy() for p in theirs]
    ours = keras_variables([values[0].T, values[1]])
    with pytest.raises(ConventionError, match="give arrange="):
        adopt(original, to="keras", params=ours)
    adopted = adopt(original, to="keras", params=ours, arrange=lambda i, a: a.T)
    right = run_torch(original, theirs, rows[MIDDLE:])
    found = run_keras(adopted, ours, gradients(MIDDLE))
    assert farthest([found[0].T, found[1]], right) <= ACROSS


# --- what has no equal ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: torch_case("NAdam", {})[0], "no rule for it.*Nearest: nadam"),
        (lambda: torch_case("Adagrad", {})[0], "not translated. Nearest: the rule adagrad"),
        (lambda: torch_case("LBFGS", {})[0], "one of SGD, RMSprop, Adam and AdamW"),
        (lambda: keras_case("SGD", {"learning_rate": -0.1})[0], "lr must lie in"),
        (lambda: keras_case("Adadelta", {})[0], "Nearest: the rule adadelta"),
        (lambda: descenso.jax.adam(), "takes an optimizer of|descenso's already"),
        (lambda: "optax.lion", "cannot be named"),
        (lambda: 3, "takes an optimizer of torch.optim"),
    ],
)
def test_what_has_no_equal_is_refused_and_the_nearest_named(make, says):
    with pytest.raises(ConventionError, match=says):
        adopt(make())


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("amsgrad", {"learning_rate": 0.1}, "maximum of the corrected"),
        ("adam", {"learning_rate": 0.1, "nesterov": True}, "Nesterov"),
        ("rmsprop", {"learning_rate": 0.1, "nesterov": True, "momentum": 0.9}, "Nesterov"),
        ("rmsprop", {"learning_rate": 0.1, "initial_scale": 1.0}, "give state="),
        ("adamw", {"learning_rate": 0.1, "mask": [True]}, "give params="),
        ("adam", {"lr": 0.1}, "unexpected keyword|missing a required"),
    ],
)
def test_what_optax_can_and_descenso_cannot_is_refused(name, settings, says):
    with pytest.raises(ConventionError, match=says):
        adopt(f"optax.{name}", **settings)


def test_a_state_without_parameters_to_go_with_is_refused():
    original, theirs = torch_case("Adam", {"lr": 0.05})
    run_torch(original, theirs, gradients(0, 1))
    for to in ("jax", "numpy", "keras"):
        with pytest.raises(ConventionError, match="give params="):
            adopt(original, to=to)
    with pytest.raises(ConventionError, match="one of torch, keras, jax, numpy"):
        adopt(original, to="mxnet")
    with pytest.raises(ConventionError, match="read from the optimizer"):
        adopt(original, lr=0.1)


def test_a_schedule_only_keras_can_compute_stays_in_keras():
    import keras

    rate = keras.optimizers.schedules.ExponentialDecay(0.05, 5, 0.8)
    with pytest.raises(ConventionError, match="only keras can compute"):
        adopt(keras.optimizers.Adam(rate), to="torch", params=torch_parameters())


def test_a_rate_of_zero_is_adopted_and_freezes():
    adopted = adopt(torch_case("SGD", {"lr": 0.0})[0])
    assert adopted.param_groups[0]["lr"] == 0.0
    before = [p.detach().clone() for p in adopted.param_groups[0]["params"]]
    for p in adopted.param_groups[0]["params"]:
        p.grad = p.detach().clone()
    adopted.step()
    assert all(a.equal(b) for a, b in zip(before, adopted.param_groups[0]["params"], strict=True))
