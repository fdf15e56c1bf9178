"""Take the step of one parameter group by the fastest path that fits each parameter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from descenso.rules import Rule
from descenso.torch import _foreach, _kernel, _plain, _rounding, _trace
from descenso.torch._parameters import (
    as_real,
    check_gradient,
    is_plain,
    like_parameter,
)
from descenso.torch._settings import LiveSettings

KERNEL, FOREACH, PLAIN = "kernel", "foreach", "plain"
_SEED_STRIDE = 1_000_003  # spreads the random bits of one parameter's steps


@dataclass(slots=True)
class _Entry:
    """What stays the same about one parameter from step to step."""

    parameter: torch.Tensor
    state: dict[str, Any]
    arrays: tuple[torch.Tensor, ...]
    index: int
    kernel: _kernel.BoundKernel | None = None
    arguments: list[Any] | None = None
    elements: int = 0


class GroupStep:
    """Steps one group. Built anew when parameters, state or switches are replaced.

    Parameters
    ----------
    rule : what to compute.
    path : ``"kernel"``, ``"foreach"`` or ``"plain"``.
    state_dtype : dtype of new state arrays; ``None`` for the dtype steps are computed in.
    name_of : a parameter → how messages call it.
    """

    def __init__(
        self,
        rule: Rule,
        path: str,
        state_dtype: torch.dtype | None,
        name_of: Callable[[torch.Tensor], str],
    ) -> None:
        self.rule = rule
        self.path = path
        self.state_dtype = state_dtype
        self.name_of = name_of
        self._live = LiveSettings(rule)
        self._settings: tuple[float | bool, ...] = ()
        self._named: dict[str, float | bool] = {}
        self._names: tuple[str, ...] = ()
        self._shape: tuple[Any, ...] = ()
        self._maximize = False
        self._entries: list[_Entry | None] = []
        self._bound: dict[_kernel.Recipe, _kernel.BoundKernel] = {}

    def collect(
        self, group: dict[str, Any], state: Mapping[torch.Tensor, dict[str, Any]]
    ) -> list[tuple[_Entry, torch.Tensor]]:
        """Return the parameters that have a gradient, each with its gradient, all checked."""
        settings = self._live.read(group)
        if settings is not self._settings or group["maximize"] is not self._maximize:
            self._take_settings(settings, bool(group["maximize"]))
        parameters = group["params"]
        if len(self._entries) != len(parameters):
            self._entries = [None] * len(parameters)
        work = []
        for index, (parameter, entry) in enumerate(zip(parameters, self._entries, strict=True)):
            gradient = parameter.grad
            if gradient is None:
                continue
            if entry is None or not self._is_current(
                entry, parameter, state.get(parameter)
            ):
                entry = self._entries[index] = self._enter(parameter, state[parameter], index)
            if gradient.layout is not torch.strided:
                check_gradient(gradient, self.name_of(parameter))
            work.append((entry, gradient))
        return work

    def _take_settings(self, settings: tuple[float | bool, ...], maximize: bool) -> None:
        self._named = dict(zip(self.rule.hyperparameters, settings, strict=True))
        self._settings, self._maximize = settings, maximize
        switches = {
            n: self._named[n] for n, h in self.rule.hyperparameters.items() if h.is_switch
        }
        self._names = self.rule.state_names(self._named)
        shape = (self._names, tuple(switches.items()), maximize)
        if shape != self._shape:  # another set of arrays: other kernels
            self._shape, self._entries, self._bound = shape, [], {}

    def _is_current(
        self, entry: _Entry, parameter: torch.Tensor, kept: dict[str, Any] | None
    ) -> bool:
        """Whether the entry still describes this parameter and the state kept for it."""
        if entry.parameter is not parameter or entry.state is not kept:
            return False
        for name, array in zip(self._names, entry.arrays, strict=True):
            if kept.get(name) is not array:
                return False
        return True

    def _enter(self, parameter: torch.Tensor, state: dict[str, Any], index: int) -> _Entry:
        """Make what is missing of the parameter's state, and lay out its kernel call."""
        real = torch.view_as_real(parameter) if parameter.is_complex() else parameter
        dtype = self.state_dtype or _plain.arithmetic(real.dtype)
        if parameter.is_complex():
            dtype = torch.complex128 if dtype is torch.float64 else torch.complex64
        with torch.no_grad():
            for name in self._names:
                if name not in state:
                    state[name] = torch.zeros_like(
                        parameter, dtype=dtype, memory_format=torch.preserve_format
                    )
        state.setdefault("step", 0)
        entry = _Entry(parameter, state, tuple(state[name] for name in self._names), index)
        if self.path == KERNEL and self._fits_a_kernel(entry):
            self._lay_out(entry)
        return entry

    @staticmethod
    def _fits_a_kernel(entry: _Entry) -> bool:
        theta = entry.parameter
        return is_plain(theta) and theta.is_cpu and all(
            is_plain(a) and a.is_cpu and a.stride() == theta.stride() and a.shape == theta.shape
            and a.dtype is entry.arrays[0].dtype
            for a in entry.arrays
        )  # fmt: skip

    def _lay_out(self, entry: _Entry) -> None:
        theta = entry.parameter
        kept = entry.arrays[0].dtype if entry.arrays else _plain.arithmetic(theta.dtype)
        names, switches, maximize = self._shape
        recipe = _kernel.Recipe(self.rule, names, switches, theta.dtype, kept, maximize)
        if recipe not in self._bound:
            self._bound[recipe] = _kernel.BoundKernel(_kernel.compiled(recipe))
        entry.kernel = self._bound[recipe]
        entry.arguments = entry.kernel.arguments(theta, entry.arrays)
        entry.elements = theta.numel()

    def run(self, work: list[tuple[_Entry, torch.Tensor]]) -> None:
        """Step every parameter of ``work``, in place."""
        if self.path == FOREACH:
            self._run_lists(work)
            return
        stepped = []
        for entry, gradient in work:
            if self._matches_its_kernel(entry, gradient):
                self._run_kernel(entry, gradient)
                stepped.append(entry.parameter)
            else:
                self._run_single(entry, gradient)
        if stepped:
            # The kernel writes behind autograd's back: say that the parameters have changed.
            torch.autograd.graph.increment_version(stepped)

    @staticmethod
    def _matches_its_kernel(entry: _Entry, gradient: torch.Tensor) -> bool:
        """Whether all memory is still as the kernel was laid out for (it checks nothing itself)."""
        if entry.kernel is None:
            return False
        theta = entry.parameter
        for array in entry.arrays:
            if not array.is_cpu or array.dtype is not entry.kernel.state_dtype:
                return False
        return (
            theta.dtype is gradient.dtype is entry.kernel.dtype
            and theta.is_cpu
            and gradient.is_cpu
            and theta.numel() == gradient.numel() == entry.elements
            and (
                (theta.is_contiguous() and gradient.is_contiguous())
                or theta.stride() == gradient.stride()
            )
        )

    def _run_kernel(self, entry: _Entry, gradient: torch.Tensor) -> None:
        state = entry.state
        t = state["step"] = state["step"] + 1
        kernel, arguments = entry.kernel, entry.arguments
        kernel.set(self._settings, t, _seed(t, entry.index))  # type: ignore[union-attr]
        arguments[kernel.gradient_position] = gradient  # type: ignore[index,union-attr]
        kernel.call(*arguments)  # type: ignore[union-attr,misc]
        arguments[kernel.gradient_position] = None  # type: ignore[index,union-attr]

    @torch.no_grad()
    def _run_single(self, entry: _Entry, gradient: torch.Tensor) -> None:
        theta = entry.parameter
        if entry.kernel is not None and gradient.dtype is theta.dtype and is_plain(theta):
            copy = torch.empty_like(theta).copy_(gradient)  # in the parameter's own layout
            if self._matches_its_kernel(entry, copy):
                self._run_kernel(entry, copy)
                torch.autograd.graph.increment_version([theta])
                return
        t = entry.state["step"] = entry.state["step"] + 1
        gradient = as_real(like_parameter(gradient, theta))
        _plain.update(
            self.rule,
            as_real(theta),
            -gradient if self._maximize else gradient,
            dict(zip(self._names, map(as_real, entry.arrays), strict=True)),
            t,
            self._named,
            lambda old, new, position: _store(old, new, _seed(t, entry.index), position + 1),
        )

    @torch.no_grad()
    def _run_lists(self, work: list[tuple[_Entry, torch.Tensor]]) -> None:
        names, switches, _maximize = self._shape
        program = _trace.cached(self.rule, names, switches)
        for t, dtype, bucket in _buckets(work):
            slots = program.evaluate(*self._settings, t)
            thetas = [as_real(entry.parameter) for entry, _ in bucket]
            gradients = [as_real(like_parameter(g, entry.parameter)) for entry, g in bucket]
            kept = [[as_real(entry.arrays[i]) for entry, _ in bucket] for i in range(len(names))]
            inputs = [_cast(tensors, dtype) for tensors in (thetas, gradients, *kept)]
            if self._maximize:
                inputs[1] = list(torch._foreach_neg(inputs[1]))
            new_thetas, new_states = _foreach.run(program, inputs, slots)
            torch._foreach_copy_(thetas, new_thetas)
            for position, (old, new) in enumerate(zip(kept, new_states, strict=True), start=1):
                _store_lists(old, new, bucket, t, position)
            for entry, _g in bucket:
                entry.state["step"] = t


