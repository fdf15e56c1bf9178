"""Trace functions, and compile them in whichever thread first needs them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax


def exact_products() -> AbstractContextManager[None]:
    """Have 32-bit products be products of 32 bits, unless the user has said else.

    On an accelerator JAX would round their factors to some ten bits, and figures would differ from
    a CPU's and torch's by more than rounding.
    """
    as_it_is = jax.default_backend() == "cpu" or jax.config.jax_default_matmul_precision
    exact: AbstractContextManager[None] = jax.default_matmul_precision("highest")
    return nullcontext() if as_it_is else exact


def lowered(function: Any, *arguments: Any) -> Any:
    """Trace a jitted function for arguments like these."""
    with exact_products():
        return function.lower(*arguments)


class Compiled:
    """A function that was traced, compiled by the first thread that calls it.

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
