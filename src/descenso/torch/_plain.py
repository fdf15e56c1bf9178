"""The reference path: the plain rule, one tensor at a time. Every faster path is tested against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from descenso.ops import numpy as on_numbers
from descenso.ops import torch as on_tensors
from descenso.rules import Rule


class _Operations:
    """``descenso.ops.torch`` that also takes plain numbers, as NumPy does."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        on_tensor, on_number = getattr(on_tensors, name), getattr(on_numbers, name)

        def call(*operands: Any, **options: Any) -> Any:
            like = next((o for o in operands if isinstance(o, torch.Tensor)), None)
            if like is None:
                return float(on_number(*operands, **options))
            if name in ("maximum", "minimum"):
                operands = tuple(
                    o if isinstance(o, torch.Tensor) else torch.full_like(like, o) for o in operands
                )
            return on_tensor(*operands, **options)

        setattr(self, name, call)
        return call


_OPERATIONS = _Operations()


def arithmetic(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype a step is computed in: float64 for float64, else float32."""
    return torch.float64 if dtype is torch.float64 else torch.float32


def update(
    rule: Rule,
    parameter: torch.Tensor,
    gradient: torch.Tensor,
    state: Mapping[str, torch.Tensor],
    t: int,
    settings: Mapping[str, float | bool],
    store: Callable[[torch.Tensor, torch.Tensor, int], None],
) -> None:
    """Take one step of ``rule`` in place, computing in float32 or float64.

    Parameters
    ----------
    parameter, gradient : of one shape, real.
    state : the rule's arrays for this parameter, changed in place.
    t : number of this step, counted from 1.
    store : writes a new state array into an old one, given its position (rounding may differ).
    """
    dtype = arithmetic(parameter.dtype)
    theta, new = rule.update(
        _OPERATIONS,
        parameter.to(dtype),
        gradient.to(dtype),
        {name: array.to(dtype) for name, array in state.items()},
        t,
        settings,
    )
    for position, (name, array) in enumerate(state.items()):
        store(array, torch.as_tensor(new[name], dtype=dtype), position)
    parameter.copy_(theta)
