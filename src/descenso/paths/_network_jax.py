"""A network of a JAX problem, step by step; Keras, Flax, Equinox and tables come this way too."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np

from descenso.engine import Walk, prepare_machine
from descenso.engine.jax import JaxEngine
from descenso.engine.walking import end_to_end
from descenso.paths._network import EXAMPLES, Layer, Place, checkpoints
from descenso.problems import Data, Problem, trained
from descenso.records import Member


class JaxNetwork:
    """The network of a problem whose functions take JAX arrays."""

    def __init__(self, problem: Problem, data: Data, study_seed: int) -> None:
        prepare_machine()
        self._engine = JaxEngine(problem, data, study_seed)
        self._shown = data.train.inputs[:EXAMPLES], data.train.targets[:EXAMPLES]
        self.problem = self._engine.problem  # in the forms that the engine trains
        start = self._engine.initial(0)
        moved = jax.tree_util.tree_leaves_with_path(trained(start))
        names = problem.details.get("layers") or [_name(path) for path, _leaf in moved]
        self.layers = tuple(
            Layer(name, np.shape(leaf), _outputs_axis(path))
            for name, (path, leaf) in zip(names, moved, strict=True)
        )
        self._leaves, self._structure = jax.tree.flatten(start)
        self._loss_at = jax.jit(self._loss)

    def routes(self, member: Member, epochs: int) -> Iterator[Place]:
        """Give the place before training and after each epoch, until the member diverges."""
        yield self._place(jax.tree.leaves(self._engine.initial(member.seed)))
        for run in checkpoints(self._engine, member, epochs):
            # A checkpoint begins with the leaves of the variables, in their order.
            kept = run.checkpoint or {}
            yield self._place([kept[f"leaf{i}"] for i in range(len(self._leaves))])

    def _place(self, leaves: Sequence[Any]) -> Place:
        count = len(self.layers)
        carried = [leaf for leaf in leaves[count:] if _is_floating(leaf)]
        return Place(end_to_end(leaves[:count]), end_to_end(carried))

    def loss(self, place: Place) -> float:
        """Return the training loss at a place, in evaluation mode."""
        vector = np.concatenate(place).astype(np.float32)
        return float(self._loss_at(vector, *self._shown))

    def _loss(self, vector: Any, inputs: Any, targets: Any) -> Any:
        leaves, at = [], 0
        for i, leaf in enumerate(self._leaves):
            if i >= len(self.layers) and not _is_floating(leaf):
                leaves.append(leaf)  # a counter, which evaluation does not look at
                continue
            size = math.prod(np.shape(leaf))
            leaves.append(vector[at : at + size].reshape(np.shape(leaf)))
            at += size
        params = self._structure.unflatten(leaves)
        return self.problem.loss(self.problem.apply(params, inputs), targets)

    def walk(self, member: Member) -> Walk:
        """Return a member that is to take its first step."""
        return self._engine.walk(member)


def _is_floating(leaf: Any) -> bool:
    return bool(np.issubdtype(np.asarray(leaf).dtype, np.floating))


def _name(path: Sequence[Any]) -> str:
    """Return a leaf's place in its tree, such as ``0.weight``."""
    return ".".join(map(_word, path)) or "theta"


def _word(part: Any) -> str:
    return str(getattr(part, "key", getattr(part, "idx", getattr(part, "name", part))))


def _outputs_axis(path: Sequence[Any]) -> int:
    """Return the axis of a weight that counts outputs: the last, but for Equinox's layers."""
    last = path[-1] if path else None
    return 0 if isinstance(last, jax.tree_util.GetAttrKey) and last.name == "weight" else -1
