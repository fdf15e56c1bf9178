"""Every rule on NumPy arrays: ``minimize`` returns a whole path; ``adam(lr=...)`` steps arrays.

The functions are named as the rule files, built-in or registered. No framework is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from descenso import rules as _rules
from descenso.numpy._minimize import Path as Path
from descenso.numpy._minimize import minimize as minimize
from descenso.numpy._optimizer import Optimizer as Optimizer
from descenso.numpy._optimizer import OptimizerState as OptimizerState
from descenso.numpy._optimizer import factory as _factory

if TYPE_CHECKING:
    from descenso.numpy._names import *  # noqa: F403

_OWN = ["Optimizer", "OptimizerState", "Path", "minimize"]


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return __dir__()
    if name.startswith("_") or name not in _rules.names():
        raise AttributeError(
            f"module 'descenso.numpy' has no attribute {name!r}; it has {', '.join(__dir__())}"
        )
    return _factory(_rules.get(name))


def __dir__() -> list[str]:
    return sorted([*_OWN, *_rules.names()])
