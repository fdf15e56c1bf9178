"""Compile a rule into ONE kernel over flat memory, for tensors of any size.

The kernel is built once per rule, dtype and set of state arrays, and cached on disk by Inductor;
settings reach it as an array of numbers, so a changed learning rate never recompiles. It is called
directly, without the guards of ``torch.compile``: callers check dtype, device and layout, and a
kernel is only used after it has reproduced the plain rule on random numbers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from descenso.torch import _plain, _rounding, trace
from descenso.torch._compilation import compile_flat, native_kernel
from descenso.torch._recipe import Order, Recipe, extra_inputs, number_buffer
from descenso.torch.inductor import CannotCompileError, unforeseen

_pack_float = struct.Struct("f").pack_into


@dataclass(frozen=True)
class Kernel:
    """A compiled rule.

    Attributes
    ----------
    recipe, program : what it was made for and from.
    call : the native function.
    order : which input each of its arguments is; ``None`` for the number of elements.
    """

    recipe: Recipe
    program: trace.Program
    call: Callable[..., Any]
    order: Order


class BoundKernel:
    """A kernel with its own numbers, so that two optimizers never share theirs."""

    def __init__(self, kernel: Kernel) -> None:
        self.call = kernel.call
        self.dtype = kernel.recipe.dtype
        self.state_dtype = kernel.recipe.state_dtype
        self.gradient_position = kernel.order.index(1)
        self._order = kernel.order
        self._tables = extra_inputs(kernel.recipe)
        self._evaluate = kernel.program.evaluate
        self.seeded = kernel.recipe.rounds_at_random
        self._by_step = kernel.program.depends_on_step
        self._buffer, self._numbers, self._pack = number_buffer(kernel.program, kernel.recipe)
        self._filled: tuple[Any, int] = (None, 0)

    def set(self, settings: tuple[float | bool, ...], t: int, seed: int = 0) -> None:
        """Work out the numbers of step ``t``, unless they are still the same."""
        old_settings, old_t = self._filled
        if settings is not old_settings or (self._by_step and t != old_t):
            slots = self._evaluate(*settings, t)
            self._pack(self._buffer, 0, *slots, *([0.0] if self.seeded else ()))
            self._filled = (settings, t)
        if self.seeded:
            _pack_float(self._buffer, len(self._buffer) - 4, _rounding.seed_slot(seed))

    def arguments(self, theta: torch.Tensor, states: Sequence[torch.Tensor]) -> list[Any]:
        """Return the arguments of one call; the place of the gradient is left empty."""
        values: list[Any] = [theta, None, *states, self._numbers, *self._tables]
        return [theta.numel() if place is None else values[place] for place in self._order]


_kernels: dict[Recipe, Kernel | CannotCompileError] = {}


def compiled(recipe: Recipe) -> Kernel:
    """Return the kernel for ``recipe``, compiling it the first time.

    Raises
    ------
    CannotCompileError
        If there is no compiler, or the result does not reproduce the plain rule.
    """
    if recipe not in _kernels:
        _kernels[recipe] = _try_to_compile(recipe)
    found = _kernels[recipe]
    if isinstance(found, CannotCompileError):
        raise found
    return found


def _try_to_compile(recipe: Recipe) -> Kernel | CannotCompileError:
    program = trace.cached(recipe.rule, recipe.state_names, recipe.switches)
    try:
        kernel = Kernel(recipe, program, *_raw_kernel(program, recipe))
        _verify(kernel, recipe)
    except CannotCompileError as error:
        return error
    except Exception as error:  # whatever the compiler throws, the other path still works
        return unforeseen(error)
    return kernel


def _raw_kernel(program: trace.Program, recipe: Recipe) -> tuple[Callable[..., Any], Order]:
    compiled_graph = compile_flat(program, recipe)
    numbers = number_buffer(program, recipe)[1]
    probe = [*_example(recipe, 37), numbers, *extra_inputs(recipe)]
    return native_kernel(compiled_graph.current_callable, probe)


def _example(recipe: Recipe, size: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(size)
    dtypes = [recipe.dtype] * 2 + [recipe.state_dtype] * len(recipe.state_names)
    return [(torch.rand(size, generator=generator) + 0.1).to(dtype) for dtype in dtypes]


def _verify(kernel: Kernel, recipe: Recipe) -> None:
    """Compare the kernel with the plain rule on a size that fills no vector evenly."""
    settings = {**recipe.rule.settings(), **dict(recipe.switches)}
    theta, g, *states = _example(recipe, 1037)
    expected = [x.clone() for x in (theta, *states)]
    _plain.update(
        recipe.rule, expected[0], -g if recipe.maximize else g,
        dict(zip(recipe.state_names, expected[1:], strict=True)), 3, settings,
        _copy,
    )  # fmt: skip
    bound = BoundKernel(kernel)
    bound.set(tuple(settings.values()), 3, seed=1)
    arguments = bound.arguments(theta, states)
    arguments[bound.gradient_position] = g
    bound.call(*arguments)
    for got, wanted in zip((theta, *states), expected, strict=True):
        tolerance = _TOLERANCE[got.dtype]
        if not torch.allclose(got.double(), wanted.double(), rtol=tolerance, atol=tolerance):
            raise CannotCompileError(f"the kernel for {recipe.rule.name} gives other numbers")


def _copy(old: torch.Tensor, new: torch.Tensor, position: int) -> None:
    old.copy_(new)


# Vector and scalar functions round differently; low dtypes may land on either neighbour.
_TOLERANCE = {
    torch.float64: 1e-12, torch.float32: 1e-5, torch.float16: 4e-3, torch.bfloat16: 3e-2,
}  # fmt: skip
