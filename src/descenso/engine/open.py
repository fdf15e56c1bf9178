"""Open the engine that can train a problem."""

from __future__ import annotations

from pathlib import Path

from descenso.engine.contract import LocalEngine
from descenso.problems import Data, Problem, start_jax


def open_engine(problem: Problem, data: Data, study_seed: int) -> LocalEngine:
    """Return an engine for ``problem`` on ``data``; ``study_seed`` keys all its randomness."""
    if problem.framework == "torch":
        from descenso.engine.torch import TorchEngine

        return TorchEngine(problem, data, study_seed)
    prepare_machine()
    from descenso.engine.jax import JaxEngine

    return JaxEngine(problem, data, study_seed)


def prepare_machine() -> None:
    """Configure JAX for training; to be called before the user's own JAX code runs.

    The first JAX operation of a process fixes how many devices it sees, and how it computes.
    Compiled programs are kept on disk between processes, unless the user has chosen a place.
    """
    import jax
    import platformdirs

    start_jax()
    if not jax.config.jax_compilation_cache_dir:
        folder = Path(platformdirs.user_cache_dir("descenso")) / "xla"
        jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
