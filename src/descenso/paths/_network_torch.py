"""A network of a torch problem, step by step, on the trainer of its engine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from descenso.engine import Walk
from descenso.engine.torch import TorchEngine
from descenso.engine.torch.step import parts_of
from descenso.engine.torch.walk import some_of
from descenso.engine.walking import end_to_end
from descenso.paths._network import EXAMPLES, Floats, Layer, Place, checkpoints
from descenso.problems import Data, Problem
from descenso.problems.torch_modules import cut, one_thread
from descenso.records import Member


class TorchNetwork:
    """The network of a problem made of a torch module."""

    def __init__(self, problem: Problem, data: Data, study_seed: int) -> None:
        self.problem = problem
        self._engine = TorchEngine(problem, data, study_seed)
        self._trainer = self._engine.trainer
        self._module = self._trainer.module(0)
        self._trained, _frozen, buffers = parts_of(self._module)
        self._carried = {n: b for n, b in buffers.items() if b.is_floating_point()}
        self.layers = tuple(Layer(n, tuple(p.shape), 0) for n, p in self._trained.items())
        self._shown = some_of(self._trainer.train, np.arange(min(EXAMPLES, self._trainer.examples)))

    def routes(self, member: Member, epochs: int) -> Iterator[Place]:
        """Give the place before training and after each epoch, until the member diverges."""
        trained, _frozen, buffers = parts_of(self._trainer.module(member.seed))
        yield Place(
            _vector(list(trained.values())), _vector([buffers[name] for name in self._carried])
        )
        for run in checkpoints(self._engine, member, epochs):
            kept = run.checkpoint or {}
            yield Place(
                end_to_end([kept[f"parameter {name}"] for name in self._trained]),
                end_to_end([kept[f"buffer {name}"] for name in self._carried]),
            )

    def loss(self, place: Place) -> float:
        """Return the training loss at a place, in evaluation mode."""
        for tensors, vector in zip((self._trained, self._carried), place, strict=True):
            _fill(list(tensors.values()), vector)
        with one_thread():
            return self._trainer.evaluate(self._module, self._shown)[0]

    def walk(self, member: Member) -> Walk:
        """Return a member that is to take its first step."""
        return self._engine.walk(member)


def _vector(tensors: list[torch.Tensor]) -> Floats:
    return end_to_end([t.detach().double().cpu().numpy() for t in tensors])


def _fill(tensors: list[torch.Tensor], vector: Floats) -> None:
    pieces = cut(torch.from_numpy(np.asarray(vector)), [t.numel() for t in tensors])
    with torch.no_grad():
        for tensor, piece in zip(tensors, pieces, strict=True):
            tensor.copy_(piece.view(tensor.shape))
