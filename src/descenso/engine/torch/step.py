"""Loss and gradients of one step, as torch runs them or compiled into one function.

Both give the same figures to rounding; which of them a problem takes is decided by its size alone
(:func:`plan_for`), never by a clock, so that every process and every resumed study decides alike.
"""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from torch.func import functional_call, functionalize, grad_and_value

from descenso.errors import in_a_line
from descenso.language import N_
from descenso.problems import Problem
from descenso.problems._torch_switches import one_thread, own_randomness, seed_everything
from descenso.problems._torch_tensors import Batch

Tensors: TypeAlias = list[torch.Tensor]
#: Tensors of a module by name: trained, frozen, buffers.
#: Loss, gradients and new buffers of a step.
Figures: TypeAlias = tuple[torch.Tensor, Tensors, Tensors]
MicroBatches: TypeAlias = tuple[
    dict[str, torch.Tensor], dict[str, torch.Tensor], dict[str, torch.Tensor]
]

#: Members that a study trains to the end at one batch size, roughly; for the projection.
MEMBERS_OF_A_STUDY = 40
#: A compiled step saves about 0.1 ms, and compiling costs 5 to 10 s, once: it is kept on disk.
STEPS_THAT_PAY = 20_000
#: Compiling a rule alone costs about a second, once, and saves a tenth of a millisecond a step.
STEPS_THAT_PAY_FOR_A_RULE = 5_000
#: Another form of a module proves equal on so many draws.
DRAWS = 4
#: Beyond so many operations a step is arithmetic, which compiling does not hasten.
OPERATIONS_THAT_HIDE = 100_000_000


class CannotCompileError(Exception):
    """The step cannot be compiled, or would not do the same; the message says why."""


@dataclass(frozen=True)
class Plan:
    """How the steps at one batch size are taken.

    Attributes
    ----------
    kernels : whether the rule is compiled.
    whole_step : whether loss and gradients are compiled too.
    operations : floating-point operations of one step.
    """

    kernels: bool
    whole_step: bool
    operations: int


def plan_for(problem: Problem, module: torch.nn.Module, batch: Batch, steps: int) -> Plan:
    """Decide how steps are taken.

    Parameters
    ----------
    batch : one batch of the size in question.
    steps : steps of one epoch.
    """
    asked = problem.details.get("compile")
    projected = steps * problem.epochs * MEMBERS_OF_A_STUDY
    operations = _count_operations(problem, module, batch)
    pays = projected >= STEPS_THAT_PAY if asked is None else bool(asked)
    small = operations <= OPERATIONS_THAT_HIDE or bool(asked)
    on_cpu = batch[1].device.type == "cpu"
    kernels = bool(asked) or projected >= STEPS_THAT_PAY_FOR_A_RULE
    # Beyond a CPU a small step is all launches, which one compiled function spares; what does not
    # compile there, or gives other figures, runs as it is.
    return Plan(kernels and on_cpu, pays and small, operations)


def _count_operations(problem: Problem, module: torch.nn.Module, batch: Batch) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    trained = list(parts_of(module)[0].values())
    with own_randomness(), FlopCounterMode(display=False) as counter:
        seed_everything(0)
        eager(problem, module, trained, batch)
    return int(counter.get_total_flops())


def parts_of(module: torch.nn.Module) -> MicroBatches:
    """Return the module's tensors by name; a tied tensor once."""
    parameters = dict(module.named_parameters())
    trained: dict[str, torch.Tensor] = {n: p for n, p in parameters.items() if p.requires_grad}
    frozen: dict[str, torch.Tensor] = {n: p for n, p in parameters.items() if not p.requires_grad}
    return trained, frozen, dict(module.named_buffers())


def eager(
    problem: Problem, module: torch.nn.Module, trained: Tensors, batch: Batch
) -> tuple[torch.Tensor, Tensors]:
    """Return loss and gradients; a parameter that the loss does not reach has a gradient of 0."""
    inputs, targets = batch
    loss = problem.loss(problem.apply(module, inputs), targets)
    gradients = torch.autograd.grad(loss, trained, allow_unused=True)
    return loss, [
        torch.zeros_like(p) if g is None else g for p, g in zip(trained, gradients, strict=True)
    ]


