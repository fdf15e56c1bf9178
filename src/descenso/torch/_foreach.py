"""Replay a rule's operations on lists of tensors with ``torch._foreach_*``.

Where all that a rule does is to add a multiple of the gradient, torch has it as one call in place
(:func:`multiple`), and beyond the caches no kernel of ours is faster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from descenso.torch.trace import Array, Operand, Program, Scalar

Tensors = list[torch.Tensor]


def run(
    program: Program, inputs: Sequence[Tensors], slots: Sequence[float]
) -> tuple[Tensors, list[Tensors]]:
    """Return the new parameters and the new state lists; the inputs are not changed.

    Parameters
    ----------
    inputs : parameters, gradients, then one list for each state name; all of one dtype.
    slots : the values of ``program.slots``.
    """
    numbers = dict(zip(program.slots, slots, strict=True))
    values: dict[int, Any] = dict(enumerate(inputs))
    last_use = _last_uses(program)

    def value(operand: Operand) -> Any:
        if isinstance(operand, Array):
            return values[operand.index]
        return numbers[operand.text] if isinstance(operand, Scalar) else operand

    for operation in program.operations:
        result = _apply(operation.name, [value(o) for o in operation.operands])
        values[operation.index] = result
        for operand in operation.operands:  # free what no later operation reads
            if isinstance(operand, Array) and last_use[operand.index] == operation.index:
                values.pop(operand.index, None)

    def result_of(operand: Operand) -> Tensors:
        found = value(operand)
        if isinstance(found, list):
            return found
        return [torch.full_like(like, found) for like in inputs[0]]

    return result_of(program.theta), [result_of(o) for o in program.state]


def multiple(program: Program) -> int:
    """Return 1 or −1 if the rule is θ plus or less (its one slot) · g, at any step; else 0."""
    if program.state_names or program.depends_on_step or len(program.operations) != 2:
        return 0
    product, total = program.operations
    added = [o.index if isinstance(o, Array) else None for o in total.operands]
    scaled = [o.index if isinstance(o, Array) else type(o) for o in product.operands]
    if product.name != "mul" or scaled not in ([Scalar, 1], [1, Scalar]):
        return 0
    if not isinstance(program.theta, Array) or program.theta.index != total.index:
        return 0
    if total.name == "sub":
        return -1 if added == [0, product.index] else 0
    return 1 if total.name == "add" and set(added) == {0, product.index} else 0


def _last_uses(program: Program) -> dict[int, int]:
    last: dict[int, int] = {}
    for operation in program.operations:
        last |= {o.index: operation.index for o in operation.operands if isinstance(o, Array)}
    for result in (program.theta, *program.state):
        if isinstance(result, Array):
            last[result.index] = -1
    return last


_BINARY: dict[str, Callable[..., Any]] = {
    "add": torch._foreach_add,
    "sub": torch._foreach_sub,
    "mul": torch._foreach_mul,
    "div": torch._foreach_div,
    "pow": torch._foreach_pow,
    "maximum": torch._foreach_maximum,
    "minimum": torch._foreach_minimum,
}
_UNARY: dict[str, Callable[..., Any]] = {
    name: getattr(torch, f"_foreach_{name}")
    for name in ("abs", "cos", "exp", "log", "sign", "sin", "sqrt")
}
# What foreach lacks goes tensor by tensor.
_SINGLE: dict[str, Callable[..., Any]] = {
    "lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge, "where": torch.where,
}  # fmt: skip


def _apply(name: str, operands: list[Any]) -> Tensors:
    if name in _UNARY:
        return list(_UNARY[name](operands[0]))
    if name in _SINGLE:
        return _one_by_one(_SINGLE[name], operands)
    return list(_binary(name, *operands))


def _binary(name: str, left: Any, right: Any) -> Any:
    if isinstance(left, list):
        return _BINARY[name](left, right)
    if name == "sub":  # number - list
        return torch._foreach_add(torch._foreach_neg(right), left)
    if name == "div":  # number / list
        return torch._foreach_mul(torch._foreach_reciprocal(right), left)
    if name == "pow":
        return torch._foreach_pow(left, right)
    return _BINARY[name](right, left)


def _one_by_one(function: Callable[..., torch.Tensor], operands: list[Any]) -> Tensors:
    count = next(len(o) for o in operands if isinstance(o, list))
    rows = [o if isinstance(o, list) else [o] * count for o in operands]
    return [_call(function, row) for row in zip(*rows, strict=True)]


def _call(function: Callable[..., torch.Tensor], row: tuple[Any, ...]) -> torch.Tensor:
    if function is not torch.where:
        if isinstance(row[0], torch.Tensor):
            return function(*row)
        return function(torch.full_like(row[1], row[0]), row[1])
    condition = row[0] if isinstance(row[0], torch.Tensor) else torch.tensor(bool(row[0]))
    arrays = [o for o in row[1:] if isinstance(o, torch.Tensor)]
    like = arrays[0] if arrays else condition.double()  # of two numbers none is rounded
    sides = [o if isinstance(o, torch.Tensor) else torch.full_like(like, o) for o in row[1:]]
    return torch.where(condition.to(like.device), sides[0], sides[1])
