"""Training with torch, as one writes it by hand: the peers of the training benchmark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

from benchmarks._training_cases import Case
from benchmarks._tutorial import tutorials_epoch
from benchmarks._workers import Call
from descenso.data import Split

SIDE, PRODUCTS = 1024, 20  # of the matrix products whose rate is the bound
BYTES_IN_ORDER = 2**20
TUTORIAL_STEPS = 100
_LAYOUTS = {"": torch.contiguous_format, ", channels last": torch.channels_last}


def calls(case: Case) -> dict[str, Call]:
    """Return the ways to train a case with torch."""
    images, labels = case.as_floats(case.data().train)
    inputs, targets = as_torch(images), torch.from_numpy(labels)
    offered = {}
    for words, layout in _LAYOUTS.items() if case.convolutional else [("", None)]:
        run = _loop(case, inputs, targets, layout)
        offered[f"1 thread{words}"] = Call(_on(1, run), case.steps)
        offered[f"2 threads{words}"] = Call(_on(2, run), case.steps)
    if "vmap" in case.others:
        steps = max(1, case.steps // case.members)
        run = _vmapped(case, inputs, targets, steps)
        offered["vmap"] = Call(_on(2, run), steps * case.members)
    if "tutorial" in case.others:
        offered["tutorial"] = Call(_on(2, _tutorial(case)), TUTORIAL_STEPS)
    if case.bound:
        worth = PRODUCTS * 2 * SIDE**3 / operations(case)
        offered["product, 1 thread"] = Call(_on(1, _products), worth)
        offered["product, 2 threads"] = Call(_on(2, _products), worth)
    return offered


def as_torch(inputs: Any) -> torch.Tensor:
    """Return inputs as torch lays them: channels before height and width."""
    images = inputs.ndim == 4
    return torch.from_numpy(inputs.transpose(0, 3, 1, 2).copy() if images else inputs)


def network(case: Case) -> nn.Sequential:
    """Return the network of a case: ReLU after each layer of weights but the last."""
    made: list[nn.Module] = []
    flat = not case.convolutional
    for kind, *sizes in case.layers:
        if kind == "dense" and not flat:
            made.append(nn.Flatten())
            flat = True
        made.append(_LAYERS[kind](*sizes))
        if kind != "pool":
            made.append(nn.ReLU())
    return nn.Sequential(*made[:-1])


_LAYERS: dict[str, Callable[..., nn.Module]] = {
    "dense": nn.Linear,
    "conv": lambda inputs, outputs: nn.Conv2d(inputs, outputs, 3),
    "pool": lambda: nn.MaxPool2d(2),
}


def operations(case: Case) -> int:
    """Return the floating-point operations of a training step's matrix products.

    A layer has three of them (outputs, gradient of its weights, gradient of its inputs), but for
    the first, whose inputs need no gradient.
    """
    part = case.data().train
    inputs, targets = case.as_floats(Split(part.inputs[: case.batch], part.targets[: case.batch]))
    with FlopCounterMode(display=False) as counter:
        loss = cross_entropy(network(case)(as_torch(inputs)), torch.from_numpy(targets))
        loss.backward()  # type: ignore[no-untyped-call]
    return int(counter.get_total_flops())


def _on(threads: int, run: Callable[[], None]) -> Callable[[], None]:
    def on_so_many() -> None:
        torch.set_num_threads(threads)
        run()

    return on_so_many


def optimizer_for(case: Case, parameters: Any) -> torch.optim.Optimizer:
    if case.rule == "adam":
        return torch.optim.Adam(parameters, lr=1e-3, fused=True)
    return torch.optim.SGD(parameters, lr=1e-3, momentum=0.9, fused=True)


def _orders(examples: int, size: int) -> Iterator[torch.Tensor]:
    """Give the rows of batches without end, each epoch in a new order."""
    while True:
        yield from torch.randperm(examples)[: examples // size * size].view(-1, size)


# ---- by hand -----------------------------------------------------------------------------------


def _loop(case: Case, inputs: torch.Tensor, targets: torch.Tensor, layout: Any) -> Any:
    model: Any = network(case)
    if layout:
        model, inputs = model.to(memory_format=layout), inputs.contiguous(memory_format=layout)
    optimizer = optimizer_for(case, model.parameters())
    batches = _batches(inputs, targets, case.batch)

    def run() -> None:
        for x, y in islice(batches, case.steps):
            optimizer.zero_grad()
            cross_entropy(model(x), y).backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    return run


def _batches(inputs: Any, targets: Any, size: int) -> Iterator[Any]:
    """Give batches without end, put in order some at a time: so many as stay in the cache."""
    each = inputs[0].numel() * inputs.element_size()
    block = size * max(1, BYTES_IN_ORDER // (size * each))
    while True:
        order: Any = torch.randperm(len(targets))[: len(targets) // size * size]
        for rows in order.split(block):
            yield from zip(inputs[rows].split(size), targets[rows].split(size), strict=True)


def _vmapped(case: Case, inputs: torch.Tensor, targets: torch.Tensor, steps: int) -> Any:
    """Train the members side by side, each on batches of its own."""
    params, differentiate = side_by_side([network(case) for _ in range(case.members)])
    optimizer = optimizer_for(case, params.values())
    orders = [_orders(len(targets), case.batch) for _ in range(case.members)]

    def run() -> None:
        for several in islice(zip(*orders, strict=True), steps):
            rows = torch.stack(several)
            differentiate(inputs[rows], targets[rows])
            optimizer.step()

    return run


def side_by_side(models: list[Any]) -> tuple[dict[str, Any], Callable[..., None]]:
    """Return parameters of all models, and what gives them the gradients of a batch for each."""
    params, buffers = stack_module_state(models)
    base = models[0].to("meta")

    def loss(mine: Any, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return cross_entropy(functional_call(base, (mine, buffers), (x,)), y)

    gradient_of_each = vmap(grad(loss))

    def differentiate(inputs: torch.Tensor, targets: torch.Tensor) -> None:
        with torch.no_grad():
            given = {name: value.detach() for name, value in params.items()}
            gradients = gradient_of_each(given, inputs, targets)
        for name, value in params.items():
            value.grad = gradients[name]

    return params, differentiate


# ---- as the tutorial does ------------------------------------------------------------------------


def _tutorial(case: Case) -> Any:
    part, count = case.data().train, TUTORIAL_STEPS * case.batch
    return tutorials_epoch(part.inputs[:count, :, :, 0], part.targets[:count], case.batch)


# ---- the bound -----------------------------------------------------------------------------------

_left, _right = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
_result = torch.empty(SIDE, SIDE)


def _products() -> None:
    for _ in range(PRODUCTS):
        torch.mm(_left, _right, out=_result)
