"""One list of options: a design, and what every face reads off it."""

import dataclasses
import inspect
import re

import pytest

import descenso
from descenso import problems
from descenso.errors import BudgetError, SettingError
from descenso.study.design import OPTIONS, TYPES, Design


@pytest.fixture(scope="module")
def wine():
    return problems.get("wine")


def test_a_design_holds_its_methods_and_ranges_parsed(wine):
    design = Design.of(wine, "adam, momentum(beta=0.5)@all", space=["adam.beta2=0.9..0.99"])
    assert design.methods == ("adam", "momentum(beta=0.5)@all")
    assert [(m.rule, m.batch_size) for m in design.parsed] == [("adam", None), ("momentum", "all")]
    assert [(r.name, r.low, r.high) for r in design.ranges["adam"]] == [("beta2", 0.9, 0.99)]
    assert Design(**dataclasses.asdict(design)).parsed == design.parsed  # as a store gives it back


def test_what_the_problem_and_the_other_options_decide_is_filled_in(wine):
    design = Design.of(wine, "adam", seeds=2, until_decided=True, margin=None)
    assert (design.epochs, design.search_seeds, design.most_seeds) == (wine.epochs, 2, 16)
    assert design.until_decided
    assert not Design.of(wine, "adam").until_decided


@pytest.mark.parametrize(("wrong", "says"), [
    ({"epochs": 0}, "epochs must be a whole number from 1 to 1000000; got 0"),
    ({"trials": 2.5}, "trials must be a whole number from 1 to 1000000; got 2.5"),
    ({"seed": -1}, "seed must be a whole number from 0 to 4294967295; got -1"),
    ({"margin": "wide"}, "margin must be a positive difference of the metric; got 'wide'"),
    ({"space": "adam.beta2=0.9..0.99"}, "space must be a list of texts; got 'adam.beta2"),
    ({"sampler": "tpf"}, "no sampler named 'tpf'.*Did you mean 'tpe'"),
])  # fmt: skip
def test_a_design_cannot_hold_what_no_study_can_do(wine, wrong, says):
    with pytest.raises((BudgetError, SettingError), match=says):
        Design.of(wine, "adam", **wrong)
    with pytest.raises((BudgetError, SettingError), match=says):
        dataclasses.replace(Design.of(wine, "adam"), **wrong)


def test_an_option_that_does_not_exist_is_named_with_the_nearest(wine):
    with pytest.raises(TypeError, match=r"no option 'trails'\. Did you mean 'trials'"):
        descenso.compare(wine, "adam", trails=3)


@pytest.mark.parametrize("asked", [
    {},
    {"seeds": 2, "epochs": 7, "until_decided": True, "margin": 0.01},
    {"space": ["adam.beta2=0.9..0.99"], "sampler": "tpe", "search_seeds": 1, "split_seeds": 2},
    {"defaults": False, "race": False, "trials": 20, "seed": 9},
])  # fmt: skip
def test_what_a_design_says_to_ask_for_gives_it_again(wine, asked):
    design = Design.of(wine, "adam", **asked)
    again = design.asked()
    assert Design.of(wine, **again) == design
    assert set(asked) <= set(again)


def test_every_face_names_every_option(descenso_help):
    signature = inspect.signature(descenso.compare)
    for name, option in OPTIONS.items():
        assert name in TYPES
        assert signature.parameters[name].default == option.usual
        assert re.search(rf"^    {name} : ", descenso.compare.__doc__, re.MULTILINE)
        assert f"--{name.replace('_', '-')}" in descenso_help
        assert option.label


@pytest.fixture(scope="module")
def descenso_help():
    from typer.main import get_command

    from descenso.cli._app import app

    compare = get_command(app).commands["compare"]
    return " ".join(name for parameter in compare.params for name in parameter.opts)
