"""Run a torch problem for one step and one evaluation, to say early what is wrong with it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from torch.func import functional_call

from descenso.data import Data, Split
from descenso.errors import ProblemError
from descenso.language import _
from descenso.problems._accuracy import Accuracy
from descenso.problems._figures import accuracy
from descenso.problems._loss_evidence import ENLARGED, rows_that_show, warn_of_loss
from descenso.problems._pairing import check_pairing, differ_by_ones, remedy, unfit
from descenso.problems._problem import Problem
from descenso.problems._rehearsal import _scalar, _try, count_from_zero, failed, say_of_equal_starts
from descenso.problems._torch_calls import Inputs, called, left_as_given, outputs_of, same
from descenso.problems._torch_losses import (
    cross_entropy,
    evaluated,
    ignored_label,
    takes_labels,
    to_ignore,
)
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
        batch, broadcast outputs against targets, are not one finite number, or the loss depends on
        no parameter; if a gradient is sparse.
    """
    module = initialised(problem, data.train)
    _check_weights_follow_the_seed(problem, data.train, module)
    other = initialised(problem, data.train, np.random.default_rng(1))
    say_of_equal_starts(module.state_dict(), other.state_dict(), _equal)
    del other  # a module may be large
    _check_trainable(module)
    _check_loss_has_nothing_to_train(problem.loss)
    batch = tensors_of(data.train, floating_dtype(module), slice(problem.batch_size))
    with own_randomness():
        seed_everything(0)
        loss = _rehearse_step(problem, module, batch, data)
        _check_can_be_resumed(problem, module, initialised(problem, data.train), batch)
        _rehearse_evaluation(problem, module, data.validation)
    return loss


def initialised(problem: Problem, train: Split, rng: np.random.Generator | None = None) -> Any:
    """Return a new module; lazy layers have seen two examples, and know their sizes."""
    module = problem.init(rng or np.random.default_rng(0))
    if any(torch.nn.parameter.is_lazy(p) for p in (*module.parameters(), *module.buffers())):
        inputs, _targets = tensors_of(train, torch.get_default_dtype(), slice(2))
        with own_randomness(), torch.no_grad():
            seed_everything(0)
            called(problem, module.eval(), inputs)
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


def _equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)


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
    outputs = outputs_of(problem, module, inputs, say=True)
    _check_covers_labels(problem, outputs, data)
    with left_as_given(_("the loss"), _("outputs or targets"), outputs, targets):
        found = _loss_of(problem, outputs, targets)
    loss = _scalar(lambda: _plain(found), _("loss"))
    judged = outputs.detach()
    with left_as_given(_("the metric"), _("outputs or targets"), judged, targets):
        _scalar(lambda: _plain(problem.metric.function(judged, targets)), _("metric"))
    _check_pairings(problem, outputs, data)
    precise = outputs.dtype if outputs.element_size() > 2 else torch.float32
    some = rows_that_show(outputs.shape)
    warn_of_loss(
        evaluated(problem.loss, precise), _plain(outputs[:some]), targets[:some].numpy(), 1,
        lambda: _plain(_enlarged(problem, module, tuple(x[:some] for x in inputs))),
    )  # fmt: skip
    if not (isinstance(found, torch.Tensor) and found.requires_grad):
        raise ProblemError(_("the loss does not depend on any parameter that requires a gradient"))
    _try(found.backward, _("the gradient"))
    _check_dense(module)
    again = outputs_of(problem, module, inputs)
    if again.shape != outputs.shape:
        raise ProblemError(
            _("the module's outputs change shape: {first}, then {second}").format(
                first=tuple(outputs.shape), second=tuple(again.shape)
            )
        )
    _check_remembers_nothing(before, _remembered(module))
    return loss


def _enlarged(problem: Problem, module: Any, inputs: Inputs) -> torch.Tensor:
    """Return the outputs at far larger parameters, which show whether they have bounds."""
    larger = {name: ENLARGED * parameter for name, parameter in module.named_parameters()}

    def call(*given: Any, **named: Any) -> Any:
        return functional_call(module, larger, given, named)

    module.eval()
    try:
        with torch.no_grad():
            return outputs_of(problem, call, inputs)
    finally:
        module.train()


def _check_loss_has_nothing_to_train(loss: Any) -> None:
    if isinstance(loss, torch.nn.Module):
        for name, parameter in loss.named_parameters():
            if parameter.requires_grad:
                raise ProblemError(
                    _(
                        "the loss has a parameter of its own, {name}, which nothing would train: hold "
                        "it in the module, or call loss.requires_grad_(False)"
                    ).format(name=name)
                )


def _loss_of(problem: Problem, outputs: torch.Tensor, targets: torch.Tensor) -> Any:
    """Return the loss of a batch, or say what its targets lack."""
    shapes = tuple(outputs.shape), tuple(targets.shape)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Using a target size")
            return problem.loss(outputs, targets)
    except ProblemError:
        raise
    except UserWarning as warning:  # torch broadcasts outputs against targets
        raise ProblemError(unfit(_("loss"), *shapes)) from warning
    except Exception as error:
        hint = ""
        if not targets.is_floating_point() and _works(problem, outputs, targets.to(outputs.dtype)):
            hint = _(" It takes targets as floating numbers: give targets.float().")
        elif targets.is_floating_point() and _works(problem, outputs, targets.long()):
            hint = _(" It takes targets as whole numbers: give targets.long().")
        elif _works(problem, outputs.sigmoid(), targets):
            hint = _(
                " It takes outputs between 0 and 1: end the module with nn.Sigmoid(), or give the "
                "loss that takes scores (nn.BCEWithLogitsLoss())."
            )
        elif shapes[0] != shapes[1] and differ_by_ones(*shapes):
            hint = f" {remedy(*shapes)}."
        raise ProblemError(failed(_("loss"), error).rstrip(".") + (hint and "." + hint)) from error


