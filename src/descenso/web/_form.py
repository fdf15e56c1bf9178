"""The form that starts a study: a field for each option, and what is written in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from descenso.errors import SettingError
from descenso.language import _
from descenso.study.design import OPTIONS, TYPES, Option, Options, whole

_LONGEST = 500  # letters of a text
#: Shown at once; the others are behind "more options".
_FIRST = ("epochs", "seeds", "trials")


def fields() -> dict[str, list[dict[str, Any]]]:
    """Return what the page shows of each option: those shown at once, and the others."""
    more = [name for name in OPTIONS if name not in _FIRST]
    return {
        "first": [_field(name, OPTIONS[name]) for name in _FIRST],
        "more": [_field(name, OPTIONS[name]) for name in more],
    }


def _field(name: str, option: Option) -> dict[str, Any]:
    kind = "switch" if TYPES[name] is bool else "list" if option.repeated else "number"
    return {
        "name": name,
        "label": _(option.label),
        "help": _(option.help),
        "kind": "choice" if option.choices else kind,
        "usual": option.usual,
        "choices": option.choices,
        "least": option.least,
        "most": option.most if math.isfinite(option.most) else None,
        "step": "any" if _is_fraction(name) else 1,
    }


def _is_fraction(name: str) -> bool:
    return float in getattr(TYPES[name], "__args__", (TYPES[name],))


def asked(written: Mapping[str, Any]) -> Options:
    """Return the options that are written in a form; a field left empty asks for nothing.

    Raises
    ------
    SettingError
        If what is written is no such value, or more than a page may start.
    """
    found: dict[str, Any] = {}
    for name, option in OPTIONS.items():
        value = written.get(name)
        if value is None or value == "":
            continue
        if TYPES[name] is bool:
            found[name] = _switch(name, value)
        elif option.repeated:
            found[name] = _text(name, value).splitlines()
        elif option.choices:
            found[name] = _text(name, value)
        elif _is_fraction(name):
            found[name] = _fraction(name, value)
        else:
            found[name] = _whole(name, value, option)
    return found  # type: ignore[return-value]


def _switch(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise SettingError(
            _("{name} must be one of {choices}; got {value!r}").format(
                name=name, choices="true, false", value=str(value)[:40]
            )
        )
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise SettingError(
            _("{name} is one text of at most {most} letters").format(name=name, most=_LONGEST)
        )
    return value


def _fraction(name: str, value: Any) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise SettingError(
            _("{name} must be a number; got {value!r}").format(name=name, value=str(value)[:40])
        ) from None


def _whole(name: str, value: Any, option: Option) -> int:
    text = str(value)
    plain = text.isascii() and text.isdecimal() and len(text) <= len(str(option.most))
    return whole(name, int(text) if plain else text[:40], int(option.least), int(option.most))
