"""The former place and name of the serial trainer, for scripts that were written for them."""

from descenso.engine.torch.serial import SerialTrainer as Bench

__all__ = ["Bench"]
