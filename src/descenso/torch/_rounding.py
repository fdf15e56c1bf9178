"""Stochastic rounding of state to bfloat16: up or down with the odds that keep the mean exact.

A running average kept in 8 bits stands still once its change per step is below half a unit in the
last place; rounding at random lets it move by the right amount on average (Gupta et al. 2015,
Deep Learning with Limited Numerical Precision, section 3.2).

The random bits are a hash of seed, stream and place, so that every path draws the same. A fixed
table of random integers tells neighbours apart; to number each element instead takes long, for
Inductor puts the numbers together one by one.
"""

from __future__ import annotations

from functools import cache

import torch

_MASK = 0xFFFF
_WORD = (1 << 64) - 1
#: Elements that the table tells apart: its 16 kB stay in a core's first cache.
BLOCK = 4096


def seed_slot(seed: int) -> float:
    """Return a scrambled seed as a number that float32 holds exactly (Steele et al. 2014)."""
    mixed = (seed + 1) * 0x9E3779B97F4A7C15 & _WORD
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 & _WORD
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & _WORD
    return float(mixed >> 41)


@cache
def table(device: torch.device | str = "cpu") -> torch.Tensor:
    """Return the random integers that tell the elements of a block apart; always the same."""
    generator = torch.Generator().manual_seed(0)
    low, high = -(1 << 31), 1 << 31
    drawn = torch.randint(low, high, (BLOCK,), generator=generator, dtype=torch.int64)
    return drawn.to(device, torch.int32)


def stochastic_flat(
    array: torch.Tensor, numbers: torch.Tensor, table: torch.Tensor, stream: int
) -> torch.Tensor:
    """Return float32 ``array`` (flat) rounded to values bfloat16 holds.

    Parameters
    ----------
    numbers : its last element is the seed of this step.
    table : see :func:`table`.
    stream : tells arrays of one step apart.
    """
    place = torch.arange(array.shape[0], dtype=torch.int64, device=array.device)
    bits = random_bits(place, numbers[-1].to(torch.int32), table, stream)
    return _add_below(array.to(torch.float32), bits)


def random_bits(
    place: torch.Tensor, seed: torch.Tensor, table: torch.Tensor, stream: int
) -> torch.Tensor:
    """Return 16 random bits for each place, as int32."""
    block = (place // BLOCK).to(torch.int32)
    common = block * 0x3504F333 + seed * 0x2545F491 + (stream // 2) * 0x1B873593
    bits = (table[place % BLOCK] ^ common) * 0x45D9F3B
    half = bits >> 16 if stream % 2 else bits ^ (bits >> 16)  # one hash serves two arrays
    return half & _MASK


def stochastic(array: torch.Tensor, seed: int, stream: int) -> torch.Tensor:
    """Return ``array`` of any shape rounded likewise, with the same random bits."""
    flat = array.reshape(-1)
    numbers = torch.tensor([seed_slot(seed)], device=array.device)
    return stochastic_flat(flat, numbers, table(array.device), stream).reshape(array.shape)


def _add_below(array: torch.Tensor, bits: torch.Tensor) -> torch.Tensor:
    """Add random bits below bfloat16's last place, then cut there."""
    raised = (array.view(torch.int32) + bits) & ~_MASK
    # Infinity has no bits there to carry from; a NaN might become a number.
    return torch.where(array == array, raised.view(torch.float32), array)
