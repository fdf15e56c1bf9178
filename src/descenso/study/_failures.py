"""Tell an error of the user's code, and data that give no loss, from divergence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from descenso.errors import ProblemError
from descenso.language import _
from descenso.problems import Data, Problem
from descenso.records import Run

#: Training examples whose untrained loss is computed at a time.
EXAMPLES = 256


def is_void(run: Run) -> bool:
    """Whether a run says nothing about its method: it failed, or had no loss to begin with."""
    return bool(run.error) or _had_no_loss(run)


def _had_no_loss(run: Run) -> bool:
    return not np.isfinite(run.curve.validation_loss[0])


def check_not_all_void(runs: Sequence[Run]) -> None:
    """Check that some run got under way.

    Raises
    ------
    ProblemError
        If all of them failed, or none had a loss before training.
    """
    if not runs or not all(map(is_void, runs)):
        return
    errors = Counter(run.error for run in runs if run.error)
    if errors:
        error, count = errors.most_common(1)[0]
        raise ProblemError(
            _("every run ended by an error ({count} of {all}): {error}").format(
                count=count, all=len(runs), error=error
            )
        )
    raise ProblemError(
        _(
            "the loss on the validation examples is {loss} before any training: look at their "
            "inputs and targets, at the loss, and at the initial weights"
        ).format(loss=runs[0].curve.validation_loss[0])
    )


def check_training_loss(problem: Problem, data: Data, runs: Iterable[Run]) -> None:
    """Where every run diverged, check that the training examples have a loss.

    Raises
    ------
    ProblemError
        If some of them give the untrained network none; the message names the first.
    """
    if not all(run.curve.ended for run in runs):
        return
    loss_of = _torch_loss(problem, data) if problem.framework == "torch" else _jax_loss(problem)
    for first in range(0, len(data.train), EXAMPLES):
        rows = np.arange(first, min(first + EXAMPLES, len(data.train)))
        if np.isfinite(loss_of(data, rows)):
            continue
        bad = [int(row) for row in rows if not np.isfinite(loss_of(data, np.array([row])))]
        raise ProblemError(
            _(
                "the loss of training example {row} is not finite before any training (counted "
                "from 0, after the split): look at its inputs and its target, and at the loss"
            ).format(row=bad[0] if bad else first)
        )


_LossOf = Callable[[Data, Any], float]


def _torch_loss(problem: Problem, data: Data) -> _LossOf:
    import torch

    from descenso.problems.torch_modules import floating_dtype, initialised, tensors_of

    module = initialised(problem, data.train).eval()

    def loss_of(data: Data, rows: Any) -> float:
        inputs, targets = tensors_of(data.train, floating_dtype(module), rows)
        with torch.no_grad():
            return float(problem.loss(problem.apply(module, inputs), targets))

    return loss_of


def _jax_loss(problem: Problem) -> _LossOf:
    params = problem.init(np.random.default_rng(0))

    def loss_of(data: Data, rows: Any) -> float:
        outputs = problem.apply(params, data.train.inputs[rows])
        return float(problem.loss(outputs, data.train.targets[rows]))

    return loss_of


def failures_in_lines(failures: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each method and error of a layout's failures."""
    counts = Counter((f["method"], f["error"]) for f in failures)
    return [
        _("{method}: {count} runs ended by an error, not by divergence: {error}").format(
            method=method, count=count, error=error
        )
        for (method, error), count in counts.items()
    ]
