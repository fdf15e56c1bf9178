"""Training with torch on CUDA, as one writes it by hand: the peers of the accelerator benchmark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from benchmarks._training_cases import Case
from benchmarks._training_torch import as_torch, network, optimizer_for, side_by_side
from benchmarks._workers import Call

WARM_UP_STEPS = 3
DEVICE = "cuda"


def calls(case: Case) -> dict[str, Call]:
    """Return the ways to train a case with torch."""
    images, labels = case.as_floats(case.data().train)
    examples = as_torch(images).to(DEVICE), torch.from_numpy(labels).to(DEVICE)
    one, many = case.steps, max(1, case.steps // 4)
    ways = {
        "loop": (_eager(*_alone(case, *examples)), 1, one),
        "loop, CUDA graph": (_recorded(*_alone(case, *examples)), 1, one),
        "vmap": (_eager(*_side_by_side(case, *examples)), case.members, many),
        "vmap, CUDA graph": (_recorded(*_side_by_side(case, *examples)), case.members, many),
    }
    return {
        name: Call(_waited_for(run, steps), members * steps)
        for name, (run, members, steps) in ways.items()
    }


def _waited_for(run: Callable[[int], None], steps: int) -> Callable[[], None]:
    def whole() -> None:
        run(steps)
        torch.cuda.synchronize()

    return whole


def _orders(members: int, examples: int, size: int) -> Iterator[torch.Tensor]:
    """Give the rows of all members' batches without end, each epoch in new orders."""
    used = examples // size * size
    while True:
        order = torch.stack([torch.randperm(examples, device=DEVICE) for _ in range(members)])
        yield from order[:, :used].view(members, -1, size).unbind(1)


def _alone(case: Case, inputs: torch.Tensor, targets: torch.Tensor) -> Any:
    """Return a step of one member, which takes the rows of its batch, and such rows."""
    model: Any = network(case).to(DEVICE)
    optimizer = optimizer_for(case, model.parameters())

    def step(rows: torch.Tensor) -> None:
        optimizer.zero_grad()
        cross_entropy(model(inputs[rows]), targets[rows]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step, (rows[0] for rows in _orders(1, len(targets), case.batch))


def _side_by_side(case: Case, inputs: torch.Tensor, targets: torch.Tensor) -> Any:
    """Return a step of all members at once, each on a batch of its own, and the rows of batches."""
    params, differentiate = side_by_side([network(case).to(DEVICE) for _ in range(case.members)])
    optimizer = optimizer_for(case, params.values())

    def step(rows: torch.Tensor) -> None:
        differentiate(inputs[rows], targets[rows])
        optimizer.step()

    return step, _orders(case.members, len(targets), case.batch)


def _eager(step: Any, batches: Iterator[torch.Tensor]) -> Callable[[int], None]:
    def run(steps: int) -> None:
        for rows in islice(batches, steps):
            step(rows)

    return run


def _recorded(step: Any, batches: Iterator[torch.Tensor]) -> Callable[[int], None]:
    """Record a step as a CUDA graph; what runs it copies the rows of each batch into place."""
    rows = next(batches).clone()
    aside: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(WARM_UP_STEPS):
            step(rows)
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step(rows)

    def run(steps: int, _kept: Any = step) -> None:  # the graph works on what the step holds
        for given in islice(batches, steps):
            rows.copy_(given)
            graph.replay()

    return run
