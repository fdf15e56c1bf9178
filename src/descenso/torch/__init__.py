"""Every rule as a PyTorch optimizer: ``descenso.torch.Adam(model.parameters(), lr=1e-3)``.

The classes are made from the files in ``descenso.rules`` (and from registered rules) when first
asked for; none repeats a formula.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from descenso import rules as _rules

if TYPE_CHECKING:
    from descenso.torch._names import *  # noqa: F403

__all__ = ["RuleOptimizer", "averaged", "optimizer_class"]  # noqa: F405


def __getattr__(name: str) -> Any:
    if name == "averaged":
        from descenso.torch._transforms import averaged

        return averaged
    if name in __all__:
        from descenso.torch import _classes

        return getattr(_classes, name)
    rule_name = _rule_names().get(name)
    if rule_name is None:
        raise AttributeError(
            f"module 'descenso.torch' has no attribute {name!r}; "
            f"its optimizers are {', '.join(_rule_names())}"
            + ("; SGD is GradientDescent, Momentum or Nesterov" if name == "SGD" else "")
        )
    from descenso.torch._classes import optimizer_class

    return optimizer_class(rule_name)


def __dir__() -> list[str]:
    return sorted([*__all__, *_rule_names()])


def _rule_names() -> dict[str, str]:
    """Return the rule's name for each class name."""
    return {_rules.class_name(_rules.get(name)): name for name in _rules.names()}
