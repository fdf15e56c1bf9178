"""Split examples into training, validation and test parts, and put columns on one scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descenso.data._check import check_examples
from descenso.data._records import Array, Data, Split
from descenso.errors import DataError
from descenso.language import _

Indices = NDArray[np.intp]


def split(inputs: Array, targets: Array, seed: int, *, stratify: bool) -> Data:
    """Split examples 60/20/20 into training, validation and test parts.

    Parameters
    ----------
    inputs, targets : NumPy arrays whose first axis counts the same examples.
    seed : chooses which example goes where; any integer ≥ 0.
    stratify : keep the share of each class (value of ``targets``) in each part, as nearly as whole
        numbers allow.

    Raises
    ------
    DataError
        If the examples break a rule of :func:`check_examples`, or a part would be empty.
    """
    inputs, targets = np.asarray(inputs), np.asarray(targets)
    check_examples(inputs, targets, _("the data"), classes=stratify)
    rng = np.random.default_rng([seed, 60_20_20])
    if stratify:
        groups = [np.flatnonzero(targets == label) for label in np.unique(targets)]
    else:
        groups = [np.arange(len(targets))]
    parts = _deal([rng.permutation(group) for group in groups])
    if not all(len(part) for part in parts):
        raise DataError(
            _(
                "{count} examples are too few to split 60/20/20 into training, validation and "
                "test parts"
            ).format(count=len(targets))
        )
    return Data(*(Split(inputs[part], targets[part]) for part in map(rng.permutation, parts)))


def standardise(data: Data) -> Data:
    """Return the data with each input column at mean 0 and deviation 1 over the training part.

    A column that is constant over the training part carries nothing and becomes zero everywhere.
    Inputs are float32, with shape (examples, columns).
    """
    mean, scale = column_figures(data.train.inputs)
    return Data(
        *(
            Split(_scaled(part.inputs, mean, scale), part.targets)
            for part in (data.train, data.validation, data.test)
        )
    )


def standardise_targets(data: Data) -> Data:
    """Return the data with its targets at mean 0 and deviation 1 over the training part."""
    mean, scale = column_figures(data.train.targets)
    return Data(
        *(
            Split(part.inputs, _scaled(part.targets, mean, scale))
            for part in (data.train, data.validation, data.test)
        )
    )


_SQUARED_AT_MOST = 1e150  # the squares of larger numbers overflow


def column_figures(table: Array) -> tuple[Array, Array]:
    """Return the mean and deviation of each column; deviation infinite where it is constant."""
    table = np.asarray(table, np.float64)
    # A constant column of, say, 0.1 has a rounding error for its deviation, not zero.
    constant = table.max(axis=0) == table.min(axis=0)
    size = np.abs(table).max(axis=0)
    unit = np.where(size > _SQUARED_AT_MOST, size, 1.0)
    mean, deviation = unit * (table / unit).mean(axis=0), unit * (table / unit).std(axis=0)
    return mean, np.where(constant, np.inf, deviation)


def _scaled(values: Array, mean: Array, scale: Array) -> NDArray[np.float32]:
    scaled: NDArray[np.float64] = (np.asarray(values, np.float64) - mean) / scale
    return scaled.astype(np.float32)


def _deal(groups: list[Indices]) -> tuple[Indices, Indices, Indices]:
    """Deal each group 60/20/20, carrying the rounding over so that the whole is 60/20/20 too."""
    parts: tuple[list[Indices], ...] = ([], [], [])
    seen = 0
    for group in groups:
        places = (seen + np.arange(len(group))) % 5
        seen += len(group)
        for part, mine in zip(parts, (places % 2 == 0, places == 1, places == 3), strict=True):
            part.append(group[mine])
    train, validation, test = (np.concatenate(part) for part in parts)
    return train, validation, test
