"""The recommended line of code takes the very steps that the study took."""

import numpy as np
import pytest

from descenso import rules
from descenso.conventions import native
from descenso.ops import numpy as xp
from descenso.testing import conformance

STEPS = 60
CASES = [
    ("gradient_descent", {"lr": 0.0534}),
    ("momentum", {"lr": 0.433}),
    ("momentum", {"lr": 0.0123, "beta": 0.95, "dampening": 0.0}),
    ("nesterov", {"lr": 0.0123}),
    ("nesterov", {"lr": 0.0123, "beta": 0.8, "dampening": 0.3}),
    ("rmsprop", {"lr": 0.00534}),
    ("rmsprop", {"lr": 0.00534, "eps_root": 0.0, "eps": 1e-3}),
    ("rmsprop", {"lr": 0.00534, "eps_root": 1e-3, "eps": 1e-3, "momentum": 0.9}),
    ("rmsprop", {"lr": 0.00534, "momentum": 0.9, "centered": True}),
    ("rmsprop", {"lr": 0.00534, "momentum": 0.9}),
    ("adam", {"lr": 0.00534, "beta2": 0.98, "eps": 1e-2}),
    ("adam", {"lr": 0.00534, "eps_root": 1e-3}),
    ("adamw", {"lr": 0.00534, "weight_decay": 0.3}),
    ("adamw", {"lr": 0.00534, "weight_decay": 0.3, "eps": 0.0}),
    ("amsgrad", {"lr": 0.00534, "eps": 1e-2}),
    ("amsgrad", {"lr": 0.00534, "eps": 0.0}),
]
START = np.array([0.7, -1.3, 2.1])


def gradient(theta, t):
    return theta * np.array([1.0, 0.3, 3.0]) + np.cos(np.arange(3) + t)


def reference(rule, settings):
    theta, state = START.copy(), {}
    state = rule.start(xp, theta, settings)
    for t in range(1, STEPS + 1):
        theta, state = rule.update(xp, theta, gradient(theta, t), state, t, settings)
    return theta


def in_torch(line):
    import torch

    import descenso.torch  # noqa: F401  (the line may name it)

    class Model:
        theta = torch.nn.Parameter(torch.tensor(START, dtype=torch.float64))

        def parameters(self):
            return [self.theta]

    model = Model()
    optimizer = eval(line, {"torch": torch, "descenso": __import__("descenso"), "model": model})
    for t in range(1, STEPS + 1):
        model.theta.grad = torch.tensor(gradient(model.theta.detach().numpy(), t))
        optimizer.step()
    return model.theta.detach().numpy()


def in_keras(line):
    import keras

    import descenso.keras  # noqa: F401

    optimizer = eval(line, {"keras": keras, "descenso": __import__("descenso")})
    theta = keras.Variable(START, dtype="float64")
    for t in range(1, STEPS + 1):
        g = keras.ops.convert_to_tensor(gradient(np.asarray(theta), t), dtype="float64")
        optimizer.apply([g], [theta])
    return np.asarray(theta)


def in_optax(line):
    import jax
    import optax

    import descenso.jax  # noqa: F401

    with jax.enable_x64(True):
        optimizer = eval(line, {"optax": optax, "descenso": __import__("descenso")})
        theta = jax.numpy.asarray(START)
        state = optimizer.init(theta)
        for t in range(1, STEPS + 1):
            g = jax.numpy.asarray(gradient(np.asarray(theta), t))
            change, state = optimizer.update(g, state, theta)
            theta = optax.apply_updates(theta, change)
        return np.asarray(theta)


@pytest.mark.parametrize(("name", "given"), CASES)
@pytest.mark.parametrize(("framework", "run", "exact"), [
    ("torch", in_torch, 1e-14), ("keras", in_keras, 1e-5), ("optax", in_optax, 1e-14),
])  # fmt: skip
def test_the_line_takes_the_steps_of_the_rule(name, given, framework, run, exact):
    rule = rules.get(name)
    settings = rule.settings(**given)
    line = native.line(framework, name, settings)
    apart = np.abs(run(line) - reference(rule, settings)).max()
    assert apart <= exact, line  # Keras keeps its learning rate in float32


ROWS = [row for name in rules.names() for row in native.natives(name)]
RUN = {"torch": (in_torch, 1e-14), "keras": (in_keras, 1e-5), "optax": (in_optax, 1e-14)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.rule}={row.name}")
def test_every_optimizer_of_the_table_is_the_rule_with_all_its_settings_moved(row):
    rule = rules.get(row.rule)
    given = conformance.grid(rule)[-1] | dict.fromkeys(row.zero, 0.0)
    settings = rule.settings(**given)
    assert row.fits(settings)
    run, exact = RUN[row.framework]
    apart = np.abs(run(row.line(settings)) - reference(rule, settings)).max()
    assert apart <= exact, row.line(settings)


def test_the_frameworks_own_optimizer_is_named_where_it_is_the_same():
    adam = rules.get("adam").settings(lr=0.002)
    lines = native.lines("adam", adam)
    assert lines["torch"].startswith("torch.optim.Adam(model.parameters(), lr=0.002, betas=(0.9, ")
    assert lines["optax"].startswith("optax.adam(learning_rate=0.002")
    assert lines["keras"] == "descenso.keras.Adam(lr=0.002)"  # its ε is another one
    assert native.line("keras", "rmsprop", rules.get("rmsprop").settings(lr=0.01)).startswith(
        "keras.optimizers.RMSprop("
    )
    assert native.line("torch", "momentum", rules.get("momentum").settings(lr=0.4)) == (
        "torch.optim.SGD(model.parameters(), lr=0.04, momentum=0.9)"
    )
