"""Every rule as an optax-compatible gradient transformation: ``descenso.jax.adam(lr=1e-3)``.

The functions are named as the rule files, built-in or registered; optax itself is not needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from descenso import rules as _rules
from descenso.jax._factory import factory as _factory
from descenso.jax._transformation import (
    GradientTransformation as GradientTransformation,
)
from descenso.jax._transformation import (
    OptimizerState as OptimizerState,
)
from descenso.jax._transformation import (
    apply_updates as apply_updates,
)
from descenso.jax._transforms import TransformedState as TransformedState
from descenso.jax._transforms import averaged as averaged

if TYPE_CHECKING:
    from descenso.jax._names import *  # noqa: F403

_OWN = [
    "GradientTransformation", "OptimizerState", "TransformedState", "apply_updates", "averaged",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return __dir__()
    if name.startswith("_") or name not in _rules.names():
        raise AttributeError(
            f"module 'descenso.jax' has no attribute {name!r}; it has {', '.join(__dir__())}"
        )
    return _factory(_rules.get(name))


def __dir__() -> list[str]:
    return sorted([*_OWN, *_rules.names()])
