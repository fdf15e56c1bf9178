"""The search: its grid, its race, its edges."""

import math
from dataclasses import dataclass, field, replace
from unittest import mock

import numpy as np
import pytest

from descenso import methods, problems
from descenso.errors import BudgetError, SettingError, UnknownNameError
from descenso.problems import Metric
from descenso.records import Curve, Run
from descenso.study._race import FULL_GRID, RACE
from descenso.study._search import (
    FIRST_SEARCH_SEED,
    Search,
    race_cost,
    schedule,
    search_together,
)
from descenso.study._space import beyond_edge, learning_rates, parse_space
from descenso.study.design import Design

ACCURACY = Metric("accuracy", None, higher_is_better=True)


@dataclass
class Pretender:
    """A trainer whose runs follow a given law: validation metric of (lr, epoch)."""

    law: object
    total: float = 0.0
    trained: dict = field(default_factory=dict)
    by_member: dict = field(default_factory=dict)

    def train(self, members, epochs, stage, planned):
        runs = []
        for m in members:
            self.trained[m.settings["lr"]] = epochs
            self.by_member[m] = max(epochs, self.by_member.get(m, 0))
            values = np.array([self.law(m.settings["lr"], e) for e in range(epochs + 1)])
            dead = np.isnan(values)
            if dead.any():
                values = values[: int(dead.argmax()) + 1]
            zeros = np.zeros(len(values))
            diverged = len(values) if dead.any() else None
            runs.append(Run(m, Curve(zeros, values, zeros[1:], 0.0, 0.0, 0, diverged)))
        return runs


def search(law, method="minibatch", **options):
    trainer = Pretender(law)
    return run_search(law, trainer, method, **options), trainer


def run_search(
    law, trainer, method="minibatch", epochs=8, trials=12, metric=ACCURACY, sampler="sobol", **more
):
    design = Design("pretended", (method,), epochs, trials, 2, 5, 0, sampler=sampler)
    return Search(methods.parse(method), 32, design, metric, trainer, **more).run()


def bump(best):
    """Return a law whose best learning rate is ``best`` at every epoch."""
    return lambda lr, epoch: 1 - abs(math.log10(lr / best)) - 1 / (epoch + 1)


def test_the_grid_is_log_spaced_and_holds_the_default():
    rates = learning_rates(methods.parse("adam"), 12)
    assert 0.001 in rates
    assert (rates[0], rates[-1]) == (1e-5, 1.0)
    assert len(rates) in (12, 13)
    assert rates == sorted(rates)


def test_a_fixed_learning_rate_is_the_only_one_tried():
    assert learning_rates(methods.parse("adam(lr=0.02)"), 12) == [0.02]


def test_an_interior_best_is_found_and_only_finalists_reach_the_whole_budget():
    found, _ = search(bump(0.1))
    assert abs(math.log10(found.chosen.lr / 0.1)) < 0.3
    assert found.at_edge == ""
    full = [p for p in found.points if p.epochs == 8]
    assert len(full) == 3  # 13 learning rates -> 5 -> 3
    assert found.chosen in full
    assert len(found.points) == 13


@pytest.mark.parametrize(("best", "side"), [(60.0, "high"), (1e-5, "low")])
def test_a_best_at_the_edge_widens_the_range_until_it_is_interior(best, side):
    found, trainer = search(bump(best))
    assert abs(math.log10(found.chosen.lr / best)) < 0.3
    assert found.at_edge == ""
    assert trainer.total > 0  # the added work was announced


def test_a_best_that_stays_at_the_edge_is_reported():
    found, _ = search(lambda lr, epoch: math.log(lr))
    assert found.at_edge == "high"
    assert found.chosen.lr == max(p.lr for p in found.points)


def test_widening_stays_inside_the_range_of_the_setting():
    assert beyond_edge(methods.parse("adam"), [1e-5], "low") == []
    assert all(lr > 0 for lr in beyond_edge(methods.parse("adam"), [1e-5, 1e-4], "low"))


def test_a_setting_that_diverges_is_never_chosen_over_one_that_does_not():
    found, _ = search(lambda lr, epoch: math.nan if lr > 0.05 and epoch > 1 else lr)
    assert found.chosen.lr < 0.05
    assert {p.lr for p in found.points if p.diverged} >= {10.0}


def test_where_all_settings_diverge_the_search_goes_down_and_says_how_it_ended():
    found, _ = search(lambda lr, epoch: math.nan if epoch > 0 else 0.1)
    assert found.chosen.diverged == 2
    assert found.at_edge == "low"


def test_lower_is_better_is_respected():
    metric = Metric("mse", None, higher_is_better=False)
    found, _ = search(lambda lr, epoch: abs(math.log10(lr / 0.1)), metric=metric)
    assert abs(math.log10(found.chosen.lr / 0.1)) < 0.3


def test_the_seeds_of_the_search_are_never_those_of_the_confirmation():
    seeds = set()

    class Watching(Pretender):
        def train(self, members, *rest):
            seeds.update(m.seed for m in members)
            return super().train(members, *rest)

    design = Design("pretended", ("adam",), 4, 3, 3, 1000, 0)
    Search(methods.parse("adam"), 32, design, ACCURACY, Watching(bump(0.01))).run()
    assert len(seeds) == 3
    assert min(seeds) >= FIRST_SEARCH_SEED > design.seeds


def test_the_rungs_of_a_race():
    def plain(rungs):
        return [(r.epochs, r.settings, r.seeds) for r in rungs]

    assert plain(schedule(12, 20, 3)) == [(4, 12, 1), (10, 5, 1), (20, 3, 3)]
    assert plain(schedule(12, 1, 3)) == [(1, 12, 3)]
    assert plain(schedule(1, 20, 3)) == [(4, 1, 1), (10, 1, 1), (20, 1, 3)]
    assert race_cost(12, 20, 3) == 12 * 4 + 5 * 6 + 3 * (3 * 20 - 10)
    assert race_cost(12, 20, 3, FULL_GRID) == 12 * 20 * 3


