"""What ``help()`` shows of a rule in every binding: signature, formula, settings, paper."""

from __future__ import annotations

import inspect

from descenso.rules._hyperparameter import Hyperparameter
from descenso.rules._rule import Rule

_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def class_name(rule: Rule) -> str:
    """Return the rule's name as a class, spelt as its title spells it: ``RMSprop``, ``AdamW``."""
    words = rule.title.partition(":")[0].split()
    spelt = "".join(word[0].upper() + word[1:] for word in words)
    if spelt.lower() == rule.name.replace("_", ""):
        return spelt
    return "".join(word.capitalize() for word in rule.name.split("_"))


def setting_parameters(rule: Rule) -> list[inspect.Parameter]:
    """Return the rule's settings as the parameters of a signature, with their defaults."""
    return [
        inspect.Parameter(name, _KEYWORD, default=h.default)
        for name, h in rule.hyperparameters.items()
    ]


def call_signature(rule: Rule) -> inspect.Signature:
    """Return ``(lr, *, other settings, nonfinite="pass", transforms=())``."""
    lr, *others = setting_parameters(rule)
    first = lr.replace(kind=inspect.Parameter.POSITIONAL_OR_KEYWORD)
    choice = inspect.Parameter("nonfinite", _KEYWORD, default="pass")
    transforms = inspect.Parameter("transforms", _KEYWORD, default=())
    return inspect.Signature([first, *others, choice, transforms])


def describe(rule: Rule, usage: str) -> str:
    """Return a docstring: the rule's own text, its settings with ranges, ``usage``, the paper."""
    rows = "\n".join(_row(h) for h in rule.hyperparameters.values())
    return (
        f"{rule.doc}\n\nParameters\n----------\n{rows}\n\n{inspect.cleandoc(usage)}\n\n"
        f"Source\n------\n{rule.paper}\n"
    )


def _row(h: Hyperparameter) -> str:
    default = f"as {h.default}" if isinstance(h.default, str) else f"{h.default}"
    unit = "" if h.unit == "1" or h.is_switch else f" (in {h.unit})"
    return f"{h.name} : in {h.range_text}, default {default}\n    {h.meaning}{unit}."
