from __future__ import annotations

import numpy as np
import pytest

from descenso import language
from descenso.records import Curve, Member, Run
from descenso.store import Store


@pytest.fixture(autouse=True)
def _in_english():
    language.use("en")


@pytest.fixture
def place(tmp_path):
    return tmp_path / "studies.db"


@pytest.fixture
def store(place):
    opened = Store(place)
    yield opened
    opened.close()


@pytest.fixture
def make_run():
    def make(seed: int = 0, epochs: int = 2, lr: float = 0.1) -> Run:
        member = Member("adam", "adam", {"lr": lr}, 32, seed)
        losses = np.linspace(1, 0.1, epochs + 1)
        curve = Curve(losses, losses, losses[1:], 0.1, 0.9, steps=3 * epochs, seconds=0.5)
        return Run(member, curve, {"leaf0": np.arange(3, dtype=np.float32)})

    return make
