"""Update rules: ONE FILE = ONE RULE, written once as the formula of its paper.

Every public ``*.py`` file here is a rule and is found by itself; see ``CONTRIBUTING.md``.
"""

from descenso.rules._documentation import (
    call_signature,
    class_name,
    describe,
    setting_parameters,
)
from descenso.rules._foreign import remedy, says_nothing
from descenso.rules._hyperparameter import Hyperparameter, hyperparameter
from descenso.rules._live import (
    Nonfinite,
    check_nonfinite,
    is_zero,
    refuse_positional,
    settings_with_live,
    state_names,
)
from descenso.rules._registry import get, is_built_in, load_rule_file, names, register
from descenso.rules._rule import Rule, State, rule

__all__ = [
    "Hyperparameter",
    "Nonfinite",
    "Rule",
    "State",
    "call_signature",
    "check_nonfinite",
    "class_name",
    "describe",
    "get",
    "hyperparameter",
    "is_built_in",
    "is_zero",
    "load_rule_file",
    "names",
    "refuse_positional",
    "register",
    "remedy",
    "rule",
    "says_nothing",
    "setting_parameters",
    "settings_with_live",
    "state_names",
]
