"""The compiled program: train a batch_shape of members for some epochs, all inside XLA.

One program serves every setting, seed and number of epochs of a rule at a batch size: all of these
are arguments. It is a loop over epochs around a loop over steps, for the members one after another
or for all of them side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from descenso.engine.jax.gradient import evaluate, loss_and_gradient
from descenso.engine.jax.packed_bytes import unpacked
from descenso.engine.layout import ONE_AFTER_ANOTHER, BatchShape
from descenso.ops import jax as xp
from descenso.problems import Problem, Variables, trained, with_trained
from descenso.rules import Rule

Array: TypeAlias = Any
Tree: TypeAlias = Any


class Progress(NamedTuple):
    """Where a member stands: parameters, rule state (name → tree like them), steps taken."""

    params: Tree
    state: dict[str, Tree]
    t: Array


class Noise(NamedTuple):
    """What keys the random draws of a member's training steps."""

    key: Array  # shape (2,), uint32
    epoch: Array  # the first of the call, counted from the start of the run


class Inputs(NamedTuple):
    """What a member is given for a call."""

    settings: dict[str, Array]
    seed_row: Array  # row of the table of orders
    threshold: Array  # a loss above this has left all hope
    noise: Noise | None = None  # only where the problem has a loss of its own to train by


class Outcome(NamedTuple):
    """What a member gives back: per-epoch figures, and whether it still lives."""

    train_loss: Array
    validation_loss: Array
    validation_metric: Array
    alive: Array


TrainOne: TypeAlias = Callable[[Progress, Inputs], tuple[Progress, Outcome]]


@dataclass(frozen=True)
class Recipe:
    """What a program is compiled for.

    ``part`` and ``evaluated_part`` say how many examples pass through the network at a time.
    ``all_steps``: an epoch takes all its steps, also those of a member that has diverged. Then an
    accelerator knows how many there are, and need not ask the host after each whether to go on.
    ``packed``: the shape of an example, where bytes come four to a word.
    """

    problem: Problem
    rule: Rule
    switches: Mapping[str, bool]
    batch_size: int
    examples: int
    batch_shape: BatchShape
    part: int
    evaluated_part: int
    arrangement: str = ONE_AFTER_ANOTHER
    all_steps: bool = False
    packed: tuple[int, ...] | None = None

    @property
    def steps(self) -> int:
        """Return the steps of one epoch; the examples left over wait for another epoch."""
        return self.examples // self.batch_size

    @property
    def whole(self) -> bool:
        """Return whether every step sees all examples."""
        return self.batch_size == self.examples

    @property
    def ahead(self) -> bool:
        """Return whether a batch is gathered one step ahead."""
        return self.packed is not None and not self.whole

    def unpacked(self, batch: tuple[Array, Array]) -> tuple[Array, Array]:
        """Return examples as the problem takes them."""
        inputs, targets = batch
        return (inputs if self.packed is None else unpacked(inputs, self.packed)), targets

    def batch(self, train: Array, order: Array, step: Array) -> tuple[Array, Array]:
        """Return the examples of a step; ``order`` has shape (examples used per epoch,)."""
        inputs, targets = train
        if self.whole:
            return inputs, targets  # a whole-batch gradient does not depend on the order
        rows = jax.lax.dynamic_slice_in_dim(order, step * self.batch_size, self.batch_size)
        gather = partial(jnp.take, indices=rows, axis=0, mode="clip")  # none lies outside
        return gather(inputs), gather(targets)


def _apply_rule(
    recipe: Recipe, settings: dict[str, Array], progress: Progress, gradient: Tree
) -> Progress:
    t = progress.t + 1
    values = {**settings, **recipe.switches}
    params, structure = jax.tree.flatten(trained(progress.params))
    gradients = jax.tree.leaves(gradient)
    states = {name: jax.tree.leaves(tree) for name, tree in progress.state.items()}
    new_params, new_states = [], []
    for i, (theta, g) in enumerate(zip(params, gradients, strict=True)):
        state = {name: leaves[i] for name, leaves in states.items()}
        theta, state = recipe.rule.update(xp, theta, g, state, t, values)
        new_params.append(theta)
        new_states.append(state)
    state_trees = {name: structure.unflatten([s[name] for s in new_states]) for name in states}
    moved = with_trained(progress.params, structure.unflatten(new_params))
    return Progress(moved, state_trees, t)


