"""The training programs of a problem, one for each rule and batch size, sized to fit the device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax

from descenso import rules
from descenso.engine import layout
from descenso.engine.bookkeeping import Key, key_of, switches_of
from descenso.engine.contract import ProgramLayout
from descenso.engine.jax.arguments import Arguments
from descenso.engine.jax.compiled import Compiled, lowered
from descenso.engine.jax.convolution.rewrites import with_fast_forms
from descenso.engine.jax.examples import Examples
from descenso.engine.jax.initial_states import InitialStates
from descenso.engine.jax.micro_batches import MicroBatches
from descenso.engine.jax.program import Recipe, build
from descenso.engine.scheduling import Capacity, Pace
from descenso.problems import Problem
from descenso.records import Member


@dataclass(frozen=True)
class Program:
    """A recipe and what was made from it."""

    recipe: Recipe
    compiled: Compiled

    @property
    def capacity(self) -> Capacity:
        """Return what one call takes."""
        shape = self.recipe.batch_shape
        filled = self.recipe.arrangement == layout.SIDE_BY_SIDE
        return Capacity(shape.members, shape.epochs, shape.seeds, filled)

    def described(self, pace: Pace) -> ProgramLayout:
        """Return what it is and how fast it ran, ready for JSON."""
        recipe = self.recipe
        return {
            "rule": recipe.rule.name,
            "batch_size": recipe.batch_size,
            "arrangement": recipe.arrangement,
            "examples_at_a_time": recipe.part,
            "members_per_call": recipe.batch_shape.members,
            "compile_seconds": round(self.compiled.seconds, 3),
            "member_steps": pace.member_steps,
            "microseconds_per_member_step": pace.microseconds_per_member_step,
        }


@dataclass
class Programs:
    """Makes programs when they are first asked for.

    Parameters
    ----------
    problem : in the forms that suit members one after another.
    arrangement : of all members; ``None``: as their sizes have it.
    platform : that members are laid out for.
    device : whose memory they share.
    """

    problem: Problem
    examples: Examples
    micro_batches: MicroBatches
    initial_states: InitialStates
    arguments: Arguments
    arrangement: str | None
    platform: str
    device: Any

    def __post_init__(self) -> None:
        self.made: dict[Key, Program] = {}
        # Elsewhere than on a CPU, only members side by side gain.
        self._fast_problem = (
            self.problem if self.platform == "cpu" else with_fast_forms(self.problem)
        )

    def of(self, member: Member, epochs: int = 1) -> Program:
        """Return the program of members like this one; ``epochs``: the budget, as far as known."""
        key = key_of(member)
        if key not in self.made:
            self.made[key] = self._traced(self.recipe(member, epochs), member)
        return self.made[key]

    def halve(self, member: Member) -> bool:
        """Have calls hold half the members; return False if they hold one already."""
        recipe = self.of(member).recipe
        if recipe.batch_shape.members == 1:
            return False
        smaller = replace(recipe, batch_shape=recipe.batch_shape.halved())
        self.made[key_of(member)] = self._traced(smaller, member)
        return True

    def described(self, paces: Mapping[Key, Pace]) -> list[ProgramLayout]:
        """Return what each is and how fast it ran, ready for JSON."""
        return [made.described(paces.get(key, Pace())) for key, made in self.made.items()]

    def recipe(self, member: Member, epochs: int) -> Recipe:
        """Return what the program of members like this one is compiled for."""
        several = self._members_at_a_time(member, layout.SIDE_BY_SIDE) > 1
        arrangement = self.arrangement or layout.arrangement_for(self.platform, several)
        shape = self._batch_shape(member, arrangement, epochs)
        return Recipe(
            self._fast_problem if shape.at_a_time > 1 else self.problem,
            rules.get(member.rule),
            switches_of(member),
            member.batch_size,
            self.examples.count,
            shape,
            self.micro_batches.of_batch(member.batch_size),
            self.micro_batches.of_splits,
            arrangement,
            all_steps=self.platform != "cpu",
            packed=self.examples.packed,
        )

    def _traced(self, recipe: Recipe, member: Member) -> Program:
        arguments = self.arguments.of(recipe, [self.initial_states.run(member)], 1)
        return Program(recipe, Compiled(lowered(build(recipe), *arguments)))

    def _members_at_a_time(self, member: Member, arrangement: str) -> int:
        at_work = member.batch_size * self.micro_batches.largest_bytes
        return layout.members_at_a_time(self.platform, arrangement, at_work)

    def _batch_shape(self, member: Member, arrangement: str, epochs: int) -> layout.BatchShape:
        progress = self.arguments.starting(member, self.initial_states.params(member.seed))
        size = sum(leaf.nbytes for leaf in jax.tree.leaves(progress))
        if arrangement == layout.SIDE_BY_SIDE:
            size += 4 * member.batch_size * self.micro_batches.largest_bytes
        examples = self.examples.count
        used = examples // member.batch_size * member.batch_size
        return layout.BatchShape.fitting(
            layout.most_members(self.platform, arrangement),
            self._members_at_a_time(member, arrangement),
            size,
            _memory_of(self.device),
            1 if member.batch_size == examples else used,
            max(epochs, self.problem.epochs),
        )


def _memory_of(device: Any) -> int:
    """Return the bytes that the members of one call may take on a device."""
    known = device.memory_stats() if device.platform != "cpu" else None
    if not known:
        return layout.BYTES_PER_CALL
    free: int = known.get("bytes_limit", 0) - known.get("bytes_in_use", 0)
    return max(layout.BYTES_PER_CALL, free // 4)  # parameters, gradients, activations besides
