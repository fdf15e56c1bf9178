"""Check a saved state against an optimizer, and put it in the optimizer's order."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from descenso.errors import ParameterError, SettingError
from descenso.language import _
from descenso.rules import Rule
from descenso.torch._parameters import is_lazy, name_of
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
                _(
                    "this state is not of {rule}: its groups lack {missing}. A state of torch.optim "
                    "is taken over with its optimizer: descenso.adopt(optimizer)"
                ).format(rule=rule.name, missing=", ".join(missing))
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

    Where both sides have the same names, a name decides; else the place does, as in torch. What
    ``torch.compile`` and the wrappers of several processes put into names is left out.
    """
    found: dict[Any, tuple[torch.Tensor, str]] = {}
    for i, (group, old) in enumerate(zip(groups, saved, strict=True)):
        labels = [name_of(groups, i, j) for j in range(len(group["params"]))]
        places: Sequence[int] = range(len(labels))
        if "param_names" in group and "param_names" in old:
            places = _places(group["param_names"], old["param_names"])
        for saved_id, place in zip(old["params"], places, strict=True):
            found[saved_id] = (group["params"][place], labels[place])
    return found


_WRAPPERS = frozenset({"_orig_mod", "module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})


def _bare(names: Sequence[str]) -> list[str]:
    return [".".join(p for p in name.split(".") if p not in _WRAPPERS) for name in names]


def _places(names: list[str], saved: list[str]) -> Sequence[int]:
    for own, old in ((names, saved), (_bare(names), _bare(saved))):
        if len(set(own)) == len(own) and set(own) == set(old):
            place = {name: i for i, name in enumerate(own)}
            return [place[name] for name in old]
    unknown = sorted(set(_bare(saved)) - set(_bare(names)))
    warnings.warn(
        _(
            "the state names parameters that this optimizer does not have ({names}); "
            "it is taken over by place"
        ).format(names=", ".join(unknown[:5]) + (", ..." if len(unknown) > 5 else "")),
        stacklevel=4,
    )
    return range(len(names))


def check_state(
    rule: Rule,
    state: Mapping[str, Any],
    parameter: torch.Tensor,
    name: str,
    known: Sequence[str],
    averaged: Sequence[str],
) -> None:
    """Refuse one parameter's state that lacks arrays, or has them in another shape.

    Parameters
    ----------
    known : the rule's arrays. A parameter that took no step yet has none of them.
    averaged : the arrays of transforms.

    Raises
    ------
    ParameterError
        Naming the parameter.
    """
    wanted = {"step", *known} if any(n in state for n in ("step", *known)) else set()
    missing = sorted((wanted | set(averaged)) - set(state)) if wanted or averaged else []
    if missing:
        others = sorted(set(state) - wanted - set(averaged))
        also = _("; it holds {names}").format(names=", ".join(others)) if others else ""
        raise ParameterError(
            _("the state of parameter {name} lacks {missing}, which {rule} keeps").format(
                name=name, missing=", ".join(missing), rule=rule.name
            )
            + also
        )
    if not is_lazy(parameter):
        check_shapes(state, parameter, name, [n for n in (*known, *averaged) if n in state])
    if int(state.get("step", 0)) < 0:
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
