"""A rule as a Keras optimizer; clipping, EMA and all else of the base class stay as they are."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar

import keras
from keras import ops

from descenso.errors import SettingError
from descenso.keras import _checks, _gradients
from descenso.keras._number import Number
from descenso.keras._transforms import TransformedStep
from descenso.language import _
from descenso.ops import namespace
from descenso.rules import (
    Rule,
    check_nonfinite,
    refuse_positional,
    settings_with_live,
    state_names,
)
from descenso.schedules import Schedule
from descenso.transforms import Transform
from descenso.transforms import check as check_transforms

# Torch itself, and a module that needs it, only where Keras runs on it.
_on_torch: Any = None
if keras.config.backend() == "torch":
    from descenso.keras import _on_torch

Tensor = Any
Variable = Any

#: What the base class takes beside the learning rate.
KERAS_ARGUMENTS: dict[str, Any] = {
    "weight_decay": None,
    "clipnorm": None,
    "clipvalue": None,
    "global_clipnorm": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
    "name": None,
}

# A schedule is saved with its model, and read back, as Keras's own are.
keras.saving.register_keras_serializable("descenso")(Schedule)


def working_type(dtype: Any) -> str:
    """Return float32 for bfloat16 and float16, in which averages such as β₂ = .999 stand still."""
    name: str = keras.backend.standardize_dtype(dtype)
    return "float32" if name in ("bfloat16", "float16") else name


class RuleOptimizer(keras.optimizers.Optimizer):  # type: ignore[misc]
    """What all rules share as Keras optimizers; use a subclass such as ``descenso.keras.Adam``."""

    rule: ClassVar[Rule]
    _shared: Any = None  # the fast path on torch, once it is made
    _said_of_sparse = False

    def __init__(
        self,
        /,
        lr: Any = None,
        *others: Any,
        learning_rate: Any = None,
        nonfinite: Any = "pass",
        transforms: Any = (),
        **given: Any,
    ) -> None:
        refuse_positional(self.rule, others)
        own = self.rule.hyperparameters
        base = {n: given.pop(n) for n in KERAS_ARGUMENTS if n in given and n not in own}
        rate = self._one_rate(lr, learning_rate)
        if rate is not None:
            given["lr"] = rate
        settings = settings_with_live(self.rule, given, callable)
        rate = settings.pop("lr")
        super().__init__(rate, **base)
        self.nonfinite = check_nonfinite(self.rule, nonfinite)
        for name, value in settings.items():
            setattr(self, name, value)
        self._fixed_names = [name for name in settings if name != "lr"]
        self._names = state_names(self.rule, {**settings, "lr": rate}, callable)
        object.__setattr__(self, "_around", TransformedStep(check_transforms(transforms)))

    @property
    def transforms(self) -> tuple[Transform, ...]:
        """What is applied before and after the rule's step, in order."""
        applied: tuple[Transform, ...] = self._around.transforms
        return applied

    def _one_rate(self, lr: Any, learning_rate: Any) -> Any:
        if lr is not None and learning_rate is not None:
            raise SettingError(
                _("{rule}: give lr or learning_rate, which are the same, not both").format(
                    rule=self.rule.name
                )
            )
        return learning_rate if lr is None else lr

    @property
    def lr(self) -> Any:
        """The learning rate now; setting it takes effect from the next step on."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value

    def _get_current_learning_rate(self) -> Any:
        # Keras asks schedules for the number of batches; here, of updates.
        return self._now(self._learning_rate)

    def _now(self, value: Any) -> Any:
        if not callable(value):
            return value
        takes_step = any(
            p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL)
            for p in inspect.signature(value).parameters.values()
        )
        return value(self.iterations) if takes_step else value()

    # -- state ---------------------------------------------------------------------------------

    def build(self, variables: Sequence[Variable]) -> None:
        """Create the state of ``variables``: zeros, float32 or wider."""
        if self.built:
            return
        _checks.check_variables(variables)
        super().build(variables)
        self._has_narrow = any(working_type(v.dtype) != v.dtype for v in variables)
        self._slots = {n: self.add_optimizer_variables(variables, n) for n in self._names}
        self._around.build(variables, self.add_optimizer_variables)
        if self.nonfinite == "skip":
            self._skipped = self.add_variable((), dtype="int32", name="skipped")

    def add_variable(
        self, shape: Any, initializer: Any = "zeros", dtype: Any = None, **options: Any
    ) -> Variable:
        """Create an optimizer variable, float32 where a narrower type is asked for."""
        wide = dtype if dtype is None or dtype == "int" else working_type(dtype)
        return super().add_variable(shape, initializer, wide, **options)

    def save_own_variables(self, store: Any) -> None:
        """Write the state, and which arrays it holds."""
        super().save_own_variables(store)
        store[_checks.NAMES] = _checks.encode(self._names)

    def load_own_variables(self, store: Any) -> None:
        """Read the state; refuse one of another rule.

        Raises
        ------
        ParameterError
            If the state holds other arrays than this rule keeps.
        """
        super().load_own_variables(_checks.without_names(store, self.rule.name, self._names))

    def get_config(self) -> dict[str, Any]:
        """Return all settings, ready for JSON."""
        settings = {name: getattr(self, name) for name in self.rule.hyperparameters if name != "lr"}
        written = {
            name: keras.saving.serialize_keras_object(value) if callable(value) else value
            for name, value in settings.items()
        }
        transforms = [transform.get_config() for transform in self.transforms]
        own = {"nonfinite": self.nonfinite, "transforms": transforms}
        return {**super().get_config(), **written, **own}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> RuleOptimizer:
        """Return the optimizer that :meth:`get_config` described."""
        read = {
            name: keras.saving.deserialize_keras_object(value, custom_objects=custom_objects)
            if isinstance(value, dict)
            else value
            for name, value in config.items()
        }
        return cls(**read)

    # -- a step --------------------------------------------------------------------------------

    def _apply_weight_decay(self, variables: Sequence[Variable]) -> None:
        """Do nothing here: :meth:`update_step` decays, in float32, where little is rounded off."""

    def _overwrite_model_variables_with_average_value(self, variables: Sequence[Variable]) -> None:
        """Put copies of the averages in place, in the variables' types.

        Averages of bfloat16 variables are float32 here; and an array that JAX finds in two variables
        it cannot give back to both, which ends a second ``fit`` with Keras's own.
        """
        # A model that is frozen from the start has no averages, and none to put in place.
        averages = getattr(self, "_model_variables_moving_average", [])
        for variable, average in zip(variables, averages, strict=True):
            if average is not None:
                self.assign(variable, ops.copy(ops.cast(average, variable.dtype)))

    def _backend_apply_gradients(
        self, grads: Sequence[Tensor], trainable_variables: Sequence[Variable]
    ) -> None:
        self._say_once_of_sparse(grads, trainable_variables)
        grads = _gradients.whole(grads, trainable_variables)
        _checks.check_gradients(grads, trainable_variables)
        if self._has_narrow:
            grads = [ops.cast(g, working_type(g.dtype)) for g in grads]
        super()._backend_apply_gradients(grads, trainable_variables)

    def _say_once_of_sparse(
        self, grads: Sequence[Tensor], trainable_variables: Sequence[Variable]
    ) -> None:
        if self._said_of_sparse:
            return
        for g, variable in zip(grads, trainable_variables, strict=True):
            if _gradients.is_sparse(g):
                object.__setattr__(self, "_said_of_sparse", True)
                _gradients.say_densified(variable)
                return

    def _backend_update_step(
        self, grads: Sequence[Tensor], trainable_variables: Sequence[Variable], learning_rate: Any
    ) -> None:
        if self.nonfinite == "raise":
            _checks.refuse_nonfinite(grads, trainable_variables)
        if self.nonfinite == "skip":
            finite = ops.all(ops.stack([ops.all(ops.isfinite(g)) for g in grads]))
            self._skipped.assign_add(ops.cast(ops.logical_not(finite), "int32"))
            object.__setattr__(self, "_finite", finite)  # past Keras's tracking of attributes
        if self.transforms:
            self._transformed_step(grads, trainable_variables, learning_rate)
        else:
            self._rule_step(grads, trainable_variables, learning_rate)

    def _rule_step(
        self, grads: Sequence[Tensor], variables: Sequence[Variable], learning_rate: Any
    ) -> None:
        if _on_torch is None or not self._step_on_torch(grads, variables, learning_rate):
            super()._backend_update_step(grads, variables, learning_rate)

    def _step_on_torch(
        self, grads: Sequence[Tensor], variables: Sequence[Variable], learning_rate: Any
    ) -> bool:
        """Step with descenso.torch where memory can be shared with it; return whether it was."""
        if not _on_torch.is_plain():
            return False
        settings = {name: getattr(self, name) for name in self._fixed_names}
        rate = _on_torch.number(learning_rate)
        # A rate of 0, as at the end of a schedule, is one that descenso.torch refuses.
        if rate <= 0 or any(map(callable, settings.values())):
            return False
        settings["lr"] = rate
        if self._shared is None or not self._shared.is_current(variables):
            everything = self._trainable_variables
            if not _on_torch.can_share(everything, self._slots):
                return False
            undecayed = [not self._use_weight_decay(v) for v in everything]
            made = _on_torch.SharedStep(self.rule, everything, self._slots, settings, undecayed)
            object.__setattr__(self, "_shared", made)
            made.look_up(variables)
        if self.nonfinite == "skip" and not bool(self._finite):
            return True
        if self._keras_decay():
            decayed = [v for v in variables if self._use_weight_decay(v)]
            _on_torch.decay(decayed, self._keras_decay() * rate)
        t = _on_torch.number(self.iterations) + 1
        if self.nonfinite == "skip":
            t -= _on_torch.number(self._skipped)
        return bool(self._shared.step(grads, int(t), settings))

    def _transformed_step(
        self, grads: Sequence[Tensor], variables: Sequence[Variable], learning_rate: Any
    ) -> None:
        everything = [v for v in self._trainable_variables if not _is_overwritten(v)]
        key = {self._var_key(variable): g for variable, g in zip(variables, grads, strict=True)}
        gs = [key.get(self._var_key(variable)) for variable in everything]
        old = [theta + 0 for theta in self._wide_values(everything)]  # assignment is in place
        t = self._step_number(old[0].dtype)
        decayed = [self._use_weight_decay(variable) for variable in everything]
        seen = self._around.before(old, gs, t, decayed)
        self._rule_step([g for g in seen if g is not None], variables, learning_rate)
        places = [self._get_variable_index(variable) for variable in everything]
        new = self._wide_values(everything)
        rates = [None if g is None else learning_rate for g in gs]
        moved, changes = self._around.after(places, old, new, rates, t, decayed)
        for variable, theta, before, g in zip(everything, moved, old, gs, strict=True):
            if g is not None:
                self.assign(variable, ops.cast(self._unless_skipped(theta, before), variable.dtype))
        for slot, value in changes:
            kept = ops.convert_to_tensor(slot)
            self.assign(slot, self._unless_skipped(ops.cast(value, kept.dtype), kept))

    def _wide_values(self, variables: Sequence[Variable]) -> list[Tensor]:
        return [ops.cast(ops.convert_to_tensor(v), working_type(v.dtype)) for v in variables]

    def averages(self) -> list[Tensor]:
        """Return the averaged parameters, in the order the optimizer was built with.

        Raises
        ------
        SettingError
            If not exactly one of the transforms averages.
        """
        averaged: list[Tensor] = self._around.averages(int(self._step_number("float32")) - 1)
        return averaged

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        """Take one step of the rule for one variable."""
        dtype = working_type(variable.dtype)
        slots = self._slots_of(variable)
        theta = ops.cast(ops.convert_to_tensor(variable), dtype)
        state = {name: ops.convert_to_tensor(slot) for name, slot in slots.items()}
        settings = self._settings_now(variable, learning_rate, dtype)
        decayed, t = self._decayed(theta, variable, settings["lr"]), self._step_number(dtype)
        new, new_state = self._follow_rule(decayed, ops.cast(gradient, dtype), state, t, settings)
        self.assign(variable, ops.cast(self._unless_skipped(new, theta), variable.dtype))
        for name, slot in slots.items():
            self.assign(slot, self._unless_skipped(new_state[name], state[name]))

    def _follow_rule(
        self, theta: Tensor, g: Tensor, state: dict[str, Tensor], t: Tensor, settings: Any
    ) -> tuple[Tensor, dict[str, Tensor]]:
        xp = namespace(theta)
        if keras.config.backend() == "tensorflow":
            # A rule that does more with t than a Number can is given the tensor.
            with suppress(TypeError, ValueError, AttributeError):
                return self.rule.update(xp, theta, g, state, Number(t), settings)
        return self.rule.update(xp, theta, g, state, t, settings)

    def _slots_of(self, variable: Variable) -> dict[str, Variable]:
        index = self._get_variable_index(variable)
        return {name: self._slots[name][index] for name in self._names}

    def _step_number(self, dtype: str) -> Tensor:
        t = ops.cast(self.iterations, dtype) + 1
        return t - ops.cast(self._skipped, dtype) if self.nonfinite == "skip" else t

    def _settings_now(self, variable: Variable, learning_rate: Any, dtype: str) -> dict[str, Any]:
        settings = {"lr": _cast(learning_rate, dtype)}
        for name in self.rule.hyperparameters:
            if name != "lr":
                value = getattr(self, name)
                settings[name] = _cast(self._now(value), dtype) if callable(value) else value
        if "weight_decay" in settings and not self._use_weight_decay(variable):
            settings["weight_decay"] = 0.0
        return settings

    def _decayed(self, theta: Tensor, variable: Variable, lr: Tensor) -> Tensor:
        """Return θ less Keras's own weight decay, which rules with a decay of their own replace."""
        share = self._keras_decay()
        if not share or not self._use_weight_decay(variable):
            return theta
        return theta - theta * share * lr

    def _keras_decay(self) -> float:
        own = "weight_decay" in self.rule.hyperparameters
        return 0.0 if own or self.weight_decay is None else float(self.weight_decay)

    def _unless_skipped(self, new: Tensor, old: Tensor) -> Tensor:
        return ops.where(self._finite, new, old) if self.nonfinite == "skip" else new


def _is_overwritten(variable: Variable) -> bool:
    return bool(getattr(variable, "overwrite_with_gradient", False))


def _cast(value: Any, dtype: str) -> Tensor:
    """Return a number or tensor as ``dtype``, without passing through float32 on TensorFlow."""
    if isinstance(value, int | float):
        return ops.convert_to_tensor(value, dtype)
    return ops.cast(value, dtype)
