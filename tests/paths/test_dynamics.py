"""The steps that are measured are the engine's own; noise falls as theory says."""

from __future__ import annotations

import numpy as np
import pytest

from descenso import language, problems
from descenso.engine import open_engine
from descenso.errors import BudgetError
from descenso.methods import parse
from descenso.paths._open import open_network
from descenso.paths.dynamics import Motion, _Gauge, dynamics
from descenso.records import Member
from descenso.report import pictures
from descenso.report.pictures import _dynamics_file

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _in_english():
    language.use("en")


def member(text, size=16):
    method = parse(text)
    return Member(method.label, method.rule, method.definition().settings(**method.fixed), size, 0)


@pytest.fixture(scope="module")
def wine():
    problem = problems.get("wine")
    return problem, problem.make_data(0)


@pytest.mark.parametrize("text", ["adam(lr=0.01)", "momentum(lr=0.3)"])
def test_the_steps_are_those_of_the_engine(wine, text):
    problem, data = wine
    chosen = member(text)
    per_epoch = len(data.train) // chosen.batch_size
    walk = open_network(problem, data, 0).walk(chosen)
    for _step in range(2 * per_epoch):
        walk.step()
    *_earlier, run = [
        r for chunk in open_engine(problem, data, 0).train([chosen], 2) for r in chunk
    ]
    for i, mine in enumerate(walk.parameters()):
        assert mine == pytest.approx(run.checkpoint[f"leaf{i}"], rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("text", ["adam(lr=0.01)", "momentum(lr=0.3)"])
def test_the_steps_of_a_torch_network_are_those_of_its_engine(torch_digits, text):
    chosen, data = member(text, 128), torch_digits.make_data(0)
    walk = open_network(torch_digits, data, 0).walk(chosen)
    for _step in range(2 * (len(data.train) // 128)):
        walk.gradient(np.arange(40), 3)  # looking changes nothing: no weight, average or draw
        walk.step()
    engine = open_engine(torch_digits, data, 0)
    *_earlier, run = [r for chunk in engine.train([chosen], 2) for r in chunk]
    names = [n for n in run.checkpoint if n.startswith("parameter")]
    for name, mine in zip(names, walk.parameters(), strict=True):
        assert np.array_equal(mine.astype(np.float32), run.checkpoint[name])


def test_the_steps_of_a_network_that_draws_and_carries_are_those_of_the_engine(carrying):
    chosen, data = member("adam(lr=0.05)", 8), carrying.make_data(0)
    walk = open_network(carrying, data, 0).walk(chosen)
    for _step in range(2 * (len(data.train) // 8)):
        walk.step()
    *_earlier, run = [
        r for chunk in open_engine(carrying, data, 0).train([chosen], 2) for r in chunk
    ]
    assert walk.parameters()[0] == pytest.approx(run.checkpoint["leaf0"], rel=1e-4)


def test_a_torch_network_moves_and_its_noise_falls(torch_digits):
    data = torch_digits.make_data(0)
    found = dynamics(torch_digits, data, [member("adam(lr=0.01)", 64), member("momentum", 64)], 8)
    assert found.layers == ("1.weight", "1.bias", "2.weight", "2.bias", "6.weight", "6.bias")
    assert [motion.steps for motion in found.motions] == [8, 8]
    start, _end = found.noises
    assert start.batch_sizes[0] == 1
    assert start.ratio[0] > 8 * start.ratio[-1]


def test_batches_of_one_are_left_out_where_a_layer_cannot_take_them():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(80, 3)).astype("float32")
    problem = problems.from_torch(
        lambda: torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2)),
        (inputs, (inputs[:, 0] > 0).astype(int)),
    )  # fmt: skip
    found = dynamics(problem, problem.make_data(0), [member("adam", 8)], 4)
    assert found.noises[0].batch_sizes.tolist() == [2, 4, 8, 16]


def test_above_the_stable_learning_rate_nearly_every_step_turns_back():
    problem = problems.get("ravine")
    data = problem.make_data(0)
    bouncing, gliding = dynamics(
        problem, data, [member("gradient_descent(lr=0.0199)", 1), member("adam(lr=0.01)", 1)], 40
    ).motions
    assert bouncing.turning_back > 0.9
    assert gliding.turning_back < 0.1
    assert _dynamics_file.running_share(bouncing)[1].max() == 1


def test_a_step_is_measured_against_the_size_of_its_layer(wine):
    problem, data = wine
    found = dynamics(problem, data, [member("gradient_descent(lr=0.1)")], 5)
    assert found.layers == ("0.bias", "0.weight", "1.bias", "1.weight")
    assert np.isnan(found.motions[0].effective[0, 0])  # a bias begins at zero
    assert 0 < found.motions[0].effective[0, 1] < 1
    assert len(found.frame()) == 5 * 4


def test_noise_falls_with_the_batch_size_as_theory_says(wine):
    problem, data = wine
    walk = open_network(problem, data, 0).walk(member("adam"))
    noise = _Gauge(len(data.train), 0).noise("start", walk)
    n = len(data.train)
    theory = noise.critical * (1 / noise.batch_sizes - 1 / n) * n / (n - 1)
    assert noise.ratio == pytest.approx(theory, rel=0.6)
    assert (np.diff(noise.ratio) < 0).mean() > 0.8


def test_the_critical_batch_is_the_trace_over_the_signal(wine):
    problem, data = wine
    walk = open_network(problem, data, 0).walk(member("adam"))
    each = np.array([walk.gradient(np.array([i]), 0) for i in range(len(data.train))])
    whole = each.mean(axis=0)
    assert walk.gradient(np.arange(len(data.train)), 0) == pytest.approx(whole, rel=1e-3, abs=1e-6)
    exact = ((each - whole) ** 2).sum(axis=1).mean() / (whole @ whole)
    noise = _Gauge(len(data.train), 0).noise("start", walk)
    assert noise.critical == pytest.approx(exact, rel=0.3)


def test_the_whole_gradient_is_gathered_in_parts(wine, monkeypatch):
    from descenso.engine import walking

    walk = open_network(*wine, 0).walk(member("adam"))
    rows = np.arange(len(wine[1].train))
    at_once = walk.gradient(rows, 0)
    monkeypatch.setattr(walking, "EXAMPLES_AT_A_TIME", 10)
    assert walk.gradient(rows, 0) == pytest.approx(at_once, rel=1e-4, abs=1e-7)


def test_a_member_that_blows_up_is_followed_up_to_there():
    problem = problems.get("line")
    found = dynamics(
        problem,
        problem.make_data(0),
        [member("gradient_descent(lr=1e30)", 5), member("adam(lr=0.1)", 5)],
        20,
    )
    assert found.motions[0].steps < 20
    assert np.isfinite(found.motions[0].cosines).all()
    assert found.motions[1].steps == 20


@pytest.mark.parametrize("steps", [0, 1, 10**7, True])
def test_too_few_or_too_many_steps_are_refused(wine, steps):
    with pytest.raises(BudgetError, match="from 2 to 5000"):
        dynamics(*wine, [member("adam")], steps)


def test_the_picture_is_drawn_and_says_who_turns_back(wine, tmp_path):
    found = dynamics(*wine, [member("gradient_descent(lr=2)"), member("adam(lr=0.003)")], 60)
    for theme, ending in (("light", "png"), ("dark", "svg")):
        pictures.save_dynamics(found, tmp_path / f"d.{ending}", theme=theme)
    assert "turns back in" in _dynamics_file.caption(found)
    assert {"place", "batch_size", "ratio"} == set(found.noise_frame().columns)
    assert Motion(member("adam"), np.empty((0, 4)), np.array([])).turning_back != 0
