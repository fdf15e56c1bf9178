"""What trains a torch problem needs of it: its batches, its first weights, and torch's switches."""

from descenso.problems._several import pack
from descenso.problems._torch_rehearsal import initialised
from descenso.problems._torch_switches import (
    exact_products,
    one_thread,
    own_randomness,
    seed_everything,
)
from descenso.problems._torch_tensors import Batch, channels_last, cut, floating_dtype, tensors_of

__all__ = [
    "Batch",
    "channels_last",
    "cut",
    "exact_products",
    "floating_dtype",
    "initialised",
    "one_thread",
    "own_randomness",
    "pack",
    "seed_everything",
    "tensors_of",
]
