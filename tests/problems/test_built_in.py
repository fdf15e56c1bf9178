import subprocess
import sys

import jax
import numpy as np
import pytest
import torch

from descenso import methods, problems
from descenso.errors import UnknownNameError

TABLES = ["digits", "breast-cancer", "wine", "diabetes"]


@pytest.mark.parametrize("name", problems.names())
class TestEveryBuiltInProblem:
    def test_it_survives_a_rehearsal_whatever_the_split(self, name):
        problem = problems.get(name)
        for split_seed in (0, 1, 2**40):
            assert np.isfinite(problems.rehearse(problem, problem.make_data(split_seed)))

    def test_its_figures_are_the_same_in_numpy_jax_and_torch(self, name):
        problem = problems.get(name)
        part = problem.make_data(0).validation
        params = problem.init(np.random.default_rng(0))
        tensors = jax.tree.map(torch.tensor, params)
        inputs, targets = torch.tensor(part.inputs), torch.tensor(part.targets)
        for figure in (problem.loss, problem.metric.function):
            expected = float(figure(problem.apply(params, part.inputs), part.targets))
            in_jax = jax.jit(lambda p, x, y, f=figure: f(problem.apply(p, x), y))
            assert float(in_jax(params, part.inputs, part.targets)) == pytest.approx(
                expected, rel=1e-5
            )
            in_torch = figure(problem.apply(tensors, inputs), targets)
            assert float(in_torch) == pytest.approx(expected, rel=1e-5)

    def test_parameters_are_float32_and_drawn_from_the_generator_alone(self, name):
        init = problems.get(name).init
        first, again, other = (
            jax.tree.leaves(init(np.random.default_rng(seed))) for seed in (1, 1, 2)
        )
        assert all(leaf.dtype == np.float32 for leaf in first)
        assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
        assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))

    def test_its_methods_exist_and_its_text_is_there(self, name):
        problem = problems.get(name)
        for method in problem.methods:
            methods.parse(method)
        assert problem.name == name
        assert problems.summary(problem)


@pytest.mark.parametrize("name", TABLES)
def test_training_columns_are_standardised_and_nothing_is_nan(name):
    data = problems.get(name).make_data(5)
    deviations = data.train.inputs.std(axis=0)
    np.testing.assert_allclose(deviations[deviations > 0], 1, atol=1e-4)
    for part in (data.train, data.validation, data.test):
        assert np.isfinite(part.inputs).all()


def test_a_pixel_that_is_always_white_stays_zero():
    train = problems.get("digits").make_data(0).train.inputs
    assert not train[:, 0].any()  # the corner of the image


@pytest.mark.parametrize("name", ["digits", "breast-cancer", "wine"])
def test_classes_keep_their_shares_in_every_part(name):
    data = problems.get(name).make_data(3)
    shares = [
        np.bincount(part.targets) / len(part) for part in (data.train, data.validation, data.test)
    ]
    for part in shares[1:]:
        np.testing.assert_allclose(part, shares[0], atol=0.03)


@pytest.mark.parametrize("name", [*TABLES, "line"])
def test_gradient_descent_learns_it(name):
    problem = problems.get(name)
    data = problem.make_data(0)
    params = problem.init(np.random.default_rng(0))
    rate = 0.02 if name in ("diabetes", "line") else 0.3
    gradient = jax.jit(jax.grad(lambda p, x, y: problem.loss(problem.apply(p, x), y)))
    for _ in range(300):
        slopes = gradient(params, data.train.inputs, data.train.targets)
        params = jax.tree.map(lambda a, g: a - rate * g, params, slopes)
    reached = problem.metric.function(problem.apply(params, data.test.inputs), data.test.targets)
    solved = {"digits": 0.9, "breast-cancer": 0.93, "wine": 0.9, "diabetes": 0.3, "line": 1e-2}
    good = reached >= solved[name] if problem.metric.higher_is_better else reached <= solved[name]
    assert good, float(reached)


def test_the_line_has_one_weight_one_bias_and_its_five_points_everywhere():
    problem = problems.get("line")
    shapes = [leaf.shape for leaf in jax.tree.leaves(problem.init(np.random.default_rng(0)))]
    assert sorted(shapes) == [(1,), (1, 1)]
    data = problem.make_data(9)
    for part in (data.train, data.validation, data.test):
        assert part.inputs.shape == part.targets.shape == (5, 1)
        assert part.inputs[:, 0].tolist() == [1, 2, 3, 4, 5]


def test_a_surface_problem_starts_near_the_usual_start_and_its_loss_is_the_height():
    surface = problems.surfaces.get("ravine(condition=30)")
    problem = problems.get("ravine(condition=30)")
    part = problem.make_data(0).train
    point = problem.init(np.random.default_rng(4))
    assert 0 < np.abs(point - surface.start).max() < 1.5
    height = problem.loss(problem.apply(point, part.inputs), part.targets)
    assert float(height) == pytest.approx(surface.function(point), rel=1e-5)
    assert not problem.metric.higher_is_better
    assert problems.surfaces.get(problem.details["surface"]).settings == {"condition": 30}


def test_a_surface_is_solved_near_its_minimum_and_a_saddle_when_it_is_escaped():
    assert problems.get("himmelblau").target == pytest.approx(1e-3)
    assert problems.get("saddle").target == -4


def test_a_surface_is_compared_by_methods_that_need_no_sampling():
    for name in problems.surfaces.names():
        assert problems.get(name).methods == ("batch", "momentum", "nesterov", "rmsprop", "adam")


def test_an_unknown_problem_gets_the_nearest_name():
    with pytest.raises(UnknownNameError, match=r"named 'digit';.*Did you mean 'digits'"):
        problems.get("digit")


@pytest.mark.slow
def test_naming_the_problems_imports_no_framework_and_no_scikit_learn():
    code = (
        "import sys; from descenso import problems; problems.names();"
        "[problems.summary(problems.get(name)) for name in problems.names()];"
        "heavy = {'jax', 'torch', 'keras', 'tensorflow', 'sklearn', 'pooch'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_summaries_are_shown_in_the_language_in_use(monkeypatch):
    from descenso.problems import _registry

    monkeypatch.setattr(_registry, "_", lambda text: f"<{text}>")
    wine = problems.get("wine")
    assert problems.summary(wine) == f"<{wine.summary}>"
