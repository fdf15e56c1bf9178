"""A network as the pictures see it: its trained parameters as one vector, its steps one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from descenso.engine import LocalEngine, Walk
from descenso.errors import ProblemError
from descenso.language import _
from descenso.problems import Problem
from descenso.records import Member, Run

Floats: TypeAlias = NDArray[np.floating[Any]]

EXAMPLES = 2_000  # training examples that a loss is taken over


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


def size_of(network: Network) -> int:
    """Return how many parameters are trained."""
    return sum(int(np.prod(layer.shape)) for layer in network.layers)


def checkpoints(engine: LocalEngine, member: Member, epochs: int) -> Iterator[Run]:
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


def _say_failure(engine: LocalEngine, member: Member) -> None:
    failures = engine.describe().get("failures") or ()
    if failures:
        raise ProblemError(
            _("{method}: training failed: {error}").format(
                method=member.method, error=failures[-1]["error"]
            )
        )
