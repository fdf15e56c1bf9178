"""Take the step of one parameter group by the fastest path that fits each parameter."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import torch

from descenso.rules import Rule
from descenso.torch import _foreach, _kernel, _plain, _recipe, _rounding, inductor, trace
from descenso.torch._checkpoint import check_shapes
from descenso.torch._parameters import (
    as_real,
    check_devices,
    check_gradient,
    check_parameter,
    is_plain,
    like_parameter,
)
from descenso.torch._settings import LiveSettings, check_keys, settings_of_first_step

KERNEL, FOREACH, PLAIN = "kernel", "foreach", "plain"
_SEED_STRIDE = 1_000_003  # spreads the random bits of one parameter's steps


class _Entry(NamedTuple):
    """What stays the same about one parameter from step to step."""

    parameter: torch.Tensor
    state: dict[str, Any]
    arrays: tuple[tuple[str, torch.Tensor], ...]
    place: int
    kernel: _kernel.BoundKernel | None
    arguments: list[Any]
    elements: int
    device: torch.device


#: One parameter to step now, its gradient, and whether its kernel can be called as it is laid out.
#: A plain tuple: one is made for each parameter at each step, and a named one takes longer.
_Task: TypeAlias = "tuple[_Entry, torch.Tensor, bool]"


class GroupStep:
    """Steps one group. Built anew when parameters, state or switches are replaced.

    Parameters
    ----------
    rule : what to compute.
    path : ``"kernel"``, ``"foreach"`` or ``"plain"``.
    state_dtype : dtype of new state arrays; ``None`` for the dtype steps are computed in.
    name_of : a parameter → how messages call it.
    group : the group; another one is stepped by another ``GroupStep``.
    elementwise : whether the rule sees every element by itself.
    """

    def __init__(
        self,
        rule: Rule,
        path: str,
        state_dtype: torch.dtype | None,
        name_of: Callable[[torch.Tensor], str],
        group: dict[str, Any],
        elementwise: bool,
    ) -> None:
        self.rule = rule
        self.group = group
        self.path = path
        self.state_dtype = state_dtype
        self.name_of = name_of
        self._elementwise = elementwise
        self._keys = 0
        self._live = LiveSettings(rule)
        self._settings: tuple[float | bool, ...] = ()
        self._first: tuple[float | bool, ...] = ()
        self._names: tuple[str, ...] = ()
        self._shape: tuple[Any, ...] = ()
        self._maximize = False
        self._multiple = 0
        self._entries: list[_Entry | None] = []
        self._devices: set[torch.device] = set()
        self._bound: dict[_recipe.Recipe, _kernel.BoundKernel] = {}

    def collect(
        self,
        group: dict[str, Any],
        state: Mapping[torch.Tensor, dict[str, Any]],
        gradients: Sequence[torch.Tensor | None] | None = None,
    ) -> list[_Task]:
        """Return the parameters that have a gradient, each with its gradient, all checked.

        Parameters
        ----------
        gradients : one for each parameter of the group; each one's own ``grad`` if not given.
        """
        if len(group) != self._keys:  # somebody has added a key
            check_keys(self.rule, group)
            self._keys = len(group)
        settings = self._live.read(group)
        if settings is not self._settings or group["maximize"] is not self._maximize:
            self._take_settings(settings, bool(group["maximize"]))
        parameters = group["params"]
        if len(self._entries) != len(parameters):
            self._entries = [None] * len(parameters)
        tasks = []
        given = [p.grad for p in parameters] if gradients is None else gradients
        rows = enumerate(zip(parameters, self._entries, given, strict=True))
        for index, (parameter, entry, gradient) in rows:
            if gradient is None:
                continue
            if gradient.layout is not torch.strided:
                check_gradient(gradient, self.name_of(parameter))
            if entry is None or not _is_current(entry, parameter, state.get(parameter)):
                entry = self._enter(parameter, state[parameter], index, gradient)
            fits = entry.kernel is not None and _fits(entry, gradient)
            if not fits and not (parameter.device == gradient.device == entry.device):
                entry = self._enter(parameter, state[parameter], index, gradient)
            tasks.append((entry, gradient, fits))
        return tasks

    def _take_settings(self, settings: tuple[float | bool, ...], maximize: bool) -> None:
        named = dict(zip(self.rule.hyperparameters, settings, strict=True))
        self._settings, self._maximize = settings, maximize
        self._first = settings_of_first_step(self.rule, self.group, settings)
        switches = {n: named[n] for n, h in self.rule.hyperparameters.items() if h.is_switch}
        self._names = self.rule.state_names(named)
        shape = (self._names, tuple((n, bool(v)) for n, v in switches.items()), maximize)
        if shape != self._shape:  # another set of arrays: other kernels
            self._shape, self._entries, self._bound = shape, [], {}
            if self.path == FOREACH:
                program = trace.cached(self.rule, self._names, shape[1])
                self._multiple = _foreach.multiple(program) * (-1 if maximize else 1)

    def _enter(
        self, parameter: torch.Tensor, state: dict[str, Any], index: int, gradient: torch.Tensor
    ) -> _Entry:
        """Make what is missing of the parameter's state, and lay out its kernel call."""
        check_parameter(parameter, self.name_of(parameter), self._elementwise, self.rule.name)
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
        check_shapes(state, parameter, self.name_of(parameter), self._names)
        state["step"] = int(state.get("step", 0))
        arrays = tuple((name, state[name]) for name in self._names)
        check_devices(parameter, gradient, arrays, self.name_of)
        kernel: _kernel.BoundKernel | None = None
        arguments: list[Any] = []
        if self.path == KERNEL and _can_have_kernel(parameter, arrays):
            # A dtype that was not there at the start may have no kernel: the plain rule serves it.
            with contextlib.suppress(inductor.CannotCompileError):
                kernel, arguments = self._lay_out(parameter, [array for _, array in arrays])
        entry = _Entry(
            parameter, state, arrays, index, kernel, arguments, parameter.numel(), parameter.device
        )
        self._entries[index] = entry
        self._devices.add(entry.device)
        return entry

    def _at(self, t: int) -> tuple[float | bool, ...]:
        """Return the settings of a parameter's own step ``t``."""
        return self._first if t == 1 else self._settings

    def _lay_out(
        self, theta: torch.Tensor, arrays: list[torch.Tensor]
    ) -> tuple[_kernel.BoundKernel, list[Any]]:
        kept = arrays[0].dtype if arrays else _plain.arithmetic(theta.dtype)
        names, switches, maximize = self._shape
        recipe = _recipe.Recipe(self.rule, names, switches, theta.dtype, kept, maximize)
        if recipe not in self._bound:
            self._bound[recipe] = _kernel.BoundKernel(_kernel.compiled(recipe))
        kernel = self._bound[recipe]
        return kernel, kernel.arguments(theta, arrays)

    def run(self, tasks: list[_Task]) -> None:
        """Step every parameter of ``tasks``, in place."""
        if self.path == FOREACH:
            in_one_call = self._multiple and len(self._devices) == 1
            (self._add_multiples if in_one_call else self._run_lists)(tasks)
            return
        stepped = []
        filled: tuple[Any, int] = (None, 0)
        for entry, gradient, fits in tasks:
            kernel = entry.kernel
            if not fits or kernel is None:
                self._run_single(entry, gradient)
                continue
            state, arguments = entry.state, entry.arguments
            t = state["step"] = state["step"] + 1
            if filled != (kernel, t) or kernel.seeded:
                kernel.set(self._at(t), t, _seed(t, entry.place))
                filled = (kernel, t)
            arguments[kernel.gradient_position] = gradient
            kernel.call(*arguments)
            arguments[kernel.gradient_position] = None  # do not keep the gradient alive
            stepped.append(entry.parameter)
        if stepped:
            # The kernel writes behind autograd's back: say that the parameters have changed.
            torch.autograd.graph.increment_version(stepped)

    @torch.no_grad()
    def _run_single(self, entry: _Entry, gradient: torch.Tensor) -> None:
        """Step a parameter that needs another look: sharded, complex, or laid out otherwise."""
        theta = as_real(entry.parameter)
        gradient = as_real(like_parameter(gradient, entry.parameter))
        arrays = tuple((name, as_real(array)) for name, array in entry.arrays)
        if self.path == KERNEL and _can_have_kernel(theta, arrays):
            if gradient.dtype is theta.dtype and gradient.stride() != theta.stride():
                gradient = torch.empty_like(theta).copy_(gradient)
            kernel, arguments = self._lay_out(theta, [array for _, array in arrays])
            seen = entry._replace(
                parameter=theta, arrays=arrays, kernel=kernel, arguments=arguments,
                elements=theta.numel(),
            )  # fmt: skip
            if _fits(seen, gradient):
                self.run([(seen, gradient, True)])
                return
        t = entry.state["step"] = entry.state["step"] + 1
        _plain.update(
            self.rule,
            theta,
            -gradient if self._maximize else gradient,
            dict(arrays),
            t,
            dict(zip(self.rule.hyperparameters, self._at(t), strict=True)),
            lambda old, new, position: _store(old, new, _seed(t, entry.place), position),
        )

    @torch.no_grad()
    def _add_multiples(self, tasks: list[_Task]) -> None:
        """Step a rule that only adds a multiple of the gradient, all on one device."""
        thetas, gradients = [], []
        for entry, gradient, _ in tasks:
            theta = entry.parameter
            if type(gradient) is not torch.Tensor:
                theta, gradient = as_real(theta), as_real(like_parameter(gradient, theta))
            entry.state["step"] += 1
            thetas.append(theta)
            gradients.append(gradient)
        if thetas:
            program = trace.cached(self.rule, *self._shape[:2])
            (slot,) = program.evaluate(*self._settings, 0)
            torch._foreach_add_(thetas, gradients, alpha=self._multiple * slot)

    @torch.no_grad()
    def _run_lists(self, tasks: list[_Task]) -> None:
        names, switches, _ = self._shape
        program = trace.cached(self.rule, names, switches)
        for t, dtype, bucket in _buckets(tasks):
            slots = program.evaluate(*self._at(t), t)
            thetas = [as_real(entry.parameter) for entry, _, _ in bucket]
            gradients = [as_real(like_parameter(g, entry.parameter)) for entry, g, _ in bucket]
            kept = [
                [as_real(entry.arrays[i][1]) for entry, _, _ in bucket] for i in range(len(names))
            ]
            inputs = [_cast(tensors, dtype) for tensors in (thetas, gradients, *kept)]
            if self._maximize:
                inputs[1] = list(torch._foreach_neg(inputs[1]))
            new_thetas, new_states = _foreach.run(program, inputs, slots)
            torch._foreach_copy_(thetas, new_thetas)
            for position, (old, new) in enumerate(zip(kept, new_states, strict=True)):
                _store_lists(old, new, [_seed(t, entry.place) for entry, _, _ in bucket], position)
            for entry, _, _ in bucket:
                entry.state["step"] = t


