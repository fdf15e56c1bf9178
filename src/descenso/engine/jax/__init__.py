"""The engine in JAX: whole epochs of whole populations in compiled code."""

from descenso.engine.jax.engine import JaxEngine

__all__ = ["JaxEngine"]
