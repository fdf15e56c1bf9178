"""What a kernel is made for, and how its numbers reach it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch

from descenso.rules import Rule
from descenso.torch import _rounding
from descenso.torch._plain import arithmetic
from descenso.torch.trace import Program

#: Which input each argument of a native function is; ``None`` for the number of elements.
Order: TypeAlias = "tuple[int | None, ...]"


@dataclass(frozen=True)
class Recipe:
    """What a kernel is made for: a rule with these arrays, switches and dtypes."""

    rule: Rule
    state_names: tuple[str, ...]
    switches: tuple[tuple[str, bool], ...]
    dtype: torch.dtype
    state_dtype: torch.dtype
    maximize: bool

    @property
    def rounds_at_random(self) -> bool:
        """Whether state is kept in so few bits that it is rounded up or down at random."""
        return self.state_dtype is torch.bfloat16

    def __hash__(self) -> int:
        return hash((self.rule.function, self.state_names, self.switches, self.dtype,
                     self.state_dtype, self.maximize))  # fmt: skip


def extra_inputs(recipe: Recipe) -> list[torch.Tensor]:
    """Return what a kernel reads besides arrays and numbers."""
    return [_rounding.table()] if recipe.rounds_at_random else []


def number_buffer(
    program: Program, recipe: Recipe
) -> tuple[bytearray, torch.Tensor, Callable[..., None]]:
    """Return memory for the slots, a tensor on it, and the function that fills it."""
    dtype = arithmetic(recipe.dtype)
    count = len(program.slots) + recipe.rounds_at_random
    layout = struct.Struct(f"{count}{'d' if dtype is torch.float64 else 'f'}")
    buffer = bytearray(max(layout.size, dtype.itemsize))
    return buffer, torch.frombuffer(buffer, dtype=dtype), layout.pack_into
