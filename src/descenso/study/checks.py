"""Check what a study is asked for, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence

from descenso import problems
from descenso.data import check_examples
from descenso.engine import prepare_machine
from descenso.errors import DataError, DescensoError, ProblemError, SettingError
from descenso.language import _
from descenso.methods import Method, parse, parse_list
from descenso.problems import Data, Problem, surfaces


def the_problem(given: str | Problem) -> Problem:
    """Return the problem itself, or the one that is named.

    Raises
    ------
    UnknownNameError, ProblemError
        If the name leads to no problem, or it is neither.
    """
    if isinstance(given, Problem):
        return given
    if not isinstance(given, str):
        raise ProblemError(
            _("a problem is a Problem or the name of one; got {value!r}").format(value=given)
        )
    if ":" in given:  # the user's own code, which may run JAX as soon as it is imported
        prepare_machine()
    return problems.get(given)


def methods(given: str | Sequence[str] | None, problem: Problem) -> list[Method]:
    """Return the methods asked for, or those the problem is usually compared on."""
    return [on_problem(method, problem) for method in _asked_for(given, problem)]


def on_problem(method: Method, problem: Problem) -> Method:
    """Return a method as it is run on the problem: weight decay leaves a surface alone."""
    return surfaces.without_decay(method) if "surface" in problem.details else method


def _asked_for(given: str | Sequence[str] | None, problem: Problem) -> list[Method]:
    if given is None:
        return [parse(name) for name in problem.methods]
    if isinstance(given, str):
        return parse_list(given)
    for method in given:
        if not isinstance(method, str):
            raise SettingError(
                _("a method is named by a text, such as 'adam'; got {value!r}").format(value=method)
            )
    return parse_list(",".join(given))


def data_of(problem: Problem, seed: int) -> Data:
    """Return the problem's data.

    Raises
    ------
    ProblemError
        If the problem's own code fails or does not return data.
    """
    try:
        data = problem.make_data(seed)
    except DescensoError:
        raise
    except Exception as error:
        raise ProblemError(
            _("{problem}: loading its data failed: {kind}: {error}").format(
                problem=problem.name, kind=type(error).__name__, error=error
            )
        ) from error
    if not isinstance(data, Data):
        raise ProblemError(
            _("{problem}: make_data must return descenso.problems.Data; got {kind}").format(
                problem=problem.name, kind=type(data).__name__
            )
        )
    for part in ("train", "validation", "test"):
        given = getattr(data, part)
        check_examples(given.inputs, given.targets, f"{problem.name}: {part}", classes=False)
    return data


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
