"""The operations on JAX arrays."""

from jax.numpy import abs, clip, cos, exp, log, max, maximum, mean, minimum, ones_like  # noqa: A004
from jax.numpy import sign, sin, sqrt, square, sum, where, zeros_like  # noqa: A004

__all__ = [
    "abs", "clip", "cos", "exp", "log", "max", "maximum", "mean", "minimum", "ones_like",
    "sign", "sin", "sqrt", "square", "sum", "where", "zeros_like",
]  # fmt: skip
