"""The base of all rules as PyTorch optimizers; a class for each rule is made in ``_classes``."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from operator import is_
from typing import Any, ClassVar, Literal

import torch
from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks

from descenso.errors import ParameterError, ParameterTypeError, SettingError
from descenso.language import _
from descenso.rules import Rule
from descenso.torch import (
    _checkpoint,
    _foreach,
    _kernel,
    _recipe,
    _schedules,
    _transforms,
    inductor,
    trace,
)
from descenso.torch._parameters import (
    as_real,
    check_parameter,
    find_name,
    is_lazy,
    is_sharded,
    name_of,
)
from descenso.torch._plain import arithmetic
from descenso.torch._settings import check_keys, check_numbers, check_settings, values_of
from descenso.torch._step import FOREACH, KERNEL, PLAIN, GroupStep
from descenso.transforms import check as check_transforms

STATE_DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16}
_NONFINITE = ("pass", "skip", "raise")
_OWN = (
    "_state_dtype",
    "_nonfinite",
    "_compile",
    "_foreach",
    "skipped_steps",
    "_scheduled",
    "_transforms",
)
_MORE_THAN_A_CACHE = 1 << 20  # elements: with their gradients, 8 MB of float32
_said_no_compiler = False
_BY_DEFAULT: Any = object()


class RuleOptimizer(torch.optim.Optimizer):
    """A rule as a ``torch.optim.Optimizer``. Use its subclasses, one for each rule."""

    rule: ClassVar[Rule]

    def __init__(
        self,
        /,
        params: Iterable[Any],
        lr: Any = _BY_DEFAULT,
        *more: Any,
        maximize: bool = False,
        state_dtype: str | torch.dtype | None = None,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        compile: bool | None = None,
        foreach: bool | None = None,
        transforms: Iterable[Any] = (),
        **settings: Any,
    ) -> None:
        if isinstance(params, torch.Tensor):
            raise ParameterTypeError(
                _(
                    "params must be an iterable of parameters; got one tensor of shape {shape}"
                ).format(shape=tuple(params.shape))
            )
        if more:
            raise SettingError(
                _("{rule}: give settings after lr by name: {known}; got {value!r}").format(
                    rule=self.rule.name, known=", ".join(self.rule.hyperparameters), value=more[0]
                )
            )
        if lr is not _BY_DEFAULT:
            settings = {"lr": lr, **settings}
        self._scheduled = _schedules.take_out(settings)
        self._transforms = check_transforms(transforms)
        check_settings(self.rule, _schedules.without(settings, self._scheduled, self.rule))
        self._state_dtype = _read_state_dtype(state_dtype)
        if nonfinite not in _NONFINITE:
            raise SettingError(
                _("nonfinite must be one of {choices}; got {value!r}").format(
                    choices=", ".join(_NONFINITE), value=nonfinite
                )
            )
        if compile and foreach:
            raise SettingError(_("choose compile or foreach, not both"))
        self._nonfinite, self._compile, self._foreach = nonfinite, compile, foreach
        self.skipped_steps = 0
        self._elementwise = trace.is_elementwise(self.rule)
        self._steps: list[GroupStep] = []
        self._known: list[dict[str, Any]] = []  # the groups that they step
        given = {n: settings.get(n, h.default) for n, h in self.rule.hyperparameters.items()}
        parameters = list(params)
        if not parameters:
            raise ParameterError(_("the list of parameters is empty"))
        counted = {_schedules.UPDATES: 0} if self._transforms else {}
        super().__init__(
            parameters, {**given, "maximize": maximize, "rule": self.rule.name, **counted}
        )
        cycled = _schedules.cycled(self.rule)
        if cycled is not None:  # torch's schedules cycle only what has a default by this name
            self.defaults.setdefault(_schedules.MOMENTUM, given[cycled])

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters, with settings of its own where it gives any.

        Raises
        ------
        SettingError
            If one of its settings is unknown or out of range.
        ParameterError
            If a parameter cannot be trained.
        """
        if not isinstance(param_group, dict):
            raise ParameterTypeError(
                _("a parameter group is a dict; got {value!r}").format(value=param_group)
            )
        own = _schedules.take_out(param_group, self.rule)
        check_numbers(self.rule, _schedules.without(param_group, own, self.rule))
        if "rule" not in param_group:  # else it was a group of descenso's already
            check_keys(self.rule, param_group)
        self._refuse_options(param_group)
        _schedules.enter(param_group, own, self._scheduled)
        super().add_param_group(param_group)
        param_group["rule"] = self.rule.name
        _schedules.forget_default(param_group, self.rule)
        index = len(self.param_groups) - 1
        try:
            values_of(self.rule, param_group)
            for i, parameter in enumerate(param_group["params"]):
                name = name_of(self.param_groups, index, i)
                check_parameter(parameter, name, self._elementwise, self.rule.name)
        except Exception:
            self.param_groups.pop()
            raise
        self._steps, self._known = [], []

    def _refuse_options(self, group: dict[str, Any]) -> None:
        """Refuse options of the whole optimizer that a group would have otherwise."""
        for name in ("nonfinite", "compile", "foreach", "state_dtype"):
            given = group.get(name)
            read = _read_state_dtype(given) if name == "state_dtype" else given
            if given is not None and read != getattr(self, f"_{name}"):
                raise SettingError(
                    _("{name} is set for the whole optimizer, not for a group").format(name=name)
                )
        if group.get("transforms") and check_transforms(group["transforms"]) != self._transforms:
            raise SettingError(
                _("{name} is set for the whole optimizer, not for a group").format(
                    name="transforms"
                )
            )

    def step(self, *call: Any, **named: Any) -> Any:
        """Take one step.

        Parameters
        ----------
        closure : computes the loss and its gradients again; what it returns is returned.

        Raises
        ------
        SettingError
            If a setting has been changed to something out of range.
        ParameterError
            If a gradient is sparse, or not finite under ``nonfinite="raise"``.
        """
        if torch.compiler.is_compiling():
            return self._untraced_step(*call, **named)
        # torch wraps every step in a profiler's record (6 µs); here only where someone looks.
        if (
            self._optimizer_step_pre_hooks
            or self._optimizer_step_post_hooks
            or _global_optimizer_pre_hooks
            or _global_optimizer_post_hooks
            or torch._C._autograd._profiler_enabled()
        ):
            return self._profiled_step(*call, **named)
        return self._take_step(*call, **named)

    step.hooked = True  # type: ignore[attr-defined]  # torch must not wrap it once more
    step.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD),
            inspect.Parameter("closure", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None),
        ]
    )

    def _take_step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        steps = self._current_steps()
        _schedules.set_values(self.param_groups, self.rule)
        if self._nonfinite != "pass" and not self._gradients_are_finite():
            self.skipped_steps += 1
            return loss
        if self._transforms:
            rows = [
                (p, group) for group in self.param_groups for p in group["params"] if not is_lazy(p)
            ]
            _transforms.step(self._transforms, rows, self.state, lambda: self._follow_rule(steps))
        else:
            self._follow_rule(steps)
        _schedules.count(self.param_groups)
        return loss

    def step_with(self, gradients: Sequence[Sequence[Any] | None]) -> None:
        """Follow the rule with these gradients, group after group; nothing else of a step is done."""
        self._follow_rule(self._current_steps(), gradients)

    def _follow_rule(
        self, steps: list[GroupStep], gradients: Sequence[Sequence[Any] | None] | None = None
    ) -> None:
        given = [None] * len(steps) if gradients is None else gradients
        rows = zip(steps, self.param_groups, given, strict=True)
        work = [step.collect(group, self.state, own) for step, group, own in rows]
        for step, ready in zip(steps, work, strict=True):
            step.run(ready)

    # A step is compiled already; traced, it would compile at every step number.
    @torch._disable_dynamo  # type: ignore[attr-defined]
    def _untraced_step(self, *call: Any, **named: Any) -> Any:
        return type(self).step(self, *call, **named)  # the instance may have a wrapped one

    _profiled_step = torch.optim.Optimizer.profile_hook_step(_take_step)

    def averages(self) -> list[torch.Tensor]:
        """Return the averaged parameters, group after group; see also ``descenso.torch.averaged``.

        Raises
        ------
        SettingError
            If not exactly one of the transforms averages.
        """
        return _transforms.averages(self._transforms, self.param_groups, self.state)

    def _current_steps(self) -> list[GroupStep]:
        """Return what steps each group; made anew where groups came, went or changed places."""
        groups = self.param_groups
        if len(self._known) == len(groups) and all(map(is_, self._known, groups)):
            return self._steps
        return self._make_steps()

    def _make_steps(self) -> list[GroupStep]:
        groups = self.param_groups
        for group in groups:
            self._complete(group)
        path = self._choose_path()
        self._known = list(groups)
        self._steps = [
            GroupStep(
                self.rule, path, self._state_dtype, lambda p: find_name(groups, p), group,
                self._elementwise,
            )
            for group in groups
        ]  # fmt: skip
        return self._steps

    def _complete(self, group: dict[str, Any]) -> None:
        """Give a group that was put into the list by hand, or saved long ago, what it lacks."""
        _schedules.enter(group, {}, self._scheduled)
        for name, value in self.defaults.items():
            if name != _schedules.MOMENTUM or name in self.rule.hyperparameters:
                group.setdefault(name, value)
        group.setdefault("maximize", False)

    def _choose_path(self) -> str:
        """Return the fastest path asked for that works here."""
        if not self._elementwise or (self._compile is False and not self._foreach):
            return PLAIN
        parameters = [p for group in self.param_groups for p in group["params"] if not is_lazy(p)]
        if self._foreach or (self._compile is None and self._only_streams_gradients(parameters)):
            return FOREACH
        on_cpu = all(p.device.type == "cpu" for p in parameters)
        if not on_cpu:
            if self._compile:
                raise SettingError(
                    _("compile=True: kernels are made for the CPU only; use foreach=True")
                )
            return FOREACH
        problem = self._try_kernels(parameters)
        if problem is None:
            return KERNEL
        if self._compile:
            raise SettingError(_("compile=True: no kernel can be made: {why}").format(why=problem))
        _say_no_compiler(problem)
        return FOREACH

    def _try_kernels(self, parameters: list[torch.Tensor]) -> str | None:
        """Compile what the parameters need; return what stands in the way, if anything does."""
        try:
            for group in self.param_groups:
                names, switches = self._arrays_and_switches(group)
                floats = [p for p in group["params"] if p.is_floating_point() and not is_lazy(p)]
                for dtype in {p.dtype for p in floats}:
                    kept = self._state_dtype or arithmetic(dtype)
                    kept = kept if names else arithmetic(dtype)
                    _kernel.compiled(
                        _recipe.Recipe(
                            self.rule,
                            names,
                            switches,
                            dtype,
                            kept,
                            bool(group["maximize"]),
                        )
                    )
        except inductor.CannotCompileError as error:
            return str(error)
        return None

    def _only_streams_gradients(self, parameters: list[torch.Tensor]) -> bool:
        """Whether a step is one call of torch, on more than a cache holds: no kernel is faster."""
        if sum(p.numel() for p in parameters) < _MORE_THAN_A_CACHE:
            return False
        shapes = [self._arrays_and_switches(group) for group in self.param_groups]
        return all(_foreach.multiple(trace.cached(self.rule, *shape)) for shape in shapes)

    def _arrays_and_switches(self, group: dict[str, Any]) -> tuple[Any, Any]:
        settings = values_of(self.rule, group)
        switches = [n for n, h in self.rule.hyperparameters.items() if h.is_switch]
        return self.rule.state_names(settings), tuple((n, bool(settings[n])) for n in switches)

    def _gradients_are_finite(self) -> bool:
        bad = [p for group in self.param_groups for p in group["params"] if not _is_finite(p.grad)]
        flag = bool(bad)
        if any(is_sharded(p) for group in self.param_groups for p in group["params"]):
            flag = _any_process(flag)
        if flag and self._nonfinite == "raise":
            names = [find_name(self.param_groups, p) for p in bad]
            raise ParameterError(
                _("the gradient of parameter {name} holds NaN or infinity").format(
                    name=names[0] if names else _("of another process")
                )
            )
        return not flag

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a saved state: arrays, step numbers and settings.

        Parameters with names (``model.named_parameters()``) are matched by name, in any order;
        others by place. Arrays keep the dtype that this optimizer keeps state in.

        Raises
        ------
        SettingError
            If the state is another rule's.
        ParameterError
            If a parameter's state has unknown or missing arrays or another shape; it is named.
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        saved = state_dict["param_groups"]
        _checkpoint.check_groups(self.rule, self.param_groups, saved)
        owners = _checkpoint.owners(self.param_groups, saved)
        settings_of = {i: group for group in saved for i in group["params"]}
        state: dict[Any, Any] = {}
        for saved_id, kept in state_dict["state"].items():
            if saved_id in owners:
                parameter, name = owners[saved_id]
                known = self.rule.state_names(values_of(self.rule, settings_of[saved_id]))
                averaged = _transforms.keys(self._transforms)
                _checkpoint.check_state(self.rule, kept, parameter, name, known, averaged)
                state[parameter] = self._take_over(kept, parameter, (*known, *averaged))
            elif isinstance(saved_id, int):
                raise ParameterError(
                    _("the state holds an unknown parameter {key!r}").format(key=saved_id)
                )
            else:
                state[saved_id] = deepcopy(kept)  # of somebody who keeps it here, as torch allows
        groups = [
            {**deepcopy({k: v for k, v in old.items() if k not in ("params", "param_names")}),
             **{k: group[k] for k in ("params", "param_names") if k in group}, "rule": self.rule.name}
            for group, old in zip(self.param_groups, saved, strict=True)
        ]  # fmt: skip
        self.state.clear()
        self.state.update(state)
        self.__setstate__({"param_groups": groups})
        for post_hook in self._optimizer_load_state_dict_post_hooks.values():
            post_hook(self)

    def _take_over(
        self, kept: dict[str, Any], parameter: torch.Tensor, known: Sequence[str]
    ) -> dict[str, Any]:
        exact = arithmetic(as_real(parameter).dtype) if not is_lazy(parameter) else torch.float32
        dtype = self._state_dtype or exact
        averaged = _transforms.keys(self._transforms)
        taken: dict[str, Any] = {}
        for name, value in kept.items():
            if name == "step":
                taken[name] = int(value)
            elif name in known:
                wanted = exact if name in averaged else dtype
                wanted = wanted.to_complex() if parameter.is_complex() else wanted
                taken[name] = _laid_out_like(value, parameter, wanted)
            elif isinstance(value, torch.Tensor):  # of somebody else
                taken[name] = value.detach().clone().to(parameter.device)
            else:
                taken[name] = deepcopy(value)
        return taken

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), **{name: getattr(self, name) for name in _OWN}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._steps, self._known = [], []
        super().__setstate__(state)
        for group in self.param_groups:
            self._complete(group)
        self._elementwise = trace.is_elementwise(self.rule)


