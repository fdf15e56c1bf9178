"""The NumPy minimiser: the whole path of a descent, cut where it diverges."""

import numpy as np
import pytest
from tests import typical

import descenso.numpy
from descenso.errors import BudgetError, ParameterError, SettingError, UnknownNameError


def bowl(x):
    return (x[0] - 1) ** 2 + 10 * (x[1] + 0.5) ** 2


def bowl_gradient(x):
    return [2 * (x[0] - 1), 20 * (x[1] + 0.5)]


@pytest.mark.parametrize("name", typical.RULES)
def test_every_rule_reaches_the_bottom_of_a_bowl(name):
    path = descenso.numpy.minimize(bowl, bowl_gradient, [3, 2], name, steps=2000, lr=0.02)
    assert path.values[-1] < 0.02
    assert path.diverged_at is None


def test_the_path_holds_every_step():
    path = descenso.numpy.minimize(bowl, bowl_gradient, [3, 2], "momentum(lr=0.05)", steps=30)
    assert path.points.shape == (31, 2)
    assert path.values.shape == (31,)
    assert path.gradients.shape == (30, 2)
    assert path.states["v"].shape == (31, 2)
    assert len(path) == 30
    assert np.array_equal(path.points[0], [3, 2])
    assert np.array_equal(path.x, path.points[-1])
    for i in range(30):
        assert path.values[i] == bowl(path.points[i])
        assert np.array_equal(path.gradients[i], bowl_gradient(path.points[i]))
        assert np.allclose(path.points[i + 1], path.points[i] - 0.05 * path.states["v"][i + 1])


def test_the_best_point_is_the_lowest_visited():
    path = descenso.numpy.minimize(bowl, bowl_gradient, [3, 2], "gradient_descent", 5, lr=0.101)
    assert bowl(path.best) == path.values.min()


def test_without_a_gradient_central_differences_follow_the_same_path():
    given = descenso.numpy.minimize(bowl, bowl_gradient, [3, 2], "momentum", 50, lr=0.05)
    taken = descenso.numpy.minimize(bowl, None, [3, 2], "momentum", 50, lr=0.05)
    assert np.allclose(given.points, taken.points, atol=1e-8)


@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
def test_points_may_have_any_shape(shape):
    path = descenso.numpy.minimize(
        lambda x: np.sum(x**2), lambda x: 2 * x, np.ones(shape), "adam", 200, lr=0.05
    )
    assert path.points.shape == (201, *shape)
    assert path.values[-1] < 1e-3


def test_a_diverging_descent_is_cut_at_its_step():
    path = descenso.numpy.minimize(
        lambda x: x[0] ** 4, lambda x: 4 * x**3, [2.0], "gradient_descent", 100, lr=1.0
    )
    assert path.diverged_at == len(path) + 1 < 100
    assert np.all(np.isfinite(path.points))
    assert np.all(np.isfinite(path.values))


def test_a_first_step_that_diverges_leaves_the_start():
    path = descenso.numpy.minimize(lambda x: x[0], lambda x: x * np.nan, [1.0], "adam", 10)
    assert path.diverged_at == 1
    assert path.points.shape == (1, 1)
    assert path.gradients.shape == (0, 1)


def test_a_schedule_is_asked_for_the_steps_taken_so_far():
    asked = []

    def schedule(steps):
        asked.append(steps)
        return 0.1 / (1 + steps)

    path = descenso.numpy.minimize(
        lambda x: x[0], lambda x: np.ones(1), [0.0], "gradient_descent", 3, lr=schedule
    )
    assert asked == [0, 1, 2]
    assert np.allclose(np.diff(path.points[:, 0]), [-0.1, -0.05, -0.1 / 3])


def test_the_six_methods_are_known_by_name_but_not_with_a_batch_size():
    one = descenso.numpy.minimize(bowl, None, [3, 2], "sgd", 5)
    two = descenso.numpy.minimize(bowl, None, [3, 2], "gradient_descent", 5)
    assert np.array_equal(one.points, two.points)
    with pytest.raises(SettingError, match="leave out the batch size"):
        descenso.numpy.minimize(bowl, None, [3, 2], "adam@32", 5)


def test_bad_input_is_refused_in_words():
    minimize = descenso.numpy.minimize
    with pytest.raises(UnknownNameError, match="Did you mean 'adam'"):
        minimize(bowl, None, [3, 2], "adamm")
    with pytest.raises(SettingError, match="lr is given twice"):
        minimize(bowl, None, [3, 2], "adam(lr=0.1)", lr=0.2)
    with pytest.raises(SettingError, match="lr must lie in"):
        minimize(bowl, None, [3, 2], lr=-1)
    for steps in (0, -3, 2.5, True):
        with pytest.raises(BudgetError, match="steps must be a positive whole number"):
            minimize(bowl, None, [3, 2], steps=steps)
    with pytest.raises(ParameterError, match="finite numbers"):
        minimize(bowl, None, [np.nan, 1])
    with pytest.raises(ParameterError, match="finite numbers"):
        minimize(bowl, None, [])
    with pytest.raises(ParameterError, match="array of numbers"):
        minimize(bowl, None, ["a", "b"])
    with pytest.raises(ParameterError, match="at x0 is not finite"):
        minimize(lambda x: np.log(x[0]), None, [-1.0])
    with pytest.raises(ParameterError, match=r"gradient .* shape \(3,\); x0 has \(2,\)"):
        minimize(bowl, lambda x: np.ones(3), [3, 2])
    with pytest.raises(ParameterError, match="must return one number"):
        minimize(lambda x: x, None, [3, 2])


@pytest.mark.parametrize(("fun", "grad", "name"), [(None, None, "fun"), (abs, 3, "grad")])
def test_what_is_no_function_is_named(fun, grad, name):
    with pytest.raises(ParameterError, match=f"{name} must be a function of an array; got"):
        descenso.numpy.minimize(fun, grad, 1.0)
