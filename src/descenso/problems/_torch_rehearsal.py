"""Run a torch problem for one step and one evaluation, to say early what is wrong with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from descenso.data import Data, Split
from descenso.errors import ProblemError
from descenso.language import _
from descenso.problems._figures import accuracy
from descenso.problems._problem import Problem
from descenso.problems._rehearsal import _scalar, _try
from descenso.problems._torch_losses import cross_entropy
from descenso.problems._torch_switches import own_randomness, seed_everything
from descenso.problems._torch_tensors import Batch, floating_dtype, tensors_of


def rehearse_torch(problem: Problem, data: Data) -> float:
    """Check that a torch problem can be trained on its data; return its untrained loss.

    Raises
    ------
    ProblemError
        If the module's weights do not follow the seed, or none can be trained; if its outputs are
        not one tensor, change shape, or do not fit the labels; if it remembers what is neither a
        parameter nor a buffer; if evaluating changes it; if loss or metric fail on the first
        batch, are not one finite number, or the loss depends on no parameter.
    """
    module = initialised(problem, data.train)
    _check_weights_follow_the_seed(problem, data.train, module)
    _check_trainable(module)
    batch = tensors_of(data.train, floating_dtype(module), slice(problem.batch_size))
    with own_randomness():
        seed_everything(0)
        loss = _rehearse_step(problem, module, batch, data)
        _check_can_be_resumed(module, initialised(problem, data.train), batch)
        _rehearse_evaluation(problem, module, data.validation)
    return loss


def initialised(problem: Problem, train: Split, rng: np.random.Generator | None = None) -> Any:
    """Return a new module; lazy layers have seen two examples, and know their sizes."""
    module = problem.init(rng or np.random.default_rng(0))
    if any(torch.nn.parameter.is_lazy(p) for p in (*module.parameters(), *module.buffers())):
        inputs, _targets = tensors_of(train, torch.get_default_dtype(), slice(2))
        with own_randomness(), torch.no_grad():
            seed_everything(0)
            module.eval()(*inputs)
    return module.train()


def _check_weights_follow_the_seed(problem: Problem, train: Split, module: Any) -> None:
    again = initialised(problem, train)
    mine, others = module.state_dict(), again.state_dict()
    if again is module or any(a is b for a in module.parameters() for b in again.parameters()):
        raise ProblemError(
            _("make_model must make a new module each time; it returned the same weights twice")
        )
    for name, tensor in mine.items():
        if name not in others or not torch.equal(tensor, others[name]):
            raise ProblemError(
                _(
                    "make_model gave {name} other values when called again with the same seed; "
                    "draw from torch's, NumPy's or Python's global generators only"
                ).format(name=name)
            )


def _check_trainable(module: Any) -> None:
    parameters = {n: p for n, p in module.named_parameters() if p.requires_grad}
    if not parameters:
        raise ProblemError(_("the module has no parameter that requires a gradient"))
    for name, parameter in parameters.items():
        if not torch.isfinite(parameter).all():
            raise ProblemError(
                _("init: parameter {path} holds values that are not finite").format(path=name)
            )


def _rehearse_step(problem: Problem, module: Any, batch: Batch, data: Data) -> float:
    inputs, targets = batch
    before = _remembered(module)
    outputs = _outputs(module, inputs)
    _check_covers_labels(problem, outputs, data)
    found = _try(lambda: problem.loss(outputs, targets), _("loss"))
    loss = _scalar(lambda: _plain(found), _("loss"))
    _scalar(lambda: _plain(problem.metric.function(outputs.detach(), targets)), _("metric"))
    if not (isinstance(found, torch.Tensor) and found.requires_grad):
        raise ProblemError(_("the loss does not depend on any parameter that requires a gradient"))
    _try(found.backward, _("the gradient"))
    again = _outputs(module, inputs)
    if again.shape != outputs.shape:
        raise ProblemError(
            _("the module's outputs change shape: {first}, then {second}").format(
                first=tuple(outputs.shape), second=tuple(again.shape)
            )
        )
    _check_remembers_nothing(before, _remembered(module))
    return loss


def _rehearse_evaluation(problem: Problem, module: Any, part: Split) -> None:
    inputs, targets = tensors_of(part, floating_dtype(module), slice(problem.batch_size))
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    module.eval()
    with torch.no_grad():
        outputs = _outputs(module, inputs)
        again = _outputs(module, inputs)
    _try(lambda: problem.loss(outputs, targets), _("loss"))
    _try(lambda: problem.metric.function(outputs, targets), _("metric"))
    if not torch.equal(outputs.nan_to_num(), again.nan_to_num()):
        raise ProblemError(
            _("the module gives other outputs for the same inputs when it evaluates (eval mode)")
        )
    for name, tensor in module.state_dict().items():
        if not torch.equal(tensor.nan_to_num(), before[name].nan_to_num()):
            raise ProblemError(_("evaluating (eval mode) changes {name}").format(name=name))


def _outputs(module: Any, inputs: tuple[torch.Tensor, ...]) -> torch.Tensor:
    outputs = _try(lambda: module(*inputs), _("the module"))
    if not isinstance(outputs, torch.Tensor):
        raise ProblemError(
            _("the module must return one tensor; it returned {kind}").format(
                kind=type(outputs).__name__
            )
        )
    if not outputs.ndim or len(outputs) != len(inputs[0]):
        raise ProblemError(
            _("{examples} examples gave outputs of shape {shape}; each needs one").format(
                examples=len(inputs[0]), shape=tuple(outputs.shape)
            )
        )
    return outputs


def _check_covers_labels(problem: Problem, outputs: torch.Tensor, data: Data) -> None:
    if problem.loss is not cross_entropy and problem.metric.function is not accuracy:
        return
    if outputs.ndim != 2:
        raise ProblemError(
            _("classification needs outputs of shape (examples, classes); got {shape}").format(
                shape=tuple(outputs.shape)
            )
        )
    largest = max(int(np.max(part.targets)) for part in (data.train, data.validation, data.test))
    if largest >= outputs.shape[1]:
        raise ProblemError(
            _(
                "the module gives {classes} outputs, but there is a label {label} "
                "(labels count from 0)"
            ).format(classes=outputs.shape[1], label=largest)
        )


def _plain(value: Any) -> Any:
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value


def _remembered(module: Any) -> dict[str, Any]:
    """Return the numbers that a module keeps besides its parameters and buffers."""
    return {
        f"{path}.{name}".lstrip("."): value
        for path, part in module.named_modules()
        for name, value in vars(part).items()
        if isinstance(value, bool | int | float | str)
    }


def _check_can_be_resumed(stepped: Any, new: Any, batch: Batch) -> None:
    """Check that a new module with the parameters and buffers of one that has trained goes on as it.

    This finds what a look at attributes cannot: tensors, containers and globals that matter, and
    lets those pass that do not.
    """
    _copy_tensors(stepped, new)
    outputs = []
    for module in (stepped, new):
        seed_everything(0)
        outputs.append(_outputs(module, batch[0]).detach())
    if outputs[0].shape != outputs[1].shape or not torch.allclose(
        outputs[0], outputs[1], rtol=1e-4, atol=1e-6, equal_nan=True
    ):
        raise ProblemError(
            _(
                "after a step, a new module with the same parameters, buffers and seed gives other "
                "outputs: the module remembers something elsewhere (an attribute, a global), so a "
                "run could not be resumed. Make it a parameter or a registered buffer"
            )
        )


def _copy_tensors(source: Any, target: Any) -> None:
    mine = {**dict(source.named_parameters()), **dict(source.named_buffers())}
    theirs = {**dict(target.named_parameters()), **dict(target.named_buffers())}
    with torch.no_grad():
        for name in mine.keys() & theirs.keys():
            if mine[name].shape == theirs[name].shape:
                theirs[name].copy_(mine[name])


def _check_remembers_nothing(before: dict[str, Any], after: dict[str, Any]) -> None:
    for name, value in after.items():
        if name not in before or value != before[name]:
            raise ProblemError(
                _(
                    "training changes the module's {name} from {before!r} to {after!r}; what it "
                    "remembers must be a parameter or a registered buffer, or a run could not be "
                    "resumed"
                ).format(name=name, before=before.get(name), after=value)
            )
