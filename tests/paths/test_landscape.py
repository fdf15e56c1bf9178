"""The landscape shows the engine's own routes, and says where the plane misleads."""

from __future__ import annotations

import numpy as np
import pytest

from descenso import language, problems
from descenso.engine import open_engine
from descenso.errors import BudgetError
from descenso.methods import parse
from descenso.paths import landscape as module
from descenso.paths.landscape import Landscape, Route, landscape
from descenso.records import Member
from descenso.report import pictures
from descenso.report.pictures import _landscape_file


@pytest.fixture(autouse=True)
def _in_english():
    language.use("en")


def members(*written, size=16, seed=0):
    chosen = [parse(text) for text in written]
    return [Member(m.label, m.rule, m.definition().settings(**m.fixed), size, seed) for m in chosen]


@pytest.fixture(scope="module")
def wine():
    problem = problems.get("wine")
    data = problem.make_data(0)
    return (
        problem,
        data,
        landscape(problem, data, members("adam(lr=0.01)", "momentum(lr=0.1)"), 4, grid=9),
    )


def test_the_routes_are_those_of_the_engine(wine):
    problem, data, found = wine
    (run,) = [
        run
        for chunk in open_engine(problem, data, 0).train(members("adam(lr=0.01)"), 4)
        for run in chunk
    ][-1:]
    leaves = [run.checkpoint[f"leaf{i}"] for i in range(4)]
    # Layers are stored by name: bias before weight.
    params = [{"bias": leaves[0], "weight": leaves[1]}, {"bias": leaves[2], "weight": leaves[3]}]
    loss = problem.loss(problem.apply(params, data.train.inputs), data.train.targets)
    assert found.routes[0].losses[-1] == pytest.approx(float(loss), rel=1e-5)
    assert len(found.routes[0].losses) == 5


def test_methods_with_one_seed_start_in_one_place(wine):
    _problem, _data, found = wine
    first, second = found.routes
    assert np.allclose(first.places[0], second.places[0])
    assert first.losses[0] == second.losses[0]


def test_a_plane_of_two_parameters_shows_everything_and_misleads_nowhere():
    problem = problems.get("line")
    found = landscape(
        problem, problem.make_data(0), members("adam(lr=0.05)", "batch(lr=0.01)", size=5), 6, grid=7
    )
    assert found.explained == pytest.approx(1)
    for route in found.routes:
        assert route.seen == pytest.approx(route.losses, rel=1e-3)
    assert _landscape_file.warnings(found) == []
    assert len(found.frame()) == 14


def test_the_principal_plane_shows_more_than_any_random_one(wine):
    problem, data, found = wine
    random = landscape(
        problem, data, members("adam(lr=0.01)", "momentum(lr=0.1)"), 4, grid=7, kind="random"
    )
    assert 0 <= random.explained < found.explained <= 1
    assert any(
        "most of what the routes do lies outside" in w for w in _landscape_file.warnings(random)
    )


def test_random_directions_are_as_long_as_the_filters_and_leave_biases_alone():
    problem = problems.get("wine")
    space = module._Space(problem, problem.make_data(0), 0)
    centre = np.arange(1.0, space.size + 1)
    for direction in space.filter_normalised(centre):
        at = 0
        for shape in space._shapes:
            size = int(np.prod(shape))
            own, drawn = (v[at : at + size].reshape(shape) for v in (centre, direction))
            if len(shape) == 1:
                assert not drawn.any()
            else:
                assert np.linalg.norm(drawn, axis=0) == pytest.approx(np.linalg.norm(own, axis=0))
            at += size


def test_a_misleading_end_is_warned_of_by_name():
    member = members("adam")[0]
    ends = np.array([1.0, 0.5])
    honest = Route(member, np.zeros((2, 2)), ends, ends, False)
    wrong = Route(member, np.zeros((2, 2)), ends, np.array([1.0, 3.0]), False)

    def shown(*routes):
        return Landscape("p", "principal", ends, ends, np.eye(2), routes, (0.8, 0.15), 9)

    assert _landscape_file.warnings(shown(honest)) == []
    (warning,) = _landscape_file.warnings(shown(honest, wrong))
    assert "3 in the plane, 0.5 in truth" in warning


def test_a_member_that_diverges_is_shown_up_to_there(tmp_path):
    problem = problems.get("line")
    found = landscape(
        problem, problem.make_data(0), members("batch(lr=1)", "adam(lr=0.1)", size=5), 30, grid=7
    )
    assert found.routes[0].diverged
    assert np.isfinite(found.routes[0].losses).all()
    assert not found.routes[1].diverged
    for ending in ("png", "html"):
        pictures.save_landscape(found, tmp_path / f"l.{ending}")


@pytest.mark.parametrize("grid", [1, 4, 101, 10_000])
def test_a_grid_too_fine_or_too_coarse_is_refused(grid):
    problem = problems.get("line")
    with pytest.raises(BudgetError, match="from 5 to 100"):
        landscape(problem, problem.make_data(0), members("adam"), 2, grid=grid)


def test_more_snapshots_than_fit_are_refused():
    problem = problems.get("digits")
    with pytest.raises(BudgetError, match="too many"):
        landscape(problem, problem.make_data(0), members("adam"), 1_000_000)
