"""Find a column that alone predicts the target nearly perfectly, as what is known after it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from descenso.data._table_columns import NUMBER, Column, Lines, Say
from descenso.language import N_
from descenso.problems._table_targets import Targets

Floats = NDArray[np.float64]
Labels = NDArray[np.intp]

_FEWEST_ROWS = 50
_FIRST, _LAST = 1000, 200_000  # rows looked at of every column, and of those that may tell all
_MOST_CLASSES = 1000
_ERRORS = 0.01  # of those that always guessing the largest class makes
_CERTAIN_ERRORS = 0.15  # the same, at the upper end of the interval: 20 rows without an error
_LEVEL = 0.95
_R2 = 0.99
_SCREENED = 0.8


def say_what_tells_the_target(
    columns: Sequence[Column], targets: Targets, name: str, say: Say
) -> None:
    """Say which columns alone predict the target nearly perfectly, on rows not used to fit.

    A column is fitted on one half of the rows and judged on the other, both ways round: by the
    nearest value (classes), by interpolation (figures), by the level (categories). Classes: it makes
    at most 1% of the errors of always guessing the largest class, and at most 15% with a certainty
    of 95%, which a few rows, or a few rows of a class, do not give. Figures: R² of ranks ≥ 0.99.
    """
    classes = bool(targets.classes)
    values: NDArray[Any] = targets.values if classes else _ranks(targets.values[:, 0])
    rows = len(values)
    if rows < _FEWEST_ROWS or len(targets.classes) > min(_MOST_CLASSES, rows // 2):
        return
    rng = np.random.default_rng(rows)
    shuffled = rng.permutation(rows)
    first = _some_of_each(values, shuffled) if classes else shuffled[:_FIRST]
    lines = Lines()
    for column in columns:
        if _score(column, values, first, classes) < _SCREENED:
            continue
        tested = shuffled[:_LAST]
        if classes:
            _tell_of_classes(column, values, tested, name, lines)
        else:
            _tell_of_figures(column, values, tested, name, lines)
    lines.say(say)


def _tell_of_classes(column: Column, labels: Any, rows: Labels, target: str, lines: Lines) -> None:
    right = _predicted(column, labels, rows, True) == labels[rows]
    wrong, count = int((~right).sum()), len(rows)
    guessing = 1 - np.bincount(labels[rows]).max() / count
    # Blocks of a class in rising values, as in the numbers of sorted rows, err at their borders.
    borders = len(np.unique(labels[rows])) - 1
    upper = stats.beta.ppf(_LEVEL, wrong + 1, count - wrong)
    if wrong > max(_ERRORS * guessing * count, borders) or upper > _CERTAIN_ERRORS * guessing:
        return
    text = N_(
        "{name} alone predicts {target} nearly perfectly: right in {right} of {rows} rows not used to "
        "fit. If it is not known before {target} is, leave it out: --drop {name}"
    )
    lines.add(text, column.name, target=target, right=count - wrong, rows=count)


def _tell_of_figures(
    column: Column, ranks: Floats, rows: Labels, target: str, lines: Lines
) -> None:
    r2 = _r2(_predicted(column, ranks, rows, False), ranks[rows])
    if r2 < _R2:
        return
    text = N_(
        "{name} alone predicts {target} nearly perfectly: R² {r2} of ranks on rows not used to fit. "
        "If it is not known before {target} is, leave it out: --drop {name}"
    )
    lines.add(text, column.name, target=target, r2=f"{r2:.4f}")


def _score(column: Column, values: Any, rows: Labels, classes: bool) -> float:
    """Return the mean share of each class that is predicted rightly, or R²."""
    predicted = _predicted(column, values, rows, classes)
    if not classes:
        return _r2(predicted, values[rows])
    labels = values[rows]
    counts = np.bincount(labels)
    right = np.bincount(labels, predicted == labels)
    return float(np.mean(right[counts > 0] / counts[counts > 0]))


def _r2(predicted: Floats, values: Floats) -> float:
    spread = float(((values - values.mean()) ** 2).sum())
    return 1 - float(((values - predicted) ** 2).sum()) / spread if spread else 0.0


def _predicted(column: Column, values: Any, rows: Labels, classes: bool) -> Any:
    """Return what is predicted for each row by a fit on the half that it is not in."""
    inputs = _as_numbers(column, rows)
    half = np.arange(len(rows)) % 2 == 0
    fit = _nearest_class if classes else _interpolated if column.kind == NUMBER else _mean_of_level
    predicted = np.zeros(len(rows), values.dtype)
    for train, test in ((half, ~half), (~half, half)):
        predicted[test] = fit(inputs[train], values[rows][train], inputs[test], column.kind)
    return predicted


def _as_numbers(column: Column, rows: Labels) -> Floats:
    """Return the values of the rows; levels are numbered; what is missing is below all others."""
    import pandas

    values = column.values.iloc[rows]
    if column.kind != NUMBER:
        levels: Floats = pandas.factorize(values)[0].astype(float)
        return levels
    numbers: Floats = values.to_numpy(np.float64)
    missing = np.isnan(numbers)
    if not missing.any() or missing.all():
        return np.zeros_like(numbers) if missing.all() else numbers
    low, high = np.nanmin(numbers), np.nanmax(numbers)
    return np.where(missing, low - (high - low) - 1, numbers)


def _nearest_class(inputs: Floats, labels: Labels, tested: Floats, kind: str) -> Labels:
    """Return the most frequent class of the nearest value that was fitted."""
    classes = int(labels.max()) + 1
    known, places = np.unique(inputs, return_inverse=True)
    pairs, counts = np.unique(places * classes + labels, return_counts=True)
    order = np.argsort(counts, kind="stable")  # the last to be written is the most frequent
    best = np.zeros(len(known), labels.dtype)
    best[pairs[order] // classes] = pairs[order] % classes
    above = np.clip(np.searchsorted(known, tested), 0, len(known) - 1)
    below = np.maximum(above - 1, 0)
    if kind == NUMBER:
        nearer = np.abs(tested - known[below]) < np.abs(known[above] - tested)
        return best[np.where(nearer, below, above)]
    seen = known[above] == tested
    return np.where(seen, best[above], np.bincount(labels).argmax())


def _interpolated(inputs: Floats, ranks: Floats, tested: Floats, _kind: str) -> Floats:
    known, places = np.unique(inputs, return_inverse=True)
    means = np.bincount(places, ranks) / np.bincount(places)
    return np.interp(tested, known, means)


def _mean_of_level(inputs: Floats, ranks: Floats, tested: Floats, _kind: str) -> Floats:
    known, places = np.unique(inputs, return_inverse=True)
    means = np.bincount(places, ranks) / np.bincount(places)
    above = np.clip(np.searchsorted(known, tested), 0, len(known) - 1)
    return np.where(known[above] == tested, means[above], ranks.mean())


def _ranks(values: Floats) -> Floats:
    """Return ranks from 0 to 1: a few huge figures would decide R² alone."""
    ranks: Floats = stats.rankdata(values) / len(values)
    return ranks


def _some_of_each(labels: Labels, shuffled: Labels) -> Labels:
    """Return as many rows of each class, in random order."""
    classes = labels[shuffled]
    order = np.argsort(classes, kind="stable")
    counts = np.bincount(classes)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    each = max(2, _FIRST // max(1, int((counts > 0).sum())))
    chosen = order[np.arange(len(order)) - starts < each]
    return shuffled[np.sort(chosen)]
