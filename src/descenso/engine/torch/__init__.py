"""The engine in PyTorch: members of the user's own module, serial in processes or batched."""

from descenso.engine.torch.engine import TorchEngine

__all__ = ["TorchEngine"]
