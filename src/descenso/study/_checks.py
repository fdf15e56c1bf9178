"""Check what a study is asked for, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from descenso import problems
from descenso.engine import prepare_machine
from descenso.errors import BudgetError, DataError
from descenso.language import _
from descenso.methods import Method, parse, parse_list
from descenso.problems import Problem

_MOST = 1_000_000


def the_problem(given: str | Problem) -> Problem:
    """Return the problem itself, or the one that is named.

    Raises
    ------
    UnknownNameError, ProblemError
        If the name leads to no problem.
    """
    if isinstance(given, Problem):
        return given
    if ":" in given:  # the user's own code, which may run JAX as soon as it is imported
        prepare_machine()
    return problems.get(given)


def positive(name: str, value: Any) -> int:
    """Return ``value`` as a positive whole number.

    Raises
    ------
    BudgetError
        If it is anything else.
    """
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 1 <= value <= _MOST:
        raise BudgetError(
            _("{name} must be a whole number from 1 to {most}; got {value!r}").format(
                name=name, most=_MOST, value=value
            )
        )
    return int(value)


def study_seed(value: Any) -> int:
    """Return ``value`` as the seed of a study: a whole number, zero or more."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**32:
        raise BudgetError(
            _("seed must be a whole number from 0 to {most}; got {value!r}").format(
                most=2**32 - 1, value=value
            )
        )
    return value


def methods(given: str | Sequence[str] | None, problem: Problem) -> list[Method]:
    """Return the methods asked for, or those the problem is usually compared on."""
    if given is None:
        return [parse(name) for name in problem.methods]
    text = given if isinstance(given, str) else ",".join(given)
    return parse_list(text)


def batch_size(method: Method, problem: Problem, examples: int) -> int:
    """Return the examples per step of a method on a problem.

    Raises
    ------
    DataError
        If the method asks for more examples than there are.
    """
    if isinstance(method.batch_size, int) and method.batch_size > examples:
        raise DataError(
            _(
                "{method} asks for batches of {size}; {problem} has {examples} training examples"
            ).format(
                method=method.label,
                size=method.batch_size,
                problem=problem.name,
                examples=examples,
            )
        )
    return method.examples_per_step(examples, problem.batch_size)
