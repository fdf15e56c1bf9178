"""Choose the adapter that fits an array."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

#: The closed list: every adapter defines exactly these names.
OPERATIONS = (
    "abs", "argmax", "clip", "concatenate", "convolve", "cos", "exp", "log", "max", "maximum",
    "mean", "minimum", "one_hot", "ones_like", "pad", "reshape", "sign", "sin", "sqrt", "square",
    "sum", "where", "zeros_like",
)  # fmt: skip

# Root module of an array's type -> adapter. A torch tensor that Keras trains on is still a
# torch tensor, so the torch adapter serves both.
_ADAPTERS = {
    "numpy": "numpy",
    "jax": "jax",
    "jaxlib": "jax",
    "torch": "torch",
    "tensorflow": "keras",
    "keras": "keras",
}


def namespace(array: Any) -> ModuleType:
    """Return the adapter (``xp``) for ``array``: a module that defines :data:`OPERATIONS`.

    Plain Python and NumPy scalars use the NumPy adapter.

    Raises
    ------
    TypeError
        If no adapter serves arrays of that type.
    """
    if isinstance(array, int | float):
        root = "numpy"
    else:
        # A subclass (torch.nn.Parameter, a user's own) is served by its base's adapter.
        roots = (base.__module__.partition(".")[0] for base in type(array).__mro__)
        root = next((r for r in roots if r in _ADAPTERS), "")
    if not root:
        raise TypeError(
            f"descenso has no operations for an array of type {type(array).__module__}."
            f"{type(array).__name__}; it serves {', '.join(sorted(set(_ADAPTERS.values())))}"
        )
    return importlib.import_module(f"descenso.ops.{_ADAPTERS[root]}")
