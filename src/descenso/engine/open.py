"""Open the engine that can train a problem."""

from __future__ import annotations

from descenso.engine.contract import Engine
from descenso.problems import Data, Problem


def open_engine(problem: Problem, data: Data, study_seed: int) -> Engine:
    """Return an engine for ``problem`` on ``data``; ``study_seed`` keys all its randomness."""
    if problem.framework == "torch":
        from descenso.engine.torch import TorchEngine

        return TorchEngine(problem, data, study_seed)
    from descenso.engine.jax import JaxEngine

    return JaxEngine(problem, data, study_seed)


def prepare_machine() -> None:
    """Lay the machine out for training; to be called before the user's own JAX code runs.

    The first JAX operation of a process fixes how many devices it sees.
    """
    from descenso.problems._start_jax import start_jax

    start_jax()
