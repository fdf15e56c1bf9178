"""Engines train whole populations of members and yield their curves.

``jax`` is the default. An engine is opened with :func:`open_engine`; nothing is imported before.
"""

from descenso.engine.contract import Engine, Layout, LocalEngine, Walk
from descenso.engine.open import open_engine, prepare_machine

__all__ = ["Engine", "Layout", "LocalEngine", "Walk", "open_engine", "prepare_machine"]
