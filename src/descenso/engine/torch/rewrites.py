"""ReLU after the pooling that follows it, instead of before: the same figures for less work.

The largest of a window is the same one before and after ReLU, and ReLU then sees, and its gradient
walks, a quarter of the numbers where windows are 2×2. It is done to a trace of the module, whose
tensors stay the module's own, and only where loss, gradients and buffers prove equal to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from descenso.engine.torch.step import DRAWS, figures, has_hooks, parts_of
from descenso.problems import Problem
from descenso.problems.torch_modules import Batch, own_randomness

_RELUS: tuple[Any, ...] = (functional.relu, torch.relu, "relu")
_POOLS: tuple[Any, ...] = (
    functional.max_pool2d, torch.max_pool2d, functional.adaptive_max_pool2d,
)  # fmt: skip
_POOL_LAYERS = (nn.MaxPool2d, nn.AdaptiveMaxPool2d)


def pooling_first(problem: Problem, module: nn.Module, batch: Batch) -> fx.Graph | None:
    """Return the module's steps with pooling before ReLU; ``None`` where none is to be moved.

    Parameters
    ----------
    module : in training mode. It is left as it is, but for its buffers and random draws.
    batch : examples to prove it on.
    """
    if has_hooks(module):
        return None
    try:
        graph = fx.symbolic_trace(module).graph
        if not _swap(graph, dict(module.named_modules())):
            return None
        traced = fx.GraphModule(module, graph)
        same = all(_same_step(problem, module, traced, batch, seed) for seed in range(DRAWS))
    except Exception:  # it does what cannot be traced
        return None
    return graph if same else None


def _swap(graph: fx.Graph, layers: Mapping[str, nn.Module]) -> bool:
    """Move each ReLU that only a pooling sees behind it; return whether there was one."""
    swapped = False
    for pool in list(graph.nodes):
        relu = pool.args[0] if pool.args else None
        if not isinstance(relu, fx.Node) or not _is_pool(pool, layers):
            continue
        alone = len(relu.users) == 1 and len(relu.all_input_nodes) == 1
        if not (alone and _is_relu(relu, layers) and len(relu.all_input_nodes[0].users) == 1):
            continue
        pool.replace_input_with(relu, relu.all_input_nodes[0])
        users = list(pool.users)
        with graph.inserting_after(pool):
            moved = graph.node_copy(relu, dict.fromkeys(relu.all_input_nodes, pool).__getitem__)
        for user in users:
            user.replace_input_with(pool, moved)
        graph.erase_node(relu)
        swapped = True
    return swapped


def _is_relu(node: fx.Node, layers: Mapping[str, nn.Module]) -> bool:
    if node.op == "call_module":
        return type(layers.get(str(node.target))) is nn.ReLU
    return node.target in _RELUS


def _is_pool(node: fx.Node, layers: Mapping[str, nn.Module]) -> bool:
    if node.op == "call_module":
        layer: Any = layers.get(str(node.target))
        return type(layer) in _POOL_LAYERS and not layer.return_indices
    return node.target in _POOLS and not node.kwargs.get("return_indices")


def _same_step(
    problem: Problem, module: nn.Module, traced: nn.Module, batch: Batch, seed: int
) -> bool:
    parts = parts_of(module)
    with own_randomness():
        ours, theirs = (figures(problem, form, parts, batch, seed) for form in (traced, module))
    return all(
        torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)
        for one, other in zip(
            (ours[0], *ours[1], *ours[2]), (theirs[0], *theirs[1], *theirs[2]), strict=True
        )
    )
