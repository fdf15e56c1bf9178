"""A setting of another framework is refused with what to do instead, in every binding."""

from __future__ import annotations

import importlib

import pytest

from descenso import rules, transforms
from descenso.errors import SettingError
from descenso.rules import _foreign


@pytest.mark.parametrize(
    ("rule", "name", "way"),
    [
        ("adam", "betas", "Write beta1= and beta2=."),
        ("adamw", "betas", "Write beta1= and beta2=."),
        ("adam", "beta_1", "Write beta1=."),
        ("adam", "b2", "Write beta2=."),
        ("adam", "learning_rate", "Write lr=."),
        ("adam", "epsilon", "Write eps=."),
        ("adam", "amsgrad", "The method amsgrad has it."),
        ("adam", "weight_decay", "coupled_weight_decay.*decoupled_weight_decay.*method adamw"),
        ("rmsprop", "weight_decay", "coupled_weight_decay"),
        ("rmsprop", "alpha", "Write beta=."),
        ("rmsprop", "rho", "Write beta=."),
        ("rmsprop", "decay", "Write beta=."),
        ("momentum", "momentum", r"Write beta=; .* dampening=0.0 too"),
        ("nesterov", "momentum", "Write beta=.$"),
        ("gradient_descent", "momentum", "The method momentum has it."),
        ("gradient_descent", "nesterov", "The method nesterov has it."),
        ("adam", "global_clipnorm", "clip_by_global_norm"),
        ("adam", "fused", "fastest path"),
        ("adam", "capturable", "Leave it out"),
        ("adam", "differentiable", "Leave it out"),
        ("adam", "beta3", "Did you mean"),
    ],
)
def test_the_message_says_what_to_do(rule, name, way):
    with pytest.raises(SettingError, match=f"{rule} has no setting '{name}'.*{way}"):
        rules.get(rule).settings(**{name: 0.5})


@pytest.mark.parametrize("binding", ["torch", "keras", "jax", "numpy"])
def test_every_binding_says_it(binding):
    module = importlib.import_module(f"descenso.{binding}")
    make = getattr(module, "Adam" if binding in ("torch", "keras") else "adam")
    given = ()
    if binding == "torch":
        import torch

        given = ([torch.nn.Parameter(torch.zeros(1))],)
    with pytest.raises(SettingError, match="Write beta1= and beta2="):
        make(*given, betas=(0.9, 0.99))


def test_what_the_table_names_exists():
    assert set(_foreign._OTHER_RULES.values()) <= set(rules.names())
    for name in _foreign._TRANSFORMS.values():
        assert hasattr(transforms, name)
    for names in _foreign._RENAMED.values():
        assert any(n in rules.get(r).hyperparameters for n in names for r in rules.names())


@pytest.mark.parametrize("rule", rules.names())
def test_a_setting_that_a_rule_has_needs_no_remedy_and_0_never_says_nothing(rule):
    definition = rules.get(rule)
    for name in definition.hyperparameters:
        assert rules.remedy(definition, name) == ""
        assert not rules.says_nothing(definition, name, 0.0)
    assert not rules.says_nothing(definition, "learning_rate", 0.0)
    assert not rules.says_nothing(definition, "no_such", None)
    assert rules.says_nothing(definition, "fused", False)
