"""Surfaces: two-parameter test functions whose minima are known, to watch a method descend.

>>> surface = get("ravine(condition=100)")
>>> surface.function([1.0, 0.1])
1.0
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from descenso.errors import SettingError, UnknownNameError
from descenso.language import _, did_you_mean
from descenso.methods import Method, read_settings
from descenso.problems._known_surfaces import SURFACES
from descenso.problems._surface import Minimum, Surface

__all__ = ["Minimum", "Surface", "decays", "get", "is_surface", "names", "without_decay"]

_DECAY = "weight_decay"

_WRITTEN = re.compile(r"^\s*(?P<name>[\w-]+)\s*(?:\((?P<settings>[^()]*)\))?\s*$")


def names() -> list[str]:
    """Return the names of all surfaces."""
    return list(SURFACES)


def is_surface(text: str) -> bool:
    """Whether ``text`` names a surface, with or without settings."""
    match = _WRITTEN.match(text)
    return match is not None and match["name"] in SURFACES


def get(text: str) -> Surface:
    """Return a surface by its name, with settings if it has any: ``ravine(condition=100)``.

    Raises
    ------
    UnknownNameError
        If there is no surface of that name.
    SettingError
        If a setting is unknown, not a number or out of its range (condition: finite, ≥ 1).
    """
    match = _WRITTEN.match(text)
    if not match or match["name"] not in SURFACES:
        hint = did_you_mean(text, names())
        raise UnknownNameError(
            _("there is no surface named {name!r}; there are {known}.").format(
                name=text, known=", ".join(names())
            )
            + hint
        )
    name = match["name"]
    return SURFACES[name](**_settings(name, match["settings"] or ""))


def without_decay(method: Method) -> Method:
    """Return a method as it descends a surface: its weight decay is 0 unless the user gave one.

    Decay pulls towards the origin whatever the surface; where the origin is the minimum, it alone
    would solve it.
    """
    if _DECAY not in method.definition().hyperparameters or _DECAY in method.fixed:
        return method
    return replace(method, fixed={**method.fixed, _DECAY: 0.0})


def decays(settings: Mapping[str, Any]) -> bool:
    """Whether these settings pull a point towards the origin."""
    return bool(settings.get(_DECAY, 0.0))


def _settings(name: str, text: str) -> dict[str, float]:
    known = SURFACES[name]().settings
    given = read_settings(text, name)
    for setting in given:
        if setting not in known:
            raise SettingError(
                _("{name} has no setting {setting!r}; it has {known}").format(
                    name=name, setting=setting, known=", ".join(known) or _("none")
                )
            )
    return {setting: _number(name, setting, value) for setting, value in given.items()}


def _number(name: str, setting: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise SettingError(
            _("{name}: {setting} must be a number; got {value!r}").format(
                name=name, setting=setting, value=value
            )
        ) from None
