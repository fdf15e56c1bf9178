"""What a picture trains: the members of a stored study, or of a problem."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from descenso.language import _

if TYPE_CHECKING:
    from descenso.store import Store


class Chosen(NamedTuple):
    """A problem with its data, and the members to train on it."""

    problem: Any
    data: Any
    members: list[Any]
    epochs: int
    study_seed: int


def members(
    what: str,
    methods: str | None,
    epochs: int | None,
    seed: int,
    store: str | None,
    place: str | None,
) -> Chosen:
    """Return what is to be trained: of a stored study what it chose, or what is written.

    Parameters
    ----------
    what : a study, or a problem as in ``descenso compare``.
    methods : those to be shown; all of the study, or the problem's usual ones if not given.
    place : where the study's problem is, if it is the user's own.
    """
    from descenso import problems
    from descenso.problems import surfaces

    is_table = problems.table_name(what, []) is not None
    if what in problems.names() or surfaces.is_surface(what) or ":" in what or is_table:
        return _of_problem(what, methods, epochs, seed)
    return _of_study(what, methods, epochs, store, place)


def _of_problem(what: str, methods: str | None, epochs: int | None, seed: int) -> Chosen:
    from descenso.records import Member
    from descenso.study import checks
    from descenso.study.design import study_seed, whole

    problem = checks.the_problem(what)
    data = checks.data_of(problem, study_seed("seed", seed))
    chosen = checks.methods(methods or None, problem)
    trained = [
        Member(
            m.label, m.rule, m.definition().settings(**m.fixed),
            checks.batch_size(m, problem, len(data.train)), 0,
        )
        for m in chosen
    ]  # fmt: skip
    budget = whole("epochs", problem.epochs if epochs is None else epochs)
    return Chosen(problem, data, trained, budget, seed)


def _of_study(
    what: str, methods: str | None, epochs: int | None, store: str | None, place: str | None
) -> Chosen:
    from descenso.errors import UnknownNameError
    from descenso.records import Member
    from descenso.study import checks
    from descenso.study.design import whole

    result = finished(what, store)
    wanted = split(methods) if methods else list(result.design.methods)
    for name in wanted:
        if name not in result.design.methods:
            raise UnknownNameError(
                _("the study has no method {name!r}; it has {known}").format(
                    name=name, known=", ".join(result.design.methods)
                )
            )
    problem = _problem_of(result.design.problem, place)
    data = checks.data_of(problem, result.design.seed)
    chosen = [
        Member(m.name, m.rule, m.settings, m.batch_size, m.tuned.seeds[0])
        for m in (result.method(name) for name in wanted)
    ]
    budget = whole("epochs", result.design.epochs if epochs is None else epochs)
    return Chosen(problem, data, chosen, budget, result.design.seed)


def _problem_of(name: str, place: str | None) -> Any:
    """Return the problem of a study; one that was given a name of its own is found at ``place``."""
    from descenso.errors import ProblemError, UnknownNameError
    from descenso.study import checks

    try:
        found = checks.the_problem(place or name)
    except UnknownNameError as error:
        if place:
            raise
        raise ProblemError(
            _("{problem}: that is a problem of your own; say where it is with --problem").format(
                problem=name
            )
        ) from error
    if found.name != name:
        raise ProblemError(
            _("the study is of {problem}; {place} is {other}").format(
                problem=name, place=place, other=found.name
            )
        )
    return found


def finished(study: str, store: str | None) -> Any:
    """Return the result of a stored study."""
    from descenso import rules
    from descenso.errors import StoreError
    from descenso.study import decode_result

    stored = opened(store).resolve(study)
    if stored.result is None:
        raise StoreError(
            _("study {name} is not finished: run its command again and it goes on").format(
                name=stored.identity
            )
        )
    result = decode_result(stored.result)
    for method in result.methods:
        rules.get(method.rule)  # says now, before half is printed, that a file is to be named
    return result


def existing(place: str | None) -> Store | None:
    """Return the store, or ``None`` where the usual one was never written.

    Raises
    ------
    StoreError
        If there is none at a place that was named.
    """
    from descenso.store import Store

    if place is None and not Store.exists():
        return None
    return Store(place, create=False)


def opened(place: str | None) -> Store:
    """Return the store that a stored study is to be taken from."""
    from descenso.errors import UnknownNameError

    store = existing(place)
    if store is None:
        raise UnknownNameError(_("no study is stored yet: descenso compare digits"))
    return store


def split(text: str) -> list[str]:
    """Split at commas that stand outside parentheses."""
    return [part for part in re.split(r",(?![^()]*\))", text) if part.strip()]
