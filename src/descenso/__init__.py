"""descenso: which optimizer should train my network, and with which settings?

Public names are loaded when first used, so that ``import descenso`` stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public name -> module that defines it. Nothing here imports a framework.
_PUBLIC = {
    "DescensoError": "descenso.errors",
    "Study": "descenso.api",
    "adopt": "descenso.conventions",
    "compare": "descenso.api",
    "compare_all": "descenso.api",
    "convert_state": "descenso.conventions",
    "train": "descenso.api",
}
# Modules that `import descenso` alone makes reachable: `descenso.torch.Adam`.
_MODULES = (
    "jax", "keras", "methods", "numpy", "problems", "rules", "schedules", "torch", "transforms",
)  # fmt: skip

__all__ = [
    "DescensoError",
    "Study",
    "__version__",
    "adopt",
    "compare",
    "compare_all",
    "convert_state",
    "jax",
    "keras",
    "methods",
    "numpy",
    "problems",
    "rules",
    "schedules",
    "torch",
    "train",
    "transforms",
]

if TYPE_CHECKING:
    from descenso import (
        jax,
        keras,
        methods,
        numpy,
        problems,
        rules,
        schedules,
        torch,
        transforms,
    )
    from descenso.api import Study, compare, compare_all, train
    from descenso.conventions import adopt, convert_state
    from descenso.errors import DescensoError


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return _module(name)
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'descenso' has no attribute {name!r}")


def _module(name: str) -> Any:
    if name in ("keras", "torch"):  # the two frameworks that an extra brings
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            hint = f"descenso.{name} needs {error.name}: pip install 'descenso[{name}]'"
            raise ModuleNotFoundError(hint, name=error.name) from error
    return importlib.import_module(f"descenso.{name}")


def __dir__() -> list[str]:
    return sorted(__all__)
