"""How members are laid on the machine.

On a CPU, members run one after another on one single-threaded stream per core: small networks
stay in the core's cache, and no time is lost in handing work between threads.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: A call into compiled code aims to last this long: short enough for live progress and for
#: little to be lost when the process is killed, long enough to hide the cost of the call.
SECONDS_PER_CALL = 1.0
#: Members per stream in one call, where memory allows.
MEMBERS_PER_STREAM = 8
#: Distinct seeds in one call: the table of example orders has a row for each.
SEEDS_PER_CALL = 8
#: Memory that the members of one stream may take in one call.
BYTES_PER_STREAM = 256 * 2**20
#: Memory that the table of example orders may take.
BYTES_OF_ORDERS = 128 * 2**20

_SINGLE_THREADED = "--xla_cpu_multi_thread_eigen=false"


def cores() -> int:
    """Return the cores this process may use; ``DESCENSO_CORES`` says so where it shares them."""
    told = os.environ.get("DESCENSO_CORES", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def start_jax() -> list[Any]:
    """Start JAX with one single-threaded CPU device per core; return the devices.

    Where the host process has started JAX already, its devices are taken as they are.
    """
    import jax

    flags = os.environ.get("XLA_FLAGS")
    os.environ["XLA_FLAGS"] = f"{flags or ''} {_SINGLE_THREADED}".strip()
    try:
        jax.config.update("jax_num_cpu_devices", cores())
    except RuntimeError:  # JAX runs already, and its devices cannot be changed any more
        pass
    finally:
        devices: list[Any] = jax.devices()  # reads the flags
        if flags is None:
            del os.environ["XLA_FLAGS"]
        else:
            os.environ["XLA_FLAGS"] = flags
    return devices


@dataclass(frozen=True)
class Slab:
    """The shape of one call into compiled code; fixed, so that it is compiled once."""

    streams: int
    members: int  # per stream
    seeds: int
    epochs: int  # at most, per call

    @classmethod
    def fitting(cls, streams: int, member_bytes: int, order: int, epochs: int) -> Slab:
        """Choose the largest slab that the memory bounds of this module allow.

        Parameters
        ----------
        member_bytes : memory that one member takes.
        order : examples that one epoch visits.
        epochs : the most that a call may ever be asked for.
        """
        members = max(1, min(MEMBERS_PER_STREAM, BYTES_PER_STREAM // max(1, member_bytes)))
        per_epoch = 4 * SEEDS_PER_CALL * max(1, order)
        return cls(
            streams, members, SEEDS_PER_CALL, max(1, min(epochs, BYTES_OF_ORDERS // per_epoch))
        )

    def place(self, j: int) -> tuple[int, int]:
        """Return the stream and the place on it of the call's ``j``-th member."""
        return j % self.streams, j // self.streams

    def counts(self, members: int) -> NDArray[np.int32]:
        """Return how many of ``members`` lie on each stream, shape (streams,)."""
        streams = np.arange(self.streams)
        return ((members - streams + self.streams - 1) // self.streams).astype(np.int32)

    @property
    def capacity(self) -> int:
        """Return how many members one call takes."""
        return self.streams * self.members


def epochs_for_call(slab: Slab, seconds_per_epoch: float | None, members: int, left: int) -> int:
    """Return how many epochs the next call should take.

    Parameters
    ----------
    seconds_per_epoch : measured wall time of one epoch of one member on its stream; ``None``
        before the first call, which is then kept short.
    members : members in the call.
    left : epochs still to train.
    """
    if seconds_per_epoch is None:
        return 1
    per_stream = -(-members // slab.streams)
    fitting = int(SECONDS_PER_CALL / max(1e-9, seconds_per_epoch * per_stream))
    return max(1, min(fitting, left, slab.epochs))
