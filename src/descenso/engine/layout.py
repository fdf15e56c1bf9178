"""How members are laid on the machine.

On a CPU, members run one after another on one stream per core: a small network stays in its core's
cache, and no time is lost in handing work between threads. On an accelerator, which one small
network cannot fill, so many run side by side as fill it, as one batched program. Sizes decide this,
never a clock: the two round differently, and a study gives the same figures wherever it runs again.
"""

from __future__ import annotations

import os
from collections.abc import Set
from dataclasses import dataclass, replace

from descenso.language import N_

#: Members in one call, where memory allows: one after another, and side by side.
MEMBERS_PER_CALL = 8
MEMBERS_SIDE_BY_SIDE = 16
MEMBERS_ON_AN_ACCELERATOR = 64
#: Members that an accelerator computes at a time at most: a race has some ten to fifty.
MEMBERS_AT_A_TIME = 32
#: The largest arrays of the members that an accelerator computes at a time fill so much.
BYTES_THAT_FILL = 64 * 2**20
#: Calls on an accelerator: one computes while the host takes in and prepares the other.
CALLS_ON_AN_ACCELERATOR = 2
#: Distinct seeds in one call: the table of example orders has a row for each.
SEEDS_PER_CALL = 8
#: Memory that the members of one call may take, where the device does not say what it has.
BYTES_PER_CALL = 256 * 2**20
#: Memory that the table of example orders may take.
BYTES_OF_ORDERS = 32 * 2**20
#: Epochs that a call is ready for, if the budget is smaller: a later stage may ask for more.
EPOCHS_PER_CALL = 20
#: What the examples that pass through the network at a time may fill: a core's cache, roughly.
BYTES_AT_A_TIME = 3 * 2**19
#: The two ways to arrange members.
ONE_AFTER_ANOTHER, SIDE_BY_SIDE = N_("one after another"), N_("side by side")


def cores() -> int:
    """Return the cores this process may use; ``DESCENSO_CORES`` says so where it shares them."""
    told = os.environ.get("DESCENSO_CORES", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def workers_of(platform: str) -> int:
    """Return how many calls are under way at once on a device."""
    return cores() if platform == "cpu" else CALLS_ON_AN_ACCELERATOR


@dataclass(frozen=True)
class BatchShape:
    """The shape of one call into compiled code; fixed, so that it is compiled once."""

    members: int
    seeds: int
    epochs: int  # at most, per call
    at_a_time: int = 1  # members that compute at a time; divides their number

    def halved(self) -> BatchShape:
        """Return a batch_shape that takes less memory: of half the members, and half at a time."""
        return replace(self, members=self.members // 2, at_a_time=max(1, self.at_a_time // 2))

    @classmethod
    def fitting(
        cls, most: int, at_a_time: int, member_bytes: int, memory: int, order: int, epochs: int
    ) -> BatchShape:
        """Choose the largest batch_shape that fits.

        Parameters
        ----------
        most : members that it may hold (:func:`most_members`).
        at_a_time : members that should compute at a time (:func:`members_at_a_time`).
        member_bytes : memory that one member takes.
        memory : bytes that the members of a call may take.
        order : examples that one epoch visits.
        epochs : the budget, if it is known to be larger than usual.
        """
        members = max(1, min(most, memory // max(1, member_bytes)))
        at_a_time = min(at_a_time, members)
        per_epoch = 4 * SEEDS_PER_CALL * max(1, order)
        ready_for = max(epochs, EPOCHS_PER_CALL)
        ready_for = max(1, min(ready_for, BYTES_OF_ORDERS // per_epoch))
        return cls(members // at_a_time * at_a_time, SEEDS_PER_CALL, ready_for, at_a_time)


def describe_arrangements(arrangements: Set[str]) -> str:
    """Return how the members of several programs are arranged."""
    if len(arrangements) > 1:
        return N_("members one after another or side by side")
    if arrangements == {SIDE_BY_SIDE}:
        return N_("members side by side")
    return N_("members one after another")


def arrangement_for(platform: str, several_fit: bool) -> str:
    """Return how members are arranged; ``several_fit``: whether one does not fill the device."""
    return SIDE_BY_SIDE if several_fit and platform != "cpu" else ONE_AFTER_ANOTHER


def most_members(platform: str, arrangement: str) -> int:
    """Return how many members a call may hold, where memory allows."""
    if arrangement == ONE_AFTER_ANOTHER:
        return MEMBERS_PER_CALL
    return MEMBERS_SIDE_BY_SIDE if platform == "cpu" else MEMBERS_ON_AN_ACCELERATOR


def members_at_a_time(platform: str, arrangement: str, bytes_each: int) -> int:
    """Return how many members should compute at a time.

    Parameters
    ----------
    bytes_each : what the largest array of a member's step takes.
    """
    if arrangement == ONE_AFTER_ANOTHER:
        return 1
    most = most_members(platform, arrangement)
    if platform == "cpu":
        return most
    fill = min(MEMBERS_AT_A_TIME, BYTES_THAT_FILL // max(1, bytes_each))
    return 1 << fill.bit_length() - 1 if fill else 1  # a power of two


def examples_at_a_time(bytes_each: int, examples: int) -> int:
    """Return how many of so many examples should pass through the network at a time.

    All of them, if their largest intermediate array stays in the cache; else a number that divides
    them, if there is one that nearly fills it.
    """
    most = max(1, BYTES_AT_A_TIME // max(1, bytes_each))
    if most >= examples:
        return examples
    dividing = (n for n in range(most, most // 2, -1) if examples % n == 0)
    return next(dividing, most)
