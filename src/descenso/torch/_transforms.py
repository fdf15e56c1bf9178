"""Transforms around the step of a PyTorch optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from descenso import transforms as chain
from descenso.ops import torch as xp
from descenso.torch._plain import arithmetic
from descenso.torch._schedules import UPDATES
from descenso.transforms import Transform

Groups = Sequence[Mapping[str, Any]]
Rows = Sequence[tuple[torch.Tensor, Mapping[str, Any]]]
States = Mapping[torch.Tensor, dict[str, Any]]
Transforms = tuple[Transform, ...]


def key(place: int, name: str) -> str:
    """Return the name under which a parameter's state holds an array of a transform."""
    return f"transform{place}.{name}"


def keys(transforms: Transforms) -> tuple[str, ...]:
    """Return every such name."""
    return tuple(key(i, name) for i, f in enumerate(transforms) for name in f.start(xp, []))


@torch.no_grad()
def step(transforms: Transforms, rows: Rows, state: States, take: Callable[[], None]) -> None:
    """Take a step with the gradients transformed before it and the parameters after it.

    Parameters
    ----------
    rows : each parameter with its group. A complex one is seen as its real and imaginary parts.
    """
    given = [p.grad for p, _group in rows]
    if not rows or any(g is not None and g.layout is not torch.strided for g in given):
        take()  # the step says which gradient is sparse
        return
    t = max(group.get(UPDATES, 0) for _p, group in rows) + 1
    old = [_wide(p).clone() for p, _group in rows]
    signs = [-1.0 if group["maximize"] else 1.0 for _p, group in rows]
    seen = chain.gradients(xp, transforms, old, _signed(given, signs), t)
    try:
        for (p, _group), g in zip(rows, _signed(seen, signs), strict=True):
            p.grad = None if g is None else _like(g, p).to(p.dtype)
        take()
    finally:
        for (p, _group), g in zip(rows, given, strict=True):
            p.grad = g  # others may accumulate on it
    if chain.touch_parameters(transforms):
        lr = [
            None if g is None else group["lr"] for (_p, group), g in zip(rows, given, strict=True)
        ]
        _move([p for p, _group in rows], old, lr, t, transforms, state)


def _move(
    parameters: list[torch.Tensor],
    old: list[torch.Tensor],
    lr: list[Any],
    t: int,
    transforms: Transforms,
    state: States,
) -> None:
    new = [_wide(p) for p in parameters]
    kept = _kept(parameters, transforms, state, old)
    moved, states = chain.parameters(xp, transforms, old, new, lr, t, kept)
    for p, value in zip(parameters, moved, strict=True):
        p.copy_(_like(value, p))
    for i, slots in enumerate(states):
        for name, arrays in slots.items():
            for p, array in zip(parameters, arrays, strict=True):
                state[p][key(i, name)] = _like(array, p)


def _kept(
    parameters: list[torch.Tensor], transforms: Transforms, state: States, old: list[torch.Tensor]
) -> list[dict[str, list[torch.Tensor]]]:
    """Return what the transforms keep, starting at ``old`` where they keep nothing yet."""
    wanted = keys(transforms)
    fresh = any(name not in state[p] for p in parameters for name in wanted)
    starts: Any = chain.start(xp, transforms, old) if fresh else [{}] * len(transforms)
    return [
        {
            name: [
                _parts(state[p][key(i, name)]) if key(i, name) in state[p] else starts[i][name][j]
                for j, p in enumerate(parameters)
            ]
            for name in transform.start(xp, [])
        }
        for i, transform in enumerate(transforms)
    ]


def averages(transforms: Transforms, groups: Groups, state: States) -> list[torch.Tensor]:
    """Return the averaged parameters, group after group."""
    parameters = [p for group in groups for p in group["params"]]
    now = [_wide(p) for p in parameters]
    kept = _kept(parameters, transforms, state, now)
    values = chain.averages(transforms, kept, max(group[UPDATES] for group in groups))
    return [_like(value, p) for value, p in zip(values, parameters, strict=True)]


@contextmanager
def averaged(optimizer: Any) -> Iterator[None]:
    """Put the averaged parameters in place of the trained ones, for as long as the block lasts.

    Raises
    ------
    SettingError
        If not exactly one of the optimizer's transforms averages.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    trained = [p.detach().clone() for p in parameters]
    _put(optimizer.averages(), parameters)
    try:
        yield
    finally:
        _put(trained, parameters)


@torch.no_grad()
def _put(values: list[torch.Tensor], parameters: list[torch.Tensor]) -> None:
    for p, value in zip(parameters, values, strict=True):
        p.copy_(_like(value, p))


def _parts(tensor: torch.Tensor) -> torch.Tensor:
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


def _wide(tensor: torch.Tensor) -> torch.Tensor:
    real = _parts(tensor.detach())
    return real.to(arithmetic(real.dtype))


def _like(value: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """Return real parts as a complex tensor, where the parameter is one."""
    complex_now = parameter.is_complex() and not value.is_complex()
    return torch.view_as_complex(value.contiguous()) if complex_now else value


def _signed(gradients: list[Any], signs: list[float]) -> list[Any]:
    return [
        None if g is None else (_wide(g) if s > 0 else -_wide(g))
        for g, s in zip(gradients, signs, strict=True)
    ]
