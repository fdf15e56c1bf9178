"""A network as the pictures see it: its trained parameters as one vector, its steps one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from descenso.errors import ProblemError
from descenso.language import _
from descenso.problems import Data, Problem
from descenso.records import Member, Run

Floats: TypeAlias = NDArray[np.floating[Any]]
Rows: TypeAlias = NDArray[np.integer[Any]]

EXAMPLES = 2_000  # training examples that a loss is taken over
PART = 1_024  # examples that a gradient is computed over at a time


class Place(NamedTuple):
    """Where a network stands.

    Attributes
    ----------
    trained : what the rule moves, shape (size,).
    carried : what training carries along (moving averages), shape (n,); empty for most networks.
    """

    trained: Floats
    carried: Floats


class Layer(NamedTuple):
    """A trained array: its name, its shape, and the axis that counts its outputs."""

    name: str
    shape: tuple[int, ...]
    outputs: int


class Walk(Protocol):
    """One member, step by step, as the engine takes them."""

    def step(self) -> None:
        """Take the next step."""
        ...

    def parameters(self) -> list[Floats]:
        """Return the trained arrays as they stand, each its own copy."""
        ...

    def gradient(self, rows: Rows, draw: int) -> Floats:
        """Return the gradient of a training step on these examples, without taking it.

        Parameters
        ----------
        draw : keys what the step draws (dropout).
        """
        ...


class Network(Protocol):
    """What a landscape and its routes are made of, in any framework."""

    problem: Problem
    layers: tuple[Layer, ...]

    def routes(self, member: Member, epochs: int) -> Iterator[Place]:
        """Give the place before training and after each epoch, until the member diverges."""
        ...

    def loss(self, place: Place) -> float:
        """Return the training loss at a place, in evaluation mode."""
        ...

    def walk(self, member: Member) -> Walk:
        """Return a member that is to take its first step."""
        ...


def open_network(problem: Problem, data: Data, study_seed: int) -> Network:
    """Return the network of a problem, in the framework that trains it."""
    if problem.framework == "torch":
        from descenso.paths._network_torch import TorchNetwork

        return TorchNetwork(problem, data, study_seed)
    from descenso.paths._network_jax import JaxNetwork

    return JaxNetwork(problem, data, study_seed)


def size_of(network: Network) -> int:
    """Return how many parameters are trained."""
    return sum(int(np.prod(layer.shape)) for layer in network.layers)


def checkpoints(engine: Any, member: Member, epochs: int) -> Iterator[Run]:
    """Train a member with the engine; give its run after each epoch that it lives through.

    Raises
    ------
    ProblemError
        If the problem's own code fails.
    """
    now: Member | Run = member
    for epoch in range(1, epochs + 1):
        (run,) = [run for chunk in engine.train([now], epoch) for run in chunk]
        if run.checkpoint is None:
            _say_failure(engine, member)
            return
        yield run
        now = run


def _say_failure(engine: Any, member: Member) -> None:
    failures = engine.describe().get("failures") or ()
    if failures:
        raise ProblemError(
            _("{method}: training failed: {error}").format(
                method=member.method, error=failures[-1]["error"]
            )
        )


def laid_end_to_end(arrays: Sequence[Any]) -> Floats:
    """Return arrays as one vector."""
    if not arrays:
        return np.empty(0)
    return np.concatenate([np.ravel(np.asarray(array, np.float64)) for array in arrays])


def parts_of(rows: Rows) -> Iterator[Rows]:
    """Cut rows so that the gradient of a part fits in memory."""
    for first in range(0, len(rows), PART):
        yield rows[first : first + PART]
