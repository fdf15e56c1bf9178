"""The data of each figure, as tidy frames: the only place where they are computed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from descenso.records import Curve, FloatArray
from descenso.study import Confirmation, MethodResult, SearchPoint, StudyResult

if TYPE_CHECKING:
    import pandas as pd


def curves(result: StudyResult) -> pd.DataFrame:
    """Return how the chosen settings learn: a row per method and epoch.

    Columns: ``method``; ``epoch``, and the same place as ``examples``, ``steps`` and ``seconds``
    (means over seeds); ``mean``, ``low``, ``high`` of the validation metric over seeds; ``runs``
    that have not diverged so far. A diverged run counts as the untrained network from there on.
    """
    import pandas as pd

    return pd.concat([_curves_of(result, method) for method in result.methods], ignore_index=True)


def sensitivity(result: StudyResult) -> pd.DataFrame:
    """Return what the search saw of each learning rate: a row per method and setting.

    Columns: ``method``, ``lr``; ``mean``, ``low``, ``high`` of the validation metric over the
    search seeds (a diverged one counts as the untrained network); ``epochs`` reached, ``full``
    (whether the race kept it to the whole budget), ``diverged`` (share of seeds), ``chosen``;
    ``stage`` of the search: in the first the learning rate alone varies.
    """
    import pandas as pd

    rows = [
        _search_row(point, untrained(method.tuned), result.design.epochs)
        for method in result.methods
        for point in sorted(method.search, key=lambda point: point.lr)
    ]
    return pd.DataFrame(rows, columns=list(_SEARCH_COLUMNS))


def results(result: StudyResult) -> pd.DataFrame:
    """Return the test scores: a row per method, setting (``tuned``, ``default``) and seed.

    Columns: ``method``, ``setting``, ``seed``, ``score``, ``diverged``; ``mean``, ``low`` and
    ``high`` of the interval, which all seeds of one setting share. Best method first.
    """
    import pandas as pd

    return pd.DataFrame(
        {
            "method": method.name,
            "setting": setting,
            "seed": seed,
            "score": score,
            "diverged": curve.ended,
            "mean": confirmation.test.mean,
            "low": confirmation.test.low,
            "high": confirmation.test.high,
        }
        for method in result.ranking
        for setting, confirmation in method.confirmations.items()
        for seed, score, curve in zip(
            confirmation.seeds, confirmation.scores, confirmation.curves, strict=True
        )
    )


def differences(result: StudyResult) -> pd.DataFrame:
    """Return how far each method stays behind the best: a row per method, in order of the mean.

    Columns: ``method``, ``difference`` (positive: the best is better), ``low``, ``high``,
    ``p_value`` (corrected for the number of comparisons), ``tied``.
    """
    import pandas as pd

    rows = [
        (c.other, c.difference.mean, c.difference.low, c.difference.high, c.p_value, c.tied)
        for c in sorted(result.verdict.comparisons, key=lambda c: c.difference.mean)
    ]
    columns = ["method", "difference", "low", "high", "p_value", "tied"]
    return pd.DataFrame(rows, columns=columns)


def target(result: StudyResult) -> pd.DataFrame:
    """Return how many runs have reached the target by each epoch: a row per method and epoch.

    Columns: ``method``; ``epoch``, and the same place as ``examples`` and ``seconds``; ``share``
    of the fresh seeds whose validation metric had met the target by then, 0 to 1. No row where
    the study has no target. It is a performance profile over seeds: what is further left is
    sooner, what is further up is surer.
    """
    import pandas as pd

    places = curves(result).set_index(["method", "epoch"])[["examples", "seconds"]]
    rows = [
        (method.name, epoch, *places.loc[(method.name, epoch)], float(np.mean(reached <= epoch)))
        for method in result.methods
        if len(reached := np.array(method.tuned.epochs_to_target))
        for epoch in range(result.design.epochs + 1)
    ]
    return pd.DataFrame(rows, columns=["method", "epoch", "examples", "seconds", "share"])


def untrained(confirmation: Confirmation) -> float:
    """Return the mean validation metric before training."""
    return float(np.mean([curve.validation_metric[0] for curve in confirmation.curves]))


def _curves_of(result: StudyResult, method: MethodResult) -> pd.DataFrame:
    import pandas as pd

    epochs = result.design.epochs
    runs = method.tuned.curves
    steps = math.ceil(result.examples["train"] / method.batch_size)
    alive = np.array([_alive(curve, epochs, steps) for curve in runs])
    values = np.array([_counted(c, a) for c, a in zip(runs, alive, strict=True)])
    epoch = np.arange(epochs + 1)
    return pd.DataFrame(
        {
            "method": method.name,
            "epoch": epoch,
            "examples": epoch * result.examples["train"],
            "steps": epoch * _steps_per_epoch(runs, steps),
            "seconds": epoch * _seconds_per_epoch(runs),
            "mean": values.mean(axis=0),
            "low": values.min(axis=0),
            "high": values.max(axis=0),
            "runs": alive.sum(axis=0),
        }
    )


def _alive(curve: Curve, epochs: int, steps_per_epoch: int) -> FloatArray:
    """Return for each of ``epochs + 1`` entries whether the run had not diverged by then."""
    metric = np.full(epochs + 1, np.nan)
    metric[: len(curve.validation_metric)] = curve.validation_metric[: epochs + 1]
    alive = np.isfinite(metric)
    if curve.diverged_at is not None:
        alive &= np.arange(epochs + 1) * steps_per_epoch < max(curve.diverged_at, 1)
    return np.logical_and.accumulate(alive)


def _counted(curve: Curve, alive: FloatArray) -> FloatArray:
    start = curve.validation_metric[0]
    metric = np.full(len(alive), start, dtype=float)
    metric[alive] = curve.validation_metric[: len(alive)][alive[: len(curve.validation_metric)]]
    return metric


def _steps_per_epoch(runs: tuple[Curve, ...], expected: int) -> float:
    whole = [run for run in runs if run.epochs and run.steps and not run.ended]
    taken = [run.steps / run.epochs for run in whole]
    return float(np.mean(taken)) if taken else float(expected)


def _seconds_per_epoch(runs: tuple[Curve, ...]) -> float:
    taken = [run.seconds / run.epochs for run in runs if run.epochs and not run.ended]
    taken = taken or [run.seconds / run.epochs for run in runs if run.epochs]
    return float(np.mean(taken)) if taken else math.nan


_SEARCH_COLUMNS = (
    "method", "lr", "mean", "low", "high", "epochs", "full", "diverged", "chosen", "stage",
)  # fmt: skip


def _search_row(point: SearchPoint, start: float, budget: int) -> tuple[object, ...]:
    values = np.where(np.isnan(point.values), start, point.values)
    return (
        point.method,
        point.lr,
        float(values.mean()),
        float(values.min()),
        float(values.max()),
        point.epochs,
        point.epochs >= budget,
        point.diverged / len(point.values),
        point.chosen,
        point.stage,
    )
