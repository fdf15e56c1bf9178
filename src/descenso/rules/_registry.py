"""Find the rules: every public file of this folder, and what third parties register."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType

from descenso.errors import RuleError, UnknownNameError
from descenso.language import _, did_you_mean
from descenso.rules._rule import Rule

_registered: dict[str, Rule] = {}


def register(rule: Rule) -> Rule:
    """Add a rule from outside the package; it then works everywhere a built-in rule does.

    Raises
    ------
    RuleError
        If it is not a rule, or a rule of that name exists already in another file.
    """
    if not isinstance(rule, Rule):
        raise RuleError(f"register() takes a rule made with @rule(...); got {rule!r}")
    known = {**_built_in(), **_registered}.get(rule.name)
    if known is not None and known.file != rule.file:
        text = _("{file}: a rule named {name!r} exists already in {known}")
        raise RuleError(text.format(file=rule.file, name=rule.name, known=known.file))
    _registered[rule.name] = rule
    return rule


def names() -> list[str]:
    """Return the names of all rules, sorted."""
    return sorted({**_built_in(), **_registered})


def get(name: str) -> Rule:
    """Return the rule of that name.

    Raises
    ------
    UnknownNameError
        If there is none; the message offers the nearest name.
    """
    rules = {**_built_in(), **_registered}
    if name in rules:
        return rules[name]
    hint = did_you_mean(name, rules)
    raise UnknownNameError(
        _("there is no rule named {name!r}.").format(name=name)
        + hint
        + _(" A rule of your own is given by its file: --rules {name}.py").format(name=name)
    )


def is_built_in(name: str) -> bool:
    """Whether the rule of that name comes with descenso."""
    return name in _built_in()


def load_rule_file(path: str | Path) -> Rule:
    """Import a file that holds one rule, from anywhere on disk, and register it.

    Raises
    ------
    RuleError
        If the file is missing, does not import, or does not hold exactly one rule.
    """
    file = Path(path)
    spec = importlib.util.spec_from_file_location(f"descenso_rule_{file.stem}", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise RuleError(_("{file}: not a Python file that can be read").format(file=file))
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        kind = type(error).__name__
        text = _("{file}: cannot be imported: {kind}: {error}")
        raise RuleError(text.format(file=file, kind=kind, error=error)) from error
    return register(_only_rule(module, file))


@cache
def _built_in() -> dict[str, Rule]:
    found = [
        _load_module(f"descenso.rules.{module.name}")
        for module in pkgutil.iter_modules([str(Path(__file__).parent)])
        if not module.name.startswith("_")
    ]
    return {rule.name: rule for rule in sorted(found, key=lambda rule: rule.name)}


def _load_module(name: str) -> Rule:
    file = Path(__file__).parent / f"{name.rpartition('.')[2]}.py"
    try:
        module = importlib.import_module(name)
    except Exception as error:
        raise RuleError(f"{file}: cannot be imported: {error}") from error
    return _only_rule(module, file)


def _only_rule(module: ModuleType, file: Path) -> Rule:
    rules = [value for value in vars(module).values() if isinstance(value, Rule)]
    if len(rules) != 1:
        text = _("{file}: a rule file holds exactly one rule; this one holds {count}")
        raise RuleError(text.format(file=file, count=len(rules)))
    if rules[0].name != file.stem:
        text = _("{file}: the rule must be named as its file; it is named {name}")
        raise RuleError(text.format(file=file, name=rules[0].name))
    return rules[0]
