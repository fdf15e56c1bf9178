"""Make the optimizer class of a rule: name, signature and documentation come from the rule."""

from __future__ import annotations

import inspect
from typing import Any

from descenso import rules
from descenso.rules import Rule
from descenso.torch._optimizer import RuleOptimizer

__all__ = ["RuleOptimizer", "optimizer_class"]

_USAGE = """
params : parameters, ``(name, parameter)`` pairs (``model.named_parameters()``), or dicts that are
    groups with settings of their own.
maximize : climb instead of descend.
state_dtype : dtype of the arrays kept between steps: ``None`` for float32 (float64 for float64
    parameters), or ``"float32"``, ``"float64"``, ``"bfloat16"`` (rounded at random).
nonfinite : when a gradient holds NaN or infinity: ``"pass"`` it on, ``"skip"`` the step (counted
    in ``skipped_steps``), or ``"raise"``.
compile : ``None`` compiles one kernel per dtype on CPUs where a C++ compiler is found and uses
    torch's list operations elsewhere; ``True`` insists; ``False`` runs the plain rule on one tensor
    after another.
foreach : ``True`` uses torch's list operations instead of compiling.
transforms : list of :mod:`descenso.transforms`, applied in order to the gradients before the rule's
    step and to the parameters after it.

Any numeric setting may also be a schedule: a function of the number of updates made so far (0 at
the first). It then sets the group's value before every step; ``torch.optim.lr_scheduler`` works on
settings without one.

Raises
------
SettingError
    If a setting is unknown, not a finite number, or out of its range.
ParameterError
    If a parameter, its gradient or a loaded state cannot be used; the message names it.
"""

_made: dict[str, tuple[Rule, type[RuleOptimizer]]] = {}


def optimizer_class(rule: str | Rule) -> type[RuleOptimizer]:
    """Return the optimizer class of a rule: the same class each time.

    Raises
    ------
    UnknownNameError
        If no rule has that name.
    """
    definition = rules.get(rule) if isinstance(rule, str) else rule
    made = _made.get(definition.name)
    if made is None or made[0].function is not definition.function:
        made = _made[definition.name] = (definition, _make(definition))
    return made[1]


def _make(rule: Rule) -> type[RuleOptimizer]:
    name = rules.class_name(rule)
    members: dict[str, Any] = {
        "rule": rule,
        "__doc__": rules.describe(rule, _USAGE),
        "__module__": "descenso.torch",
        "__qualname__": name,
        "__signature__": _signature(rule),
    }
    return type(name, (RuleOptimizer,), members)


def _signature(rule: Rule) -> inspect.Signature:
    own = list(inspect.signature(RuleOptimizer.__init__).parameters.values())
    params = next(p for p in own if p.name == "params")
    options = [p for p in own if p.kind is p.KEYWORD_ONLY]
    settings = rules.setting_parameters(rule)
    lr = next(p for p in settings if p.name == "lr").replace(kind=params.kind)
    others = [p for p in settings if p.name != "lr"]
    return inspect.Signature([params, lr, *others, *options])
