"""One member while it is trained: its module, its rule's state, and its checkpoint."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from numpy.typing import NDArray

from descenso import rules
from descenso.engine.bookkeeping import Checkpoint
from descenso.engine.torch.step import CompiledStep, Tensors, eager, parts_of
from descenso.problems import Problem
from descenso.problems.torch_modules import Batch, cut
from descenso.records import Member


class Trainee:
    """A module with the optimizer of its member's rule.

    Parameters
    ----------
    module : new, with the initial weights of the member's seed, in training mode.
    form : what computes the module's outputs in a step: the module, or the same in another form.
    checkpoint : where the member stands; empty at the start.
    kernels : whether the rule is compiled.
    compiled : the compiled step, or ``None``.
    """

    def __init__(
        self,
        problem: Problem,
        module: torch.nn.Module,
        form: torch.nn.Module,
        member: Member,
        checkpoint: Checkpoint,
        kernels: bool,
        compiled: CompiledStep | None,
    ) -> None:
        self.problem, self.module, self.member = problem, module, member
        self._form = form
        trained, frozen, buffers = parts_of(module)
        self.names, self._compiled = list(trained), compiled
        self._trained: Tensors = list(trained.values())
        self._sizes = [p.numel() for p in self._trained]
        self._buffers: Tensors = list(buffers.values())
        self._buffer_names = list(buffers)
        if checkpoint:
            self._load_module(checkpoint)
        self._flat = self._lay_flat() if compiled else None
        self._views = [p.detach() for p in self._trained]
        self._fixed = [p.detach() for p in frozen.values()]
        self._moved: Tensors = self._buffers  # the buffers as of the last compiled step
        self.optimizer = self._optimizer(kernels)
        if checkpoint:
            self._load_rule(checkpoint)

    def step(self, batch: Batch) -> float:
        """Take one step on a batch; return its loss before the step."""
        if self._compiled is None:
            loss, gradients = eager(self.problem, self._form, self._trained, batch)
            for parameter, gradient in zip(self._trained, gradients, strict=True):
                parameter.grad = gradient
        else:
            row = [*self._views, *self._fixed, *self._moved, *batch[0], batch[1]]
            loss, gradient, *moved = self._compiled.call(row)
            self._moved = moved
            self._give(gradient)
        self.optimizer.step()
        return loss.item()

    def _give(self, gradient: torch.Tensor) -> None:
        """Hand the rule the gradients that lie end to end."""
        if self._flat is not None:
            self._flat.grad = gradient
            return
        pieces = cut(gradient, self._sizes)
        for parameter, piece in zip(self._trained, pieces, strict=True):
            parameter.grad = piece.view_as(parameter)

    def settle(self) -> torch.nn.Module:
        """Return the module with all that the steps have changed in place."""
        if self._moved is not self._buffers:
            with torch.no_grad():
                for buffer, moved in zip(self._buffers, self._moved, strict=True):
                    buffer.copy_(moved)
        return self.module

    @property
    def parameters(self) -> Tensors:
        """Return the trained parameters, which the steps move in place."""
        return self._trained

    # ---- laying out -----------------------------------------------------------------------------

    def _lay_flat(self) -> torch.nn.Parameter | None:
        """Lay the trained parameters end to end, where the rule sees each element by itself."""
        from descenso.torch.trace import is_elementwise

        if not is_elementwise(rules.get(self.member.rule)):
            return None
        flat = torch.cat([p.detach().reshape(-1) for p in self._trained])
        pieces = cut(flat, self._sizes)
        for parameter, piece in zip(self._trained, pieces, strict=True):
            parameter.data = piece.view_as(parameter)
        return torch.nn.Parameter(flat)

    def _optimizer(self, kernels: bool) -> torch.optim.Optimizer:
        from descenso.torch import optimizer_class

        tensors = self._trained if self._flat is None else [self._flat]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there is no compiler is told by the layout
            how: dict[str, Any] = {} if kernels else {"foreach": True}
            kind = optimizer_class(rules.get(self.member.rule))
            made: torch.optim.Optimizer = kind(tensors, **self.member.settings, **how)
        return made

    # ---- checkpoints ----------------------------------------------------------------------------

    @property
    def steps(self) -> int:
        """Return how many steps have been taken."""
        state = self.optimizer.state
        return max((int(kept["step"]) for kept in state.values()), default=0)

    def checkpoint(self) -> dict[str, NDArray[Any]]:
        """Return parameters, buffers, rule state and step as arrays of their own."""
        self.settle()
        kept: dict[str, torch.Tensor] = {"step": torch.tensor(self.steps)}
        kept |= {f"parameter {n}": p for n, p in zip(self.names, self._trained, strict=True)}
        kept |= {f"buffer {n}": b for n, b in zip(self._buffer_names, self._buffers, strict=True)}
        for array in rules.get(self.member.rule).state_names(self.member.settings):
            pieces = self._state_pieces(array)
            kept |= {f"state {array} {n}": s for n, s in zip(self.names, pieces, strict=True)}
        return {name: to_array(tensor) for name, tensor in kept.items()}

    def _state_pieces(self, array: str) -> Tensors:
        state = self.optimizer.state
        if self._flat is None:
            return [state[p][array] for p in self._trained]
        pieces = cut(state[self._flat][array], self._sizes)
        return [s.view_as(p) for s, p in zip(pieces, self._trained, strict=True)]

    def _load_module(self, checkpoint: Checkpoint) -> None:
        with torch.no_grad():
            for name, parameter in zip(self.names, self._trained, strict=True):
                parameter.copy_(from_array(checkpoint[f"parameter {name}"]))
            for name, buffer in zip(self._buffer_names, self._buffers, strict=True):
                buffer.copy_(from_array(checkpoint[f"buffer {name}"]))

    def _load_rule(self, checkpoint: Checkpoint) -> None:
        step, device = int(checkpoint["step"]), self._trained[0].device
        arrays = rules.get(self.member.rule).state_names(self.member.settings)
        pieces = {
            array: [from_array(checkpoint[f"state {array} {n}"]).to(device) for n in self.names]
            for array in arrays
        }
        if self._flat is not None:
            whole = {a: torch.cat([s.reshape(-1) for s in pieces[a]]) for a in arrays}
            self.optimizer.state[self._flat] = {**whole, "step": step}
            return
        for i, parameter in enumerate(self._trained):
            mine = {array: _laid_out_like(pieces[array][i], parameter) for array in arrays}
            self.optimizer.state[parameter] = {**mine, "step": step}


def to_array(tensor: torch.Tensor) -> NDArray[Any]:
    """Return a copy of a tensor as an array; NumPy has no bfloat16, so that becomes float32."""
    tensor = tensor.detach().cpu()
    if tensor.dtype is torch.bfloat16:
        tensor = tensor.float()
    return tensor.numpy().copy()


def _laid_out_like(state: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """Return the state in the memory order of its parameter, which kernels walk together."""
    with torch.no_grad():
        return torch.empty_like(parameter, dtype=state.dtype, requires_grad=False).copy_(state)


def from_array(array: NDArray[Any]) -> torch.Tensor:
    """Return a copy of an array as a tensor."""
    return torch.tensor(array)