def test_a_race_trains_just_what_it_is_said_to_cost():
    _, trainer = search(bump(0.1), trials=12)
    assert sum(trainer.by_member.values()) == race_cost(13, 8, 2)


def test_a_late_winner_that_starts_slowly_is_kept_by_the_places_for_slow_starters():
    def law(lr, epoch):
        return -0.5 + 0.25 * epoch if lr == slow else 0.9 - abs(math.log10(lr)) / 50

    rates = learning_rates(methods.parse("minibatch"), 12)
    slow = rates[3]
    found, _ = search(law)
    assert found.chosen.lr == slow
    blind, _ = search(law, policy=replace(RACE, slow_starters=0.0))
    assert blind.chosen.lr != slow


def test_a_resumed_race_stops_the_same_settings():
    """Runs in the store may be trained further than the rung they are looked at again."""

    class Resumed(Pretender):
        def train(self, members, epochs, *rest):
            return super().train(members, 8, *rest)

    law = bump(0.1)
    fresh, _ = search(law)
    again = run_search(law, Resumed(law))
    assert [p.epochs for p in again.points] == [p.epochs for p in fresh.points]
    assert again.chosen == fresh.chosen


def test_other_settings_are_searched_around_the_best_learning_rate():
    ranges = parse_space(["adam.beta2=0.9..0.9999:logit"], [methods.parse("adam")])["adam"]
    found, _ = search(bump(0.01), "adam", trials=12, ranges=ranges)
    second = [p for p in found.points if p.stage == 2]
    assert len(second) == 6
    assert len({p.settings["beta2"] for p in second}) == 6
    assert all(0.9 <= p.settings["beta2"] <= 0.9999 for p in second)
    assert all(0.5 <= p.settings["beta1"] <= 0.99 for p in second)
    assert abs(math.log10(found.chosen.lr / 0.01)) < 0.3


def test_more_trials_go_to_what_matters_after_the_learning_rate():
    found, _ = search(bump(0.01), "adam", trials=20)
    second = [p for p in found.points if p.stage == 2]
    assert len(second) == 8
    assert len({p.settings["beta1"] for p in second}) == 8


def test_a_method_with_nothing_else_to_search_refines_its_learning_rate():
    found, _ = search(bump(0.13), "minibatch", trials=20)
    assert len([p for p in found.points if p.stage == 2]) == 8
    assert abs(math.log10(found.chosen.lr / 0.13)) < 0.1


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_optunas_samplers_propose_within_the_same_budget(sampler):
    pytest.importorskip("optuna")
    found, trainer = search(bump(0.01), "adam", trials=20, sampler=sampler)
    second = [p for p in found.points if p.stage == 2]
    spent = sum(e for m, e in trainer.by_member.items() if m.settings["beta2"] != 0.999)
    assert second
    assert spent <= race_cost(8, 8, 2)
    again, _ = search(bump(0.01), "adam", trials=20, sampler=sampler)
    assert again == found  # the same proposals in every process


@pytest.mark.parametrize(("text", "error", "complaint"), [
    ("adam.beta2", SettingError, "written method"),
    ("adam.beta3=0.1..0.2", SettingError, "no setting 'beta3'"),
    ("adan.beta2=0.1..0.2", UnknownNameError, "Did you mean 'adam'"),
    ("adam.beta2=0.2..0.1", SettingError, "low must be below high"),
    ("adam.beta2=0.9..1.5", SettingError, "must lie in"),
    ("adam.beta2=0..0.5:logit", SettingError, "between 0 and 1 for logit"),
    ("adam.beta2=0.1..0.5:cubic", SettingError, "the scale one of"),
])  # fmt: skip
def test_a_range_that_cannot_be_searched_is_refused_in_words(text, error, complaint):
    with pytest.raises(error, match=complaint):
        parse_space([text], [methods.parse("adam")])


def test_a_range_follows_its_scale():
    (r,) = parse_space(["adam.beta2=0.9..0.9999:logit"], [methods.parse("adam")])["adam"]
    assert (r.at(0.0), r.at(1.0)) == (0.9, 0.9999)
    assert r.at(0.5) == pytest.approx(0.99667, abs=1e-4)  # halfway between the odds 9 and 9999


def test_searches_side_by_side_find_what_each_finds_alone():
    design = Design("x", ("adam", "momentum"), 10, 12, 3, 5, 0)
    found, calls = [], []
    for together in (True, False):
        trainer = Pretender(bump(0.01))
        asked = mock.Mock(wraps=trainer.train)
        trainer.train = asked
        searches = [
            Search(methods.parse(m), 32, design, ACCURACY, trainer) for m in ("adam", "momentum")
        ]
        alone = [] if together else [s.run() for s in searches]
        found.append(alone or search_together(searches, trainer))
        calls.append(asked.call_count)
    assert found[0] == found[1]
    assert calls[0] < calls[1]  # the rungs of both were trained in one call each


def test_the_seeds_of_the_search_can_be_chosen():
    problem = problems.get("wine")
    given = {"epochs": 3, "seeds": 5, "trials": 4, "seed": 0}
    assert Design.of(problem, "adam", **given).search_seeds == 3
    assert Design.of(problem, "adam", **given, search_seeds=1).search_seeds == 1
    with pytest.raises(BudgetError, match="search_seeds must be a whole number"):
        Design.of(problem, "adam", **given, search_seeds=0)
