"""The search: its grid, its race, its edges."""

import math
from dataclasses import dataclass, field

import numpy as np
import pytest

from descenso import methods
from descenso.problems import Metric
from descenso.records import Curve, Run
from descenso.study._results import Design
from descenso.study._search import FIRST_SEARCH_SEED, Search, race_cost, schedule
from descenso.study._space import beyond_edge, learning_rates

ACCURACY = Metric("accuracy", None, higher_is_better=True)


@dataclass
class Pretender:
    """A trainer whose runs follow a given law: validation metric of (lr, epoch)."""

    law: object
    total: float = 0.0
    trained: dict = field(default_factory=dict)

    def train(self, members, epochs, stage, planned):
        runs = []
        for m in members:
            self.trained[m.settings["lr"]] = epochs
            values = np.array([self.law(m.settings["lr"], e) for e in range(epochs + 1)])
            dead = np.isnan(values)
            if dead.any():
                values = values[: int(dead.argmax()) + 1]
            zeros = np.zeros(len(values))
            diverged = len(values) if dead.any() else None
            runs.append(Run(m, Curve(zeros, values, zeros[1:], 0.0, 0.0, 0, diverged)))
        return runs


def search(law, method="minibatch", epochs=8, trials=12, metric=ACCURACY):
    design = Design("pretended", (method,), epochs, trials, 2, 5, 0)
    trainer = Pretender(law)
    return Search(methods.parse(method), 32, design, metric, trainer).run(), trainer


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
    assert len(full) == 4  # 13 learning rates -> 7 -> 4
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
    assert schedule(12, 20) == [(5, 12), (10, 6), (20, 3)]
    assert schedule(12, 1) == [(1, 12)]
    assert schedule(1, 20) == [(5, 1), (10, 1), (20, 1)]
    assert race_cost(12, 20) == 12 * 5 + 6 * 5 + 3 * 10
