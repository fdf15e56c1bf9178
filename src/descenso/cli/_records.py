"""Commands whose parameters are records: each field of a record is an option of the command."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Annotated, Any, get_type_hints, is_typeddict

import typer

from descenso.language import _
from descenso.study.design import OPTIONS, TYPES, Option


def with_fields(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with the fields of its records for parameters.

    A record is a ``NamedTuple``, or :class:`descenso.study.Options`; the command gets it whole.
    """
    kinds = get_type_hints(command, include_extras=True)
    given = inspect.signature(command).parameters.values()
    expanded = {p.name: list(_parameters(p, kinds[p.name])) for p in given}

    @wraps(command)
    def run(**values: Any) -> None:
        command(**{
            name: _collected(kinds[name], {p.name: values[p.name] for p in parameters})
            for name, parameters in expanded.items()
        })  # fmt: skip

    parameters = [parameter for each in expanded.values() for parameter in each]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


def add(app: typer.Typer, command: Callable[..., None], text: str) -> None:
    """Add a command, and what its help begins with."""
    app.command(help=text)(with_fields(command))


def _parameters(parameter: inspect.Parameter, kind: Any) -> Iterator[inspect.Parameter]:
    if is_typeddict(kind):
        for name, option in OPTIONS.items():
            yield _keyword(
                name, None if option.repeated else option.usual, _of_a_study(name, option)
            )
    elif hasattr(kind, "_fields"):
        defaults = kind._field_defaults
        for name, hint in get_type_hints(kind, include_extras=True).items():
            yield _keyword(name, defaults.get(name, inspect.Parameter.empty), hint)
    else:
        yield _keyword(parameter.name, parameter.default, kind)


def _keyword(name: str, default: Any, kind: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def _collected(kind: Any, values: Mapping[str, Any]) -> Any:
    if is_typeddict(kind):
        return {name: value for name, value in values.items() if value is not None}
    return kind(**values) if hasattr(kind, "_fields") else next(iter(values.values()))


def _of_a_study(name: str, option: Option) -> Any:
    """Return the annotation from which Typer makes an option of a study."""
    flag, text = f"--{name.replace('_', '-')}", _(option.help)
    if TYPES[name] is bool:
        both = f"{flag}/--no-{flag[2:]}"
        shown = typer.Option(both if option.no else flag, show_default=False, help=text)
        return Annotated[bool, shown]
    metavar = _(option.metavar) if len(option.metavar) > 1 else option.metavar
    if option.repeated:
        text = _("{what}; may be given again").format(what=text)
        return Annotated[list[str] | None, typer.Option(flag, metavar=metavar, help=text)]
    return Annotated[TYPES[name], typer.Option(flag, metavar=metavar, help=text)]
