"""A method is a rule in a regime: what a study compares.

A method is named (``adam``), or written out with fixed settings and a batch size:
``adam(lr=0.003, beta2=0.99)@64``, ``gradient_descent@1``, ``momentum@all``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from descenso import rules
from descenso.errors import RuleError, SettingError, UnknownNameError
from descenso.language import N_, _, did_you_mean
from descenso.rules import Rule

ALL = "all"  # the batch regime: every gradient sees every example
BatchSize = int | str | None  # a number, ALL, or None for the problem's own mini-batch

# The methods that carry a name of their own; every other rule is a mini-batch method by its name.
_REGIMES: dict[str, tuple[str, BatchSize]] = {
    "sgd": ("gradient_descent", 1),
    "batch": ("gradient_descent", ALL),
    "minibatch": ("gradient_descent", None),
}
#: What ``descenso compare`` compares unless told otherwise.
SIX = ("sgd", "batch", "minibatch", "momentum", "rmsprop", "adam")

_DIGITS = 18  # more make no batch size, and Python refuses to read thousands of them

_WRITTEN = re.compile(
    r"^\s*(?P<name>[A-Za-z_]\w*)\s*(?:\((?P<settings>[^()]*)\))?\s*(?:@\s*(?P<batch>\w+))?\s*$"
)


@dataclass(frozen=True)
class Method:
    """A rule in a regime, with any settings held fixed.

    Attributes
    ----------
    label : how the user wrote it, without spaces; unique within a study.
    rule : name of its rule.
    batch_size : examples per gradient; ``"all"``, or ``None`` for the problem's own mini-batch.
    fixed : settings that are held at a value and not searched.
    """

    label: str
    rule: str
    batch_size: BatchSize = None
    fixed: Mapping[str, float | bool] = field(default_factory=dict)

    def definition(self) -> Rule:
        """Return the rule itself."""
        return rules.get(self.rule)

    def default_settings(self) -> Mapping[str, float | bool]:
        """Return the rule's defaults, with what is held fixed in their place."""
        return self.definition().settings(**self.fixed)

    def examples_per_step(self, examples: int, mini_batch: int) -> int:
        """Return how many of ``examples`` one gradient sees, given the problem's mini-batch."""
        if self.batch_size == ALL:
            return examples
        size = mini_batch if self.batch_size is None else int(self.batch_size)
        return min(size, examples)

    def does_the_same_as(self, other: Method) -> bool:
        """Whether the two differ in nothing but how they are written."""
        mine, others = ((m.rule, m.batch_size, m.fixed) for m in (self, other))
        return mine == others

    def regime(self) -> str:
        """Return ``stochastic``, ``mini-batch`` or ``batch``."""
        if self.batch_size == ALL:
            return N_("batch")
        return N_("stochastic") if self.batch_size == 1 else N_("mini-batch")


def names() -> list[str]:
    """Return the names of all methods: the six first, then every other rule."""
    others = [name for name in rules.names() if name not in SIX and name != "gradient_descent"]
    return [*SIX, *others]


def parse(text: str) -> Method:
    """Read a method as a user writes it.

    Raises
    ------
    UnknownNameError
        If no method or rule has that name.
    SettingError
        If the form, a setting or the batch size is wrong.
    """
    match = _WRITTEN.match(text)
    if not match:
        raise SettingError(
            _(
                "a method is written name, name(setting=value, ...) or name(...)@batch; got {text!r}"
            ).format(text=text)
        )
    rule_name, batch_size = _resolve(match["name"])
    fixed = _parse_settings(match["settings"] or "", rule_name)
    if match["batch"] is not None:
        batch_size = _parse_batch(match["batch"], text)
    return Method(re.sub(r"\s+", "", text), rule_name, batch_size, fixed)


def parse_list(text: str) -> list[Method]:
    """Read methods separated by commas; commas inside parentheses belong to the settings.

    Raises
    ------
    SettingError
        If the list is empty, or names a method twice, be it in other words.
    """
    parts = [part for part in re.split(r",(?![^()]*\))", text) if part.strip()]
    if not parts:
        raise SettingError(_("name at least one method; got {text!r}").format(text=text))
    methods = [parse(part) for part in parts]
    labels = [method.label for method in methods]
    for i, method in enumerate(methods):
        if method.label in labels[:i]:
            raise SettingError(_("method {label!r} is named twice").format(label=method.label))
        for earlier in methods[:i]:
            if earlier.does_the_same_as(method):
                raise SettingError(
                    _("{one!r} and {other!r} are the same method").format(
                        one=earlier.label, other=method.label
                    )
                )
    return methods


def _resolve(name: str) -> tuple[str, BatchSize]:
    if name in _REGIMES:
        if name in rules.names():
            raise RuleError(
                _("{file}: a rule cannot be named {name!r}: a method has that name").format(
                    file=rules.get(name).file, name=name
                )
            )
        return _REGIMES[name]
    if name in rules.names():
        return name, None
    hint = did_you_mean(name, [*names(), *rules.names()])
    raise UnknownNameError(
        _("there is no method named {name!r}; there are {known}.").format(
            name=name, known=", ".join(names())
        )
        + hint
    )


def read_settings(text: str, owner: str) -> dict[str, str]:
    """Read settings written ``name=value, ...``, each at most once; values stay texts.

    Raises
    ------
    SettingError
        If a part has not that form or a name is given twice; the message begins with ``owner``.
    """
    given: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not name or not value:
            raise SettingError(
                _("{rule}: a setting is written name=value; got {part!r}").format(
                    rule=owner, part=part
                )
            )
        if name in given:
            raise SettingError(_("{rule}: {name} is given twice").format(rule=owner, name=name))
        given[name] = value
    return given


def _parse_settings(text: str, rule_name: str) -> dict[str, float | bool]:
    given = {name: _parse_value(value) for name, value in read_settings(text, rule_name).items()}
    checked = rules.get(rule_name).settings(**given)
    return {name: checked[name] for name in given}


def _parse_value(text: str) -> float | bool | str:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return float(text)
    except ValueError:
        return text  # the check of the setting says what is wrong with it


def _parse_batch(text: str, whole: str) -> int | str:
    if text.lower() == ALL:
        return ALL
    if text.isdecimal() and len(text) <= _DIGITS and int(text) > 0:
        return int(text)
    raise SettingError(
        _(
            "{whole}: the batch size after @ must be a positive whole number or 'all'; got {text!r}"
        ).format(whole=whole, text=text)
    )