def _is_current(entry: _Entry, parameter: torch.Tensor, kept: dict[str, Any] | None) -> bool:
    """Whether the entry still describes this parameter and the state kept for it."""
    if entry.parameter is not parameter or entry.state is not kept:
        return False
    if type(kept.get("step")) is not int:  # written by hand, as torch keeps it
        return False
    for name, array in entry.arrays:  # noqa: SIM110  a generator costs more than the check
        if kept.get(name) is not array:
            return False
    return True


def _can_have_kernel(theta: torch.Tensor, arrays: tuple[tuple[str, torch.Tensor], ...]) -> bool:
    """Whether parameter and state lie in memory alike, so that one flat loop visits both."""
    return is_plain(theta) and theta.is_cpu and all(
        is_plain(a) and a.is_cpu and a.stride() == theta.stride() and a.shape == theta.shape
        and a.dtype is arrays[0][1].dtype
        for _, a in arrays
    )  # fmt: skip


def _fits(entry: _Entry, gradient: torch.Tensor) -> bool:
    """Whether all memory is still as the kernel was laid out for (it checks nothing itself)."""
    theta, _, arrays, _, kernel, _, elements, _ = entry
    if kernel is None:
        return False
    for _, array in arrays:
        if array.dtype is not kernel.state_dtype or not array.is_cpu:
            return False
    return (
        theta.dtype is gradient.dtype is kernel.dtype
        and theta.is_cpu
        and gradient.is_cpu
        and theta.numel() == gradient.numel() == elements
        and (
            (theta.is_contiguous() and gradient.is_contiguous())
            or (theta.stride() == gradient.stride() and is_plain(theta))
        )
    )


