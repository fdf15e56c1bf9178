"""Stochastic rounding of state to bfloat16: up or down with the odds that keep the mean exact.

A running average kept in 8 bits stands still once its change per step is below half a unit in the
last place; rounding at random lets it move by the right amount on average (Gupta et al. 2015,
Deep Learning with Limited Numerical Precision, section 3.2).
"""

from __future__ import annotations

import torch

_MASK = 0xFFFF


def seed_slot(seed: int) -> float:
    """Return a seed as a number that float32 holds exactly."""
    return float(seed % (1 << 23))


def stochastic_flat(array: torch.Tensor, numbers: torch.Tensor, stream: int) -> torch.Tensor:
    """Return float32 ``array`` (flat) rounded to values bfloat16 holds.

    Parameters
    ----------
    numbers : its last element is the seed of this step.
    stream : tells arrays of one step apart.
    """
    seed = numbers[-1].to(torch.int32)
    index = torch.arange(array.shape[0], dtype=torch.int32, device=array.device)
    bits = _mix(index * 0x3504F333 + seed * 0x2545F491 + (stream + 1) * 0x1B873593) & _MASK
    return _add_below(array.to(torch.float32), bits)


def stochastic(array: torch.Tensor, seed: int, stream: int) -> torch.Tensor:
    """Return ``array`` of any shape rounded likewise, with the same random bits."""
    flat = array.reshape(-1)
    numbers = torch.tensor([seed_slot(seed)], device=array.device)
    return stochastic_flat(flat, numbers, stream).reshape(array.shape)


def _mix(x: torch.Tensor) -> torch.Tensor:
    """Scramble 32-bit integers (a multiply-xorshift hash; wrap-around is meant)."""
    x = x ^ (x >> 16)
    x = x * 0x45D9F3B
    x = x ^ (x >> 15)
    x = x * 0x2C1B3C6D
    return x ^ (x >> 16)


def _add_below(array: torch.Tensor, bits: torch.Tensor) -> torch.Tensor:
    """Add random bits below bfloat16's last place, then cut there."""
    raised = (array.view(torch.int32) + bits) & ~_MASK
    rounded = raised.view(torch.float32)
    return torch.where(torch.isfinite(array), rounded, array)
