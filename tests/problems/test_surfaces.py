import math

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descenso.errors import SettingError, UnknownNameError
from descenso.problems import surfaces

ALL = [*surfaces.names(), "ravine(condition=7)"]


def points_in(surface, count=25):
    low, high = np.array(surface.window).T
    return np.random.default_rng(0).uniform(low, high, (count, 2))


@pytest.mark.parametrize("name", ALL)
def test_the_gradient_agrees_with_central_differences(name):
    surface = surfaces.get(name)
    for point in points_in(surface):
        step = 1e-6 * np.eye(2)
        slopes = [(surface.function(point + h) - surface.function(point - h)) / 2e-6 for h in step]
        scale = 1 + np.abs(surface.function(point))
        np.testing.assert_allclose(surface.gradient(point), slopes, atol=1e-8 * scale, rtol=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_the_gradient_agrees_with_automatic_differentiation(name):
    surface = surfaces.get(name)
    with jax.enable_x64(True):
        for point in points_in(surface):
            expected = np.asarray(jax.grad(surface.value)(point))
            np.testing.assert_allclose(surface.gradient(point), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ALL)
def test_every_minimum_has_its_value_no_slope_and_only_higher_ground_around(name):
    surface = surfaces.get(name)
    for minimum in surface.minima:
        assert surface.function(minimum.position) == pytest.approx(minimum.value, abs=1e-20)
        np.testing.assert_allclose(surface.gradient(minimum.position), 0, atol=1e-10)
        for angle in np.linspace(0, 2 * math.pi, 16):
            near = np.array(minimum.position) + 1e-3 * np.array([math.cos(angle), math.sin(angle)])
            assert surface.function(near) > minimum.value


@pytest.mark.parametrize("name", ALL)
def test_nothing_in_the_window_is_lower_than_the_minima(name):
    surface = surfaces.get(name)
    if not surface.minima:
        pytest.skip("it has no minimum, by its nature")
    axes = [np.linspace(low, high, 301) for low, high in surface.window]
    grid = surface.function(np.stack(np.meshgrid(*axes)))
    assert grid.shape == (301, 301)
    assert grid.min() >= min(minimum.value for minimum in surface.minima)


@pytest.mark.parametrize("name", ALL)
def test_start_and_minima_lie_in_the_window_and_the_start_is_no_minimum(name):
    surface = surfaces.get(name)
    for x, y in (surface.start, *(minimum.position for minimum in surface.minima)):
        assert surface.window[0][0] <= x <= surface.window[0][1]
        assert surface.window[1][0] <= y <= surface.window[1][1]
    assert np.linalg.norm(surface.gradient(surface.start)) > 1e-3


def test_the_saddle_has_no_minimum_and_falls_without_end():
    saddle = surfaces.get("saddle")
    assert saddle.minima == ()
    assert saddle.function((0, 1e6)) == -1e12


@given(condition=st.floats(1, 1e6))
def test_the_ravine_has_the_condition_it_is_given(condition):
    ravine = surfaces.get(f"ravine(condition={condition!r})")
    hessian = np.stack([ravine.gradient(unit) for unit in np.eye(2)])
    assert np.linalg.cond(hessian) == pytest.approx(condition)


def test_a_name_with_settings_reads_back_as_the_same_surface():
    ravine = surfaces.get(" ravine ( condition = 12.5 ) ")
    assert ravine.name == "ravine(condition=12.5)"
    assert surfaces.get(ravine.name).settings == ravine.settings
    assert surfaces.get("ravine(condition=100)").name == "ravine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ravine(condition=nan)", "finite number ≥ 1; got nan"),
        ("ravine(condition=inf)", "finite number ≥ 1; got inf"),
        ("ravine(condition=0.5)", "≥ 1; got 0.5"),
        ("ravine(condition=steep)", "condition must be a number; got 'steep'"),
        ("ravine(condition)", "written name=value; got 'condition'"),
        ("ravine(kappa=3)", "no setting 'kappa'; it has condition"),
        ("beale(condition=3)", "no setting 'condition'; it has none"),
        ("ravine(condition=3, condition=4)", "condition is given twice"),
    ],
)
def test_a_wrong_setting_is_named(text, message):
    with pytest.raises(SettingError, match=message):
        surfaces.get(text)


def test_an_unknown_surface_gets_the_nearest_name():
    with pytest.raises(UnknownNameError, match=r"named 'rosenbrok'.*Did you mean 'rosenbrock'"):
        surfaces.get("rosenbrok")
