"""The map of settings agrees with the theory of the ravine."""

from __future__ import annotations

import numpy as np
import pytest

from descenso import paths
from descenso.errors import BudgetError, SettingError
from descenso.methods import parse
from descenso.paths import settings_map

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