def _buckets(tasks: list[_Task]) -> list[tuple[int, torch.dtype, list[_Task]]]:
    """Put together what one call can step: same step number, device and dtypes."""
    found: dict[Any, list[_Task]] = {}
    for entry, gradient, fits in tasks:
        theta = entry.parameter
        kept = tuple(array.dtype for _, array in entry.arrays)
        key = (entry.state["step"], theta.device, theta.dtype, gradient.dtype, kept)
        found.setdefault(key, []).append((entry, gradient, fits))
    return [
        (key[0] + 1, _plain.arithmetic(as_real(bucket[0][0].parameter).dtype), bucket)
        for key, bucket in found.items()
    ]


def _cast(tensors: list[torch.Tensor], dtype: torch.dtype) -> list[torch.Tensor]:
    return tensors if tensors[0].dtype is dtype else [x.to(dtype) for x in tensors]


def _seed(t: int, index: int) -> int:
    return t * _SEED_STRIDE + index


def _store_lists(
    old: list[torch.Tensor], new: list[torch.Tensor], seeds: list[int], position: int
) -> None:
    if old[0].dtype is not torch.bfloat16:
        torch._foreach_copy_(old, new)
        return
    for a, b, seed in zip(old, new, seeds, strict=True):
        _store(a, b, seed, position)


def _store(old: torch.Tensor, new: torch.Tensor, seed: int, position: int) -> None:
    if old.dtype is torch.bfloat16:
        new = _rounding.stochastic(new.expand_as(old), seed, position)
    old.copy_(new)
