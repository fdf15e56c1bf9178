"""Members of one rule and batch size side by side: on CUDA one recorded graph takes their steps.

To an accelerator, a step of one small network is all launches. So one step moves many members at
once (``torch.func.vmap``), their tensors stay where they are, and CUDA launches all of a step as
one graph. The host asks nothing in between: a member that diverges goes on to no purpose, and its
steps no longer count.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

import torch
from numpy.typing import NDArray
from torch.func import functional_call, grad_and_value, vmap

from descenso import rules
from descenso.engine.bookkeeping import switches_of
from descenso.engine.randomness import example_order, step_seeds
from descenso.engine.torch.member import to_array
from descenso.engine.torch.serial import SerialTrainer
from descenso.engine.torch.stacked import Named, StackedTensors
from descenso.engine.torch.step import DRAWS, figures, parts_of, same_step
from descenso.language import N_
from descenso.ops import torch as xp
from descenso.problems.torch_modules import Batch, cut, exact_products, own_randomness
from descenso.records import Member

Figures: TypeAlias = tuple[NDArray[Any], NDArray[Any]]
#: Steps taken before CUDA records one, so that libraries have set up what they need.
WARM_UP_STEPS = 3
#: Examples of a split that are evaluated at a time.
EXAMPLES_PER_PART = 512


class CannotPopulateError(Exception):
    """The module does not train side by side as it does alone; the message says why."""


class Population:
    """A step that moves the members of all stacked.

    Parameters
    ----------
    trainer : the problem, its examples and the study's seed.
    module : new, in training mode, where the examples are.
    member : one of those that are to be trained: its rule, switches and batch size are theirs.
    size : stacked for members.
    draws : whether a step draws random numbers: then there must be one place, for draws are keyed
        by the member and the step.

    Raises
    ------
    CannotPopulateError
        If a step of all is not each member's own step.
    """

    def __init__(
        self,
        trainer: SerialTrainer,
        module: torch.nn.Module,
        member: Member,
        size: int,
        draws: bool,
    ) -> None:
        self._problem, self._module, self._draws = trainer.problem, module, draws
        self._train, self._validation = trainer.train, trainer.validation
        self._study_seed = trainer.study_seed
        self._rule, self._batch_size = rules.get(member.rule), member.batch_size
        self._switches = switches_of(member)
        self.stacked = StackedTensors(module, member, size)
        self._steps = trainer.examples // member.batch_size
        self._whole = member.batch_size == trainer.examples
        self._evaluates_batched = True
        self._lay_out_steps()
        self._prove_equal(member)
        self._step: Callable[[], None] = self._take_step
        self._evaluated: Callable[[], None] = self._evaluate_validation
        if self._train[1].is_cuda:
            self._step = _recorded(self._take_step)
            with suppress(Exception):  # a metric may ask the host, which no graph can hold
                self._evaluated = _recorded(self._evaluate_validation)

    def _lay_out_steps(self) -> None:
        size, device = self.stacked.size, self._train[1].device
        dtype = next(iter(self.stacked.trained.values())).dtype
        across = 1 if self._whole else self._steps * self._batch_size
        self._orders = torch.zeros(size, across, device=device, dtype=torch.int64)
        self._at = torch.arange(min(across, self._batch_size), device=device)
        self._total = torch.zeros(size, device=device, dtype=dtype)
        self._figures = torch.zeros(2, size, device=device, dtype=dtype)

    # ---- a step ---------------------------------------------------------------------------------

    def _differentiate(
        self, trained: Named, frozen: Named, buffers: Named, inputs: Any, targets: torch.Tensor
    ) -> tuple[torch.Tensor, Named, Named]:
        """Return loss, gradients and new buffers of one member."""

        def objective(moved: Named) -> tuple[torch.Tensor, Named]:
            kept = {name: buffer.clone() for name, buffer in buffers.items()}
            outputs = self._outputs({**moved, **frozen, **kept}, inputs)
            return self._problem.loss(outputs, targets), kept

        gradients, (loss, kept) = grad_and_value(objective, has_aux=True)(trained)
        return loss, gradients, kept

    def _outputs(self, tensors: Named, inputs: Any) -> torch.Tensor:
        module = self._module
        outputs: torch.Tensor = self._problem.apply(
            lambda *x, **named: functional_call(module, tensors, x, named), inputs
        )
        return outputs

    def _each_differentiated(self, inputs: Any, targets: torch.Tensor) -> Any:
        """Do it for all members; examples have an axis of members, unless all see the same."""
        at = None if self._whole else 0
        each = vmap(self._differentiate, in_dims=(0, 0, 0, at, at), randomness="different")
        stacked = self.stacked
        return each(stacked.trained, stacked.frozen, stacked.buffers, inputs, targets)

    def _moved(self, theta: Any, g: Any, state: Named, t: Any, settings: Named) -> Any:
        return self._rule.update(xp, theta, g, state, t, {**settings, **self._switches})

    def _batch(self) -> Batch:
        inputs, targets = self._train
        if self._whole:
            return inputs, targets
        rows = self._orders.index_select(1, self._at)
        return tuple(x[rows] for x in inputs), targets[rows]

    @torch.no_grad()
    def _take_step(self) -> None:
        stacked = self.stacked
        loss, gradients, buffers = self._each_differentiated(*self._batch())
        t = stacked.t + 1
        for name, gradient in stacked.as_pieces(gradients).items():
            piece = stacked.pieces[name]
            state = {array: kept[name] for array, kept in stacked.state.items()}
            theta, new = vmap(self._moved)(piece, gradient, state, t, stacked.settings)
            piece.copy_(theta)
            for array, value in new.items():
                stacked.state[array][name].copy_(value)
        for name, buffer in buffers.items():
            stacked.buffers[name].copy_(buffer)
        stacked.t.copy_(torch.where(stacked.alive, t, stacked.t))
        self._total.add_(torch.where(stacked.alive, loss, 0.0))
        stacked.alive.logical_and_(torch.isfinite(loss) & (loss <= stacked.threshold))
        if not self._whole:  # a short epoch has fewer batches than are taken before recording
            self._at.add_(self._batch_size).remainder_(self._orders.shape[1])

    def epoch(self, members: Sequence[Member], epoch: int) -> Figures:
        """Take the steps of an epoch; return the mean loss of each place, and which are alive."""
        before = self.stacked.t.clone()
        self._total.zero_()
        self._at.copy_(torch.arange(len(self._at)))
        self._set_orders(members, epoch)
        if self._draws:
            for seed in step_seeds(self._study_seed, members[0].seed, epoch, self._steps):
                torch.manual_seed(seed)
                self._step()
        else:
            for _ in range(self._steps):
                self._step()
        return to_array(self._total / (self.stacked.t - before)), to_array(self.stacked.alive)

    def _set_orders(self, members: Sequence[Member], epoch: int) -> None:
        if self._whole:  # a whole-batch gradient does not depend on the order
            return
        examples, used = len(self._train[1]), self._orders.shape[1]
        orders = {
            seed: torch.from_numpy(example_order(self._study_seed, seed, epoch, examples)[:used])
            for seed in {member.seed for member in members}
        }
        self._orders[: len(members)].copy_(torch.stack([orders[m.seed] for m in members]))

    def steps_taken(self) -> list[int]:
        """Return how many steps the member of each place has taken."""
        return [int(t) for t in to_array(self.stacked.t)]

    # ---- measuring ------------------------------------------------------------------------------

    def validated(self) -> Figures:
        """Return loss and metric of every place on the validation examples."""
        self._evaluated()
        losses, metrics = to_array(self._figures)
        return losses, metrics

    def measured(self, part: Batch) -> Figures:
        """Return loss and metric of every place on a part."""
        losses, metrics = self._evaluate(part)
        return to_array(losses), to_array(metrics)

    def _evaluate_validation(self) -> None:
        self._figures.copy_(torch.stack(self._evaluate(self._validation)))

    @torch.no_grad()
    def _evaluate(self, part: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return loss and metric of every place over a whole part, in evaluation mode."""
        inputs, targets = part
        measures = self._problem.loss, self._problem.metric.function
        self._module.eval()
        try:
            pieces = zip(*(cut(x, EXAMPLES_PER_PART) for x in inputs), strict=True)
            outputs = torch.cat([self._each_outputs(piece) for piece in pieces], 1)
        finally:
            self._module.train()
        losses, metrics = (torch.stack([f(own, targets) for own in outputs]) for f in measures)
        return losses, metrics.to(losses.dtype)

    def _each_outputs(self, inputs: Any) -> torch.Tensor:
        """Return the outputs of every place; one by one, where torch cannot do it for all."""
        stacked = self.stacked
        given = {**stacked.trained, **stacked.frozen, **stacked.buffers}
        if self._evaluates_batched:
            try:
                return vmap(self._outputs, in_dims=(0, None))(given, inputs)
            except RuntimeError:  # of some layers torch can batch the gradient alone
                self._evaluates_batched = False
        each = ({name: t[place] for name, t in given.items()} for place in range(stacked.size))
        return torch.stack([self._outputs(own, inputs) for own in each])

    # ---- proof ----------------------------------------------------------------------------------

    def _prove_equal(self, member: Member) -> None:
        """Compare the step of the last place with the module's own on several batches."""
        if self._draws:  # a member draws the same every time, but not as the module does
            return
        parts = parts_of(self._module)
        self.stacked.put(self.stacked.size - 1, member, self._module, {}, 0.0)
        inputs, targets = self._train
        for first in range(DRAWS):
            rows = (torch.arange(self._batch_size) + first).remainder(len(targets))
            batch = tuple(x[rows] for x in inputs), targets[rows]
            with own_randomness(), exact_products():
                wanted = figures(self._problem, self._module, parts, batch, first)
                with torch.no_grad():
                    all_of = self._each_differentiated(*self._spread(batch))
            loss, gradients, kept = all_of
            ours = loss[-1], [g[-1] for g in gradients.values()], [b[-1] for b in kept.values()]
            if not same_step(ours, wanted):
                raise CannotPopulateError(N_("side by side, it gives other figures than alone"))

    def _spread(self, batch: Batch) -> Batch:
        """Return a batch as all members see it."""
        if self._whole:
            return batch
        inputs, targets = batch
        size = self.stacked.size
        return tuple(x.expand(size, *x.shape) for x in inputs), targets.expand(size, *targets.shape)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Have Python's collector free no tensors of others meanwhile."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _recorded(function: Callable[[], None]) -> Callable[[], None]:
    """Return what has CUDA launch again all that a function launches."""
    aside: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(WARM_UP_STEPS):
            function()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    # What other threads ask of CUDA meanwhile, JAX's for one, must neither fail nor be recorded.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"), _no_collection():
        function()
    replay: Callable[[], None] = graph.replay
    return replay
