"""The map of settings agrees with the theory of the ravine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from descenso import paths
from descenso.errors import BudgetError, SettingError
from descenso.methods import parse
from descenso.paths import settings_map
from descenso.report.pictures import _captions, _map_file, _map_page

RAVINE = paths.get("ravine")
BETA = np.array([0.0, 0.3, 0.6, 0.8, 0.9, 0.95])


def largest_stable(method, name="beta", values=BETA, surface=RAVINE, steps=6000):
    """Return, of learning rates 1% apart around the theory, the largest that does not diverge."""
    theory = paths.stability_boundary(surface, parse(method), name, values)
    found = []
    for value, boundary in zip(values, theory, strict=True):
        rates = boundary * np.linspace(0.9, 1.1, 21)
        cells = settings_map(surface, parse(method), lr=rates, other_name=name,
                             other=np.array([value]), steps=steps)  # fmt: skip
        assert not np.diff(cells.diverged[0].astype(int)).min() < 0, "the region is not one piece"
        found.append(rates[~cells.diverged[0]].max())
    return np.array(found), theory


def test_averaging_momentum_diverges_where_theory_says():
    found, theory = largest_stable("momentum")
    assert theory == pytest.approx(2 * (1 + BETA) / ((1 - BETA) * 100))
    assert found == pytest.approx(theory, rel=0.011)


def test_the_heavy_ball_and_nesterov_diverge_where_theory_says():
    found, theory = largest_stable("momentum(dampening=0)")
    assert theory == pytest.approx(2 * (1 + BETA) / 100)
    assert found == pytest.approx(theory, rel=0.011)
    found, theory = largest_stable("nesterov")
    assert theory == pytest.approx(2 * (1 + BETA) / ((1 + 2 * BETA) * 100))
    assert found == pytest.approx(theory, rel=0.011)


def test_a_steeper_ravine_moves_the_boundary():
    surface = paths.get("ravine(condition=25)")
    found, theory = largest_stable("momentum", surface=surface)
    assert theory == pytest.approx(2 * (1 + BETA) / ((1 - BETA) * 25))
    assert found == pytest.approx(theory, rel=0.011)


def test_the_second_setting_is_tried_over_its_own_range_and_named_by_its_meaning():
    for method, name, low, high, said in (
        ("adam", "beta2", 0, 0.9999, "share β₂ of the mean squared gradient that is kept"),
        ("adam", "eps", 1e-10, 1, "ε added beside the root (log scale)"),
        ("momentum", "beta", 0, 0.99, "share β of the velocity that is kept"),
        ("adamw", "weight_decay", 1e-4, 1, "share λ of the parameter"),
    ):
        cells = settings_map(RAVINE, parse(method), other_name=name, lr=np.array([0.1]), steps=5)
        assert (cells.other[0], cells.other[-1]) == pytest.approx((low, high))
        assert _map_file.axis_name(cells.other_setting).startswith(said)
        assert "momentum" not in _map_file.axis_name(cells.other_setting)
        heights = _map_file.heights(cells)
        assert (np.diff(heights) > 0).all()
        shown = _map_file.marked(cells)
        assert 4 <= len(shown) <= 11
        assert np.interp(_map_file.stretch(cells, np.array(shown)), heights, cells.other) == (
            pytest.approx(shown, abs=2e-4)
        )
    with pytest.raises(SettingError, match="centered is on or off"):
        settings_map(RAVINE, parse("rmsprop"), other_name="centered")


def test_one_descent_that_ends_far_away_does_not_leave_the_map_one_colour():
    cells = settings_map(RAVINE, parse("adam"), steps=60)
    distance = cells.distance.copy()
    distance[0, 0] = 1e9
    far = replace(cells, distance=distance)
    low, high = _map_file.distance_range(far)
    assert high == pytest.approx(np.log10(10 * np.hypot(10, 1)), abs=1e-9)
    assert low == np.log10(distance[~cells.diverged].min())
    known = _map_file.log_distance(far)
    colours = np.clip((known[np.isfinite(known)] - low) / (high - low), 0, 1)
    assert np.quantile(colours, 0.9) - np.quantile(colours, 0.05) > 0.3
    figure = _map_file.draw(far)
    assert figure.axes[0].collections[1].norm.vmax == pytest.approx(high)
    assert _map_page.figure(far).data[1].zmax == pytest.approx(high)
    assert "Ends further away than ten times the start's distance" in _captions.settings_map(far)
    assert "further away" not in _captions.settings_map(settings_map(RAVINE, parse("momentum")))


def test_a_map_on_which_nothing_arrives_says_so_and_has_no_scale_of_steps():
    cells = settings_map(RAVINE, parse("adam"), lr=np.array([1e-4, 1e-3]), steps=5)
    assert "At no pair does it arrive" in _captions.settings_map(cells)
    assert [axes.get_title() for axes in _map_file.draw(cells).axes[:2]] == [
        "",
        "it arrives nowhere",
    ]
    maps = [
        t for t in _map_page.figure(cells).data if t.type == "heatmap" and t.colorbar.title.text
    ]
    assert [t.showscale for t in maps] == [True, False]


def test_without_theory_there_is_no_boundary():
    assert np.isnan(paths.stability_boundary(RAVINE, parse("adam"), "beta1", BETA)).all()
    rosenbrock = paths.get("rosenbrock")
    assert np.isnan(paths.stability_boundary(rosenbrock, parse("momentum"), "beta", BETA)).all()


def test_a_cell_tells_of_the_path_at_its_settings():
    cells = settings_map(RAVINE, parse("momentum"), lr=np.array([0.01, 0.1, 5.0]),
                         other=np.array([0.5, 0.9]), steps=150)  # fmt: skip
    (trace,) = paths.descend(RAVINE, [parse("momentum(beta=0.9)")], lr=[0.1], steps=150).traces
    distances = np.hypot(*trace.path.points.T)
    assert cells.distance[1, 1] == pytest.approx(distances[-1])
    step = int(cells.arrived[1, 1])
    assert (distances[step:] <= 1e-3 * distances[0]).all()
    assert distances[step - 1] > 1e-3 * distances[0]
    assert cells.diverged[:, 2].all()
    assert np.isinf(cells.distance[:, 2]).all()
    assert len(cells.frame()) == 6


@pytest.mark.parametrize(
    ("method", "options", "kind", "says"),
    [
        ("gradient_descent", {}, SettingError, "no momentum"),
        ("momentum", {"other_name": "lr"}, SettingError, "no free setting 'lr'"),
        ("momentum(beta=0.5)", {"other_name": "beta"}, SettingError, "no free setting"),
        ("momentum", {"steps": 10**7}, BudgetError, "10000000"),
        ("momentum", {"other": np.array([1.5])}, SettingError, r"\[0, 1\)"),
    ],
)
def test_an_impossible_map_is_refused_in_words(method, options, kind, says):
    with pytest.raises(kind, match=says):
        settings_map(RAVINE, parse(method), **options)


def test_a_surface_without_a_minimum_has_no_map():
    with pytest.raises(SettingError, match="no minimum"):
        settings_map(paths.get("saddle"), parse("momentum"))


def test_a_stable_descent_that_is_still_high_after_few_steps_is_not_called_divergent():
    other = np.linspace(0.9, 0.99, 10)
    cells = settings_map(RAVINE, parse("momentum"), lr=np.geomspace(1e-2, 2, 60),
                         other_name="beta", other=other, steps=60)  # fmt: skip
    stable = cells.lr[None, :] < 0.97 * cells.boundary[:, None]
    assert stable.any()
    assert not cells.diverged[stable].any()
