"""Train a problem with one method: a look before a whole study."""

from __future__ import annotations

from collections.abc import Callable

from descenso import problems
from descenso.engine import open_engine, prepare_machine
from descenso.methods import parse
from descenso.problems import Problem
from descenso.records import Member, Run
from descenso.study import checks
from descenso.study._failures import check_not_all_void, check_training_loss
from descenso.study.design import study_seed, whole


def train(
    problem: str | Problem,
    method: str = "adam",
    *,
    epochs: int | None = None,
    seeds: int = 1,
    seed: int = 0,
    on_progress: Callable[[list[Run]], None] | None = None,
) -> list[Run]:
    """Train ``problem`` with one method at the settings written, and return a run per seed.

    Nothing is searched and nothing is stored. The parameters are those of :func:`compare`.

    Raises
    ------
    DescensoError
        If something asked for is not possible; the message says what.
    """
    chosen = checks.the_problem(problem)
    written = checks.on_problem(parse(method), chosen)
    budget = whole("epochs", chosen.epochs if epochs is None else epochs)
    prepare_machine()
    data = checks.data_of(chosen, study_seed("seed", seed))
    problems.rehearse(chosen, data)
    size = checks.batch_size(written, chosen, len(data.train))
    settings = written.definition().settings(**written.fixed)
    members = [
        Member(written.label, written.rule, settings, size, s) for s in range(whole("seeds", seeds))
    ]
    done: dict[str, Run] = {}
    for chunk in open_engine(chosen, data, seed).train(members, budget, judge=True):
        done.update({run.member.key: run for run in chunk})
        if on_progress:
            on_progress(chunk)
    runs = [done[member.key] for member in members]
    check_not_all_void(runs)
    if not any(run.error for run in runs):
        check_training_loss(chosen, data, runs)
    return runs
