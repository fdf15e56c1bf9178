"""Set torch's switches for a while: its generators, threads and precision; then as they were."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Seed all generators that a module may draw from; ``seed`` from 0 to 2⁶³ − 1."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)


@contextmanager
def own_randomness() -> Iterator[None]:
    """Give the caller's generators back as they were."""
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()
    cuda: Any = torch.cuda
    on_cuda = cuda.get_rng_state_all() if cuda.is_initialized() else []
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        random.setstate(states[1])
        np.random.set_state(states[2])
        for device, state in enumerate(on_cuda):
            cuda.set_rng_state(state, device)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread, as every member is, so that all round alike."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def exact_products() -> Iterator[None]:
    """Have 32-bit products be products of 32 bits, which an accelerator may round to fewer."""
    matmul: Any = torch.backends.cuda.matmul
    cudnn: Any = torch.backends.cudnn
    exact: str | bool = False
    places, switch = [matmul, cudnn], "allow_tf32"
    if hasattr(matmul, "fp32_precision"):  # one who has set this may not read the older switch
        places, switch, exact = [matmul, cudnn.conv, cudnn.rnn], "fp32_precision", "ieee"
    before = [getattr(place, switch) for place in places]
    for place in places:
        setattr(place, switch, exact)
    try:
        yield
    finally:
        for place, value in zip(places, before, strict=True):
            setattr(place, switch, value)
