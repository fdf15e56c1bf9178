"""Every rule, in every binding, over its grid of settings: 100 float64 steps as the rule itself."""

import importlib
import inspect
import subprocess
import sys

import pytest
from tests.conformance import _grid

from descenso import rules


def run_numpy(name, given):
    optimizer = getattr(importlib.import_module("descenso.numpy"), name)(**given)
    theta = _grid.start()
    state = optimizer.start(theta)
    for grads in _grid.gradients():
        theta, state = optimizer.step(theta, grads, state)
    return theta


def run_jax(name, given):
    jax = importlib.import_module("jax")
    descenso_jax = importlib.import_module("descenso.jax")
    with jax.enable_x64(True):
        optimizer = getattr(descenso_jax, name)(**given)
        theta = jax.tree.map(jax.numpy.asarray, _grid.start())
        state = optimizer.init(theta)
        update = jax.jit(optimizer.update)
        for grads in _grid.gradients():
            updates, state = update(grads, state, theta)
            theta = descenso_jax.apply_updates(theta, updates)
        return theta


def run_torch(name, given):
    torch = importlib.import_module("torch")
    optimizer_class = getattr(
        importlib.import_module("descenso.torch"), rules.class_name(rules.get(name))
    )
    theta = {key: torch.nn.Parameter(torch.tensor(array)) for key, array in _grid.start().items()}
    optimizer = optimizer_class(list(theta.values()), **given)
    for grads in _grid.gradients():
        for key, parameter in theta.items():
            parameter.grad = torch.tensor(grads[key])
        optimizer.step()
    return {key: parameter.detach().numpy() for key, parameter in theta.items()}


RUNNERS = {"numpy": run_numpy, "jax": run_jax, "torch": run_torch}


@pytest.mark.parametrize("case", _grid.cases(), ids=_grid.label)
@pytest.mark.parametrize("binding", RUNNERS)
def test_a_hundred_float64_steps_equal_the_rule(binding, case):
    ours = RUNNERS[binding](*case)
    assert _grid.worst(ours, _grid.reference(*case)) <= _grid.TOLERANCE


@pytest.mark.parametrize("name", rules.names())
@pytest.mark.parametrize("binding", ["numpy", "jax"])
def test_help_shows_a_signature_the_formula_ranges_and_the_paper(binding, name):
    function = getattr(importlib.import_module(f"descenso.{binding}"), name)
    rule = rules.get(name)
    signature = inspect.signature(function)
    own = ["state_dtype"] if binding == "jax" else []
    assert list(signature.parameters) == [*rule.hyperparameters, "nonfinite", "transforms", *own]
    assert rule.paper in function.__doc__
    assert rule.formula.splitlines()[0] in function.__doc__
    for setting, h in rule.hyperparameters.items():
        assert f"{setting} : in {h.range_text}" in function.__doc__


def test_a_rule_registered_from_a_file_appears_in_every_binding(tmp_path):
    file = tmp_path / "halving.py"
    file.write_text(
        "from descenso.rules import hyperparameter, rule\n"
        "@rule(paper='none')\n"
        "def halving(xp, theta, g, state, t, *, lr=hyperparameter(0.1, meaning='step', above=0)):\n"
        '    r"""Halving: step half the gradient.\n\n'
        "    .. math::\n\n"
        '        \\\\theta_t = \\\\theta_{t-1} - g/2\n    """\n'
        "    return theta - 0.5 * g, state\n"
    )
    program = (
        "import numpy as np, jax, descenso.numpy, descenso.jax\n"
        "from descenso import rules\n"
        f"rules.load_rule_file({str(file)!r})\n"
        "theta = np.ones(2)\n"
        "o = descenso.numpy.halving()\n"
        "print(o.step(theta, theta, o.start(theta))[0])\n"
        "o = descenso.jax.halving()\n"
        "print(o.update(theta, o.init(theta))[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:2] == ["[0.5 0.5]", "[-0.5 -0.5]"]


@pytest.mark.parametrize(
    ("binding", "absent"),
    [
        ("numpy", ["jax", "torch", "tensorflow", "keras", "optax"]),
        ("jax", ["torch", "tensorflow", "keras", "optax"]),
    ],
)
def test_a_binding_imports_only_its_own_framework(binding, absent):
    program = (
        "import sys\n"
        f"for name in {absent!r}: sys.modules[name] = None\n"
        f"import descenso.{binding} as binding\n"
        "binding.adam()\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_rule_may_choose_by_the_step_number_and_compute_with_it(tmp_path):
    file = tmp_path / "early.py"
    file.write_text(
        "from descenso.rules import hyperparameter, rule\n"
        "@rule(paper='none', state=('m',))\n"
        "def early(xp, theta, g, state, t, *,\n"
        "          lr=hyperparameter(0.1, meaning='step', above=0)):\n"
        '    r"""Early: an average that begins with the first gradient.\n\n'
        "    .. math::\n\n"
        '        m = g\n    """\n'
        "    m = xp.where(t < 2, g, 0.9 * state['m'] + 0.1 * g)\n"
        "    rate = xp.where(t < 3, 0.5 * lr, lr) / xp.sqrt(t)\n"
        "    bound = xp.maximum(xp.minimum(m, 0.5), -0.5)\n"
        "    return theta - rate * xp.where(t > 2, bound, xp.where(t < 2, 0.0, bound)), {'m': m}\n"
    )
    rules.load_rule_file(file)
    wanted = _grid.reference("early", {})
    for run in (run_numpy, run_jax, run_torch):
        assert _grid.worst(run("early", {}), wanted) <= _grid.TOLERANCE, run
