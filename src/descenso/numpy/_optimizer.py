"""A rule at given settings, stepping NumPy arrays: ``start`` a state, then ``step`` by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from descenso import transforms as chain
from descenso.errors import ParameterError
from descenso.language import _
from descenso.ops import numpy as xp
from descenso.rules import (
    Nonfinite,
    Rule,
    call_signature,
    check_nonfinite,
    describe,
    settings_with_live,
    state_names,
)
from descenso.transforms import Transform

Tree = Any  # an array, or a dict, list or tuple of them

_USAGE = """
Any numeric setting may also be a schedule: a function of the number of steps taken so far, 0 at
the first step.

nonfinite : {"pass", "skip", "raise"}, default "pass"
    What a NaN or infinite gradient does: goes through; leaves parameters and state as they are; or
    raises, naming the array.
transforms : list of :mod:`descenso.transforms`, applied in order to the gradients before the rule's
    step and to the parameters after it.

Returns
-------
Optimizer
    ``start(theta)`` → state, and ``step(theta, g, state)`` → (new theta, new state), where theta
    and g are arrays of one shape, or dicts, lists or tuples of them.

Raises
------
SettingError
    If a setting is unknown, not a number or outside its range.
"""


class OptimizerState(NamedTuple):
    """What is kept between steps: their number, and arrays of the rule and of its transforms.

    ``slots`` holds one dict per parameter; ``transforms`` one dict of lists per transform.
    """

    steps: int
    slots: list[dict[str, Any]]
    transforms: Sequence[dict[str, list[Any]]] = ()


@dataclass(frozen=True, eq=False)
class Optimizer:
    """A rule at given settings.

    Attributes
    ----------
    rule : the rule.
    settings : a value, or a schedule, for each of its hyperparameters.
    nonfinite : what a gradient that is not finite does.
    transforms : applied in order before and after the rule's step.
    """

    rule: Rule
    settings: dict[str, Any]
    nonfinite: Nonfinite = "pass"
    transforms: tuple[Transform, ...] = ()

    def start(self, theta: Tree) -> OptimizerState:
        """Return the state before the first step: zeros like each array, float32 or wider."""
        arrays = _named_leaves(theta)
        if not arrays:
            raise ParameterError(_("there are no parameters to optimize"))
        names = state_names(self.rule, self.settings, callable)
        wide = [_widen(a, label) for label, a in arrays]
        return OptimizerState(
            0,
            [{name: np.zeros_like(a) for name in names} for a in wide],
            chain.start(xp, self.transforms, wide),
        )

    def step(self, theta: Tree, g: Tree, state: OptimizerState) -> tuple[Tree, OptimizerState]:
        """Take one step; nothing is changed in place.

        Raises
        ------
        ParameterError
            If an array is not floating-point, a gradient has another shape than its parameter,
            the state is of another rule, or a gradient is not finite and ``nonfinite="raise"``.
        """
        arrays, grads = _named_leaves(theta), _named_leaves(g)
        self._check(arrays, grads, state)
        if self.nonfinite != "pass" and (label := _first_nonfinite(grads)):
            if self.nonfinite == "skip":
                return theta, state
            raise ParameterError(_("the gradient of {name} is not finite").format(name=label))
        now = {n: float(v(state.steps)) if callable(v) else v for n, v in self.settings.items()}
        t = state.steps + 1
        old = [_widen(array, label) for label, array in arrays]
        seen = [np.asarray(grad, a.dtype) for (_l, grad), a in zip(grads, old, strict=True)]
        seen = chain.gradients(xp, self.transforms, old, seen, t)
        moved = [
            self.rule.update(xp, a, grad, slots, t, now)
            for a, grad, slots in zip(old, seen, state.slots, strict=True)
        ]
        new, kept = chain.parameters(
            xp, self.transforms, old, [a for a, _s in moved], [now["lr"]] * len(old), t,
            state.transforms,
        )  # fmt: skip
        cast = [np.asarray(a, np.asarray(b).dtype) for a, (_l, b) in zip(new, arrays, strict=True)]
        return _rebuild(theta, iter(cast)), OptimizerState(t, [s for _a, s in moved], kept)

    def averages(self, state: OptimizerState) -> list[Any]:
        """Return the averaged parameters, one array for each, if a transform averages them.

        Raises
        ------
        SettingError
            If not exactly one of the transforms averages.
        """
        return chain.averages(self.transforms, state.transforms, state.steps)

    def _check(self, arrays: list[Any], grads: list[Any], state: OptimizerState) -> None:
        if [label for label, _a in arrays] != [label for label, _g in grads]:
            raise ParameterError(
                _("the gradients are of ({grads}); the parameters are ({names})").format(
                    grads=", ".join(label for label, _g in grads),
                    names=", ".join(label for label, _a in arrays),
                )
            )
        names = set(state_names(self.rule, self.settings, callable))
        slots = getattr(state, "slots", None)
        if slots is None or len(slots) != len(arrays) or any(set(s) != names for s in slots):
            raise ParameterError(
                _(
                    "{rule}: the state is not one that this optimizer's start() or step() gave"
                ).format(rule=self.rule.name)
            )
        for (label, array), (_l, grad) in zip(arrays, grads, strict=True):
            _widen(array, label)
            if np.shape(array) != np.shape(grad):
                raise ParameterError(
                    _("the gradient of {name} has shape {given}; the parameter has {shape}").format(
                        name=label, given=np.shape(grad), shape=np.shape(array)
                    )
                )


@cache
def factory(rule: Rule) -> Callable[..., Optimizer]:
    """Return the function of ``rule``'s settings that makes its optimizer."""

    signature = call_signature(rule)

    def make(*args: Any, nonfinite: Any = "pass", transforms: Any = (), **given: Any) -> Optimizer:
        given = {**signature.bind_partial(*args).arguments, **given}
        settings = settings_with_live(rule, given, callable)
        chosen = chain.check(transforms)
        return Optimizer(rule, settings, check_nonfinite(rule, nonfinite), chosen)

    make.__signature__ = signature  # type: ignore[attr-defined]
    make.__name__ = make.__qualname__ = rule.name
    make.__module__ = "descenso.numpy"
    make.__doc__ = describe(rule, _USAGE)
    return make


def _widen(array: Any, label: str) -> Any:
    array = np.asarray(array)
    if not np.issubdtype(array.dtype, np.floating):
        raise ParameterError(
            _("parameter {name} must be real floating-point; it is {dtype}").format(
                name=label, dtype=array.dtype
            )
        )
    return array.astype(np.promote_types(array.dtype, np.float32), copy=False)


def _first_nonfinite(grads: list[tuple[str, Any]]) -> str:
    return next((label for label, g in grads if not np.all(np.isfinite(g))), "")


def _named_leaves(tree: Tree, name: str = "theta") -> list[tuple[str, Any]]:
    if isinstance(tree, dict):
        parts = [(f"{name}[{key!r}]", tree[key]) for key in sorted(tree)]
    elif isinstance(tree, list | tuple):
        parts = [(f"{name}[{i}]", part) for i, part in enumerate(tree)]
    else:
        return [(name, tree)]
    return [leaf for label, part in parts for leaf in _named_leaves(part, label)]


def _rebuild(tree: Tree, leaves: Any) -> Tree:
    if isinstance(tree, dict):
        made = {key: _rebuild(tree[key], leaves) for key in sorted(tree)}
        return {key: made[key] for key in tree}
    if isinstance(tree, list | tuple):
        return type(tree)(_rebuild(part, leaves) for part in tree)
    return next(leaves)
