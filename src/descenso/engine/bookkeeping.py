"""What every engine writes down about its members, and when it gives one up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

from descenso import rules
from descenso.data import Data, Split
from descenso.engine.randomness import validation_subset_rows
from descenso.errors import DescensoError, first_line, in_a_line
from descenso.records import Curve, Member, Run

Figures: TypeAlias = NDArray[np.floating[Any]]
#: What is needed to go on training a member: arrays by name.
Checkpoint: TypeAlias = Mapping[str, NDArray[Any]]
#: Rule, its switches, the arrays of its state, and batch size.
Key: TypeAlias = tuple[str, tuple[tuple[str, bool], ...], tuple[str, ...], int]


class Failure(TypedDict):
    """A member that the problem's own code ended, as a layout tells of it."""

    method: str
    settings: dict[str, float | bool]
    batch_size: int
    seed: int
    step: int
    error: str


#: A loss this many times (1 + the untrained network's) has left all hope.
HOPELESS = 1e6
#: Validation examples that are measured after each epoch, for each training example, at most.
MOST_WATCHED = 0.45


def validation_subset(data: Data, study_seed: int) -> Split:
    """Return the validation examples that curves are drawn from.

    All of them, unless measuring them after each epoch would cost more than 15 % of training it: a
    forward pass is a third of a step.
    """
    most = max(1, int(MOST_WATCHED * len(data.train)))
    rows = validation_subset_rows(study_seed, len(data.validation), most)
    if len(rows) == len(data.validation):
        return data.validation
    return Split(data.validation.inputs[rows], data.validation.targets[rows])


def switches_of(member: Member) -> dict[str, bool]:
    """Return the settings of a member that are switches of its rule."""
    hyperparameters = rules.get(member.rule).hyperparameters
    return {n: bool(member.settings[n]) for n, h in hyperparameters.items() if h.is_switch}


def key_of(member: Member) -> Key:
    """Return what members have in common that one program, or one step, can train."""
    rule, switches = rules.get(member.rule), tuple(sorted(switches_of(member).items()))
    return rule.name, switches, tuple(rule.state_names(member.settings)), member.batch_size


def divergence_threshold_of(untrained_loss: float) -> float:
    """Return the loss above which a member has left all hope; not finite if it never had any."""
    return HOPELESS * (1 + abs(untrained_loss))


def untrained(validation_loss: float, validation_metric: float) -> Curve:
    """Return the curve of a member that has not been trained."""
    return Curve(
        validation_loss=np.array([validation_loss]),
        validation_metric=np.array([validation_metric]),
        train_loss=np.array([]),
    )


def advanced(
    run: Run,
    figures: tuple[Figures, Figures, Figures],
    *,
    steps: int,
    alive: bool,
    seconds: float,
    checkpoint: Checkpoint | None,
) -> Run:
    """Return the run after some more epochs.

    Parameters
    ----------
    figures : training loss, validation loss and validation metric of each epoch trained; the last
        validation figures of a member that diverged are NaN.
    steps : update steps it has taken in all.
    """
    train_loss, loss, metric = figures
    curve = run.curve.extended(
        Curve(
            validation_loss=np.concatenate([[0.0], loss]),
            validation_metric=np.concatenate([[0.0], metric]),
            train_loss=np.asarray(train_loss, float),
            steps=steps,
            diverged_at=None if alive else steps,
            seconds=seconds,
        )
    )
    return replace(run, curve=curve, checkpoint=checkpoint if alive else None)


def ended_by_error(run: Run, error: str) -> Run:
    """Return the run ended where it stands, because the user's code failed."""
    if not len(run.curve.validation_loss):
        run = replace(run, curve=untrained(np.nan, np.nan))
    nothing = np.array([np.nan])
    figures = nothing, nothing, nothing
    steps = run.curve.steps
    ended = advanced(run, figures, steps=steps, alive=False, seconds=0.0, checkpoint=None)
    return replace(ended, curve=replace(ended.curve, error=error))


def failure(run: Run, error: str) -> Failure:
    """Return what a layout says of a member that failed, ready for JSON."""
    member = run.member
    return {
        "method": member.method,
        "settings": dict(member.settings),
        "batch_size": member.batch_size,
        "seed": member.seed,
        "step": run.curve.steps,
        "error": error,
    }


def in_words(error: Exception) -> str:
    """Return an error in a line: the user's own code may have raised it."""
    if isinstance(error, DescensoError):
        return str(error)
    if "Traceback" in first_line(error):  # of code that compiled code called: its error stands last
        return str(error).strip().splitlines()[-1]
    return in_a_line(error)


def with_test_figures(run: Run, loss: float, metric: float) -> Run:
    """Return the run judged, which ends it."""
    curve = replace(run.curve, test_loss=loss, test_metric=metric)
    return replace(run, curve=curve, checkpoint=None)