def _buckets(
    work: list[tuple[_Entry, torch.Tensor]],
) -> list[tuple[int, torch.dtype, list[tuple[_Entry, torch.Tensor]]]]:
    """Put together what one call can step: same step number, device and dtypes."""
    found: dict[Any, list[tuple[_Entry, torch.Tensor]]] = {}
    for entry, gradient in work:
        theta = entry.parameter
        kept = tuple(array.dtype for array in entry.arrays)
        key = (entry.state["step"], theta.device, theta.dtype, gradient.dtype, kept)
        found.setdefault(key, []).append((entry, gradient))
    return [
        (key[0] + 1, _plain.arithmetic(as_real(bucket[0][0].parameter).dtype), bucket)
        for key, bucket in found.items()
    ]


def _cast(tensors: list[torch.Tensor], dtype: torch.dtype) -> list[torch.Tensor]:
    return tensors if tensors[0].dtype is dtype else [x.to(dtype) for x in tensors]


def _seed(t: int, index: int) -> int:
    return t * _SEED_STRIDE + index


def _store_lists(
    old: list[torch.Tensor], new: list[torch.Tensor], bucket: list[Any], t: int, position: int
) -> None:
    if old[0].dtype is not torch.bfloat16:
        torch._foreach_copy_(old, new)
        return
    for (entry, _), a, b in zip(bucket, old, new, strict=True):
        _store(a, b, _seed(t, entry.index), position)


def _store(old: torch.Tensor, new: torch.Tensor, seed: int, position: int) -> None:
    if old.dtype is torch.bfloat16:
        new = _rounding.stochastic(new.expand_as(old), seed, position)
    old.copy_(new)
