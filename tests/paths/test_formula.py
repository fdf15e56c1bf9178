"""A formula is read by a closed grammar: what is in it works, what is not is refused unrun."""

from __future__ import annotations

import time

import numpy as np
import pytest

from descenso import paths
from descenso.errors import DescensoError, ProblemError


def slope_by_differences(surface, point, h=1e-6):
    point = np.array(point, float)
    steps = np.eye(2) * h
    return [(surface.function(point + d) - surface.function(point - d)) / (2 * h) for d in steps]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x**2 + 10*y**2", 0.7**2 + 10 * 1.3**2),
        ("x^2 + 10*y^2", 0.7**2 + 10 * 1.3**2),
        ("sin(x)*cos(y) + 0.1*(x**2 + y**2)", np.sin(0.7) * np.cos(1.3) + 0.1 * (0.49 + 1.69)),
        ("exp(-x**2) * log(1 + y**2) / sqrt(2 + x)", np.exp(-0.49) * np.log(2.69) / np.sqrt(2.7)),
        ("abs(x) + tanh(y) + sinh(x) + cosh(y) + tan(x/2)",
         0.7 + np.tanh(1.3) + np.sinh(0.7) + np.cosh(1.3) + np.tan(0.35)),
        ("x**0.5 + y**-2 + 2**x + pi*x - -e*y", 0.7**0.5 + 1.3**-2 + 2**0.7 + np.pi * 0.7 + np.e * 1.3),
    ],
)  # fmt: skip
def test_values_and_slopes_of_a_formula_are_right(text, value):
    surface = paths.from_formula(text)
    assert surface.function([0.7, 1.3]) == pytest.approx(value)
    slope = surface.gradient([0.7, 1.3])
    assert slope == pytest.approx(slope_by_differences(surface, [0.7, 1.3]), abs=1e-6)


def test_a_formula_is_computed_on_a_whole_grid_at_once():
    surface = paths.from_formula("3")
    assert surface.function(np.zeros((2, 4, 5))).shape == (4, 5)
    assert surface.gradient(np.zeros((2, 4, 5))).shape == (2, 4, 5)


def test_minima_of_a_formula_are_found_and_the_lowest_comes_first():
    surface = paths.from_formula("(x**2 - 1)**2 + y**2 + 0.1*x")
    (x, y), other = surface.minima[0].position, surface.minima[1].position
    assert x == pytest.approx(-1.0125, abs=1e-3)
    assert y == pytest.approx(0, abs=1e-5)
    assert other[0] == pytest.approx(0.9873, abs=1e-3)
    assert surface.minima[0].value < surface.minima[1].value


def test_a_slope_a_plain_and_a_saddle_have_no_minima():
    for text in ("x + y", "1", "x**2 - y**2"):
        assert paths.from_formula(text).minima == ()


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "x.__class__", "().__class__", "lambda: x", "[x]", "{x}",
        "x if y else 1", "x < y", "x and y", "f'{x}'", "'a'*x", "True", "None", "x := 1", "x; y",
        "sin(x, y)", "sin(x=1)", "sin", "open(x)", "x(1)", "z + 1", "x @ y", "x // y", "x % y",
        "1j*x", "...", "*x", "await x", "", "   ", "x +", "((((", "x\x00", "print(1)", "x[0]",
    ],
)  # fmt: skip
def test_what_the_grammar_does_not_hold_is_refused(text):
    with pytest.raises(ProblemError):
        paths.from_formula(text)


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9**9*x", "x**1e9", "(x**64)**65.5 + 10**400", "1/0*x", "log(-1)+x", "x" * 301,
        "(" * 250 + "x" + ")" * 250, "-" * 250 + "x", "sin(" * 40 + "x" + ")" * 40,
        "+".join(["x*y"] * 70), "1e309*x", "x/0",
    ],
)  # fmt: skip
def test_what_could_never_end_is_refused_at_once(text):
    began = time.perf_counter()
    with pytest.raises(DescensoError):
        paths.from_formula(text)
    assert time.perf_counter() - began < 3


def test_the_deepest_formula_allowed_is_ready_soon():
    began = time.perf_counter()
    paths.from_formula("sin(x*" * 12 + "y" + ")" * 12)
    paths.from_formula("x**x**x**x**x + (x+y)**64")
    assert time.perf_counter() - began < 20


def test_a_function_without_a_finite_value_says_so():
    with pytest.raises(ProblemError, match="no finite value in its window"):
        paths.from_formula("log(-1 - x**2)")


def test_what_is_refused_is_named():
    with pytest.raises(ProblemError, match="'z' is unknown; it may use x, y, pi, e"):
        paths.from_formula("x + z")
