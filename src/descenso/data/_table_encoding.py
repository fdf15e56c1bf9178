"""Turn the columns of a table into numbers, with figures of the training rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descenso.data._split import column_figures
from descenso.data._table_columns import MOST_LEVELS, NUMBER, Column

Floats = NDArray[np.float32]
Rows = NDArray[np.intp]


def width(column: Column) -> int:
    """Return how many inputs a column becomes; it depends on the whole table, not on the split."""
    own = 1 if column.kind == NUMBER else min(column.values.nunique(), MOST_LEVELS) + 1
    return own + column.has_missing


def encode(columns: Sequence[Column], train: Rows) -> Floats:
    """Return the inputs of all rows, shape (rows, inputs).

    Numbers: what is missing becomes the median, then mean 0 and deviation 1. Categories: an input
    for each level that is frequent enough and one for all others, seen or unseen; what is missing
    becomes the most frequent level. A column with anything missing has one more input, 1 there.
    Medians, means, deviations and levels are those of the training rows.

    Parameters
    ----------
    train : the places of the training rows, shape (training rows,).
    """
    rows = len(columns[0].values)
    inputs = np.zeros((rows, sum(width(c) for c in columns)), np.float32)
    first = 0
    for column in columns:
        last = first + width(column)
        block = inputs[:, first:last]
        if column.has_missing:
            block[:, -1] = column.values.isna()
        if column.kind == NUMBER:
            block[:, 0] = _number(column.values.to_numpy(np.float64), train)
        else:
            _write_levels(block, column, train)
        first = last
    return inputs


def _number(values: NDArray[np.float64], train: Rows) -> NDArray[np.float64]:
    known = values[train][~np.isnan(values[train])]
    if not len(known):
        return np.zeros_like(values)
    filled = np.where(np.isnan(values), np.median(known), values)
    mean, scale = column_figures(filled[train][:, None])
    scaled: NDArray[np.float64] = (filled - mean) / scale
    return scaled


def levels_of(column: Column, train: Rows) -> list[Any]:
    """Return the levels that have an input of their own, from the most frequent down.

    A level needs two training rows, and two in a thousand.
    """
    counts = column.values.iloc[train].value_counts()
    ranked = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    enough = max(2, 0.002 * len(train))
    frequent = [level for level, count in ranked if count >= enough]
    return frequent[: min(column.values.nunique(), MOST_LEVELS)]


def _write_levels(block: Floats, column: Column, train: Rows) -> None:
    from pandas import Index

    levels = levels_of(column, train)
    other = min(column.values.nunique(), MOST_LEVELS)
    codes = Index(levels, dtype=object).get_indexer_for(column.values)
    missing = column.values.isna().to_numpy()
    places = np.where(codes < 0, other, codes)
    places[missing] = 0 if levels else other
    block[np.arange(len(places)), places] = 1
