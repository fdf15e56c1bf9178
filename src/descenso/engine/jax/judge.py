"""Measure networks that have ended their training on the test examples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from descenso.engine import layout
from descenso.engine.bookkeeping import with_test_figures
from descenso.engine.jax.arguments import Arguments, lay
from descenso.engine.jax.compiled import Compiled, lowered
from descenso.engine.jax.examples import Batch
from descenso.engine.jax.micro_batches import MicroBatches
from descenso.engine.jax.program import build_judge
from descenso.problems import Problem
from descenso.records import Member, Run


class Judge:
    """Nothing else looks at the test examples."""

    def __init__(
        self, problem: Problem, test: Batch, micro_batches: MicroBatches, arguments: Arguments
    ) -> None:
        self._problem, self._test = problem, test
        self._micro_batches, self._arguments = micro_batches, arguments
        self._compiled: Compiled | None = None

    def prepare(self, member: Member) -> None:
        """Trace what judges, here and not in a thread: it may be the user's code."""
        if self._compiled is None:
            members = layout.MEMBERS_PER_CALL
            judge = build_judge(self._problem, members, self._micro_batches.of_splits)
            params = lay(members, [self._arguments.fresh(member).params])
            self._compiled = Compiled(lowered(judge, params, np.int32(1), self._test))

    def judged(self, runs: Sequence[Run]) -> list[Run]:
        """Return the runs with their figures on test; their checkpoints have served."""
        assert self._compiled is not None
        judge, members = self._compiled.get(), layout.MEMBERS_PER_CALL
        alive = [run for run in runs if not run.curve.ended]
        judged = {}
        for first in range(0, len(alive), members):
            some = alive[first : first + members]
            params = lay(members, [self._arguments.progress(run).params for run in some])
            figures = map(np.asarray, judge(params, np.int32(len(some)), self._test))
            for run, loss, metric in zip(some, *figures, strict=False):
                judged[run.member.key] = with_test_figures(run, float(loss), float(metric))
        return [judged.get(run.member.key, run) for run in runs]
