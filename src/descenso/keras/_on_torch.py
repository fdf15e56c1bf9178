"""The fast path on Keras's torch backend: descenso.torch steps Keras's variables where they lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter, is_
from typing import Any

import keras
import torch
from keras.src.backend.common.stateless_scope import in_stateless_scope
from keras.src.backend.torch.core import get_device

from descenso.rules import Rule
from descenso.torch._classes import optimizer_class

# Below this many elements torch's list operations are as fast, and need no compiler.
_WORTH_COMPILING = 50_000
_DTYPES = (torch.float32, torch.float64)
_value_of = attrgetter("_value")


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
        self._counted: int | None = 0  # the step that every state stands at, if it is one
        self._place_of = {id(variable): i for i, variable in enumerate(variables)}
        place_of = {id(parameter): i for i, parameter in enumerate(self.parameters)}
        self._places = [
            [place_of[id(p)] for p in group["params"]] for group in self._optimizer.param_groups
        ]
        self._undecayed = {id(p) for p, out in zip(self.parameters, undecayed, strict=True) if out}

    def is_current(self, variables: Sequence[Any]) -> bool:
        """Whether the variables' values are those shared, and not stand-ins for them."""
        if len(variables) != len(self._seen) or not all(map(is_, variables, self._seen)):
            self.look_up(variables)
        return all(map(is_, map(_value_of, variables), self._stepped))

    def look_up(self, variables: Sequence[Any]) -> None:
        """Find where each of ``variables`` stands in the groups; they come alike step after step."""
        places = [self._place_of[id(variable)] for variable in variables]
        position = {place: i for i, place in enumerate(places)}
        self._seen = list(variables)
        self._stepped = [self.parameters[place] for place in places]
        self._dtypes = [parameter.dtype for parameter in self._stepped]
        self._positions = [[position.get(place) for place in group] for group in self._places]
        self._in_order = self._positions == [list(range(len(self.parameters)))]

    def step(self, grads: Sequence[Any], t: int, settings: Mapping[str, Any]) -> bool:
        """Take step number ``t`` for the current variables; return whether it was taken."""
        if [g.dtype for g in grads] != self._dtypes:
            return False
        for group in self._optimizer.param_groups:
            group.update(settings)
            if self._undecayed and id(group["params"][0]) in self._undecayed:
                group["weight_decay"] = 0.0
        if self._counted != t - 1:
            for kept in self._states:
                kept["step"] = t - 1
        self._optimizer.step_with([grads] if self._in_order else self._in_groups(grads))
        self._counted = t if len(grads) == len(self.parameters) else None
        return True

    def _in_groups(self, grads: Sequence[Any]) -> list[list[Any]]:
        return [
            [None if i is None else grads[i] for i in positions] for positions in self._positions
        ]


def is_plain() -> bool:
    """Whether variables hold real values: nothing is traced, and no stand-ins are in use."""
    return not (
        in_stateless_scope() or torch.compiler.is_compiling() or str(get_device()) == "meta"
    )


def can_share(variables: Sequence[Any], slots: Mapping[str, Sequence[Any]]) -> bool:
    """Whether every variable is float32 or float64 with state of its own type and real memory."""
    if not is_plain():
        return False
    for i, variable in enumerate(variables):
        value = variable.value
        if value.dtype not in _DTYPES or value.is_meta:
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
    if isinstance(value, (int, float)):
        return value
    # Only where values are plain is this asked, and there Keras's own way to them is five times as long.
    return (value._value if isinstance(value, keras.Variable) else value).item()
