"""The operations on NumPy arrays."""

from numpy import abs, clip, cos, exp, log, max, maximum, mean, minimum, ones_like  # noqa: A004
from numpy import sign, sin, sqrt, square, sum, where, zeros_like  # noqa: A004

__all__ = [
    "abs", "clip", "cos", "exp", "log", "max", "maximum", "mean", "minimum", "ones_like",
    "sign", "sin", "sqrt", "square", "sum", "where", "zeros_like",
]  # fmt: skip
