"""What every engine writes down about its members, and when it gives one up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descenso.records import Curve, Run

Figures = NDArray[np.floating[Any]]

#: A loss this many times (1 + the untrained network's) has left all hope.
HOPELESS = 1e6


def hopeless_above(untrained_loss: float) -> float:
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
    checkpoint: Mapping[str, NDArray[Any]] | None,
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


def with_test_figures(run: Run, loss: float, metric: float) -> Run:
    """Return the run judged, which ends it."""
    curve = replace(run.curve, test_loss=loss, test_metric=metric)
    return replace(run, curve=curve, checkpoint=None)
