"""Values that carry their derivatives along x and y: forward differentiation on NumPy arrays.

A derivative that is zero by structure is ``None``: no product of 0 and infinity can spoil it, and
where no derivative is asked for, none is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Partial = Any  # an array, a number, or None


class Dual(NamedTuple):
    """A value with its derivatives, each of its shape, a number, or ``None`` for zero."""

    value: Any
    along_x: Partial = None
    along_y: Partial = None


def _times(derivative: Partial, factor: Any) -> Partial:
    return None if derivative is None else derivative * factor


def _plus(one: Partial, other: Partial) -> Partial:
    if one is None or other is None:
        return other if one is None else one
    return one + other


def add(a: Dual, b: Dual) -> Dual:
    """Return a + b."""
    return Dual(a.value + b.value, _plus(a.along_x, b.along_x), _plus(a.along_y, b.along_y))


def negative(a: Dual) -> Dual:
    """Return −a."""
    return Dual(-a.value, _times(a.along_x, -1.0), _times(a.along_y, -1.0))


def subtract(a: Dual, b: Dual) -> Dual:
    """Return a − b."""
    return add(a, negative(b))


def multiply(a: Dual, b: Dual) -> Dual:
    """Return a b."""
    return Dual(
        a.value * b.value,
        _plus(_times(a.along_x, b.value), _times(b.along_x, a.value)),
        _plus(_times(a.along_y, b.value), _times(b.along_y, a.value)),
    )


def divide(a: Dual, b: Dual) -> Dual:
    """Return a / b."""
    value = np.divide(a.value, b.value)
    less = -value
    return Dual(
        value,
        _over(_plus(a.along_x, _times(b.along_x, less)), b.value),
        _over(_plus(a.along_y, _times(b.along_y, less)), b.value),
    )


def _over(derivative: Partial, divisor: Any) -> Partial:
    return None if derivative is None else np.divide(derivative, divisor)


def power(a: Dual, b: Dual) -> Dual:
    """Return a to the power of b, which depends on x or y: finite where a is positive."""
    value = np.power(a.value, b.value)
    base, exponent = b.value * np.power(a.value, b.value - 1), value * np.log(a.value)
    return Dual(
        value,
        _plus(_times(a.along_x, base), _times(b.along_x, exponent)),
        _plus(_times(a.along_y, base), _times(b.along_y, exponent)),
    )


def to_a_number(a: Dual, exponent: float) -> Dual:
    """Return a to the power of a number."""
    if exponent == 0:
        return Dual(np.ones_like(a.value))
    if exponent == 1:
        return a
    if exponent == 0.5:
        return call("sqrt", a)
    slope = 2.0 * a.value if exponent == 2 else exponent * np.power(a.value, exponent - 1)
    return Dual(
        np.square(a.value) if exponent == 2 else np.power(a.value, exponent),
        _times(a.along_x, slope),
        _times(a.along_y, slope),
    )


#: The functions a formula may call.
FUNCTIONS: dict[str, Any] = {
    name: getattr(np, name)
    for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "sqrt", "abs")
}
#: The derivative of each, from its argument u and its value v.
_DERIVATIVES: dict[str, Callable[[Any, Any], Any]] = {
    "sin": lambda u, v: np.cos(u),
    "cos": lambda u, v: -np.sin(u),
    "tan": lambda u, v: 1.0 + np.square(v),
    "sinh": lambda u, v: np.cosh(u),
    "cosh": lambda u, v: np.sinh(u),
    "tanh": lambda u, v: 1.0 - np.square(v),
    "exp": lambda u, v: v,
    "log": lambda u, v: np.divide(1.0, u),
    "sqrt": lambda u, v: np.divide(0.5, v),
    "abs": lambda u, v: np.sign(u),
}


def call(name: str, a: Dual) -> Dual:
    """Return one of :data:`FUNCTIONS` of a."""
    value = FUNCTIONS[name](a.value)
    if a.along_x is None and a.along_y is None:
        return Dual(value)
    slope = _DERIVATIVES[name](a.value, value)
    return Dual(value, _times(a.along_x, slope), _times(a.along_y, slope))