def differentiate(
    recipe: Recipe, params: Tree, batch: tuple[Array, Array], key: Array
) -> tuple[Array, Tree, Tree]:
    """Return the loss of a step, its gradient, and the parameters with what the step carries on."""
    problem, train_loss = recipe.problem, recipe.problem.train_loss
    if train_loss is None:

        def objective(moved: Tree, inputs: Array, targets: Array) -> Array:
            return problem.loss(problem.apply(moved, inputs), targets)

        return *loss_and_gradient(objective, params, *batch, recipe.part), params

    def loss_of(moved: Tree, inputs: Array, targets: Array) -> tuple[Array, Tree]:
        return train_loss(Variables(moved, params.carried), inputs, targets, key)

    if recipe.part < recipe.batch_size:  # so it carries nothing on

        def loss_alone(moved: Tree, inputs: Array, targets: Array) -> Array:
            return loss_of(moved, inputs, targets)[0]

        return *loss_and_gradient(loss_alone, params.trained, *batch, recipe.part), params

    (loss, carried), gradient = jax.value_and_grad(loss_of, has_aux=True)(params.trained, *batch)
    return loss, gradient, params._replace(carried=carried)


def take_step(
    recipe: Recipe, inputs: Inputs, progress: Progress, batch: tuple[Array, Array], key: Array
) -> tuple[Progress, Array]:
    """Return where a member stands after a step on a batch, and its loss before it."""
    loss, gradient, params = differentiate(recipe, progress.params, batch, key)
    moved = _apply_rule(recipe, inputs.settings, progress._replace(params=params), gradient)
    return moved, loss


def key_at(inputs: Inputs, epoch: Array, step: Array) -> Array:
    """Return the PRNG key of a step; ``epoch`` counts from the start of the call."""
    if inputs.noise is None:
        return None
    key = jax.random.wrap_key_data(inputs.noise.key, impl="threefry2x32")
    return jax.random.fold_in(jax.random.fold_in(key, inputs.noise.epoch + epoch), step)


def _train_epoch(
    recipe: Recipe, inputs: Inputs, progress: Progress, epoch: Array, order: Array, train: Array
) -> tuple[Progress, Array, Array]:
    """Take the steps of one epoch; those after the one that diverges do not count."""

    def next_batch(step: Array) -> Any:
        return recipe.batch(train, order, step) if recipe.ahead else ()

    def one_step(step: Array, carry: Any) -> Any:
        progress, total, alive, ahead = carry
        here = recipe.unpacked(ahead) if recipe.ahead else recipe.batch(train, order, step)
        after, key = next_batch(step + 1), key_at(inputs, epoch, step)
        moved, loss = take_step(recipe, inputs, progress, here, key)
        fine = jnp.isfinite(loss) & (loss <= inputs.threshold)
        if not recipe.all_steps:
            return moved, total + loss, fine, after
        t = jnp.where(alive, moved.t, progress.t)
        total = jnp.where(alive, total + loss, total)
        return moved._replace(t=t), total, alive & fine, after

    first = progress.t
    alive = jnp.isfinite(inputs.threshold)
    start = (progress, jnp.zeros_like(inputs.threshold), alive, next_batch(jnp.int32(0)))
    if recipe.all_steps:
        progress, total, alive, _ = jax.lax.fori_loop(0, recipe.steps, one_step, start)
        return progress, total / (progress.t - first), alive
    steps, (progress, total, alive, _) = jax.lax.while_loop(
        lambda carry: (carry[0] < recipe.steps) & carry[1][2],
        lambda carry: (carry[0] + 1, one_step(*carry)),
        (0, start),
    )
    return progress, total / steps, alive


def _train_member(
    recipe: Recipe, progress: Progress, inputs: Inputs, orders: Array, epochs: Array, data: Any
) -> tuple[Progress, Outcome]:
    train, validation = data
    blank = jnp.full(recipe.batch_shape.epochs, jnp.nan, inputs.threshold.dtype)

    def go_on(carry: Any) -> Array:
        epoch, _, _, alive = carry
        return (epoch < epochs) & alive

    def one_epoch(carry: Any) -> Any:
        epoch, progress, (train_losses, losses, metrics), _ = carry
        order = orders[inputs.seed_row, epoch]
        progress, train_loss, alive = _train_epoch(recipe, inputs, progress, epoch, order, train)
        loss, metric = evaluate(recipe.problem, progress.params, validation, recipe.evaluated_part)
        alive = alive & jnp.isfinite(loss) & (loss <= inputs.threshold)
        figures = (
            train_losses.at[epoch].set(train_loss),
            losses.at[epoch].set(jnp.where(alive, loss, jnp.nan)),
            metrics.at[epoch].set(jnp.where(alive, metric, jnp.nan)),
        )
        return epoch + 1, progress, figures, alive

    start = (0, progress, (blank, blank, blank), jnp.isfinite(inputs.threshold))
    _, progress, figures, alive = jax.lax.while_loop(go_on, one_epoch, start)
    train_loss, loss, metric = figures
    return progress, Outcome(train_loss, loss, metric, alive)


