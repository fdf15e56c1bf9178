"""A network of a torch problem, step by step, on the trainer of its engine."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np
import torch

from descenso.engine.torch import TorchEngine
from descenso.engine.torch.step import eager, parts_of
from descenso.errors import DescensoError, ProblemError, in_a_line
from descenso.language import _
from descenso.paths import _network as shared
from descenso.paths._network import EXAMPLES, Floats, Layer, Place, Rows, laid_end_to_end
from descenso.problems import Data, Problem
from descenso.problems._torch_switches import one_thread, own_randomness, seed_everything
from descenso.problems._torch_tensors import Batch, cut
from descenso.records import Member


class TorchNetwork:
    """The network of a problem made of a torch module."""

    def __init__(self, problem: Problem, data: Data, study_seed: int) -> None:
        self.problem = problem
        self._engine = TorchEngine(problem, data, study_seed)
        self.trainer = self._engine.trainer
        self._module = self.trainer.module(0)
        self._trained, _frozen, buffers = parts_of(self._module)
        self._carried = {n: b for n, b in buffers.items() if b.is_floating_point()}
        self.layers = tuple(Layer(n, tuple(p.shape), 0) for n, p in self._trained.items())
        self._shown = some(self.trainer.train, np.arange(min(EXAMPLES, self.trainer.examples)))

    def routes(self, member: Member, epochs: int) -> Iterator[Place]:
        """Give the place before training and after each epoch, until the member diverges."""
        trained, _frozen, buffers = parts_of(self.trainer.module(member.seed))
        yield Place(
            _vector(list(trained.values())), _vector([buffers[name] for name in self._carried])
        )
        for run in shared.checkpoints(self._engine, member, epochs):
            kept = run.checkpoint or {}
            yield Place(
                laid_end_to_end([kept[f"parameter {name}"] for name in self._trained]),
                laid_end_to_end([kept[f"buffer {name}"] for name in self._carried]),
            )

    def loss(self, place: Place) -> float:
        """Return the training loss at a place, in evaluation mode."""
        for tensors, vector in zip((self._trained, self._carried), place, strict=True):
            _fill(list(tensors.values()), vector)
        with one_thread():
            return self.trainer.evaluate(self._module, self._shown)[0]

    def walk(self, member: Member) -> TorchWalk:
        """Return a member that is to take its first step."""
        return TorchWalk(self, member)


class TorchWalk:
    """One member, step by step, as the engine takes them."""

    def __init__(self, network: TorchNetwork, member: Member) -> None:
        self._problem, self._trainer, self._method = network.problem, network.trainer, member.method
        with one_thread(), own_randomness():
            self._trainee = self._trainer.trainee(member, {})
        self._losses = (
            loss for epoch in count() for loss in self._trainer.each_step(self._trainee, epoch)
        )

    def parameters(self) -> list[Floats]:
        """Return the trained arrays as they stand, each its own copy."""
        return [p.detach().double().cpu().numpy().copy() for p in self._trainee.parameters]

    def step(self) -> None:
        """Take the next step.

        Raises
        ------
        ProblemError
            If the problem's own code fails.
        """
        self._own_code(lambda: next(self._losses))

    def gradient(self, rows: Rows, draw: int) -> Floats:
        """Return the gradient of a training step on these examples, without taking it."""
        module = self._trainee.settle()
        buffers = list(module.buffers())
        kept = [buffer.clone() for buffer in buffers]
        try:
            parts = list(shared.parts_of(rows))
            pieces = [self._own_code(lambda part=part: self._one(part, draw)) for part in parts]
        finally:
            with torch.no_grad():
                for buffer, old in zip(buffers, kept, strict=True):
                    buffer.copy_(old)
        shares = [len(part) / len(rows) for part in parts]
        return np.asarray(sum(s * piece for s, piece in zip(shares, pieces, strict=True)))

    def _one(self, rows: Rows, draw: int) -> Floats:
        seed_everything(draw)
        batch = some(self._trainer.train, rows)
        _loss, gradients = eager(
            self._problem, self._trainee.module, self._trainee.parameters, batch
        )
        return _vector(gradients)

    def _own_code(self, call: Any) -> Any:
        """Run what calls the user's module, which may fail."""
        with one_thread(), own_randomness():
            try:
                return call()
            except DescensoError:
                raise
            except Exception as error:
                raise ProblemError(
                    _("{method}: training failed: {error}").format(
                        method=self._method, error=in_a_line(error)
                    )
                ) from error


def some(batch: Batch, rows: Rows) -> Batch:
    """Return these examples of a part."""
    inputs, targets = batch
    chosen = torch.from_numpy(np.asarray(rows, np.int64)).to(targets.device)
    return tuple(x[chosen] for x in inputs), targets[chosen]


def _vector(tensors: list[torch.Tensor]) -> Floats:
    return laid_end_to_end([t.detach().double().cpu().numpy() for t in tensors])


def _fill(tensors: list[torch.Tensor], vector: Floats) -> None:
    pieces = cut(torch.from_numpy(np.asarray(vector)), [t.numel() for t in tensors])
    with torch.no_grad():
        for tensor, piece in zip(tensors, pieces, strict=True):
            tensor.copy_(piece.view(tensor.shape))
