"""Compile a rule's operations with Inductor, and take hold of the native function it makes."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from descenso.torch import _rounding, _trace
from descenso.torch._plain import arithmetic
from descenso.torch._recipe import CannotCompileError, Order, Recipe, extra_inputs, number_buffer
from descenso.torch._source import mending

# The size the compiler plans for: large enough that it splits the loop over the cores.
_PLANNED_SIZE = 1 << 20


def compile_flat(program: _trace.Program, recipe: Recipe) -> Any:
    """Return Inductor's compiled graph of one update on flat tensors of any one size."""
    from torch._guards import TracingContext, tracing
    from torch._inductor.compile_fx import compile_fx_inner
    from torch._inductor.decomposition import select_decomp_table
    from torch.fx.experimental.proxy_tensor import make_fx

    mode, size = _symbolic_size()
    slot_count = number_buffer(program, recipe)[1].numel()
    tables = extra_inputs(recipe)
    with mode, torch.no_grad():
        dtypes = [recipe.dtype] * 2 + [recipe.state_dtype] * len(recipe.state_names)
        inputs = [torch.empty(size, dtype=dtype) for dtype in dtypes]
        inputs.append(torch.empty(slot_count, dtype=arithmetic(recipe.dtype)))
        inputs += [torch.empty(x.shape, dtype=x.dtype) for x in tables]
        graph = make_fx(_flat_update(program, recipe), select_decomp_table())(*inputs)
    with mending(), _probing_here(), tracing(TracingContext(mode)), torch.no_grad():
        return compile_fx_inner(graph, inputs)


@contextmanager
def _probing_here() -> Iterator[None]:
    """Let Inductor try in this process whether a library loads that is made for this processor.

    For each kind of vectors that the processor says it has, Inductor starts Python anew to load one
    library: most of a first step whose kernel is on disk.
    """
    from torch._inductor.cpu_vec_isa import VecISA

    theirs: Any = getattr(VecISA, "_probe_load", None)
    if theirs is None:  # another version of PyTorch
        yield
        return
    probed: Any = VecISA
    probed._probe_load = lambda _, path: _loads(path)
    try:
        yield
    finally:
        probed._probe_load = theirs


def _loads(path: str) -> bool:
    try:
        ctypes.CDLL(path)
    except OSError:
        return False
    return True


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
    count = 2 + len(recipe.state_names)

    def flat_update(*inputs: torch.Tensor) -> tuple[()]:
        arrays, (numbers, *tables) = inputs[:count], inputs[count:]
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
                result = _rounding.stochastic_flat(
                    result.expand_as(array), numbers, tables[0], i - 1
                )
            array.copy_(result)
        return ()

    return flat_update


def _where(condition: Any, yes: Any, no: Any) -> torch.Tensor:
    if isinstance(condition, torch.Tensor) and condition.dtype is not torch.bool:
        condition = condition != 0  # a comparison of settings, passed as a number
    if not (isinstance(yes, torch.Tensor) or isinstance(no, torch.Tensor)):
        yes = torch.full((), yes, dtype=torch.float64)  # of two numbers torch makes float32
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


def capture(call: Any, probe: list[torch.Tensor]) -> tuple[Callable[..., Any], Order]:
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
