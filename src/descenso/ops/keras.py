"""The operations on Keras variables and symbolic tensors, through ``keras.ops``."""

from keras.ops import abs, clip, cos, exp, log, max, maximum, mean, minimum, ones_like  # noqa: A004
from keras.ops import sign, sin, sqrt, square, sum, where, zeros_like  # noqa: A004

__all__ = [
    "abs", "clip", "cos", "exp", "log", "max", "maximum", "mean", "minimum", "ones_like",
    "sign", "sin", "sqrt", "square", "sum", "where", "zeros_like",
]  # fmt: skip
