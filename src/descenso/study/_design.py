"""Make a design of what was asked for, and refuse what cannot be done."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from descenso.errors import BudgetError, SettingError
from descenso.language import _, did_you_mean
from descenso.problems import Problem
from descenso.study import _checks as checks
from descenso.study._results import Design
from descenso.study._sequential import MOST
from descenso.study._space import parse_space

#: Seeds that each setting is searched with, at most.
SEARCH_SEEDS = 3
#: What can propose the settings of the second stage of a search.
SAMPLERS = ("sobol", "tpe", "random", "gp", "cmaes")


def design(
    problem: Problem,
    methods: str | Sequence[str] | None,
    *,
    epochs: int | None,
    seeds: int,
    trials: int,
    seed: int,
    until_decided: bool = False,
    most_seeds: int | None = None,
    margin: float | None = None,
    split_seeds: int = 1,
    space: Sequence[str] = (),
    sampler: str = "sobol",
    search_seeds: int | None = None,
    defaults: bool = True,
) -> Design:
    """Return the design of a study; :func:`descenso.compare` tells of the parameters.

    Raises
    ------
    BudgetError, SettingError, UnknownNameError
        If something asked for is not possible.
    """
    chosen = checks.methods(methods, problem)
    first = checks.positive("seeds", seeds)
    parse_space(space, chosen)  # refuses what is wrong before anything is trained
    return Design(
        problem=problem.name,
        methods=tuple(m.label for m in chosen),
        epochs=checks.positive("epochs", problem.epochs if epochs is None else epochs),
        trials=checks.positive("trials", trials),
        search_seeds=usual_search_seeds(first)
        if search_seeds is None
        else checks.positive("search_seeds", search_seeds),
        seeds=first,
        seed=checks.study_seed(seed),
        most_seeds=_most_seeds(first, until_decided, most_seeds),
        margin=_margin(margin),
        split_seeds=checks.positive("split_seeds", split_seeds),
        space=tuple(space),
        sampler=_sampler(sampler),
        defaults=bool(defaults),
    )


def usual_search_seeds(seeds: int) -> int:
    """Return how many seeds each setting is searched with, unless told otherwise."""
    return min(SEARCH_SEEDS, seeds)


def _most_seeds(first: int, until_decided: bool, most: int | None) -> int:
    if most is None:
        return first * MOST if until_decided else 0
    if not until_decided:
        raise BudgetError(_("most_seeds is only for a study that goes on until it is decided"))
    if checks.positive("most_seeds", most) <= first:
        raise BudgetError(
            _(
                "most_seeds must be more than the {seeds} seeds that are begun with; got {most}"
            ).format(seeds=first, most=most)
        )
    return most


def _margin(margin: Any) -> float | None:
    if margin is None:
        return None
    number = isinstance(margin, int | float) and not isinstance(margin, bool)
    if not number or not math.isfinite(margin) or margin <= 0:
        raise BudgetError(
            _("margin must be a positive difference of the metric; got {margin!r}").format(
                margin=margin
            )
        )
    return float(margin)


def _sampler(name: str) -> str:
    if name in SAMPLERS:
        return name
    hint = did_you_mean(name, SAMPLERS)
    raise SettingError(
        _("there is no sampler named {name!r}; there are {known}.").format(
            name=name, known=", ".join(SAMPLERS)
        )
        + hint
    )
