"""The classes are made from the rules: names, signatures, documentation, third-party rules."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys

import pytest
import torch

import descenso.torch
from descenso import rules
from descenso.torch import optimizer_class

RULE_FILE = '''
from descenso.rules import hyperparameter, rule

@rule(paper="nobody (2026)")
def {name}(xp, theta, g, state, t, *,
           lr=hyperparameter(0.1, meaning="step size", above=0, scale="log"){more}):
    r"""A rule: of a third party.

    .. math::

        \\theta_t = \\theta_{{t-1}} - \\eta\\, g_t
    """
    return {update}, state
'''


def third_party_rule(tmp_path, name, update, more=""):
    file = tmp_path / f"{name}.py"
    file.write_text(RULE_FILE.format(name=name, update=update, more=more))
    return rules.load_rule_file(file)


def test_every_rule_has_a_class_of_the_name_a_reader_expects():
    expected = {"GradientDescent", "Momentum", "Nesterov", "RMSprop", "Adam", "AdamW"}
    assert expected <= set(dir(descenso.torch))
    for name in rules.names():
        made = getattr(descenso.torch, rules.class_name(rules.get(name)))
        assert issubclass(made, torch.optim.Optimizer)
        assert made is optimizer_class(name)


def test_an_unknown_class_is_an_attribute_error_that_lists_the_known_ones():
    with pytest.raises(AttributeError, match="RMSprop"):
        _ = descenso.torch.Adamm


@pytest.mark.parametrize("name", rules.names())
def test_help_shows_the_settings_the_formula_the_ranges_and_the_paper(name):
    rule, made = rules.get(name), optimizer_class(name)
    parameters = inspect.signature(made).parameters
    assert next(iter(parameters)) == "params"
    assert {*rule.hyperparameters, "maximize", "state_dtype", "nonfinite"} <= set(parameters)
    for h in rule.hyperparameters.values():
        assert parameters[h.name].default == h.default
        assert h.range_text in made.__doc__
    assert rule.formula.splitlines()[0] in made.__doc__
    assert rule.paper in made.__doc__


def test_importing_descenso_loads_no_torch():
    code = (
        "import sys, descenso, descenso.torch; dir(descenso.torch); print('torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_an_optimizer_class_can_be_pickled_by_name():
    assert pickle.loads(pickle.dumps(descenso.torch.Adam)) is descenso.torch.Adam


def test_a_registered_rule_is_an_optimizer_at_once(tmp_path):
    third_party_rule(tmp_path, "cubic_step", "theta - lr * g * g * g")
    parameter = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    optimizer = descenso.torch.CubicStep([parameter], lr=0.5)
    parameter.grad = torch.tensor([1.0, -2.0])
    optimizer.step()
    torch.testing.assert_close(parameter.detach(), torch.tensor([0.5, 6.0]))


@pytest.mark.parametrize("options", [{}, {"foreach": True}, {"compile": False}])
def test_a_rule_that_looks_at_the_whole_parameter_gets_each_parameter_whole(tmp_path, options):
    third_party_rule(tmp_path, "normed_step", "theta - lr * g / xp.sqrt(xp.sum(xp.square(g)))")
    parameters = [torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(1))]
    optimizer = descenso.torch.NormedStep(parameters, lr=1.0, **options)
    parameters[0].grad = torch.tensor([3.0, 4.0])
    parameters[1].grad = torch.tensor([7.0])
    optimizer.step()
    torch.testing.assert_close(parameters[0].detach(), torch.tensor([-0.6, -0.8]))
    torch.testing.assert_close(parameters[1].detach(), torch.tensor([-1.0]))


MIXED = (
    "theta - lr * xp.where(g > 0.5, xp.maximum(xp.abs(g), 0.75), 2.0 / (1 + xp.exp(-g)))"
    " * xp.sqrt(gain) - xp.where(t > 2, 0.5, 0.25) * xp.clip(g, -0.1, lr)"
    " + xp.minimum(0.01, xp.sign(g)) ** 2 - 2.0 ** g + 0 * (1.0 - xp.cos(g) * xp.sin(theta))"
)


@pytest.mark.parametrize("options", [{"compile": True}, {"foreach": True}, {"compile": False}])
def test_every_elementwise_operation_of_the_closed_list_works_on_every_path(tmp_path, options):
    from descenso.ops import numpy as on_numpy

    gain = ', gain=hyperparameter(2.0, meaning="gain", above=0)'
    rule = third_party_rule(tmp_path, "mixed_step", MIXED, gain)
    generator = torch.Generator().manual_seed(0)
    theta = torch.randn(50, generator=generator, dtype=torch.float64)
    parameter = torch.nn.Parameter(theta.clone())
    optimizer = descenso.torch.MixedStep([parameter], **options)
    expected = theta.numpy()
    for t in range(1, 5):
        g = torch.randn(50, generator=generator, dtype=torch.float64)
        parameter.grad = g
        optimizer.step()
        expected, _ = rule.update(on_numpy, expected, g.numpy(), {}, t, rule.settings())
    torch.testing.assert_close(parameter.detach(), torch.tensor(expected), rtol=0, atol=1e-12)
