"""Start JAX as suits many small trainings at once.

The first JAX operation of a process fixes how JAX computes, so whatever calls it first begins here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_XLA_FLAGS = (
    "--xla_cpu_multi_thread_eigen=false",  # each call keeps to one thread
    # A loop that touches fewer bytes in a turn becomes one native function, with no library calls,
    # not a list of calls: with one example a step, half the time of a small network.
    "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=100000",
)

#: How the names of variables begin that say how JAX is to take a GPU's memory.
_MEMORY_OF_JAX = ("XLA_PYTHON_CLIENT_", "XLA_CLIENT_MEM_FRACTION")


def start_jax() -> Any:
    """Start JAX; return the device that trains.

    Where the host process has started JAX already, it is taken as it is. Flags that the user has
    set stay as they are.
    """
    import jax

    flags = os.environ.get("XLA_FLAGS", "")
    ours = [flag for flag in _XLA_FLAGS if flag.partition("=")[0] not in flags]
    chosen = {"XLA_FLAGS": " ".join([*ours, flags]).strip()}
    if not any(name.startswith(_MEMORY_OF_JAX) for name in os.environ):
        chosen["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # torch may want some of a GPU's memory
    with _environment(chosen):
        return jax.devices()[0]  # reads it


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
