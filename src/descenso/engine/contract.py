"""What every engine promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from descenso.records import Member, Run


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
        """Return the layout chosen and its timings, ready for JSON."""
        ...
