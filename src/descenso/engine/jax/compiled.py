"""A compiled program with its speed, and the laying out of members into its arguments."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, TypeAlias

import jax
import numpy as np
from numpy.typing import NDArray

from descenso.engine import layout
from descenso.engine.jax.program import Recipe
from descenso.records import Run

Tree: TypeAlias = Any


def lowered(function: Any, *arguments: Any) -> Any:
    """Trace a function; 32-bit products are products of 32 bits, unless the user has said else.

    On an accelerator JAX would round their factors to some ten bits, and figures would differ from
    a CPU's and torch's by more than rounding.
    """
    as_it_is = jax.default_backend() == "cpu" or jax.config.jax_default_matmul_precision
    with nullcontext() if as_it_is else jax.default_matmul_precision("highest"):
        return function.lower(*arguments)


class Compiled:
    """A function that was traced, compiled by the first stream that calls it.

    Parameters
    ----------
    traced : what :func:`lowered` gave.
    """

    def __init__(self, traced: Any) -> None:
        self._lowered, self._lock = traced, threading.Lock()
        self._call: Callable[..., Any] | None = None
        self.seconds = 0.0

    @property
    def ready(self) -> bool:
        """Whether it has been compiled."""
        return self._call is not None

    def get(self) -> Callable[..., Any]:
        """Return the native function."""
        with self._lock:
            if self._call is None:
                started = time.perf_counter()
                self._call = self._lowered.compile()
                self.seconds = time.perf_counter() - started
                self._lowered = None
            return self._call


class Program:
    """The training program of one recipe, and how fast it has been seen to run."""

    def __init__(self, recipe: Recipe, traced: Any) -> None:
        self.recipe, self.compiled = recipe, Compiled(traced)
        self.pace: float | None = None  # seconds of one epoch of one member
        self.member_steps, self.seconds = 0, 0.0

    @property
    def ready(self) -> bool:
        """Whether it has been compiled."""
        return self.compiled.ready

    def note(self, before: Sequence[Run], after: Sequence[Run], seconds: float) -> None:
        """Note how long a call took."""
        pairs = list(zip(before, after, strict=True))
        self.member_steps += sum(b.curve.steps - a.curve.steps for a, b in pairs)
        self.seconds += seconds
        epochs = sum(b.curve.epochs - a.curve.epochs for a, b in pairs)
        self.pace = seconds / max(1, epochs)

    def described(self) -> dict[str, Any]:
        """Return what it is and how fast it ran, ready for JSON."""
        pace = 1e6 * self.seconds / self.member_steps if self.member_steps else None
        recipe = self.recipe
        return {
            "rule": recipe.rule.name,
            "batch_size": recipe.batch_size,
            "arrangement": recipe.arrangement,
            "examples_at_a_time": recipe.part,
            "members_per_call": recipe.batch_shape.members,
            "compile_seconds": round(self.compiled.seconds, 3),
            "member_steps": self.member_steps,
            "microseconds_per_member_step": None if pace is None else round(pace, 3),
        }


def lay(members: int, trees: Sequence[Tree]) -> Tree:
    """Lay one tree per member into arrays with a leading axis of ``members`` places."""

    def lay_leaf(*parts: Any) -> NDArray[Any]:
        first = np.asarray(parts[0])
        whole = np.zeros((members, *first.shape), first.dtype)
        for j, part in enumerate(parts):
            whole[j] = part
        return whole

    return jax.tree.map(lay_leaf, *trees)


def ran_out_of_memory(error: Exception) -> bool:
    """Whether an error says that the device's or the host's memory did not suffice."""
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)


def memory_of(device: Any) -> int:
    """Return the bytes that the members of one call may take on a device."""
    known = device.memory_stats() if device.platform != "cpu" else None
    if not known:
        return layout.BYTES_PER_CALL
    free: int = known.get("bytes_limit", 0) - known.get("bytes_in_use", 0)
    return max(layout.BYTES_PER_CALL, free // 4)  # parameters, gradients, activations besides
