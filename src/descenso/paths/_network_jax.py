"""A network of a JAX problem, step by step; Keras, Flax, Equinox and tables come this way too."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np

from descenso import rules
from descenso.engine.jax import JaxEngine
from descenso.engine.randomness import example_order, noise_key, weights_generator
from descenso.ops import jax as xp
from descenso.paths._network import (
    EXAMPLES,
    Floats,
    Layer,
    Place,
    Rows,
    checkpoints,
    laid_end_to_end,
    parts_of,
)
from descenso.problems import Data, Problem, Variables, trained
from descenso.records import Member

Tree = Any


class JaxNetwork:
    """The network of a problem whose functions take JAX arrays."""

    def __init__(self, problem: Problem, data: Data, study_seed: int) -> None:
        self.study_seed = study_seed
        self.inputs, self.targets = (
            _single(part) for part in (data.train.inputs, data.train.targets)
        )
        self._engine = JaxEngine(problem, data, study_seed)
        self.problem = self._engine.problem  # in the forms that the engine trains
        start = self.start(0)
        moved = jax.tree_util.tree_leaves_with_path(trained(start))
        names = problem.details.get("layers") or [_name(path) for path, _leaf in moved]
        self.layers = tuple(
            Layer(name, np.shape(leaf), _outputs_axis(path))
            for name, (path, leaf) in zip(names, moved, strict=True)
        )
        self._leaves, self._structure = jax.tree.flatten(start)
        self._loss_at = jax.jit(self._loss)

    def start(self, seed: int) -> Tree:
        """Return the initial variables of every member with this seed."""
        params = self.problem.init(weights_generator(self.study_seed, seed))
        return jax.tree.map(_single, params)

    def routes(self, member: Member, epochs: int) -> Iterator[Place]:
        """Give the place before training and after each epoch, until the member diverges."""
        yield self._place(jax.tree.leaves(self.start(member.seed)))
        for run in checkpoints(self._engine, member, epochs):
            # A checkpoint begins with the leaves of the variables, in their order.
            kept = run.checkpoint or {}
            yield self._place([kept[f"leaf{i}"] for i in range(len(self._leaves))])

    def _place(self, leaves: Sequence[Any]) -> Place:
        count = len(self.layers)
        carried = [leaf for leaf in leaves[count:] if _is_floating(leaf)]
        return Place(laid_end_to_end(leaves[:count]), laid_end_to_end(carried))

    def loss(self, place: Place) -> float:
        """Return the training loss at a place, in evaluation mode."""
        vector = np.concatenate(place).astype(np.float32)
        return float(self._loss_at(vector, self.inputs[:EXAMPLES], self.targets[:EXAMPLES]))

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

    def walk(self, member: Member) -> JaxWalk:
        """Return a member that is to take its first step."""
        return JaxWalk(self, member)

    def differentiate(self, params: Tree, inputs: Any, targets: Any, key: Any) -> tuple[Tree, Tree]:
        """Return the gradient of a training step, and the variables with what it carries on."""
        step_loss = self.problem.train_loss
        if step_loss is None:

            def plain_loss(params: Tree) -> Any:
                return self.problem.loss(self.problem.apply(params, inputs), targets)

            return jax.grad(plain_loss)(params), params

        def loss_of(moved: Tree) -> Any:
            return step_loss(Variables(moved, params.carried), inputs, targets, key)

        gradient, carried = jax.grad(loss_of, has_aux=True)(params.trained)
        return gradient, params._replace(carried=carried)


class JaxWalk:
    """One member, step by step, as the engine takes them."""

    def __init__(self, network: JaxNetwork, member: Member) -> None:
        self._network, self._member = network, member
        self._params, self._t = network.start(member.seed), 0
        rule = rules.get(member.rule)
        self._states = [
            rule.start(xp, jax.numpy.asarray(leaf), member.settings)
            for leaf in jax.tree.leaves(trained(self._params))
        ]
        self._move, self._gradient = jax.jit(self._moved), jax.jit(network.differentiate)
        self._noise = jax.random.wrap_key_data(
            noise_key(network.study_seed, member.seed), impl="threefry2x32"
        )
        self._coming = self._batches()

    def parameters(self) -> list[Floats]:
        """Return the trained arrays as they stand."""
        return [np.array(leaf, np.float64) for leaf in jax.tree.leaves(trained(self._params))]

    def step(self) -> None:
        """Take the next step."""
        epoch, step, rows = next(self._coming)
        self._t += 1
        batch = self._network.inputs[rows], self._network.targets[rows]
        key = jax.random.fold_in(jax.random.fold_in(self._noise, epoch), step)
        self._params, self._states = self._move(
            self._params, self._states, np.float32(self._t), *batch, key
        )

    def _moved(
        self, params: Tree, states: Any, t: Any, inputs: Any, targets: Any, key: Any
    ) -> tuple[Tree, Any]:
        rule, settings = rules.get(self._member.rule), dict(self._member.settings)
        gradient, params = self._network.differentiate(params, inputs, targets, key)
        leaves, structure = jax.tree.flatten(trained(params))
        moved = [
            rule.update(xp, leaf, g, state, t, settings)
            for leaf, g, state in zip(leaves, jax.tree.leaves(gradient), states, strict=True)
        ]
        after = structure.unflatten([leaf for leaf, _state in moved])
        whole = params._replace(trained=after) if isinstance(params, Variables) else after
        return whole, [state for _leaf, state in moved]

    def _batches(self) -> Iterator[tuple[int, int, Rows]]:
        """Give epoch, step and examples of each step, in the engine's order."""
        size, examples, epoch = self._member.batch_size, len(self._network.inputs), 0
        while True:
            order = example_order(self._network.study_seed, self._member.seed, epoch, examples)
            for step in range(examples // size):
                yield epoch, step, order[step * size : (step + 1) * size]
            epoch += 1

    def gradient(self, rows: Rows, draw: int) -> Floats:
        """Return the gradient of a training step on these examples, without taking it."""
        whole: Any = 0.0
        for i, part in enumerate(parts_of(rows)):
            key = jax.random.fold_in(jax.random.key(draw), i)
            batch = self._network.inputs[part], self._network.targets[part]
            gradient, _params = self._gradient(self._params, *batch, key)
            whole += len(part) / len(rows) * laid_end_to_end(jax.tree.leaves(gradient))
        return np.asarray(whole)


def _single(leaf: Any) -> Any:
    """Return an array with floating numbers in single precision, as the engine trains."""
    array = np.asarray(leaf)
    return array.astype(np.float32) if _is_floating(array) else array


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
