"""What torch, Keras and optax mean by their settings, translated exactly, with their states."""

from descenso.conventions._adopt import adopt, convert_state

__all__ = ["adopt", "convert_state"]
