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
    "compare": "descenso.api",
    "compare_all": "descenso.api",
    "methods": "",  # a module of descenso's own
    "problems": "",
    "rules": "",
    "train": "descenso.api",
}
__all__ = [
    "DescensoError",
    "Study",
    "__version__",
    "compare",
    "compare_all",
    "methods",
    "problems",
    "rules",
    "train",
]

if TYPE_CHECKING:
    from descenso import methods, problems, rules
    from descenso.api import Study, compare, compare_all, train
    from descenso.errors import DescensoError


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'descenso' has no attribute {name!r}")
    module = _PUBLIC[name]
    if not module:
        return importlib.import_module(f"descenso.{name}")
    return getattr(importlib.import_module(module), name)


def __dir__() -> list[str]:
    return sorted(__all__)
