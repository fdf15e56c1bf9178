"""A table written as a name, with its choices: ``houses.csv(target=price, drop=id)``.

So a table stands wherever a problem can be named, and a study of it can be run again by its name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from descenso.data._table_files import TABLE_FILES, is_table_file
from descenso.errors import SettingError
from descenso.language import _, did_you_mean
from descenso.problems._from_table import from_table
from descenso.problems._problem import Problem

_MANY = ("drop", "column")  # options that may be given again
_ONE = ("target", "task", "delimiter", "encoding", "hidden")
_ENDS = "|".join(re.escape(end) for end in sorted(TABLE_FILES, key=len, reverse=True))
_WRITTEN = re.compile(
    rf"^(?P<path>.+(?:{_ENDS}))\s*\((?P<options>.*)\)$", re.IGNORECASE | re.DOTALL
)
_OPTION = re.compile(r'\s*(\w+)\s*=\s*("(?:[^"\\]|\\.)*"|[^,"]*?)\s*(?:,|$)')


def is_table(text: str) -> bool:
    """Whether ``text`` names a table."""
    return is_table_file(text) or _WRITTEN.match(text) is not None


def write(path: str, options: Sequence[tuple[str, str]]) -> str:
    """Return the name of a table with its options, the same for the same choices."""
    if not options:
        return path
    return f"{path}({', '.join(f'{key}={_quoted(value)}' for key, value in options)})"


def table_name(text: str, more: Sequence[tuple[str, str]]) -> str | None:
    """Return the name of the table with more options, or ``None`` where ``text`` names none."""
    if not is_table(text):
        return None
    path, options = read(text)
    return write(path, [*options, *more])


def load(text: str) -> Problem:
    """Return the problem that a table written with its options makes.

    Raises
    ------
    SettingError
        If an option is unknown, given twice or not a value of its kind.
    DataError, ProblemError, UnknownNameError
        As :func:`from_table`.
    """
    path, options = read(text)
    return from_table(path, name=write(path, options), **_arguments(options))


def read(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the file and the options in the order in which they are written."""
    match = _WRITTEN.match(text)
    if match is None:
        return text, []
    options, place = [], 0
    written = match["options"].strip()
    while place < len(written):
        found = _OPTION.match(written, place)
        if found is None:
            raise SettingError(
                _("{path}: an option is written name=value; got {text!r}").format(
                    path=match["path"], text=written[place:]
                )
            )
        options.append((found[1], _unquoted(found[2])))
        place = found.end()
    return match["path"], options


def _arguments(options: Sequence[tuple[str, str]]) -> dict[str, Any]:
    arguments: dict[str, Any] = {"drop": [], "columns": {}}
    for key, value in options:
        if key == "drop":
            arguments["drop"].append(value)
        elif key == "column":
            column, kind = _column(value)
            arguments["columns"][column] = kind
        elif key in arguments or key not in _ONE:
            raise _wrong(key)
        else:
            arguments[key] = _hidden(value) if key == "hidden" else value
    if arguments.get("delimiter") == "\\t":
        arguments["delimiter"] = "\t"
    if len(arguments.get("delimiter", ",")) != 1:
        raise SettingError(
            _("the delimiter must be one sign; got {value!r}").format(value=arguments["delimiter"])
        )
    return arguments


def _wrong(key: str) -> SettingError:
    known = [*_ONE, *_MANY]
    if key in known:
        return SettingError(_("the option {name} of a table is given twice").format(name=key))
    hint = did_you_mean(key, known)
    text = _("a table has no option {name!r}; it has {known}.")
    return SettingError(text.format(name=key, known=", ".join(known)) + hint)


def _column(value: str) -> tuple[str, str]:
    name, equals, kind = value.rpartition("=")
    if not equals:
        raise SettingError(
            _("a column's kind is written name=kind, such as zip=category; got {value!r}").format(
                value=value
            )
        )
    return name, kind


def _hidden(value: str) -> list[int]:
    try:
        return [int(part) for part in re.split(r"[-,\s]+", value.strip("- ")) if part]
    except ValueError:
        raise SettingError(
            _("hidden layers are written 64-32; got {value!r}").format(value=value)
        ) from None


def _quoted(value: str) -> str:
    plain = re.fullmatch(r'[^,"()\s]+( [^,"()\s]+)*', value)
    return value if plain else json.dumps(value, ensure_ascii=False)


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        raise SettingError(_("{text} is no text in quotes").format(text=value)) from None