def _laid_out_like(
    value: torch.Tensor, parameter: torch.Tensor, dtype: torch.dtype
) -> torch.Tensor:
    kept = torch.empty_like(parameter, dtype=dtype, requires_grad=False)
    with torch.no_grad():
        return kept.copy_(value)


def _read_state_dtype(given: str | torch.dtype | None) -> torch.dtype | None:
    name = str(given).removeprefix("torch.")
    if given is not None and name not in STATE_DTYPES:
        raise SettingError(
            _("state_dtype must be None or one of {choices}; got {value!r}").format(
                choices=", ".join(STATE_DTYPES), value=given
            )
        )
    return None if given is None else STATE_DTYPES[name]


def _is_finite(gradient: torch.Tensor | None) -> bool:
    if gradient is None or gradient.layout is not torch.strided or not gradient.numel():
        return True
    local = as_real(gradient)
    # The largest absolute value is not finite exactly where some value is not; one pass.
    return bool(torch.isfinite(torch.linalg.vector_norm(local, torch.inf)))


def _any_process(flag: bool) -> bool:
    """Return whether ``flag`` is set in any process: all must skip a step together."""
    votes = torch.tensor([float(flag)])
    torch.distributed.all_reduce(votes, torch.distributed.ReduceOp.MAX)
    return bool(votes)


def _say_no_compiler(problem: str) -> None:
    global _said_no_compiler
    if not _said_no_compiler:
        _said_no_compiler = True
        warnings.warn(
            _(
                "no compiled kernel can be made here, so steps use torch's list operations, which "
                "are slower ({why}); compile=False or foreach=True silences this"
            ).format(why=problem.partition("\n")[0]),
            stacklevel=4,
        )