def draws_elsewhere(problem: Problem, module: torch.nn.Module, batch: Batch) -> bool:
    """Whether a step draws from Python's or NumPy's generators."""
    trained = list(parts_of(module)[0].values())
    with own_randomness():
        seed_everything(0)
        before = _elsewhere()
        eager(problem, module, trained, batch)
        return _elsewhere() != before


def _elsewhere() -> tuple[Any, ...]:
    numpy_state: Any = np.random.get_state()
    return random.getstate(), numpy_state[1].tolist(), numpy_state[2:]


def gains_from_channels_last(problem: Problem, module: torch.nn.Module, batch: Batch) -> bool:
    """Whether a module convolves images, and gives the same loss with channels laid last.

    On a CPU convolution and pooling then take two thirds of the time, and evaluation a third.
    """
    if not any(isinstance(part, torch.nn.Conv2d) for part in module.modules()):
        return False
    trained = list(parts_of(module)[0].values())
    try:
        with own_randomness():
            losses = []
            for memory_format in (torch.contiguous_format, torch.channels_last):
                seed_everything(0)
                module.to(memory_format=memory_format)  # type: ignore[call-overload]
                losses.append(eager(problem, module, trained, batch)[0].detach())
    except Exception:  # a view of a tensor that is laid out otherwise
        return False
    return _close(losses[1], losses[0])


# ---- the compiled step ------------------------------------------------------------------------


@dataclass(frozen=True)
class CompiledStep:
    """Loss and gradients as one compiled function, for any weights of a module.

    It takes the tensors trained, frozen and buffers, inputs and targets in one list, and returns
    the loss, the gradients laid end to end, and the new buffers.
    """

    call: Callable[[list[torch.Tensor]], tuple[torch.Tensor, ...]]
    seconds: float


