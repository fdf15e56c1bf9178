"""Compile a rule into ONE kernel over flat memory, for tensors of any size.

The kernel is built once per rule, dtype and set of state arrays, and cached on disk by Inductor;
settings reach it as an array of numbers, so a changed learning rate never recompiles. It is called
directly, without the guards of ``torch.compile``: callers check dtype, device and layout, and a
kernel is only used after it has reproduced the plain rule on random numbers.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch

from descenso.rules import Rule
from descenso.torch import _plain, _rounding, _trace
from descenso.torch._plain import arithmetic

Order: TypeAlias = "tuple[int | None, ...]"

# The size the compiler plans for: large enough that it splits the loop over the cores.
_PLANNED_SIZE = 1 << 20


class CannotCompileError(Exception):
    """No kernel can be made here: no compiler, or an Inductor that works in another way."""


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
    program: _trace.Program
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
        self._evaluate = kernel.program.evaluate
        self.seeded = kernel.recipe.rounds_at_random
        self._by_step = kernel.program.depends_on_step or self.seeded
        self._buffer, self._numbers, self._pack = number_buffer(kernel.program, kernel.recipe)
        self._filled: tuple[Any, ...] = (None, 0, 0)

    def set(self, settings: tuple[float | bool, ...], t: int, seed: int = 0) -> None:
        """Work out the numbers of step ``t``, unless they are still the same."""
        old_settings, old_t, old_seed = self._filled
        same_step = not self._by_step or t == old_t
        if settings is old_settings and same_step and (not self.seeded or seed == old_seed):
            return
        slots = self._evaluate(*settings, t)
        if self.seeded:
            slots = (*slots, _rounding.seed_slot(seed))
        self._pack(self._buffer, 0, *slots)
        self._filled = (settings, t, seed)

    def arguments(self, theta: torch.Tensor, states: Sequence[torch.Tensor]) -> list[Any]:
        """Return the arguments of one call; the place of the gradient is left empty."""
        values: list[Any] = [theta, None, *states, self._numbers]
        return [theta.numel() if place is None else values[place] for place in self._order]


def number_buffer(
    program: _trace.Program, recipe: Recipe
) -> tuple[bytearray, torch.Tensor, Callable[..., None]]:
    """Return memory for the slots, a tensor on it, and the function that fills it."""
    dtype = arithmetic(recipe.dtype)
    count = len(program.slots) + recipe.rounds_at_random
    layout = struct.Struct(f"{count}{'d' if dtype is torch.float64 else 'f'}")
    buffer = bytearray(max(layout.size, dtype.itemsize))
    return buffer, torch.frombuffer(buffer, dtype=dtype), layout.pack_into


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
    program = _trace.cached(recipe.rule, recipe.state_names, recipe.switches)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the compiler's own, about itself
            kernel = Kernel(recipe, program, *_raw_kernel(program, recipe))
        _verify(kernel, recipe)
    except CannotCompileError as error:
        return error
    except Exception as error:  # whatever the compiler throws, the other path still works
        return CannotCompileError(f"{type(error).__name__}: {error}")
    return kernel


def _raw_kernel(program: _trace.Program, recipe: Recipe) -> tuple[Callable[..., Any], Order]:
    compiled_graph = _compile(program, recipe)
    probe = [*_example(recipe, 37), number_buffer(program, recipe)[1]]
    return _capture(compiled_graph.current_callable, probe)


def _compile(program: _trace.Program, recipe: Recipe) -> Any:
    from torch._guards import TracingContext, tracing
    from torch._inductor.compile_fx import compile_fx_inner
    from torch._inductor.decomposition import select_decomp_table
    from torch.fx.experimental.proxy_tensor import make_fx

    mode, size = _symbolic_size()
    slot_count = number_buffer(program, recipe)[1].numel()
    with mode, torch.no_grad():
        dtypes = [recipe.dtype] * 2 + [recipe.state_dtype] * len(recipe.state_names)
        inputs = [torch.empty(size, dtype=dtype) for dtype in dtypes]
        inputs.append(torch.empty(slot_count, dtype=arithmetic(recipe.dtype)))
        graph = make_fx(_flat_update(program, recipe), select_decomp_table())(*inputs)
    with tracing(TracingContext(mode)), torch.no_grad():
        return compile_fx_inner(graph, inputs)


def _symbolic_size() -> tuple[Any, Any]:
    """Return a mode for tensors without data, and a size in it that stands for any number."""
    from torch._dynamo.source import ConstantSource
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.fx.experimental.symbolic_shapes import (
        DimDynamic,
        ShapeEnv,
        StatelessSymbolicContext,
    )

    mode = FakeTensorMode(shape_env=ShapeEnv())
    dynamic: Any = StatelessSymbolicContext(dynamic_sizes=[DimDynamic.DYNAMIC])
    example = torch.empty(_PLANNED_SIZE)
    fake = mode.from_tensor(example, symbolic_context=dynamic, source=ConstantSource("elements"))
    return mode, fake.shape[0]


def _flat_update(program: _trace.Program, recipe: Recipe) -> Callable[..., tuple[()]]:
    """Return the program as a function of flat tensors that writes its results in place."""
    dtype = arithmetic(recipe.dtype)

    def flat_update(*inputs: torch.Tensor) -> tuple[()]:
        *arrays, numbers = inputs
        values: dict[int, Any] = {i: array.to(dtype) for i, array in enumerate(arrays)}
        if recipe.maximize:
            values[1] = -values[1]
        slots = {text: numbers[i] for i, text in enumerate(program.slots)}

        def value(operand: Any) -> Any:
            if isinstance(operand, _trace.Array):
                return values[operand.index]
            return slots[operand.text] if isinstance(operand, _trace.Scalar) else operand

        for operation in program.operations:
            operands = [value(operand) for operand in operation.operands]
            values[operation.index] = _OPERATIONS[operation.name](*operands)
        results = [value(result) for result in (program.theta, *program.state)]
        for i, (array, result) in enumerate(zip([arrays[0], *arrays[2:]], results, strict=True)):
            result = torch.as_tensor(result, dtype=dtype)
            if i and recipe.rounds_at_random:
                result = _rounding.stochastic_flat(result.expand_as(array), numbers, i)
            array.copy_(result)
        return ()

    return flat_update


def _where(condition: Any, yes: Any, no: Any) -> torch.Tensor:
    if isinstance(condition, torch.Tensor) and condition.dtype is not torch.bool:
        condition = condition != 0  # a comparison of settings, passed as a number
    return torch.where(condition, yes, no)


def _extreme(of_tensors: Callable[..., torch.Tensor], by_number: str) -> Callable[..., Any]:
    def extreme(a: Any, b: Any) -> torch.Tensor:
        if not isinstance(a, torch.Tensor):
            a, b = b, a
        return of_tensors(a, b) if isinstance(b, torch.Tensor) else a.clamp(**{by_number: b})

    return extreme


_OPERATIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(torch, name) for name in ("abs", "cos", "exp", "log", "sign", "sin", "sqrt")},
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "maximum": _extreme(torch.maximum, "min"),
    "minimum": _extreme(torch.minimum, "max"),
    "where": _where,
}


def _capture(call: Any, probe: list[torch.Tensor]) -> tuple[Callable[..., Any], Order]:
    """Return the one native function behind ``call``, and which input each argument of it is.

    Inductor's wrapper checks shapes and passes pointers; here its native function is replaced for
    one call by a recorder, so that later steps can call it themselves.
    """
    names = [n for n in call.__code__.co_names if n.startswith("cpp_fused")]
    if len(names) != 1:
        raise CannotCompileError(f"expected one fused kernel, found {len(names)}")
    namespace, recorded = call.__globals__, []
    native = namespace[names[0]]
    namespace[names[0]] = lambda *arguments: recorded.append(arguments)
    try:
        call(list(probe))
    finally:
        namespace[names[0]] = native
    if len(recorded) != 1:
        raise CannotCompileError("the fused kernel is not called once")
    return native, tuple(_place(argument, probe) for argument in recorded[0])


def _place(argument: Any, probe: list[torch.Tensor]) -> int | None:
    """Return the number of the input that ``argument`` is; ``None`` for the number of elements."""
    if isinstance(argument, int) and argument == probe[0].numel():
        return None
    for i, tensor in enumerate(probe):
        if argument is tensor:
            return i
    raise CannotCompileError("the fused kernel takes something besides its inputs")


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