def build(recipe: Recipe) -> Any:
    """Return the training program, not yet compiled.

    It takes ``(progress, inputs, count, orders, epochs, data)`` and trains the first ``count``
    members. The first two carry a leading axis of members; ``orders`` has shape (seeds, epochs,
    examples used per epoch).
    """

    def program(
        progress: Progress, inputs: Inputs, count: Array, orders: Array, epochs: Array, data: Any
    ) -> tuple[Progress, Outcome]:
        train, validation = data
        train = recipe.unpacked(train) if recipe.whole else train

        def one(mine: Progress, given: Inputs) -> tuple[Progress, Outcome]:
            return _train_member(recipe, mine, given, orders, epochs, (train, validation))

        if recipe.arrangement == ONE_AFTER_ANOTHER:
            return _train_in_turn(one, progress, inputs, count)
        return _train_side_by_side(one, progress, inputs, count, recipe.batch_shape.at_a_time)

    return jax.jit(program)


def _train_in_turn(
    train: TrainOne, progress: Progress, inputs: Inputs, count: Array
) -> tuple[Progress, Outcome]:
    def member(tree: Tree, i: Array) -> Tree:
        return jax.tree.map(lambda a: a[i], tree)

    members = inputs.threshold.shape[0]
    shapes = jax.eval_shape(lambda: train(member(progress, 0), member(inputs, 0)))[1]
    blank = jax.tree.map(lambda s: jnp.zeros((members, *s.shape), s.dtype), shapes)

    def train_one(carry: Any) -> Any:
        i, progress, outcomes = carry
        done, outcome = train(member(progress, i), member(inputs, i))
        write = lambda whole, part: whole.at[i].set(part)  # noqa: E731
        return i + 1, jax.tree.map(write, progress, done), jax.tree.map(write, outcomes, outcome)

    _, progress, outcomes = jax.lax.while_loop(
        lambda carry: carry[0] < count, train_one, (0, progress, blank)
    )
    return progress, outcomes


def _train_side_by_side(
    train: TrainOne, progress: Progress, inputs: Inputs, count: Array, at_a_time: int
) -> tuple[Progress, Outcome]:
    """Train so many members at a time, and then the next so many."""
    members = inputs.threshold.shape[0]
    taken = jnp.arange(members) < count
    # A place that is not taken has no hope, and so takes no step that counts.
    inputs = inputs._replace(threshold=jnp.where(taken, inputs.threshold, jnp.nan))
    together: TrainOne = jax.vmap(train)
    if at_a_time == members:
        return together(progress, inputs)
    rows = jax.tree.map(lambda a: a.reshape(-1, at_a_time, *a.shape[1:]), (progress, inputs))
    done = _train_in_turn(together, rows[0], rows[1], -(-count // at_a_time))
    flat: tuple[Progress, Outcome] = jax.tree.map(lambda a: a.reshape(members, *a.shape[2:]), done)
    return flat


def build_judge(problem: Problem, members: int, part: int) -> Any:
    """Return the program that judges parameters on a split, not yet compiled.

    It takes ``(params, count, split)`` with a leading axis of members on the parameters, and
    returns loss and metric of each.
    """

    def judge(params: Tree, count: Array, split: Array) -> tuple[Array, Array]:
        def judge_one(carry: Any) -> Any:
            i, losses, metrics = carry
            loss, metric = evaluate(problem, jax.tree.map(lambda a: a[i], params), split, part)
            return i + 1, losses.at[i].set(loss), metrics.at[i].set(metric)

        blank = jnp.zeros(members, jax.tree.leaves(params)[0].dtype)
        start = (0, blank, blank)
        _, losses, metrics = jax.lax.while_loop(lambda carry: carry[0] < count, judge_one, start)
        return losses, metrics

    return jax.jit(judge)
