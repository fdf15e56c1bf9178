"""Say what is wrong with a command line: the rule broken and the value given, in either language.

Typer's own complaints come in English and often leave the value out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from descenso.errors import DescensoError
from descenso.language import _, did_you_mean


class UsageError(DescensoError):
    """The command line asks for a command, an option or a form that does not exist."""


def is_complaint(error: BaseException) -> bool:
    """Whether ``error`` is one of Typer's own about the command line."""
    return hasattr(error, "format_message")


def say(error: Any, arguments: Sequence[str]) -> str:
    """Return one line that says what Typer complains of."""
    kind = type(error).__name__
    if kind == "NoSuchOption":
        return _no_option(error)
    if kind == "MissingParameter":
        return _("{parameter} is missing; see `{command} --help`").format(
            parameter=_name(error.param), command=error.ctx.command_path
        )
    if "Missing command" in error.message:
        return _("name a command; see `descenso --help`")
    if kind == "BadOptionUsage" and "does not take" in error.message:
        return _("option {name} takes no value").format(name=error.option_name)
    if kind == "BadOptionUsage":
        return _("option {name} needs a value").format(name=error.option_name)
    if kind == "BadParameter" and error.param is not None:
        return _bad_value(error, arguments)
    return _other(error)


def _no_option(error: Any) -> str:
    known = [name for p in error.ctx.command.params for name in p.opts] if error.ctx else []
    hint = did_you_mean(error.option_name, known)
    return _("there is no option {name}.").format(name=error.option_name) + hint


def _bad_value(error: Any, arguments: Sequence[str]) -> str:
    name = _name(error.param)
    value = _given(error.param.opts, arguments)
    if choices := re.search(r"not one of (.*?)\.?$", error.message):
        return _("{name} must be one of {choices}; got {value!r}").format(
            name=name, choices=choices[1].replace("'", ""), value=value
        )
    if "integer" in error.message:
        return _("{name} must be a whole number; got {value!r}").format(name=name, value=value)
    if "number" in error.message or "float" in error.message:
        return _("{name} must be a number; got {value!r}").format(name=name, value=value)
    return _("{name} cannot be {value!r}: {reason}").format(
        name=name, value=value, reason=error.message
    )


def _other(error: Any) -> str:
    message = str(error.format_message())
    if command := re.match(r"No such command '([^']*)'", message):
        known = list(getattr(error.ctx.command, "commands", {}))
        hint = did_you_mean(command[1], known)
        text = _("there is no command {name!r}; there are {known}.")
        return text.format(name=command[1], known=", ".join(known)) + hint
    if extra := re.match(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", message):
        return _("there is no place for {extra!r}; see `{command} --help`").format(
            extra=extra[1], command=error.ctx.command_path
        )
    return message


def _name(parameter: Any) -> str:
    option = next((name for name in parameter.opts if name.startswith("--")), None)
    return str(option or parameter.metavar or parameter.name.upper())


def _given(names: Sequence[str], arguments: Sequence[str]) -> str:
    """Return the value that the command line gives an option, as it was typed."""
    for i, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else "".join(arguments[i + 1 : i + 2])
    return ""
