"""What another framework's optimizer does, said in descenso's words: rule, settings, state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descenso import schedules, transforms
from descenso.conventions import native
from descenso.errors import ConventionError, SettingError
from descenso.language import _
from descenso.transforms import Transform

Array = NDArray[Any]
Arrange = Callable[[int, Array], Array]


@dataclass(frozen=True)
class Recipe:
    """An optimizer in descenso's words.

    Attributes
    ----------
    source : what was read, for messages.
    rule : name of the rule.
    groups : the settings of each group of parameters: numbers or schedules.
    sizes : how many parameters each group has; empty where that is not known.
    decay : weight decay of each parameter, or one for all: numbers or schedules.
    decoupled : whether the decay is outside the gradient, times the learning rate.
    clipping : transforms of the gradient that come first.
    slots : for each parameter, the rule's arrays by name; empty before its first step.
    steps : how many updates were made.
    counts : how many of them each parameter took; empty where all took all.
    native : settings that only the same framework understands.
    excluded : of a Keras optimizer that is not built, the marks of what weight decay leaves out.
    first : settings that differ in the first step of each parameter.
    names : the parameters' names, where the original has them.
    extras : keys of each group that are neither the framework's nor ours.
    """

    source: str
    rule: str
    groups: tuple[Mapping[str, Any], ...]
    sizes: tuple[int, ...] = ()
    decay: Any = 0.0
    decoupled: bool = False
    clipping: tuple[Transform, ...] = ()
    slots: tuple[Mapping[str, Array], ...] = ()
    steps: int = 0
    counts: tuple[int, ...] = ()
    native: Mapping[str, Any] = field(default_factory=dict)
    excluded: Mapping[str, Any] = field(default_factory=dict)
    first: Mapping[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    extras: tuple[Mapping[str, Any], ...] = ()

    @property
    def has_state(self) -> bool:
        """Whether there is anything to carry over."""
        return self.steps > 0 or any(self.slots)

    def settled(
        self, own_steps: bool = False
    ) -> tuple[str, tuple[dict[str, Any], ...], tuple[Transform, ...]]:
        """Return rule, settings of each group and transforms; decay stands where it belongs.

        Parameters
        ----------
        own_steps : whether the framework counts the steps of each parameter. Where it does not,
            what differs in the first step is a schedule.
        """
        groups = tuple(dict(group) for group in self.groups)
        if self.first and self.steps == 0 and not own_steps:
            groups = tuple(
                g
                | {n: schedules.join([v, g[n]], at=[1]) for n, v in self.first.items() if g[n] != v}
                for g in groups
            )
        decay = _one_if_alike(self.decay) if isinstance(self.decay, tuple) else self.decay
        if decay == 0:
            return self.rule, groups, self.clipping
        if self.decoupled and self.rule == "adam" and not isinstance(decay, tuple):
            return "adamw", tuple({**g, "weight_decay": decay} for g in groups), self.clipping
        make = (
            transforms.decoupled_weight_decay if self.decoupled else transforms.coupled_weight_decay
        )
        return self.rule, groups, (*self.clipping, make(decay))

    def alike(self, to: str) -> dict[str, Any]:
        """Return the settings that all groups share, for a framework without groups.

        Raises
        ------
        ConventionError
            If groups differ, or a setting exists in the original framework only.
        """
        if self.native:
            raise refuse(
                self.source,
                _("{names} have no equal outside its own framework").format(
                    names=", ".join(f"{k}={v!r}" for k, v in self.native.items())
                ),
                _("leave them out, or stay in the framework"),
            )
        if self.excluded and self.decay:
            raise refuse(
                self.source,
                _("which variables its weight decay leaves out is not known before it is built"),
                _("build it first: optimizer.build(variables)"),
            )
        if any(group != self.groups[0] for group in self.groups):
            raise refuse(
                self.source,
                _("its groups have settings of their own, which {to} does not have").format(to=to),
                _("adopt each group by itself"),
            )
        counts = zip(self.counts, self.slots, strict=False)  # no counts: all took all the steps
        if any(count != self.steps for count, kept in counts if kept):
            raise refuse(
                self.source,
                _(
                    "its parameters took different numbers of steps, which {to} does not count"
                ).format(to=to),
                _("adopt it in PyTorch"),
            )
        if self.first and self.steps and not all(self.slots):
            raise refuse(
                self.source,
                _(
                    "some parameters have not taken their first step, whose gradient it does not "
                    "damp; {to} does not count the steps of each parameter"
                ).format(to=to),
                _("adopt it in PyTorch"),
            )
        if self.groups[0].get("maximize"):
            raise refuse(self.source, _("it climbs (maximize=True)"), _("negate the loss"))
        return {n: v for n, v in self.groups[0].items() if n not in ("maximize", "initial_lr")}

    def arranged(self, shapes: Sequence[tuple[int, ...]], arrange: Arrange | None) -> Recipe:
        """Return the recipe with its state laid out for parameters of these shapes.

        Raises
        ------
        ConventionError
            If a shape or the number of parameters does not fit.
        """
        if not self.slots:
            return self
        if len(shapes) != len(self.slots):
            raise ConventionError(
                _("{source} keeps the state of {old} parameters; {new} are given").format(
                    source=self.source, old=len(self.slots), new=len(shapes)
                )
            )
        laid = tuple(
            {n: a if arrange is None else arrange(i, a) for n, a in kept.items()}
            for i, kept in enumerate(self.slots)
        )
        for i, (kept, shape) in enumerate(zip(laid, shapes, strict=True)):
            for name, array in kept.items():
                if array.shape != shape:
                    raise ConventionError(
                        _(
                            "the state {name} of parameter {i} has shape {old}; the parameter has "
                            "{new}: give arrange=, a function (index, array) → array"
                        ).format(name=name, i=i, old=array.shape, new=shape)
                    )
        return replace(self, slots=laid)


def refuse(source: str, why: str, nearest: str) -> ConventionError:
    """Return the error that says why there is no exact equal and what is nearest."""
    return ConventionError(
        _("{source} has no exact equal: {why}. Nearest: {nearest}.").format(
            source=source, why=why, nearest=nearest
        )
    )


def refuse_unread(framework: str, source: str, kind: str, nearest: str) -> ConventionError:
    """Return the error for an optimizer that is not read: what is nearest, or the rule it is."""
    rule = native.rule_of(framework, kind)
    if not rule:
        return refuse(source, _("descenso has no rule for it"), nearest)
    return refuse(
        source,
        _("its settings and state are not translated"),
        _("the rule {rule}, made anew").format(rule=rule),
    )


def checked(recipe: Recipe) -> Recipe:
    """Refuse settings that lie outside the rule's ranges.

    Raises
    ------
    ConventionError
        Saying which.
    """
    from descenso import rules

    rule = rules.get(recipe.rule)
    for group in recipe.groups:
        try:
            rules.settings_with_live(
                rule, {n: v for n, v in group.items() if n in rule.hyperparameters}, callable
            )
        except SettingError as error:
            raise refuse(recipe.source, str(error), recipe.rule) from error
    return recipe


def _one_if_alike(values: tuple[Any, ...]) -> Any:
    return values[0] if len(set(values)) == 1 else values


def as_array(value: Any) -> Array:
    """Return a copy of an array of any framework as NumPy's, outside all differentiation."""
    if hasattr(value, "detach"):  # NumPy has no bfloat16
        value = value.detach().cpu()
        value = value.float() if value.dtype.itemsize < 4 else value
    return np.array(value.numpy() if hasattr(value, "numpy") else value)
