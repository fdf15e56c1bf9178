"""Read a rule once, as a list of element-wise operations, by running it on symbols.

The formula stays in its rule file; what is recorded here is replayed on lists of tensors
(``_foreach``) or compiled (``_kernel``). Whatever depends on settings and the step number alone
(``1 - beta1**t``) becomes a *slot*: it is worked out once a step in float64, not per element.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from descenso.ops import numpy as on_numbers
from descenso.rules import Rule


class NotElementwiseError(Exception):
    """The rule looks at more than one element at a time, or branches on values."""


_INFIX = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**",
    "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
}  # fmt: skip


class _Symbol:
    """Operators shared by scalars and arrays."""

    def __add__(self, other: Any) -> Any:
        return combine("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return combine("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return combine("sub", self, other)

    def __rsub__(self, other: Any) -> Any:
        return combine("sub", other, self)

    def __mul__(self, other: Any) -> Any:
        return combine("mul", self, other)

    def __rmul__(self, other: Any) -> Any:
        return combine("mul", other, self)

    def __truediv__(self, other: Any) -> Any:
        return combine("div", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return combine("div", other, self)

    def __pow__(self, other: Any) -> Any:
        return combine("pow", self, other)

    def __rpow__(self, other: Any) -> Any:
        return combine("pow", other, self)

    def __neg__(self) -> Any:
        return combine("mul", self, -1.0)

    def __lt__(self, other: Any) -> Any:
        return combine("lt", self, other)

    def __le__(self, other: Any) -> Any:
        return combine("le", self, other)

    def __gt__(self, other: Any) -> Any:
        return combine("gt", self, other)

    def __ge__(self, other: Any) -> Any:
        return combine("ge", self, other)

    def __bool__(self) -> bool:
        raise NotElementwiseError("the rule branches on a value")


@dataclass(frozen=True)
class Scalar(_Symbol):
    """A number known at each step: an expression of settings and ``t``, as Python text."""

    text: str


@dataclass(frozen=True, eq=False)
class Array(_Symbol):
    """One value of the program: an input, or the result of an operation."""

    index: int
    operations: list[Operation]


Operand: TypeAlias = "Array | Scalar | float"


@dataclass(frozen=True)
class Operation:
    """``name`` applied to operands; its result has the next free index."""

    name: str
    operands: tuple[Operand, ...]
    index: int


def combine(name: str, *operands: Any) -> Any:
    """Record an operation; fold it where no array takes part."""
    arrays = [operand for operand in operands if isinstance(operand, Array)]
    if not arrays:
        return _fold(name, operands)
    for operand in operands:
        if not isinstance(operand, Array | Scalar | int | float):
            raise NotElementwiseError(f"{name} of a {type(operand).__name__}")
    operations = arrays[0].operations
    index = FIRST_RESULT + len(operations)
    operations.append(Operation(name, operands, index))
    return Array(index, operations)


#: Inputs are numbered 0 (theta), 1 (gradient), 2... (state); results from here on.
FIRST_RESULT = 64


def _fold(name: str, operands: tuple[Any, ...]) -> Any:
    if not any(isinstance(operand, Scalar) for operand in operands):
        return float(getattr(on_numbers, name)(*operands))
    texts = [o.text if isinstance(o, Scalar) else repr(o) for o in operands]
    if name in _INFIX:
        return Scalar(f"({texts[0]} {_INFIX[name]} {texts[1]})")
    return Scalar(f"float(on_numbers.{name}({', '.join(texts)}))")


_ELEMENTWISE = frozenset({
    "abs", "clip", "cos", "exp", "log", "maximum", "minimum", "ones_like",
    "sign", "sin", "sqrt", "square", "where", "zeros_like",
})  # fmt: skip


class _Operations:
    """What the rule sees as ``xp`` while it is read."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in _ELEMENTWISE:
            raise NotElementwiseError(f"the rule calls xp.{name}")
        if name == "square":
            return lambda a: combine("mul", a, a)
        if name == "zeros_like":
            return lambda a: 0.0
        if name == "ones_like":
            return lambda a: 1.0
        if name == "clip":
            return lambda a, low, high: combine("minimum", combine("maximum", a, low), high)
        return lambda *operands: combine(name, *operands)


@dataclass(frozen=True)
class Program:
    """A rule as straight-line operations.

    Attributes
    ----------
    state_names : the state arrays it takes (inputs 2, 3, ...) and returns.
    operations : in order.
    theta, state : the results: the new parameter and the new state arrays.
    slots : the distinct scalar expressions it uses.
    evaluate : settings in the rule's order, then ``t`` → a value for each slot.
    depends_on_step : whether a slot changes from step to step while the settings stay.
    """

    state_names: tuple[str, ...]
    operations: tuple[Operation, ...]
    theta: Operand
    state: tuple[Operand, ...]
    slots: tuple[str, ...]
    evaluate: Callable[..., tuple[float, ...]]
    depends_on_step: bool


def read(rule: Rule, state_names: tuple[str, ...], switches: Mapping[str, bool]) -> Program:
    """Record one update of ``rule`` with these state arrays and switches.

    Raises
    ------
    NotElementwiseError
        If the rule is not element-wise: it must then see one whole array at a time.
    """
    operations: list[Operation] = []
    inputs = [Array(i, operations) for i in range(2 + len(state_names))]
    settings = {n: switches.get(n, Scalar(n)) for n in rule.hyperparameters}
    state = dict(zip(state_names, inputs[2:], strict=True))
    try:
        theta, new = rule.update(_Operations(), inputs[0], inputs[1], state, Scalar("t"), settings)
    except NotElementwiseError:
        raise
    except Exception as error:  # a symbol lacks what the rule asks of an array (.ndim, @, ...)
        raise NotElementwiseError(f"{type(error).__name__}: {error}") from error
    results = tuple(new[name] for name in state_names)
    slots = _slots(operations, (theta, *results))
    return Program(
        state_names, tuple(operations), theta, results, slots,
        _evaluator(tuple(rule.hyperparameters), slots),
        any(re.search(r"\bt\b", slot) for slot in slots),
    )  # fmt: skip


_programs: dict[tuple[Any, ...], Program] = {}


def cached(rule: Rule, names: tuple[str, ...], switches: tuple[tuple[str, bool], ...]) -> Program:
    """Return :func:`read`, remembered."""
    key = (rule.function, names, switches)
    if key not in _programs:
        _programs[key] = read(rule, names, dict(switches))
    return _programs[key]


def is_elementwise(rule: Rule) -> bool:
    """Whether every element of the parameter is updated by itself, whatever the switches."""
    defaults = rule.settings()
    switches = tuple((n, bool(defaults[n])) for n, h in rule.hyperparameters.items() if h.is_switch)
    try:
        cached(rule, rule.state_names(defaults), switches)
    except NotElementwiseError:
        return False
    return True


def _slots(operations: list[Operation], results: tuple[Operand, ...]) -> tuple[str, ...]:
    used = [operand for operation in operations for operand in operation.operands]
    scalars = [operand.text for operand in (*used, *results) if isinstance(operand, Scalar)]
    return tuple(dict.fromkeys(scalars))


def _evaluator(names: tuple[str, ...], slots: tuple[str, ...]) -> Callable[..., tuple[float, ...]]:
    body = "".join(f"{slot}, " for slot in slots)
    source = f"lambda {', '.join((*names, 't'))}: ({body})"
    evaluate: Callable[..., tuple[float, ...]] = eval(source, {"on_numbers": on_numbers})
    return evaluate
