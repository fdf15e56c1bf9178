"""What every engine promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NotRequired, Protocol, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

from descenso.engine.bookkeeping import Failure
from descenso.records import Member, Run

Floats: TypeAlias = NDArray[np.floating[Any]]
Rows: TypeAlias = NDArray[np.integer[Any]]


class ProgramLayout(TypedDict):
    """What trains the members of one rule at one batch size, and how fast."""

    rule: str
    batch_size: int
    arrangement: str
    examples_at_a_time: NotRequired[int]
    members_per_call: int
    compile_seconds: float
    member_steps: int
    microseconds_per_member_step: float | None


class StepLayout(TypedDict):
    """How the torch engine takes the steps at one batch size."""

    operations: int
    rule_compiled: bool
    step_compiled: bool
    compile_seconds: float | None
    not_compiled_because: str | None
    channels_last: bool
    pooling_first: bool


class Layout(TypedDict):
    """How members were laid on the machine: what an engine says of itself, ready for JSON."""

    engine: str
    platform: str
    streams: int
    arrangement: str
    watched: int
    dtype: str
    programs: list[ProgramLayout]
    failures: list[Failure]
    alone_because: NotRequired[str | None]
    steps: NotRequired[dict[str, StepLayout]]
    batched: NotRequired[dict[str, int]]
    why_one_by_one: NotRequired[dict[str, str]]


class Engine(Protocol):
    """Trains the members of one problem.

    The promise: members with one seed see the same initial weights and the same order of examples,
    and a run does not depend on which others are trained beside it, on the order they are given
    in, or on where it was stopped and resumed.
    """

    def train(
        self, members: Sequence[Member | Run], epochs: int, *, judge: bool = False
    ) -> Iterator[list[Run]]:
        """Train each member until it has seen ``epochs`` epochs, resuming those given as runs.

        Parameters
        ----------
        judge : whether runs that reach ``epochs`` are measured on test there, which ends them.
            Nothing else looks at the test data.

        Yields
        ------
        The runs advanced by each chunk of work, as soon as it is done. A run that has reached
        ``epochs``, or diverged, does not come again.
        """
        ...

    def parameters(self) -> int:
        """Return how many parameters the problem trains."""
        ...

    def describe(self) -> Mapping[str, Any]:
        """Return the :class:`Layout` chosen; an engine made of others adds what it knows."""
        ...


class Walk(Protocol):
    """One member, step by step, as :meth:`Engine.train` takes them."""

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

        Returns
        -------
        The gradients of all trained arrays end to end, shape (size,).
        """
        ...


class LocalEngine(Engine, Protocol):
    """An engine that trains in this process, or in workers of its own."""

    def walk(self, member: Member) -> Walk:
        """Return a member that is to take its first step."""
        ...
