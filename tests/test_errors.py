"""One tree of exceptions, each also what Python programmers expect to catch."""

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from descenso import errors

ALL = [
    kind
    for _name, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, BaseException) and kind.__module__ == errors.__name__
]


@pytest.mark.parametrize("kind", ALL)
def test_every_error_is_a_descenso_error_and_says_when_it_is_raised(kind):
    assert issubclass(kind, errors.DescensoError)
    assert kind.__doc__
    assert str(kind("what was wrong")) == "what was wrong"


@pytest.mark.parametrize(
    ("kind", "also"),
    [
        (errors.SettingError, ValueError),
        (errors.BudgetError, ValueError),
        (errors.ProblemError, ValueError),
        (errors.DataError, errors.ProblemError),
        (errors.UnknownNameError, LookupError),
        (errors.RuleError, TypeError),
        (errors.StoreError, OSError),
        (errors.ReportError, OSError),
    ],
)
def test_errors_are_also_what_programmers_expect(kind, also):
    with pytest.raises(also, match="x"):
        raise kind("x")


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("adm", ["adam", "momentum"], "adam"),
        ("ADAM", ["adam"], "adam"),
        ("xyz", ["adam"], ""),
        ("", ["adam"], ""),
        ("adam", [], ""),
    ],
)
def test_the_nearest_name_is_found_or_none(name, known, found):
    assert errors.nearest(name, known) == found


@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=8))
def test_the_nearest_name_is_always_a_known_one_or_none(name, known):
    assert errors.nearest(name, known) in {*known, ""}


@pytest.mark.parametrize(
    ("error", "first", "line"),
    [
        (ValueError("no such axis\nhint: count them"), "no such axis", "ValueError: no such axis"),
        (ValueError("\n  late\n"), "late", "ValueError: late"),
        (KeyError(), "KeyError", "KeyError"),
        (RuntimeError(" \n"), "RuntimeError", "RuntimeError"),
    ],
)
def test_an_error_is_reported_in_a_line_even_if_it_says_nothing(error, first, line):
    assert errors.first_line(error) == first
    assert errors.in_a_line(error) == line
