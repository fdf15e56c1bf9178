"""The steps that are measured are the engine's own; noise falls as theory says."""

from __future__ import annotations

import numpy as np
import pytest

from descenso import language, problems
from descenso.engine import open_engine
from descenso.errors import BudgetError
from descenso.methods import parse
from descenso.paths.dynamics import Motion, _Lab, dynamics
from descenso.records import Member
from descenso.report import pictures
from descenso.report.pictures import _dynamics_file


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
    _motion, end = _Lab(problem, data, 0).follow(chosen, 2 * per_epoch)
    *_earlier, run = [
        r for chunk in open_engine(problem, data, 0).train([chosen], 2) for r in chunk
    ]
    leaves = [run.checkpoint[f"leaf{i}"] for i in range(4)]
    ours = [end[0]["bias"], end[0]["weight"], end[1]["bias"], end[1]["weight"]]
    for mine, theirs in zip(ours, leaves, strict=True):
        assert np.asarray(mine) == pytest.approx(theirs, rel=2e-3, abs=2e-4)


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
    start = _Lab(problem, data, 0).start(0)
    assert found.layers == ("0.bias", "0.weight", "1.bias", "1.weight")
    assert np.isnan(found.motions[0].effective[0, 0])  # a bias begins at zero
    assert 0 < found.motions[0].effective[0, 1] < 1
    assert np.linalg.norm(start[0]["weight"]) > 0
    assert len(found.frame()) == 5 * 4


def test_noise_falls_with_the_batch_size_as_theory_says(wine):
    problem, data = wine
    lab = _Lab(problem, data, 0)
    noise = lab.noise("start", lab.start(0))
    n = len(data.train)
    theory = noise.critical * (1 / noise.batch_sizes - 1 / n) * n / (n - 1)
    assert noise.ratio == pytest.approx(theory, rel=0.6)
    assert (np.diff(noise.ratio) < 0).mean() > 0.8


def test_the_critical_batch_is_the_trace_over_the_signal(wine):
    problem, data = wine
    lab = _Lab(problem, data, 0)
    params = lab.start(0)
    each = np.array([lab._vector(lab._grad(params, np.array([i]))) for i in range(len(data.train))])
    whole = each.mean(axis=0)
    exact = ((each - whole) ** 2).sum(axis=1).mean() / (whole @ whole)
    assert lab.noise("start", params).critical == pytest.approx(exact, rel=0.3)


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
