"""Methods as users write them: what is read, what is refused, and why."""

import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from descenso import methods, rules
from descenso.errors import RuleError, SettingError, UnknownNameError
from descenso.methods import ALL, SIX, Method, parse, parse_list

NAMES = st.sampled_from(methods.names())


@pytest.mark.parametrize(
    ("name", "rule", "batch_size", "regime"),
    [
        ("sgd", "gradient_descent", 1, "stochastic"),
        ("batch", "gradient_descent", ALL, "batch"),
        ("minibatch", "gradient_descent", None, "mini-batch"),
        ("momentum", "momentum", None, "mini-batch"),
        ("adam@1", "adam", 1, "stochastic"),
        ("adam@ALL", "adam", ALL, "batch"),
        ("gradient_descent", "gradient_descent", None, "mini-batch"),
    ],
)
def test_a_method_is_a_rule_in_a_regime(name, rule, batch_size, regime):
    method = parse(name)
    assert (method.rule, method.batch_size, method.regime()) == (rule, batch_size, regime)
    assert method.definition() is rules.get(rule)


def test_settings_and_batch_size_are_read():
    method = parse(" adam( lr = 3e-3 , beta2=0.99 ) @ 64 ")
    assert method == Method("adam(lr=3e-3,beta2=0.99)@64", "adam", 64, {"lr": 0.003, "beta2": 0.99})


def test_switches_are_read_in_any_case():
    assert parse("rmsprop(centered=TRUE)").fixed == {"centered": True}
    assert parse("rmsprop(centered=0)").fixed == {"centered": False}


def test_a_setting_may_follow_another_only_where_the_rule_says_so():
    assert parse("momentum(beta=0.5,dampening=beta)").fixed == {"beta": 0.5, "dampening": 0.5}
    with pytest.raises(SettingError, match="beta1 must be a number; got 'lr'"):
        parse("adam(beta1=lr)")


def test_the_six_come_first_and_every_other_rule_follows():
    assert methods.names()[:6] == list(SIX)
    used = {parse(name).rule for name in methods.names()}
    assert used == set(rules.names())
    assert len(set(methods.names())) == len(methods.names())


@pytest.mark.parametrize("examples", [1, 5, 1078])
def test_a_step_sees_as_many_examples_as_there_are_at_most(examples):
    assert parse("batch").examples_per_step(examples, 32) == examples
    assert parse("sgd").examples_per_step(examples, 32) == 1
    assert parse("adam").examples_per_step(examples, 32) == min(32, examples)
    assert parse("adam@64").examples_per_step(examples, 32) == min(64, examples)


@given(
    NAMES,
    st.floats(1e-12, 1e6, allow_subnormal=False),
    st.none() | st.integers(1, 10**6) | st.just("all"),
    st.text(" \t", max_size=3),
)
def test_whatever_is_written_is_read_back_to_the_bit(name, lr, batch, space):
    text = f"{name}({space}lr{space}={lr!r})" + ("" if batch is None else f"@{space}{batch}")
    method = parse(text)
    assert method.fixed == {"lr": lr}
    assert parse(method.label) == method
    assert batch is None or method.batch_size == batch


@given(st.text(max_size=40) | st.from_regex(r"[a-z_]{0,9}\(?[a-z_=0-9.,\- ]{0,20}\)?@?\w{0,3}"))
def test_any_text_is_a_method_or_a_clear_error(text):
    try:
        method = parse(text)
    except (SettingError, UnknownNameError):
        return
    assert method.rule in rules.names()
    assert parse(method.label) == method


@given(st.lists(st.text("adm()@,=1. lr", max_size=12), max_size=4))
def test_any_list_is_read_or_a_clear_error(parts):
    text = ",".join(parts)
    try:
        found = parse_list(text)
    except (SettingError, UnknownNameError):
        return
    assert len({m.label for m in found}) == len(found) > 0


@given(NAMES, st.text(string.ascii_letters + "_", min_size=1, max_size=8))
@example("adam", "self")
def test_an_unknown_setting_is_refused_by_name(name, setting):
    known = parse(name).definition().hyperparameters
    if setting in known:
        return
    with pytest.raises(SettingError, match=f"no setting {setting!r}"):
        parse(f"{name}({setting}=1)")


@given(st.sampled_from(["nan", "inf", "-inf", "-1", "0", "1e400", "-0.0"]), NAMES)
def test_a_learning_rate_outside_its_range_is_refused_with_its_value(value, name):
    with pytest.raises(SettingError, match=re.escape(f"got {float(value)}")):
        parse(f"{name}(lr={value})")


@pytest.mark.parametrize("batch", ["0", "00", "-1", "1.5", "²", "x", "", "1_0", "9" * 19, "al"])
def test_a_batch_size_that_is_none_is_refused(batch):
    with pytest.raises(SettingError, match="got"):
        parse(f"adam@{batch}")


def test_the_nearest_name_is_offered():
    with pytest.raises(UnknownNameError, match=r"'mometum'.*Did you mean 'momentum'\?"):
        parse("mometum")
    with pytest.raises(UnknownNameError, match=r"Did you mean 'adam'\?"):
        parse("ADAM")


def test_a_list_splits_at_commas_outside_parentheses():
    found = parse_list("adam(lr=0.1,beta1=0.8)@8, sgd ,momentum")
    assert [m.label for m in found] == ["adam(lr=0.1,beta1=0.8)@8", "sgd", "momentum"]


@pytest.mark.parametrize("text", ["", ",", " , ,", "\n"])
def test_an_empty_list_is_refused(text):
    with pytest.raises(SettingError, match="at least one method"):
        parse_list(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("adam,adam", "'adam' is named twice"),
        ("adam(lr=0.1),adam( lr=0.1 )", "named twice"),
        ("adam(lr=0.1),adam(lr=1e-1)", "are the same method"),
        ("adam(lr=1,beta1=0),adam(beta1=0,lr=1)", "are the same method"),
        ("sgd,gradient_descent@1", "'sgd' and 'gradient_descent@1' are the same method"),
        ("batch,minibatch@all", "are the same method"),
    ],
)
def test_the_same_method_twice_is_refused_however_it_is_written(text, says):
    with pytest.raises(SettingError, match=re.escape(says)):
        parse_list(text)


def test_a_rule_cannot_take_the_name_of_a_method(monkeypatch):
    taken = rules.get("adam")
    monkeypatch.setattr("descenso.rules._registry._registered", {"sgd": taken})
    with pytest.raises(RuleError, match=r"adam.py: a rule cannot be named 'sgd'"):
        parse("sgd")
