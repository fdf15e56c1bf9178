"""Check a saved state against an optimizer, and put it in the optimizer's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from descenso.errors import ParameterError, SettingError
from descenso.language import _
from descenso.rules import Rule
from descenso.torch._parameters import name_of
from descenso.torch._settings import values_of

Groups = Sequence[Mapping[str, Any]]


def check_groups(rule: Rule, groups: Groups, saved: Groups) -> None:
    """Refuse saved groups that are another rule's, lack settings, or do not fit in number.

    Raises
    ------
    SettingError
        If they hold another rule's settings, or lack one.
    ParameterError
        If the number of groups or parameters differs.
    """
    for group in saved:
        other = group.get("rule", rule.name)
        if other != rule.name:
            raise SettingError(
                _("this state is of {other}; it cannot go on as {rule}").format(
                    other=other, rule=rule.name
                )
            )
        missing = [name for name in rule.hyperparameters if name not in group]
        if missing:
            raise SettingError(
                _("this state is not of {rule}: its groups lack {missing}").format(
                    rule=rule.name, missing=", ".join(missing)
                )
            )
        values_of(rule, group)
    counts = [len(group["params"]) for group in groups]
    saved_counts = [len(group["params"]) for group in saved]
    if counts != saved_counts:
        raise ParameterError(
            _("the state holds {saved} parameters in its groups; this optimizer has {own}").format(
                saved=saved_counts, own=counts
            )
        )


def owners(groups: Groups, saved: Groups) -> dict[Any, tuple[torch.Tensor, str]]:
    """Return, for each saved id, the parameter it belongs to and the parameter's name.

    Where both sides have names, a name decides; else the place does.

    Raises
    ------
    ParameterError
        If the names of a group differ from the saved ones.
    """
    found: dict[Any, tuple[torch.Tensor, str]] = {}
    for i, (group, old) in enumerate(zip(groups, saved, strict=True)):
        labels = [name_of(groups, i, j) for j in range(len(group["params"]))]
        places = range(len(labels))
        if "param_names" in group and "param_names" in old:
            places = _places(group["param_names"], old["param_names"])  # type: ignore[assignment]
        for saved_id, place in zip(old["params"], places, strict=True):
            found[saved_id] = (group["params"][place], labels[place])
    return found


def _places(names: list[str], saved: list[str]) -> list[int]:
    unknown = sorted(set(saved) - set(names))
    if unknown:
        raise ParameterError(
            _("the state holds parameters this optimizer does not have: {names}").format(
                names=", ".join(unknown)
            )
        )
    return [names.index(name) for name in saved]


def check_state(
    rule: Rule, state: Mapping[str, Any], parameter: torch.Tensor, name: str, known: Sequence[str]
) -> None:
    """Refuse one parameter's state with unknown or missing arrays, or of another shape.

    Raises
    ------
    ParameterError
        Naming the parameter.
    """
    wanted = {"step", *known}
    if unknown := sorted(set(state) - wanted):
        raise ParameterError(
            _("the state of parameter {name} holds {unknown}; {rule} keeps {known}").format(
                name=name,
                unknown=", ".join(unknown),
                rule=rule.name,
                known=", ".join(sorted(wanted)),
            )
        )
    if missing := sorted(wanted - set(state)):
        raise ParameterError(
            _("the state of parameter {name} lacks {missing}, which {rule} keeps").format(
                name=name, missing=", ".join(missing), rule=rule.name
            )
        )
    check_shapes(state, parameter, name, known)
    if int(state["step"]) < 0:
        raise ParameterError(
            _("the state of parameter {name} counts {step} steps").format(
                name=name, step=state["step"]
            )
        )


def check_shapes(
    state: Mapping[str, Any], parameter: torch.Tensor, name: str, known: Sequence[str]
) -> None:
    """Refuse state arrays that are not shaped as their parameter.

    Raises
    ------
    ParameterError
        Naming the parameter.
    """
    for key in known:
        if not isinstance(state[key], torch.Tensor) or state[key].shape != parameter.shape:
            raise ParameterError(
                _("the state {key!r} of parameter {name} has shape {shape}").format(
                    key=key, name=name, shape=tuple(getattr(state[key], "shape", ()))
                )
            )
