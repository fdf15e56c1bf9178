"""One member of a torch problem, step by step, on the trainer of its engine."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TypeVar

import numpy as np
import torch

from descenso.engine.bookkeeping import in_words
from descenso.engine.contract import Floats, Rows
from descenso.engine.torch.serial import SerialTrainer
from descenso.engine.torch.step import eager
from descenso.engine.walking import end_to_end, mean_gradient
from descenso.errors import DescensoError, ProblemError
from descenso.language import _
from descenso.problems.torch_modules import Batch, one_thread, own_randomness, seed_everything
from descenso.records import Member

_T = TypeVar("_T")


class TorchWalk:
    """Takes the steps of the trainer one by one; see :class:`descenso.engine.Walk`."""

    def __init__(self, trainer: SerialTrainer, member: Member) -> None:
        self._trainer, self._method = trainer, member.method
        with one_thread(), own_randomness():
            self._trainee = trainer.trainee(member, {})
        self._losses = (
            loss for epoch in count() for loss in trainer.each_step(self._trainee, epoch)
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
        buffers = list(self._trainee.settle().buffers())
        kept = [buffer.clone() for buffer in buffers]
        try:
            return self._own_code(
                lambda: mean_gradient(rows, lambda some, _i: self._one(some, draw))
            )
        finally:
            with torch.no_grad():
                for buffer, old in zip(buffers, kept, strict=True):
                    buffer.copy_(old)

    def _one(self, rows: Rows, draw: int) -> Floats:
        seed_everything(draw)
        trainee = self._trainee
        batch = some_of(self._trainer.train, rows)
        _loss, gradients = eager(self._trainer.problem, trainee.module, trainee.parameters, batch)
        return end_to_end([g.detach().double().cpu().numpy() for g in gradients])

    def _own_code(self, call: Callable[[], _T]) -> _T:
        """Run what calls the user's module, which may fail."""
        with one_thread(), own_randomness():
            try:
                return call()
            except DescensoError:
                raise
            except Exception as error:
                raise ProblemError(
                    _("{method}: training failed: {error}").format(
                        method=self._method, error=in_words(error)
                    )
                ) from error


def some_of(batch: Batch, rows: Rows) -> Batch:
    """Return these examples of a part."""
    inputs, targets = batch
    chosen = torch.from_numpy(np.asarray(rows, np.int64)).to(targets.device)
    return tuple(x[chosen] for x in inputs), targets[chosen]
