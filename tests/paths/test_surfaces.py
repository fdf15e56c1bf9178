"""What can be descended, and what cannot."""

from __future__ import annotations

import numpy as np
import pytest

from descenso import paths
from descenso.errors import DescensoError, ProblemError, SettingError, UnknownNameError
from descenso.paths import _surfaces


@pytest.mark.parametrize("name", paths.names())
def test_every_named_surface_has_the_slope_of_its_values(name):
    surface = paths.get(name)
    point = np.array([0.3, -0.4])
    h = np.eye(2) * 1e-6
    slope = [(surface.function(point + d) - surface.function(point - d)) / 2e-6 for d in h]
    assert surface.gradient(point) == pytest.approx(slope, rel=1e-5)


def test_the_regression_is_the_mean_over_its_examples_and_so_is_its_slope():
    surface, point = paths.get("regression"), np.array([0.4, 0.9])
    n = _surfaces.examples(surface)
    each = [np.stack(_surfaces.example_slope(point, np.array([i]))) for i in range(n)]
    assert surface.gradient(point) == pytest.approx(np.mean(each, axis=0))
    best = np.array(surface.minima[0].position)
    assert surface.gradient(best) == pytest.approx([0, 0], abs=1e-10)


def test_a_python_function_is_a_surface_with_slopes_by_differences(tmp_path):
    (tmp_path / "mine.py").write_text(
        "def bowl(p):\n    return (p[0] - 1) ** 2 + 3 * (p[1] + 2) ** 2\n"
    )
    surface = paths.get(f"{tmp_path}/mine.py:bowl")
    assert surface.gradient([2.0, 0.0]) == pytest.approx([2, 12], abs=1e-6)
    assert surface.minima[0].position == pytest.approx((1, -2), abs=1e-5)


@pytest.mark.parametrize(
    ("arguments", "kind", "says"),
    [
        ({"text": "ravin"}, UnknownNameError, "Did you mean 'ravine'"),
        ({}, SettingError, "one of the two"),
        ({"text": "ravine", "function": "x"}, SettingError, "one of the two"),
        ({"function": "1/x", "start": (0.0, 0.0)}, ProblemError, "not finite at the start"),
        ({"text": "ravine", "start": (np.nan, 0.0)}, SettingError, "two finite numbers"),
        ({"text": "ravine", "window": ((1.0, 0.0), (0.0, 1.0))}, SettingError, "each low below"),
        ({"text": "nowhere.py:f"}, ProblemError, "no file"),
        ({"text": "math:pi"}, ProblemError, "neither a surface nor a function"),
    ],
)
def test_what_is_no_surface_is_refused_in_words(arguments, kind, says):
    with pytest.raises(kind, match=says):
        paths.get(**arguments)


def test_an_error_inside_a_users_function_is_named(tmp_path):
    (tmp_path / "bad.py").write_text("def f(p):\n    raise KeyError('oh')\n")
    with pytest.raises(ProblemError, match="KeyError"):
        paths.get(f"{tmp_path}/bad.py:f")


@pytest.mark.parametrize("text", ["1", "1,2,3", "a,b", "1,nan", "", "inf,0"])
def test_a_point_is_two_finite_numbers(text):
    with pytest.raises(SettingError):
        paths.point(text)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "eval(1)", "cosine(open('x'))",
                                  "cosine(x)", "cosine(0.1, nope=1)", "cosine(", "cosine(0.1)+1",
                                  "from_config(1)", "cosine(" + "9" * 300 + ")"])  # fmt: skip
def test_what_is_no_learning_rate_is_refused(text):
    with pytest.raises(DescensoError):
        paths.learning_rate(text, 10)


def test_a_schedule_takes_the_steps_of_the_path_where_it_names_none():
    rate = paths.learning_rate("cosine(0.4)", 100)
    assert rate(0) == pytest.approx(0.4)
    assert rate(50) == pytest.approx(0.2)
    assert rate(100) == pytest.approx(0, abs=1e-12)
    assert paths.learning_rate("step_decay(1, factor=0.5)", 100)(25) == pytest.approx(0.5)
