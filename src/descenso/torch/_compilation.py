"""Compile a rule's operations with Inductor, and take hold of the native function it makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from descenso.torch import _rounding, _source, inductor, trace
from descenso.torch._plain import arithmetic
from descenso.torch._recipe import Order, Recipe, extra_inputs, number_buffer
from descenso.torch.inductor import CannotCompileError


def compile_flat(program: trace.Program, recipe: Recipe) -> Any:
    """Return Inductor's compiled graph of one update on flat tensors of any one size."""
    mode, size = inductor.any_size()
    tables = extra_inputs(recipe)
    with mode:
        dtypes = [recipe.dtype] * 2 + [recipe.state_dtype] * len(recipe.state_names)
        inputs = [torch.empty(size, dtype=dtype) for dtype in dtypes]
        slots = number_buffer(program, recipe)[1].numel()
        inputs.append(torch.empty(slots, dtype=arithmetic(recipe.dtype)))
        inputs += [torch.empty(x.shape, dtype=x.dtype) for x in tables]
    with torch.no_grad():
        graph = inductor.traced(_flat_update(program, recipe), inputs, mode)
    return inductor.compiled(graph, inputs, mode, mend=_source.mended)


def _flat_update(program: trace.Program, recipe: Recipe) -> Callable[..., tuple[()]]:
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
            if isinstance(operand, trace.Array):
                return values[operand.index]
            return slots[operand.text] if isinstance(operand, trace.Scalar) else operand

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


def native_kernel(call: Any, probe: list[torch.Tensor]) -> tuple[Callable[..., Any], Order]:
    """Return the one native function behind ``call``, and which input each argument of it is."""
    native, arguments = inductor.native_call(call, probe)
    return native, tuple(_place(argument, probe) for argument in arguments)


def _place(argument: Any, probe: list[torch.Tensor]) -> int | None:
    """Return the number of the input that ``argument`` is; ``None`` for the number of elements."""
    if isinstance(argument, int) and argument == probe[0].numel():
        return None
    for i, tensor in enumerate(probe):
        if argument is tensor:
            return i
    raise CannotCompileError("the fused kernel takes something besides its inputs")
