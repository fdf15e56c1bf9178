"""Name parameters, refuse those that cannot be trained, and see them as plain real tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch

from descenso.errors import ParameterError
from descenso.language import _

_PLAIN_TYPES = (torch.Tensor, torch.nn.Parameter)


def name_of(groups: Sequence[Mapping[str, Any]], group_index: int, index: int) -> str:
    """Return how messages call a parameter: its name, or its place and shape."""
    group = groups[group_index]
    shape = _shape(group["params"][index])
    if "param_names" in group:
        return _("{name!r} of shape {shape}").format(name=group["param_names"][index], shape=shape)
    return _("{index} of group {group}, of shape {shape}").format(
        index=index, group=group_index, shape=shape
    )


def find_name(groups: Sequence[Mapping[str, Any]], parameter: torch.Tensor) -> str:
    """Return :func:`name_of` for a parameter that is somewhere in ``groups``."""
    for i, group in enumerate(groups):
        for j, candidate in enumerate(group["params"]):
            if candidate is parameter:
                return name_of(groups, i, j)
    return str(_shape(parameter))


def _shape(parameter: torch.Tensor) -> Any:
    return _("its first data") if is_lazy(parameter) else tuple(parameter.shape)


def is_lazy(parameter: torch.Tensor) -> bool:
    """Whether its shape is not known before its layer has seen data (``torch.nn.LazyLinear``)."""
    return bool(torch.nn.parameter.is_lazy(parameter))


def check_parameter(parameter: torch.Tensor, name: str, elementwise: bool, rule: str) -> None:
    """Refuse a parameter no step can be taken on.

    Raises
    ------
    ParameterError
        If it is of integers, sparse, or complex or sharded where the rule must see it whole.
    """
    if is_lazy(parameter):
        return
    if not (parameter.is_floating_point() or parameter.is_complex()):
        raise ParameterError(
            _(
                "parameter {name} holds {dtype}; only floating-point parameters can be trained"
            ).format(name=name, dtype=parameter.dtype)
        )
    if parameter.layout is not torch.strided:
        raise ParameterError(
            _("parameter {name} is {layout}; only dense parameters can be trained").format(
                name=name, layout=parameter.layout
            )
        )
    if elementwise:
        return
    if parameter.is_complex():
        raise ParameterError(
            _("parameter {name} is complex; {rule} is defined for real parameters").format(
                name=name, rule=rule
            )
        )
    if is_sharded(parameter):
        raise ParameterError(
            _("parameter {name} is sharded; {rule} must see the whole parameter").format(
                name=name, rule=rule
            )
        )


def check_gradient(gradient: torch.Tensor, name: str) -> None:
    """Refuse a sparse gradient.

    Raises
    ------
    ParameterError
        Naming the parameter.
    """
    if gradient.layout is not torch.strided:
        raise ParameterError(
            _(
                "the gradient of parameter {name} is sparse ({layout}); make it dense "
                "(for an embedding: sparse=False)"
            ).format(name=name, layout=gradient.layout)
        )


def check_devices(
    parameter: torch.Tensor,
    gradient: torch.Tensor,
    arrays: Iterable[tuple[str, torch.Tensor]],
    name_of: Callable[[torch.Tensor], str],
) -> None:
    """Refuse a gradient or a state array that lies elsewhere than its parameter.

    Raises
    ------
    ParameterError
        Naming the parameter and both devices.
    """
    own = parameter.device
    if gradient.device != own:
        raise ParameterError(
            _("the gradient of parameter {name} is on {device}; the parameter is on {own}").format(
                name=name_of(parameter), device=gradient.device, own=own
            )
        )
    for key, array in arrays:
        if array.device != own:
            raise ParameterError(
                _(
                    "the state {key} of parameter {name} is on {device}; the parameter is on {own}"
                ).format(key=key, name=name_of(parameter), device=array.device, own=own)
            )


def is_plain(tensor: torch.Tensor) -> bool:
    """Whether its memory can be walked as real numbers one after another, in any order."""
    return (
        type(tensor) in _PLAIN_TYPES
        and tensor.layout is torch.strided
        and tensor.is_floating_point()
        and _is_dense(tensor)
    )


def _is_dense(tensor: torch.Tensor) -> bool:
    """Whether its elements fill their memory without gap or overlap."""
    if tensor.is_contiguous():
        return True
    expected = 1
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size == 1:
            continue
        if stride != expected:
            return False
        expected *= size
    return True


def is_sharded(tensor: Any) -> bool:
    """Whether this process holds only its part (a ``DTensor``)."""
    return type(tensor) not in _PLAIN_TYPES and hasattr(tensor, "placements")


def as_real(tensor: Any) -> torch.Tensor:
    """Return this process's part of ``tensor`` as a real tensor on the same memory."""
    local: torch.Tensor = tensor.to_local() if is_sharded(tensor) else tensor.detach()
    return torch.view_as_real(local) if local.is_complex() else local


def like_parameter(gradient: Any, parameter: Any) -> Any:
    """Return a sharded gradient cut as its parameter is."""
    if is_sharded(gradient) and gradient.placements != parameter.placements:
        return gradient.redistribute(parameter.device_mesh, parameter.placements)
    return gradient
