"""Gradients as arrays of their variable's shape, whatever a backend hands over."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import keras

from descenso.errors import ParameterError
from descenso.keras._checks import spell
from descenso.language import _

Tensor = Any
Variable = Any


def whole(grads: Sequence[Tensor], variables: Sequence[Variable]) -> list[Tensor]:
    """Return dense gradients; of TensorFlow's, with the shape that a graph may not know.

    TensorFlow's ``IndexedSlices``, JAX's ``BCOO`` and torch's sparse tensors list the rows of an
    embedding that a batch touched. A rule moves the others too (their averages decay), so they are
    made whole.
    """
    return [_whole(g, v) for g, v in zip(grads, variables, strict=True)]


def is_sparse(gradient: Tensor) -> bool:
    """Whether a gradient lists rows or entries instead of all its numbers."""
    if type(gradient).__name__ == "IndexedSlices" or hasattr(gradient, "todense"):
        return True
    return bool(getattr(gradient, "is_sparse", False))


def say_densified(variable: Variable) -> None:
    """Warn that a sparse gradient is made whole."""
    warnings.warn(
        _(
            "the gradient of {name} is sparse: it is made dense, so each step costs as much as the "
            "whole variable"
        ).format(name=spell(variable)),
        stacklevel=3,
    )


def _whole(gradient: Tensor, variable: Variable) -> Tensor:
    if hasattr(gradient, "todense"):
        return gradient.todense()
    if getattr(gradient, "is_sparse", False):
        return gradient.to_dense()
    return _of_tensorflow(gradient, variable) if _is_of_tensorflow(gradient) else gradient


def _is_of_tensorflow(gradient: Tensor) -> bool:
    return keras.config.backend() == "tensorflow" and type(gradient).__name__ != "ndarray"


def _of_tensorflow(gradient: Tensor, variable: Variable) -> Tensor:
    import tensorflow as tf

    shape = tuple(variable.shape)
    if isinstance(gradient, tf.IndexedSlices):
        values = tf.convert_to_tensor(gradient.values)
        _check_rows(values, variable)
        rows = tf.reshape(tf.convert_to_tensor(gradient.indices), (-1, 1))
        return tf.scatter_nd(rows, values, tf.constant(shape, rows.dtype))
    known = gradient.shape
    if known.rank is None or None in known:
        return tf.ensure_shape(gradient, shape)
    return gradient


def _check_rows(values: Tensor, variable: Variable) -> None:
    shape = tuple(variable.shape)
    if values.shape.rank is None or values.shape[1:].is_compatible_with(shape[1:]):
        return
    raise ParameterError(
        _("the gradient of {name} has shape {given}; the parameter has {shape}").format(
            name=spell(variable), given=(shape[0], *values.shape[1:]), shape=shape
        )
    )
