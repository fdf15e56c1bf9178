"""Two processes on gloo: data-parallel and fully sharded training equal one process."""

from __future__ import annotations

import socket

import pytest
import torch.multiprocessing
from tests.torch import _workers

pytestmark = pytest.mark.slow


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.mark.parametrize("options", [{}, {"foreach": True}, {"compile": False}], ids=str)
@pytest.mark.parametrize(
    "work", [_workers.data_parallel, _workers.fully_sharded, _workers.one_process_sees_nan]
)
def test_two_processes_take_the_steps_of_one(work, options):
    torch.multiprocessing.spawn(work, (_free_port(), "adamw", options), nprocs=2)
