"""Paths come from the rules, and are cut where they diverge."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests import typical

from descenso import language, paths, problems, rules
from descenso.errors import BudgetError, SettingError
from descenso.methods import parse, parse_list
from descenso.numpy import minimize
from descenso.ops import numpy as xp
from descenso.paths._sweep import sweep
from descenso.paths._tuning import TRIED
from descenso.report.pictures import _captions
from descenso.study import checks


@pytest.fixture(autouse=True)
def _in_english():
    language.use("en")


RAVINE = paths.get("ravine")


def descend(methods, **options):
    surface = options.pop("surface", RAVINE)
    return paths.descend(surface, parse_list(methods), **options)


@pytest.mark.parametrize("name", typical.RULES)
def test_a_path_is_the_one_that_minimize_gives(name):
    (trace,) = descend(name, lr=[0.01], steps=30).traces
    decay = {"weight_decay": 0.0} if "weight_decay" in rules.get(name).hyperparameters else {}
    same = minimize(RAVINE.function, RAVINE.gradient, RAVINE.start, name, 30, lr=0.01, **decay)
    assert np.array_equal(trace.path.points, same.points)


@pytest.mark.parametrize("name", typical.RULES)
def test_a_sweep_over_settings_gives_each_ones_own_path(name):
    rates = np.array([0.001, 0.02, 0.3])
    settings = {**rules.get(name).settings(), "lr": rates}
    places, values = sweep(RAVINE, rules.get(name), settings, RAVINE.start, 25)
    for i, rate in enumerate(rates):
        alone = minimize(RAVINE.function, RAVINE.gradient, RAVINE.start, name, 25, lr=float(rate))
        assert places[:, :, i] == pytest.approx(alone.points, rel=1e-12, abs=1e-12)
        assert values[:, i] == pytest.approx(alone.values, rel=1e-9)


def test_gradient_descent_diverges_above_two_over_the_curvature_and_not_below():
    below, above = descend("gradient_descent", lr=[0.0199, 0.0201], steps=3000).traces
    assert (below.end, above.end) == ("ran", "diverged")
    assert len(above.path) < 3000
    assert np.isfinite(above.path.values).all()


def test_a_wild_path_is_cut_early_and_stays_finite():
    (trace,) = descend("gradient_descent", lr=[1e200], steps=50).traces
    assert trace.end == "diverged"
    assert len(trace.path) <= 1
    assert np.isfinite(trace.path.points).all()


def test_a_path_that_falls_off_a_saddle_has_left_and_not_diverged():
    surface = paths.get("saddle")
    (trace,) = descend("momentum", lr=[0.5], steps=300, surface=surface).traces
    assert trace.end == "left"


def test_methods_with_the_same_seed_see_the_same_noise_and_other_seeds_another():
    found = descend("gradient_descent,rmsprop", lr=[0.001], steps=5, noise=2.0, seeds=2)
    first = {(t.label, t.seed): t.path.gradients[0] for t in found.traces}
    assert np.array_equal(first["gradient_descent", 0], first["rmsprop", 0])
    assert not np.array_equal(first["rmsprop", 0], first["rmsprop", 1])


def test_noise_has_the_spread_asked_for():
    (trace,) = descend("gradient_descent", lr=[1e-9], steps=4000, noise=3.0).traces
    noise = trace.path.gradients - np.array([RAVINE.gradient(p) for p in trace.path.points[:-1]])
    assert noise.std() == pytest.approx(3, rel=0.05)


def test_a_regime_says_how_many_examples_a_gradient_sees():
    surface = paths.get("regression")
    found = descend("sgd,minibatch,batch", lr=[0.05], steps=40, seeds=8, surface=surface)

    def spread(label):
        ends = [t.path.x for t in found.traces if t.label == label]
        return float(np.std(ends, axis=0).sum())

    assert spread("batch") == pytest.approx(0, abs=1e-12)
    assert spread("minibatch") < spread("sgd")


def test_every_example_is_seen_once_in_an_epoch():
    surface = paths.get("regression")
    (trace,) = descend("sgd", lr=[1e-12], steps=40, surface=surface).traces
    assert trace.path.gradients.mean(axis=0) == pytest.approx(surface.gradient(surface.start))


def test_the_tuned_learning_rate_is_the_one_that_settles_first():
    (tuned,) = descend("momentum", steps=100).traces

    def settles(trace):
        low = trace.path.values <= 0.01 * trace.path.values[0]
        return 101 - low[::-1].argmin() if low[-1] else math.inf

    others = descend("momentum", lr=list(TRIED[24:72]), steps=100).traces
    assert settles(tuned) <= min(settles(t) for t in others if len(t.path) == 100)
    assert tuned.tuned
    assert not others[0].tuned


def test_a_learning_rate_says_why_it_was_chosen_and_the_caption_repeats_it():
    cases = (
        ("ravine", "momentum", 60, "settles", "settles first"),
        ("rastrigin", "adam", 60, "lowest", "No learning rate of 85 lets adam settle in 60 steps"),
        ("saddle", "adam", 60, "first_step", "first steps are equally long"),
    )
    for surface, method, steps, reason, said in cases:
        found = descend(method, surface=paths.get(surface), steps=steps)
        values = found.traces[0].path.values
        lowest = min((m.value for m in found.surface.minima), default=0.0)
        settled = (values[-1] - lowest) <= 0.01 * (values[0] - lowest)
        assert found.traces[0].tuned == reason
        assert (reason == "settles") == (settled and bool(found.surface.minima))
        assert said in _captions.paths(found)
        assert ("settles first" in _captions.paths(found)) == (reason == "settles")


@pytest.mark.parametrize("surface", ["ravine", "rastrigin", "saddle"])
def test_decay_leaves_surfaces_alone_unless_it_is_asked_for(surface):
    adam, plain, asked = descend(
        "adam,adamw,adamw(weight_decay=0.1)", surface=paths.get(surface), steps=40
    ).traces
    assert plain.path.points == pytest.approx(adam.path.points, rel=1e-6)
    assert plain.path.settings["weight_decay"] == 0
    assert asked.path.settings["weight_decay"] == 0.1
    assert asked.path.settings["lr"] == adam.path.settings["lr"] < 10  # chosen without the decay
    found = descend("adamw", surface=paths.get(surface), steps=4)
    assert "Weight decay" not in _captions.paths(found)
    found = descend("adamw(weight_decay=0.1)", surface=paths.get(surface), steps=4)
    assert "Weight decay pulls adamw(weight_decay=0.1) towards the origin" in _captions.paths(found)


def test_a_study_of_a_surface_lets_no_decay_solve_it_either():
    problem = problems.get("ravine")
    plain, asked = checks.methods("adamw,adamw(weight_decay=0.2)", problem)
    assert plain.default_settings()["weight_decay"] == 0
    assert asked.default_settings()["weight_decay"] == 0.2
    (network,) = checks.methods("adamw", problems.get("wine"))
    assert network.default_settings()["weight_decay"] == 0.01


def test_a_method_that_names_no_regime_sees_every_example_and_the_caption_counts_them():
    surface = paths.get("regression")
    found = descend("gradient_descent,momentum,sgd,batch,adam@4", surface=surface, lr=[0.05],
                    steps=12)  # fmt: skip
    assert [t.batch for t in found.traces] == [None, None, 1, None, 4]
    whole, *_others, batch, _adam = found.traces
    assert np.array_equal(whole.path.points, batch.path.points)
    for point, gradient in zip(whole.path.points, whole.path.gradients, strict=False):
        assert gradient == pytest.approx(surface.gradient(point))
    text = _captions.paths(found)
    assert "A gradient of sgd sees 1 example of 40." in text
    some = _captions.paths(descend("minibatch", surface=surface, lr=[0.05], steps=12))
    assert "A gradient of minibatch sees 8 examples of 40." in some
    assert "A gradient of gradient_descent, momentum and batch sees 40 examples of 40." in text


def test_without_a_minimum_every_method_is_given_the_same_first_step():
    found = descend("gradient_descent,momentum,rmsprop,adam", surface=paths.get("saddle"))
    lengths = [np.hypot(*(t.path.points[1] - t.path.points[0])) for t in found.traces]
    assert max(lengths) / min(lengths) < 1.25


@pytest.mark.parametrize("method", [*typical.RULES, "rmsprop(momentum=0.9)", "rmsprop(centered=true)",
                                    "momentum(dampening=0)", "adamw(weight_decay=0.3)"])  # fmt: skip
def test_the_arrows_of_a_step_add_up_to_it(method):
    (trace,) = paths.descend(RAVINE, parse_list(method), lr=[0.02], steps=12).traces
    parts = paths.decompose(trace.path)
    whole = parts.fresh + parts.carried + parts.scaling + parts.decay
    assert whole == pytest.approx(np.diff(trace.path.points, axis=0), rel=1e-6, abs=1e-9)


def test_the_arrows_of_momentum_and_adam_are_those_of_their_formulas():
    momentum, adam = (
        paths.descend(RAVINE, [parse(m)], lr=[0.03], steps=6).traces[0]
        for m in ("momentum", "adam")
    )
    parts = paths.decompose(momentum.path)
    assert parts.fresh == pytest.approx(-0.03 * 0.1 * momentum.path.gradients)
    assert parts.carried == pytest.approx(-0.03 * 0.9 * momentum.path.states["v"][:-1])
    assert parts.scaling == pytest.approx(0, abs=1e-12)
    parts, t = paths.decompose(adam.path), np.arange(1, 7)[:, None]
    m_hat = adam.path.states["m"][1:] / (1 - 0.9**t)
    assert parts.fresh + parts.carried == pytest.approx(-0.03 * m_hat, rel=1e-6)


def test_a_velocity_of_scaled_gradients_is_shown_as_it_is():
    (trace,) = paths.descend(RAVINE, [parse("rmsprop(momentum=0.9)")], lr=[0.02], steps=6).traces
    parts = paths.decompose(trace.path)
    assert parts.carried == pytest.approx(-0.02 * 0.9 * trace.path.states["b"][:-1])
    assert parts.fresh == pytest.approx(-0.02 * trace.path.gradients, rel=1e-6)


def test_the_frame_has_a_row_for_every_point_and_the_states_of_the_rules():
    frame = descend("momentum,adam", lr=[0.01], steps=10).frame()
    assert len(frame) == 2 * 11
    assert {"x", "y", "value", "gx", "gy", "v_x", "m_y"} <= set(frame.columns)


@pytest.mark.parametrize(
    ("options", "kind", "says"),
    [
        ({"steps": 10_000_000}, BudgetError, "from 1 to 100000; got 10000000"),
        ({"steps": 0}, BudgetError, "got 0"),
        ({"seeds": 1000}, BudgetError, "from 1 to 200"),
        ({"steps": 90_000, "seeds": 100}, BudgetError, "too many"),
        ({"noise": -1.0}, SettingError, "0 or more"),
        ({"noise": math.nan}, SettingError, "0 or more"),
    ],
)
def test_too_much_or_nonsense_is_refused_before_anything_is_run(options, kind, says):
    with pytest.raises(kind, match=says):
        descend("adam", **options)


def test_a_batch_size_on_a_surface_without_examples_is_refused():
    with pytest.raises(SettingError, match="no examples"):
        descend("adam@3", steps=3)


def test_the_rule_is_called_with_the_operations_of_numpy_alone():
    rule = rules.get("adam")
    theta = np.ones(2)
    new, _state = rule.update(xp, theta, theta, rule.start(xp, theta, rule.settings()), 1,
                              rule.settings(lr=0.1))  # fmt: skip
    (trace,) = paths.descend(paths.from_formula("(x**2+y**2)/2", start=(1.0, 1.0)), [parse("adam")],
                             lr=[0.1], steps=1).traces  # fmt: skip
    assert trace.path.x == pytest.approx(new)