def compile_step(problem: Problem, module: torch.nn.Module, batch: Batch) -> CompiledStep:
    """Compile the step of a module in training mode at this batch size, and prove it equal.

    Raises
    ------
    CannotCompileError
        If it cannot be traced or compiled, or gives other figures than the module itself.
    """
    started = time.perf_counter()
    parts = parts_of(module)
    if len({p.dtype for p in parts[0].values()}) > 1 or any(
        p.is_complex() or not p.is_contiguous() for p in parts[0].values()
    ):
        raise CannotCompileError(N_("its parameters are of several types, or laid out unusually"))
    if has_hooks(module):
        raise CannotCompileError(N_("it has hooks"))
    try:
        with one_thread(), own_randomness(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the compiler's own, about itself
            call = _compiled(_flat_step(problem, module, parts, len(batch[0])), _row(parts, batch))
            _prove_equal(problem, module, parts, batch, call)
    except CannotCompileError:
        raise
    except Exception as error:  # whatever the compiler throws, the other path still works
        raise CannotCompileError(in_a_line(error)) from error
    return CompiledStep(call, time.perf_counter() - started)


def has_hooks(module: torch.nn.Module) -> bool:
    """Whether anything is called when a part of the module runs, forwards or back."""
    parts = any(
        part._forward_hooks
        or part._forward_pre_hooks
        or part._backward_hooks
        or part._backward_pre_hooks
        for part in module.modules()
    )
    return bool(parts or any(p._backward_hooks for p in module.parameters()))


def _row(parts: MicroBatches, batch: Batch) -> Tensors:
    tensors = [tensor for part in parts for tensor in part.values()]
    return [*(t.detach() for t in tensors), *batch[0], batch[1]]


def _flat_step(
    problem: Problem, module: torch.nn.Module, parts: MicroBatches, inputs: int
) -> Callable[..., tuple[torch.Tensor, ...]]:
    names = [list(part) for part in parts]
    ends = np.cumsum([len(part) for part in parts]).tolist()

    def step(*row: torch.Tensor) -> tuple[torch.Tensor, ...]:
        trained, frozen, buffers = row[: ends[0]], row[ends[0] : ends[1]], row[ends[1] : ends[2]]
        examples, targets = row[ends[2] : ends[2] + inputs], row[-1]

        def objective(moved: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, Tensors]:
            kept = [buffer.clone() for buffer in buffers]
            tensors: dict[str, torch.Tensor] = {}
            for part, given in zip(names, (moved, frozen, kept), strict=True):
                tensors.update(zip(part, given, strict=True))
            outputs = problem.apply(lambda *x: functional_call(module, tensors, x), examples)
            return problem.loss(outputs, targets), kept

        gradients, (loss, kept) = grad_and_value(objective, has_aux=True)(trained)
        return loss, torch.cat([g.reshape(-1) for g in gradients]), *kept

    return step


def _compiled(step: Callable[..., Any], row: Tensors) -> Callable[..., Any]:
    import torch._inductor.config as settings
    from torch._guards import TracingContext, tracing
    from torch._inductor.compile_fx import compile_fx_inner
    from torch._inductor.decomposition import select_decomp_table
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.fx.experimental.proxy_tensor import make_fx

    mode = FakeTensorMode()
    fake = [mode.from_tensor(tensor) for tensor in row]
    with mode:
        pure = functionalize(step, remove="mutations")
        table = {**select_decomp_table(), torch.ops.aten.bernoulli.p: _bernoulli}
        table.pop(torch.ops.aten.native_dropout.default, None)
        graph = make_fx(pure, table)(*fake)
    graph.graph.eliminate_dead_code()
    graph.recompile()
    if any(node.op == "get_attr" for node in graph.graph.nodes):
        raise CannotCompileError(N_("it holds tensors that are neither parameters nor buffers"))
    chosen = {"cpp.threads": 1, "size_asserts": False, "fallback_random": True}
    with settings.patch(chosen), tracing(TracingContext(mode)), torch.no_grad():
        compiled: Any = compile_fx_inner(graph, fake)
    return compiled  # type: ignore[no-any-return]


def _bernoulli(like: torch.Tensor, p: float) -> torch.Tensor:
    """Draw as ``bernoulli`` does, by an operation whose order of draws the compiler keeps."""
    ones = torch.ones_like(like)
    mask: torch.Tensor = torch.native_dropout(ones, 1 - p, True)[1]
    return mask.to(like.dtype)


def _prove_equal(
    problem: Problem,
    module: torch.nn.Module,
    parts: MicroBatches,
    batch: Batch,
    call: Callable[..., Any],
) -> None:
    """Compare with the module itself on several draws: a step that branches on chance differs."""
    for seed in range(DRAWS):
        torch.manual_seed(seed)
        with torch.no_grad():
            loss, flat, *new = call(_row(parts, batch))
        if not same_step((loss, [flat], new), figures(problem, module, parts, batch, seed)):
            raise CannotCompileError(N_("compiled, it gives other figures than as it is"))


def same_step(ours: Figures, wanted: Figures) -> bool:
    """Compare loss, gradients (as one: some are nothing but rounding) and buffers of two steps."""

    def parts(step: Figures) -> Tensors:
        loss, gradients, buffers = step
        return [loss, torch.cat([g.reshape(-1) for g in gradients]), *buffers]

    return all(_close(*pair) for pair in zip(parts(ours), parts(wanted), strict=True))


def figures(
    problem: Problem, form: torch.nn.Module, parts: MicroBatches, batch: Batch, seed: int
) -> Figures:
    """Return loss, gradients and new buffers of a step with the draws of a seed.

    ``form`` computes the outputs of the module whose ``parts`` these are; they stay as they were.
    """
    trained, _frozen, buffers = parts
    kept = [buffer.clone() for buffer in buffers.values()]
    torch.manual_seed(seed)
    loss, gradients = eager(problem, form, list(trained.values()), batch)
    new = [buffer.clone() for buffer in buffers.values()]
    with torch.no_grad():
        for buffer, old in zip(buffers.values(), kept, strict=True):
            buffer.copy_(old)
    return loss.detach(), gradients, new


def _close(got: torch.Tensor, right: torch.Tensor) -> bool:
    got, right = got.double(), right.double()
    scale = float(right.abs().max()) if right.numel() else 0.0
    return bool(torch.allclose(got, right, rtol=1e-3, atol=1e-5 * scale, equal_nan=True))
