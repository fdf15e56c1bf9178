"""What a rule is: a pure function of one array, its gradient, its state and its settings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from descenso.errors import RuleError, SettingError
from descenso.language import _, did_you_mean
from descenso.rules._foreign import remedy
from descenso.rules._hyperparameter import Hyperparameter, _Declaration
from descenso.rules._portability import check_portable, explain

Array: TypeAlias = Any  # an array of any framework that `descenso.ops` serves
State: TypeAlias = dict[str, Array]
Settings: TypeAlias = Mapping[str, Any]
UpdateFunction: TypeAlias = Callable[..., tuple[Array, State]]

_POSITIONAL = ("xp", "theta", "g", "state", "t")


@dataclass(frozen=True, eq=False)  # one rule is one object: it can be a key
class Rule:
    """An update rule: parameter, gradient, state, step and settings → new parameter and state.

    A rule sees one array at a time and knows nothing of frameworks (``xp`` supplies the
    operations), of populations (the engine maps it over members) or of batches.
    """

    name: str
    function: UpdateFunction
    hyperparameters: Mapping[str, Hyperparameter]
    state_names: Callable[[Settings], tuple[str, ...]]
    title: str
    formula: str
    paper: str
    file: str

    @property
    def doc(self) -> str:
        """Return the rule's whole docstring: formula, arguments, reference, notes."""
        return inspect.cleandoc(self.function.__doc__ or "")

    def settings(self, /, **given: Any) -> dict[str, float | bool]:
        """Return a value for every hyperparameter: ``given`` where given, else the default.

        Raises
        ------
        SettingError
            If a name is unknown, or a value is not a number or out of range.
        """
        self._refuse_unknown(given)
        values: dict[str, float | bool] = {}
        for name, h in self.hyperparameters.items():
            value = given.get(name, h.default)
            if isinstance(value, str) and value == h.default:
                value = values[value]  # a default that follows another hyperparameter
            values[name] = h.check(value, self.name)
        return values

    def _refuse_unknown(self, given: Mapping[str, Any]) -> None:
        for name in given:
            if name in self.hyperparameters:
                continue
            way = remedy(self, name)
            hint = f" {way}" if way else did_you_mean(name, self.hyperparameters)
            raise SettingError(
                _("{rule} has no setting {name!r}; it has {known}.").format(
                    rule=self.name, name=name, known=", ".join(self.hyperparameters)
                )
                + hint
            )

    def start(self, xp: Any, theta: Array, settings: Settings) -> State:
        """Return the state before the first step: zeros shaped like ``theta``."""
        return {name: xp.zeros_like(theta) for name in self.state_names(settings)}

    def update(
        self, xp: Any, theta: Array, g: Array, state: State, t: Array, settings: Settings
    ) -> tuple[Array, State]:
        """Take one step.

        Parameters
        ----------
        xp : the operations for these arrays (see :mod:`descenso.ops`).
        theta, g : the parameter and its gradient, of one shape.
        state : what :meth:`start` or the last call returned.
        t : number of this step, counted from 1.
        settings : a value for every hyperparameter; numbers or 0-d arrays.

        Returns
        -------
        The new parameter and the new state; nothing is changed in place.

        Raises
        ------
        RuleError
            If the rule's own lines fail: it names the file, the line and what a rule may call.
        """
        try:
            return self.function(xp, theta, g, state, t, **settings)
        except (AttributeError, TypeError, NameError, KeyError, ValueError) as error:
            explained = explain(self.name, self.file, error)
            if explained is None:
                raise
            raise explained from error


def rule(
    *, paper: str, state: tuple[str, ...] | Callable[[Settings], tuple[str, ...]] = ()
) -> Callable[[UpdateFunction], Rule]:
    """Make a rule of a function ``name(xp, theta, g, state, t, *, lr=hyperparameter(...), ...)``.

    Parameters
    ----------
    paper : the source of the formula.
    state : names of the arrays kept between steps, each starting at zero; a function of the
        settings where a switch decides which arrays are needed.

    Raises
    ------
    RuleError
        If the function does not have this form, or its docstring holds no formula.
    """

    def make(function: UpdateFunction) -> Rule:
        if isinstance(state, str) or not (callable(state) or all(map(_is_name, state))):
            raise RuleError(
                f"rule {function.__name__}: state must be a tuple of names, or a function of the "
                f"settings that gives one; got {state!r}"
            )
        doc = inspect.cleandoc(function.__doc__ or "")
        check_portable(function)
        return Rule(
            name=function.__name__,
            function=function,
            hyperparameters=_read_signature(function),
            state_names=state if callable(state) else lambda settings: state,
            title=doc.partition("\n")[0].rstrip("."),
            formula=_read_formula(function.__name__, doc),
            paper=paper,
            file=inspect.getsourcefile(function) or "",
        )

    return make


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value.isidentifier()


def _read_signature(function: UpdateFunction) -> dict[str, Hyperparameter]:
    parameters = list(inspect.signature(function).parameters.values())
    positional = tuple(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD)
    if positional != _POSITIONAL:
        raise RuleError(
            f"rule {function.__name__} must take ({', '.join(_POSITIONAL)}, *, settings...); "
            f"it takes ({', '.join(positional)})"
        )
    hyperparameters: dict[str, Hyperparameter] = {}
    for p in parameters[len(_POSITIONAL) :]:
        if p.kind is not p.KEYWORD_ONLY or not isinstance(p.default, _Declaration):
            raise RuleError(
                f"rule {function.__name__}: setting {p.name!r} must be keyword-only "
                "and declared with hyperparameter(...)"
            )
        h = p.default.named(p.name)
        _check_default(function.__name__, h, hyperparameters)
        hyperparameters[p.name] = h
    if "lr" not in hyperparameters:
        raise RuleError(f"rule {function.__name__} must declare a learning rate named 'lr'")
    return hyperparameters


def _check_default(
    rule_name: str, h: Hyperparameter, earlier: Mapping[str, Hyperparameter]
) -> None:
    if isinstance(h.default, str):
        if h.default not in earlier:
            raise RuleError(
                f"rule {rule_name}: the default of {h.name!r} follows {h.default!r}, "
                "which is not a hyperparameter declared before it"
            )
        return
    try:
        h.check(h.default, rule_name)
    except SettingError as error:
        raise RuleError(f"the default lies outside its own range: {error}") from error


def _read_formula(rule_name: str, doc: str) -> str:
    block = re.search(r"\.\. math::\n\n((?:[ \t]+.*\n|\n)+)", doc + "\n")
    if not block:
        raise RuleError(f"rule {rule_name}: its docstring must hold a '.. math::' block")
    return inspect.cleandoc(block.group(1))
