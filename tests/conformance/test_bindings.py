"""Every rule conforms in every framework, and what does not is found."""

import importlib
import inspect
import subprocess
import sys

import pytest

from descenso import rules
from descenso.errors import RuleError, UnknownNameError
from descenso.testing import check_rule, conformance


@pytest.mark.parametrize("framework", ["numpy", "jax", "torch"])
@pytest.mark.parametrize("name", rules.names())
def test_every_rule_conforms(name, framework):
    found = check_rule(name, [framework])
    assert max(found.values()) <= conformance.TOLERANCE
    paths = {"numpy": ["numpy"], "jax": ["jax", "jax, batched"],
             "torch": ["torch", "torch, lists", "torch, plain"]}  # fmt: skip
    assert list(found) == paths[framework]


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


@pytest.mark.slow
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
        "    rate = rate * xp.where(m > 0, 1.2, xp.where(g < 0, 0.3, 0.7))\n"
        "    return theta - rate * xp.where(t > 2, bound, xp.where(t < 2, 0.0, bound)), {'m': m}\n"
    )
    assert max(check_rule(file, ["numpy", "jax", "torch"]).values()) <= conformance.TOLERANCE


DRIFTING = """
from descenso.rules import hyperparameter, rule
seen = []
@rule(paper='none', state=('v',))
def drifting(xp, theta, g, state, t, *, lr=hyperparameter(0.02, meaning='step', above=0)):
    r'''Drifting: keep going.

    .. math::

        v = v + g
    '''
    seen.append(1)
    v = state['v'] + g
    {step}
    return theta, {{'v': {kept}}}
"""


@pytest.mark.parametrize(
    ("step", "kept", "says"),
    [
        # compiled once, the number of calls stays what it was
        (
            "theta = theta - lr * v / len(seen)",
            "v",
            r"jax, drifting\(\): ends .* from the rule on NumPy",
        ),
        ("theta -= lr * v", "v", "rule drifting changes its arrays in place"),
        ("theta = theta - lr * v", "xp.mean(v)", r"the state must stay \('v',\), each of the"),
        ("theta = theta - lr * v", "v, 'w': v", r"the state must stay \('v',\), each of the"),
    ],
)
def test_what_does_not_conform_is_refused_with_what_it_did(tmp_path, step, kept, says):
    file = tmp_path / "drifting.py"
    file.write_text(DRIFTING.format(step=step, kept=kept))
    with pytest.raises(RuleError, match=says):
        check_rule(file, ["jax"])


def test_an_unknown_framework_is_refused_with_those_there_are():
    with pytest.raises(UnknownNameError, match="'tensorflow'; there are numpy, jax, torch, keras"):
        check_rule("adam", ["tensorflow"])
