"""Apply several transforms in the order in which they are listed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from descenso.errors import SettingError
from descenso.language import _
from descenso.transforms._transform import Arrays, State, Transform
from descenso.transforms.moving_average import read as _read_moving_average

Transforms = Sequence[Transform]


def start(xp: Any, transforms: Transforms, thetas: Arrays) -> list[State]:
    """Return the state of each transform before the first step."""
    return [transform.start(xp, thetas) for transform in transforms]


def gradients(xp: Any, transforms: Transforms, thetas: Arrays, grads: Arrays, t: Any) -> Arrays:
    """Return the gradients as the last transform leaves them."""
    for transform in transforms:
        grads = transform.gradients(xp, thetas, grads, t)
    return grads


def parameters(
    xp: Any,
    transforms: Transforms,
    old: Arrays,
    new: Arrays,
    lr: list[Any],
    t: Any,
    states: Sequence[State],
) -> tuple[Arrays, list[State]]:
    """Return the parameters as the last transform leaves them, and each transform's state."""
    kept = []
    for transform, state in zip(transforms, states, strict=True):
        new, state = transform.parameters(xp, old, new, lr, t, state)
        kept.append(state)
    return new, kept


def touch_parameters(transforms: Transforms) -> bool:
    """Whether any of them acts after the rule's step, and so needs the parameters before it."""
    return any(transform.acts_on == "parameters" for transform in transforms)


def averages(transforms: Transforms, states: Sequence[State], t: Any) -> Arrays:
    """Return the averaged parameters after step ``t``, one array for each parameter.

    Raises
    ------
    SettingError
        If no transform, or more than one, averages.
    """
    found = [(f, s) for f, s in zip(transforms, states, strict=True) if "average" in s]
    if len(found) != 1:
        raise SettingError(
            _("one transform must average the parameters; {count} of {names} do").format(
                count=len(found), names=[f.name for f in transforms]
            )
        )
    transform, state = found[0]
    if transform.name == "moving_average":
        return _read_moving_average(transform, state, t)  # type: ignore[no-any-return]
    return list(state["average"])
