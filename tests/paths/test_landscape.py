"""The landscape shows the engine's own routes, and says where the plane misleads."""

from __future__ import annotations

import numpy as np
import pytest

from descenso import language, problems
from descenso.engine import open_engine
from descenso.errors import BudgetError, ProblemError
from descenso.methods import parse
from descenso.paths._network import size_of
from descenso.paths._open import open_network
from descenso.paths.landscape import Landscape, Route, filter_normalised, landscape
from descenso.records import Member
from descenso.report import pictures
from descenso.report.pictures import _landscape_file

pytestmark = pytest.mark.slow


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


def assert_normalised(network, outputs):
    """Check that each filter of a random direction is as long as the network's own."""
    centre = np.arange(1.0, size_of(network) + 1)
    for direction in filter_normalised(network, centre, np.random.default_rng(0)):
        at = 0
        for layer in network.layers:
            size = int(np.prod(layer.shape))
            own, drawn = (v[at : at + size].reshape(layer.shape) for v in (centre, direction))
            at += size
            if len(layer.shape) == 1:
                assert not drawn.any()
            else:
                pairs = zip(
                    np.moveaxis(own, outputs, 0), np.moveaxis(drawn, outputs, 0), strict=True
                )
                for one, other in pairs:
                    assert np.linalg.norm(other) == pytest.approx(np.linalg.norm(one))


def test_random_directions_are_as_long_as_the_filters_and_leave_biases_alone():
    problem = problems.get("wine")
    assert_normalised(open_network(problem, problem.make_data(0), 0), outputs=-1)


def test_a_network_of_vectors_alone_has_random_directions_too():
    problem = problems.get("ravine")
    network = open_network(problem, problem.make_data(0), 0)
    drawn = filter_normalised(
        network, np.arange(1.0, size_of(network) + 1), np.random.default_rng(0)
    )
    assert np.linalg.norm(drawn, axis=1).min() > 0


def test_a_torch_network_has_the_routes_and_losses_of_its_engine(torch_digits):
    data = torch_digits.make_data(0)
    chosen = members("adam(lr=0.01)", "momentum(lr=0.1)", size=64)
    found = landscape(torch_digits, data, chosen, 3, grid=5)
    engine = open_engine(torch_digits, data, 0)
    runs = [r for chunk in engine.train(chosen, 3) for r in chunk if r.curve.epochs == 3]
    for route, run in zip(found.routes, runs, strict=True):
        module = engine.trainer.trainee(run.member, run.checkpoint).settle()
        assert route.losses[-1] == pytest.approx(
            engine.trainer.evaluate(module, engine.trainer.train)[0], rel=1e-5
        )
        assert len(route.losses) == 4
    assert found.explained > 0.8
    assert np.allclose(found.routes[0].places[0], found.routes[1].places[0])
    assert found.parameters == sum(p.numel() for p in engine.trainer.module(0).parameters())


def test_random_directions_of_a_torch_network_follow_its_filters(torch_digits):
    assert_normalised(open_network(torch_digits, torch_digits.make_data(0), 0), outputs=0)


def test_moving_averages_follow_the_place_within_what_the_routes_held(torch_digits):
    from descenso.paths.landscape import _Plane

    network = open_network(torch_digits, torch_digits.make_data(0), 0)
    places = list(network.routes(members("adam(lr=0.01)", size=64)[0], 3))
    plane = _Plane.principal(places)
    carried = np.stack([place.carried for place in places])
    assert carried.shape[1] == 8  # mean and variance of four channels
    far = plane.at(np.array([1e6, 1e6])).carried
    assert (far >= carried.min(axis=0)).all()
    assert (far <= carried.max(axis=0)).all()
    fitted = np.stack([plane.at(cell).carried for cell in plane.nearest(places)])
    assert np.abs(fitted - carried).max() < 0.2 * np.ptp(carried, axis=0).max()


def test_a_module_that_fails_while_it_trains_is_told_of():
    torch = pytest.importorskip("torch")

    class Failing(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scores = torch.nn.Linear(3, 2)
            self.register_buffer("seen", torch.zeros(()))

        def forward(self, inputs):
            if self.training:
                self.seen += 1
                if self.seen > 4:
                    raise RuntimeError("no more than four")
            return self.scores(inputs)

    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(60, 3)).astype("float32")
    problem = problems.from_torch(Failing, (inputs, rng.integers(2, size=60)))
    with pytest.raises(ProblemError, match="no more than four"):
        landscape(problem, problem.make_data(0), members("adam", size=4), 3, grid=5)


def test_a_jax_network_that_carries_averages_has_a_landscape_of_what_is_trained(carrying):
    data = carrying.make_data(0)
    chosen = members("adam(lr=0.05)", "momentum(lr=0.1)", size=8)
    found = landscape(carrying, data, chosen, 5, grid=5)
    assert found.parameters == 6
    (run,) = [
        r for c in open_engine(carrying, data, 0).train(chosen[:1], 5) for r in c
        if r.curve.epochs == 5
    ]  # fmt: skip
    weight, count, mean = (run.checkpoint[f"leaf{i}"] for i in range(3))
    assert count == 5 * (48 // 8)
    x, y = data.train.inputs, data.train.targets
    loss = np.mean(((x - mean) @ weight - y) ** 2)
    assert found.routes[0].losses[-1] == pytest.approx(loss, rel=1e-4)


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
