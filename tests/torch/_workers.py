"""What each of two processes does in the distributed tests."""

from __future__ import annotations

import os

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from descenso.torch import optimizer_class

STEPS, ROWS = 5, 8


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(6, 10), torch.nn.Tanh(), torch.nn.Linear(10, 2))


def data(step):
    generator = torch.Generator().manual_seed(step)
    return torch.randn(ROWS, 6, generator=generator), torch.randn(ROWS, 2, generator=generator)


def join(rank, port):
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=2)


def leave():
    """End the process; last of all, for nothing after it runs.

    Both go together: one that goes while the other still speaks to it may be aborted. And at once:
    a usual exit tears down torch while threads of its own may run, which aborts it once in a while.
    """
    dist.barrier()
    dist.destroy_process_group()
    os._exit(0)


def train(model, optimizer, rank, first=0, steps=STEPS):
    """Train on this process's half of each batch."""
    for step in range(first, first + steps):
        x, y = data(step)
        half = slice(rank * ROWS // 2, (rank + 1) * ROWS // 2)
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(x[half]), y[half]).backward()
        optimizer.step()


def alone(name, options, steps=STEPS):
    """Train on whole batches in one process: what two processes must equal."""
    model = network()
    optimizer = optimizer_class(name)(model.parameters(), **options)
    for step in range(steps):
        x, y = data(step)
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
    return [p.detach() for p in model.parameters()]


def data_parallel(rank, port, name, options):
    join(rank, port)
    model = DistributedDataParallel(network())
    train(model, optimizer_class(name)(model.parameters(), **options), rank)
    for got, wanted in zip(model.parameters(), alone(name, options), strict=True):
        torch.testing.assert_close(got.detach(), wanted, rtol=1e-4, atol=1e-6)
    leave()


def fully_sharded(rank, port, name, options):
    """Shard every parameter over both processes (FSDP2); save and load in mid-training."""
    from torch.distributed.checkpoint.state_dict import (
        get_optimizer_state_dict,
        set_optimizer_state_dict,
    )
    from torch.distributed.fsdp import fully_shard

    join(rank, port)
    mesh = torch.distributed.init_device_mesh("cpu", (2,))
    model = network()
    for part in (model[0], model[2], model):
        fully_shard(part, mesh=mesh)
    make = optimizer_class(name)
    optimizer = make(model.parameters(), **options)
    train(model, optimizer, rank, steps=3)
    weight = next(iter(model.parameters()))
    for key, kept in optimizer.state[weight].items():
        assert key == "step" or kept.placements == weight.placements
    saved = get_optimizer_state_dict(model, optimizer)
    again = make(model.parameters(), **options)
    set_optimizer_state_dict(model, again, saved)
    train(model, again, rank, first=3, steps=STEPS - 3)
    for got, wanted in zip(model.parameters(), alone(name, options), strict=True):
        torch.testing.assert_close(got.full_tensor().detach(), wanted, rtol=1e-4, atol=1e-6)
    leave()


def one_process_sees_nan(rank, port, name, options):
    """A gradient that is not finite in one process makes both skip the step."""
    from torch.distributed.fsdp import fully_shard

    join(rank, port)
    mesh = torch.distributed.init_device_mesh("cpu", (2,))
    model = network()
    fully_shard(model, mesh=mesh)
    optimizer = optimizer_class(name)(model.parameters(), nonfinite="skip", **options)
    before = [p.full_tensor().detach().clone() for p in model.parameters()]
    torch.nn.functional.mse_loss(model(data(0)[0]), data(0)[1]).backward()
    if rank == 0:
        next(iter(model.parameters())).grad.to_local()[0, 0] = float("nan")
    optimizer.step()
    assert optimizer.skipped_steps == 1
    for p, old in zip(model.parameters(), before, strict=True):
        torch.testing.assert_close(p.full_tensor().detach(), old, rtol=0, atol=0)
    leave()
