"""Settings: every hyperparameter is documented, and admits what lies in its range and no more."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descenso import methods, rules
from descenso.errors import SettingError

RULES = [rules.get(name) for name in rules.names()]
ALL = [(rule, h) for rule in RULES for h in rule.hyperparameters.values()]
NUMBERS = [(r, h) for r, h in ALL if not h.is_switch]
SWITCHES = [(r, h) for r, h in ALL if h.is_switch]


@pytest.mark.parametrize(("rule", "h"), ALL, ids=lambda x: x.name)
def test_every_hyperparameter_is_described(rule, h):
    assert h.meaning
    assert h.unit
    assert h.range_text
    if isinstance(h.default, str):
        assert h.default in rule.hyperparameters
    else:
        assert h.check(h.default, rule.name) == h.default


@given(st.sampled_from(NUMBERS), st.floats())
def test_a_number_is_admitted_exactly_in_its_range(setting, value):
    rule, h = setting
    inside = (
        math.isfinite(value)
        and (value > h.low if h.low_open else value >= h.low)
        and (value < h.high if h.high_open else value <= h.high)
    )
    if inside:
        assert rule.settings(**{h.name: value})[h.name] == value
    else:
        with pytest.raises(SettingError, match=f"{rule.name}: {h.name} must lie in"):
            rule.settings(**{h.name: value})


@pytest.mark.parametrize(
    "value",
    ["0.1", "", None, [0.1], (0.1,), {}, np.zeros(3), 1 + 0j, True, 10**400, object(), np.array("x")],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_no_number_is_refused_with_its_value(value):
    with pytest.raises(SettingError, match=r"adam: lr must be (a|one finite) number; got"):
        rules.get("adam").settings(lr=value)


@pytest.mark.parametrize(
    "value", [1, 0.5, np.float32(0.5), np.array(0.5), Decimal("0.5"), Fraction(1, 2)]
)
def test_any_kind_of_number_is_taken_as_a_float(value):
    lr = rules.get("adam").settings(lr=value)["lr"]
    assert type(lr) is float
    assert lr == float(value)


@pytest.mark.parametrize(("rule", "h"), SWITCHES, ids=lambda x: x.name)
def test_a_switch_is_on_or_off_and_nothing_else(rule, h):
    for value in (True, 1, 1.0, np.True_, np.array(1)):
        assert rule.settings(**{h.name: value})[h.name] is True
    for value in (2, 0.5, "yes", "True", None, np.ones(2), math.nan):
        with pytest.raises(SettingError, match="is a switch and must be True or False"):
            rule.settings(**{h.name: value})


def test_an_unknown_setting_is_refused_with_the_nearest_and_all_that_there_are():
    with pytest.raises(SettingError, match=r"no setting 'beta3'; it has lr, beta1.*Did you mean"):
        rules.get("adam").settings(beta3=0.5)


@pytest.mark.parametrize("name", ["self", "rule", "given"])
def test_a_setting_named_as_a_parameter_of_python_is_unknown_too(name):
    with pytest.raises(SettingError, match=f"adam has no setting '{name}'"):
        rules.get("adam").settings(**{name: 1})
    with pytest.raises(SettingError, match=f"adam has no setting '{name}'"):
        methods.parse(f"adam({name}=1)@8")


def test_a_default_that_follows_takes_the_value_given_to_the_other():
    settings = rules.get("momentum").settings
    assert settings(beta=0.3)["dampening"] == 0.3
    assert settings(beta=0.3, dampening=0)["dampening"] == 0


def test_rules_hold_no_state_between_settings():
    adam = rules.get("adam")
    assert adam.settings(lr=1)["lr"] == 1
    assert adam.settings()["lr"] == 1e-3