def _works(problem: Problem, outputs: torch.Tensor, targets: torch.Tensor) -> bool:
    try:
        problem.loss(outputs.detach(), targets)
    except Exception:
        return False
    return True


def _check_pairings(problem: Problem, outputs: torch.Tensor, data: Data) -> None:
    """Check that loss and metric set each output against its own target."""
    dtype, targets = outputs.dtype, np.asarray(data.train.targets)
    functions = {_("loss"): problem.loss}
    if problem.metric.function is not problem.loss:
        functions[_("metric")] = problem.metric.function
    for what, function in functions.items():
        check_pairing(evaluated(function, dtype), tuple(outputs.shape), targets, what)


def _check_dense(module: Any) -> None:
    """Check that no gradient is sparse: the rules move whole tensors."""
    for name, parameter in module.named_parameters():
        if parameter.grad is not None and parameter.grad.layout is not torch.strided:
            raise ProblemError(
                _(
                    "the gradient of {name} is sparse; the optimizers compared take dense ones. Make "
                    "the layer with sparse=False (nn.Embedding, nn.EmbeddingBag)"
                ).format(name=name)
            )


def _rehearse_evaluation(problem: Problem, module: Any, part: Split) -> None:
    inputs, targets = tensors_of(part, floating_dtype(module), slice(problem.batch_size))
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    module.eval()
    with torch.no_grad():
        outputs = outputs_of(problem, module, inputs)
        again = outputs_of(problem, module, inputs)
    _try(lambda: problem.loss(outputs, targets), _("loss"))
    _try(lambda: problem.metric.function(outputs, targets), _("metric"))
    if not same(outputs, again):
        raise ProblemError(
            _("the module gives other outputs for the same inputs when it evaluates (eval mode)")
        )
    for name, tensor in module.state_dict().items():
        if not same(tensor, before[name]):
            raise ProblemError(_("evaluating (eval mode) changes {name}").format(name=name))


def _check_covers_labels(problem: Problem, outputs: torch.Tensor, data: Data) -> None:
    """Check that there is an output for each label that counts."""
    judge = problem.metric.function
    if not (takes_labels(problem.loss) or judge is accuracy or isinstance(judge, Accuracy)):
        return
    targets = [np.asarray(p.targets) for p in (data.train, data.validation, data.test)]
    if problem.loss is cross_entropy and (
        outputs.ndim < 2 or (targets[0].ndim == 1 and outputs.ndim > 2)
    ):
        raise ProblemError(
            _("classification needs outputs of shape (examples, classes); got {shape}").format(
                shape=tuple(outputs.shape)
            )
        )
    given = tuple(outputs.shape)
    if outputs.ndim < 2 or (given[1] == 1 and not takes_labels(problem.loss)):
        return
    if given[2:] != targets[0].shape[1:] or targets[0].dtype.kind not in "iu":
        return  # rows of shares, or shapes that the loss refuses
    ignored = ignored_label(problem.loss, targets[0])
    counted = np.concatenate(
        [t[t != ignored] if ignored is not None else t.ravel() for t in targets]
    )
    for label in (counted.max(), counted.min()):
        if not 0 <= label < given[1]:
            raise ProblemError(
                _(
                    "the module gives {classes} outputs, but there is a label {label} "
                    "(labels count from 0)"
                ).format(classes=given[1], label=label)
                + _remedy_for(label, counted, given[1])
            )


def _remedy_for(label: Any, labels: Any, classes: int) -> str:
    """Return what to do about a label without an output, where it can be inferred."""
    others = labels[labels != label]
    if others.size and others.min() >= 0 and others.max() < classes and label > classes:
        return to_ignore(label)
    return count_from_zero(labels.min(), labels.max(), classes)


def _plain(value: Any) -> Any:
    return value.detach().cpu().double().numpy() if isinstance(value, torch.Tensor) else value


def _remembered(module: Any) -> dict[str, Any]:
    """Return the numbers that a module keeps besides its parameters and buffers."""
    return {
        f"{path}.{name}".lstrip("."): value
        for path, part in module.named_modules()
        for name, value in vars(part).items()
        if isinstance(value, bool | int | float | str)
    }


def _check_can_be_resumed(problem: Problem, stepped: Any, new: Any, batch: Batch) -> None:
    """Check that a new module with the parameters and buffers of one that has trained goes on as it.

    This finds what a look at attributes cannot: tensors, containers and globals that matter, and
    lets those pass that do not.
    """
    _copy_tensors(stepped, new)
    outputs = []
    for module in (stepped, new):
        seed_everything(0)
        outputs.append(outputs_of(problem, module, batch[0]).detach())
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
