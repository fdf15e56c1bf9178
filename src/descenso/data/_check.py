"""Conditions that every set of examples must meet before anything is trained on it."""

from __future__ import annotations

import numpy as np

from descenso.data._records import Array
from descenso.errors import DataError
from descenso.language import _, ngettext


def check_examples(inputs: Array, targets: Array, where: str, *, classes: bool) -> None:
    """Check that examples can be trained on.

    Parameters
    ----------
    inputs, targets : arrays whose first axis counts examples.
    where : what to call them in a message, such as ``the training part``.
    classes : whether the targets are class labels (whole numbers from 0, at least two of them).

    Raises
    ------
    DataError
        If they are empty, differ in length, hold a value that is not finite or not a number, or
        if the labels are not whole numbers ≥ 0 or all one class.
    """
    inputs, targets = np.asarray(inputs), np.asarray(targets)
    check_lengths(inputs, targets, where)
    _check_numbers(inputs, _("inputs of {where}").format(where=where))
    _check_numbers(targets, _("targets of {where}").format(where=where))
    if classes:
        check_labels(targets, where)


def check_lengths(inputs: Array, targets: Array, where: str) -> None:
    """Check that there are examples, and as many targets as inputs; see :func:`check_examples`."""
    if inputs.ndim == 0 or targets.ndim == 0:
        raise DataError(
            _("{where}: inputs and targets must be arrays whose first axis counts examples").format(
                where=where
            )
        )
    if len(inputs) != len(targets):
        raise DataError(
            _("{where}: {inputs} inputs but {targets} targets; each input needs one target").format(
                where=where, inputs=len(inputs), targets=len(targets)
            )
        )
    if not len(targets):
        raise DataError(_("{where}: there are no examples").format(where=where))


def _check_numbers(values: Array, what: str) -> None:
    for name in values.dtype.names or ():  # several inputs, a field for each
        _check_numbers(values[name], f"{what} ({name})")
    if values.dtype.names:
        return
    if values.dtype.kind not in "biuf":
        raise DataError(
            _("{what}: they must be real numbers; got type {dtype}").format(
                what=what, dtype=values.dtype
            )
        )
    if values.dtype.kind != "f" or np.isfinite(values).all():
        return
    bad = ~np.isfinite(values)
    first = tuple(int(i) for i in np.argwhere(bad)[0])
    place = (
        _("row {row}").format(row=first[0])
        if len(first) == 1
        else _("row {row}, column {column}").format(
            row=first[0], column=", ".join(map(str, first[1:]))
        )
    )
    count = int(bad.sum())
    raise DataError(
        ngettext(
            "{what}: {count} value is not finite ({value}, at {place}, counted from 0)",
            "{what}: {count} values are not finite (first {value}, at {place}, counted from 0)",
            count,
        ).format(what=what, count=count, value=values[first], place=place)
    )


def check_labels(labels: Array, where: str) -> None:
    """Check that labels are whole numbers ≥ 0 of two classes or more; see :func:`check_examples`."""
    if labels.dtype.kind == "f" and not np.array_equal(labels, np.floor(labels)):
        raise DataError(
            _("{where}: class labels must be whole numbers; got {value}").format(
                where=where, value=labels[labels != np.floor(labels)].flat[0]
            )
        )
    if labels.ndim != 1:
        raise DataError(
            _("{where}: class labels must have one axis; got shape {shape}").format(
                where=where, shape=labels.shape
            )
        )
    if labels.min() < 0:
        raise DataError(
            _("{where}: class labels count from 0; got {value}").format(
                where=where, value=labels.min()
            )
        )
    if labels.min() == labels.max():
        raise DataError(
            _("{where}: all examples are of one class, {value}; there is nothing to learn").format(
                where=where, value=labels.flat[0]
            )
        )
