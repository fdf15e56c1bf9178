"""Refuse variables, gradients and saved states that do not fit, naming the variable at fault."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import keras
import numpy as np
from keras import ops

from descenso.errors import ParameterError, SettingError
from descenso.language import _

_shape_of = attrgetter("shape")
#: Where a saved state says which arrays it holds.
NAMES = "names"


def check_variables(variables: Sequence[Any]) -> None:
    """Refuse variables that are not real floating-point; a frozen model has none, and may."""
    for variable in variables:
        dtype = keras.backend.standardize_dtype(variable.dtype)
        if "float" not in dtype:
            raise ParameterError(
                _("parameter {name} must be real floating-point; it is {dtype}").format(
                    name=spell(variable), dtype=dtype
                )
            )


def check_gradients(grads: Sequence[Any], variables: Sequence[Any]) -> None:
    """Refuse a gradient of another shape than its variable."""
    if list(map(_shape_of, grads)) == list(map(_shape_of, variables)):
        return
    for g, variable in zip(grads, variables, strict=True):
        given, shape = tuple(g.shape), tuple(variable.shape)
        if given != shape:
            raise ParameterError(
                _("the gradient of {name} has shape {given}; the parameter has {shape}").format(
                    name=spell(variable), given=given, shape=shape
                )
            )


def refuse_nonfinite(grads: Sequence[Any], variables: Sequence[Any]) -> None:
    """Raise if a gradient holds a NaN or an infinity; only where values can be looked at."""
    for g, variable in zip(grads, variables, strict=True):
        try:
            finite = bool(ops.convert_to_numpy(ops.all(ops.isfinite(g))))
        except Exception as error:  # each backend refuses in its own way inside compiled code
            raise SettingError(
                _(
                    "nonfinite='raise' cannot look at gradients inside compiled code: compile the "
                    "model with run_eagerly=True, or use nonfinite='skip'"
                )
            ) from error
        if not finite:
            raise ParameterError(
                _("the gradient of {name} is not finite").format(name=spell(variable))
            )


def spell(variable: Any) -> str:
    """Return the variable's path within its model."""
    return str(getattr(variable, "path", None) or variable.name)


def encode(names: tuple[str, ...]) -> Any:
    """Return the names of the state arrays as bytes that a weights file can hold."""
    return np.frombuffer(("," + ",".join(names)).encode(), np.uint8)


def without_names(store: Any, rule: str, names: tuple[str, ...]) -> dict[str, Any]:
    """Return what ``store`` holds but the names; raise if they are of another rule."""
    entries = {key: store[key] for key in store.keys()}  # noqa: SIM118  an HDF5 group
    kept = entries.pop(NAMES, None)
    if kept is not None:
        found = bytes(np.asarray(kept, np.uint8)).decode()[1:]
        if found != ",".join(names):
            raise ParameterError(
                _(
                    "{rule} keeps the state ({names}); the saved state is of another rule: {kept}"
                ).format(rule=rule, names=", ".join(names), kept=found)
            )
    return entries
