"""Every rule as a Keras optimizer: ``descenso.keras.Adam(lr=1e-3)``, on Keras's three backends.

The classes are made from the files in ``descenso.rules``, and from registered rules; none repeats
a formula.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from descenso import rules as _rules
from descenso.keras._classes import optimizer_class as _optimizer_class
from descenso.keras._optimizer import RuleOptimizer as RuleOptimizer

if TYPE_CHECKING:
    from descenso.keras._names import *  # noqa: F403


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return __dir__()
    rule_name = _names().get(name)
    if rule_name is None:
        raise AttributeError(
            f"module 'descenso.keras' has no attribute {name!r}; it has {', '.join(__dir__())}"
        )
    return _optimizer_class(_rules.get(rule_name))


def __dir__() -> list[str]:
    return sorted(["RuleOptimizer", *_names()])


def _names() -> dict[str, str]:
    return {_rules.class_name(_rules.get(name)): name for name in _rules.names()}


# Made at once, and not when first asked for, so that Keras finds them when it loads a saved model.
globals().update({name: __getattr__(name) for name in _names()})
