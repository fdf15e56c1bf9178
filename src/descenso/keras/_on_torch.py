"""The fast path on Keras's torch backend: descenso.torch steps Keras's variables where they lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from descenso.rules import Rule
from descenso.torch._classes import optimizer_class

# Below this many elements torch's list operations are as fast, and need no compiler.
_WORTH_COMPILING = 50_000
_DTYPES = (torch.float32, torch.float64)


class SharedStep:
    """A ``descenso.torch`` optimizer that shares parameters and state with Keras's variables.

    Parameters
    ----------
    variables : the Keras variables, all of them float32 or float64.
    slots : name of a state array → its Keras variables, in the order of ``variables``.
    settings : a number for each setting of the rule.
    undecayed : for each variable, whether the rule's own weight decay leaves it out.
    """

    def __init__(
        self,
        rule: Rule,
        variables: Sequence[Any],
        slots: Mapping[str, Sequence[Any]],
        settings: Mapping[str, Any],
        undecayed: Sequence[bool],
    ) -> None:
        self.parameters = [variable.value for variable in variables]
        groups = [
            {
                "params": [
                    p for p, out in zip(self.parameters, undecayed, strict=True) if out is left
                ]
            }
            for left in (False, True)
        ]
        small = sum(p.numel() for p in self.parameters) < _WORTH_COMPILING
        self._optimizer = optimizer_class(rule)(
            [group for group in groups if group["params"]],
            foreach=True if small else None,
            **settings,
        )
        for i, parameter in enumerate(self.parameters):
            arrays = {name: kept[i].value for name, kept in slots.items()}
            self._optimizer.state[parameter] = {"step": 0, **arrays}
        self._states = [self._optimizer.state[parameter] for parameter in self.parameters]
        place_of = {id(parameter): i for i, parameter in enumerate(self.parameters)}
        self._places = [
            [place_of[id(p)] for p in group["params"]] for group in self._optimizer.param_groups
        ]
        self._known = {id(parameter) for parameter in self.parameters}
        self._undecayed = {id(p) for p, out in zip(self.parameters, undecayed, strict=True) if out}

    def is_current(self, variables: Sequence[Any]) -> bool:
        """Whether the variables' values are those shared, and not stand-ins for them."""
        return id(variables[0].value) in self._known and not torch.compiler.is_compiling()

    def step(
        self, grads: Sequence[Any], places: Sequence[int], t: int, settings: Mapping[str, Any]
    ) -> bool:
        """Take step number ``t`` for the variables at ``places``; return whether it was taken."""
        parameters = [self.parameters[place] for place in places]
        if any(g.dtype is not p.dtype for g, p in zip(grads, parameters, strict=True)):
            return False
        for group in self._optimizer.param_groups:
            group.update(settings)
            if self._undecayed and id(group["params"][0]) in self._undecayed:
                group["weight_decay"] = 0.0
        for kept in self._states:
            kept["step"] = t - 1
        self._optimizer.step_with(self._in_groups(dict(zip(places, grads, strict=True))))
        return True

    def _in_groups(self, grads: Mapping[int, Any]) -> list[list[Any]]:
        return [[grads.get(place) for place in places] for places in self._places]


def can_share(variables: Sequence[Any], slots: Mapping[str, Sequence[Any]]) -> bool:
    """Whether every variable is float32 or float64 with state of its own type and real memory."""
    if torch.compiler.is_compiling():
        return False
    for i, variable in enumerate(variables):
        value = variable.value
        # In Keras's stateless scopes and symbolic calls the value is a stand-in.
        if value is not variable._value or value.dtype not in _DTYPES or value.is_meta:
            return False
        if any(
            kept[i] is None or kept[i].value.dtype is not value.dtype for kept in slots.values()
        ):
            return False
    return True


def decay(variables: Sequence[Any], share: float) -> None:
    """Take ``share`` off each variable."""
    with torch.no_grad():
        torch._foreach_mul_([variable.value for variable in variables], 1 - share)


def number(value: Any) -> Any:
    """Return a Keras variable, tensor or number as a number."""
    if isinstance(value, bool | int | float):
        return value
    return getattr(value, "value", value).item()
