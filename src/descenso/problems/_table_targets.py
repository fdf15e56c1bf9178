"""Tell classification from regression by the column to learn, and read it accordingly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descenso.data._table_numbers import read_numbers
from descenso.errors import DataError, UnknownNameError, nearest
from descenso.language import N_, _

if TYPE_CHECKING:
    from pandas import Series

CLASSIFICATION, REGRESSION = N_("classification"), N_("regression")
TASKS = (CLASSIFICATION, REGRESSION)
#: Whole numbers are classes where there are at most so many, each this often on average.
MOST_CLASSES, OFTEN = 20, 10


@dataclass(frozen=True)
class Targets:
    """What is learnt.

    Attributes
    ----------
    classes : the labels in words, in the order of their numbers; empty for a regression.
    values : labels from 0, shape (rows,), int32; or figures, shape (rows, 1), float64.
    """

    classes: tuple[str, ...]
    values: NDArray[Any]

    @property
    def outputs(self) -> int:
        """Return how many outputs the network needs."""
        return len(self.classes) or 1


def read_targets(column: Series, task: str | None, say: Callable[[str], None]) -> Targets:
    """Return the targets; the column has no missing value.

    Parameters
    ----------
    task : ``classification`` or ``regression``; told from the column, and said, where ``None``.

    Raises
    ------
    DataError
        If the column is constant, mixes numbers and texts, has as many classes as rows, or is
        text to be regressed.
    UnknownNameError
        If there is no such task.
    """
    if task is not None and task not in TASKS:
        close = nearest(task, TASKS)
        hint = _(" Did you mean {name!r}?").format(name=close) if close else ""
        text = _("the task is one of {known}; got {task!r}.")
        raise UnknownNameError(text.format(known=", ".join(TASKS), task=task) + hint)
    distinct = column.nunique()
    if distinct < 2:
        raise DataError(
            _("{name}: all values to learn are {value}; there is nothing to learn").format(
                name=column.name, value=column.iloc[0]
            )
        )
    numbers, commas = _numbers(column)
    if task is None:
        task, why = _told(column, numbers)
        say(_("{name}: {task}, for {why}").format(name=column.name, task=_(task), why=why))
    if task == CLASSIFICATION:
        return _classes(column, say)
    if commas:
        say(_(commas).format(name=column.name))
    return _figures(column, numbers)


def _numbers(column: Series) -> tuple[Series, str]:
    """Return the column as numbers, NaN where it holds none, and what was told of commas."""
    from pandas.api import types

    if types.is_numeric_dtype(column):
        return column.astype("float64"), ""
    return read_numbers(column.astype(str).str.strip())


def _told(column: Series, numbers: Series) -> tuple[str, str]:
    from pandas.api import types

    distinct, share = column.nunique(), float(numbers.notna().mean())
    if types.is_bool_dtype(column):
        return CLASSIFICATION, _("it is true or false")
    if share < 1:
        if share >= 0.5 and distinct > MOST_CLASSES:
            _refuse_mixed(column, numbers)
        return CLASSIFICATION, _("it holds {n} different texts").format(n=distinct)
    whole = bool((numbers == np.floor(numbers)).all())
    if whole and (distinct == 2 or (distinct <= MOST_CLASSES and len(column) >= OFTEN * distinct)):
        return CLASSIFICATION, _("it holds only {n} different whole numbers").format(n=distinct)
    return REGRESSION, _("it holds {n} different numbers").format(n=distinct)


def _refuse_mixed(column: Series, numbers: Series) -> None:
    bad = column[numbers.isna()]
    raise DataError(
        _(
            "{name}: numbers and texts are mixed; {count} of {rows} are no numbers, the first "
            "{value!r} in row {row} (counted from 0)"
        ).format(
            name=column.name, count=len(bad), rows=len(column), value=bad.iloc[0], row=bad.index[0]
        )
    )


def _figures(column: Series, numbers: Series) -> Targets:
    if numbers.isna().any():
        _refuse_mixed(column, numbers)
    values = numbers.to_numpy(np.float64)
    if np.isinf(values).any():
        raise DataError(
            _("{name}: a value to learn is infinite, in row {row} (counted from 0)").format(
                name=column.name, row=column.index[int(np.isinf(values).argmax())]
            )
        )
    return Targets((), values[:, None])


def _classes(column: Series, say: Callable[[str], None]) -> Targets:
    labels, codes = np.unique(_as_sortable(column), return_inverse=True)
    if len(labels) > 0.5 * len(column):
        raise DataError(
            _("{name}: {n} different values in {rows} rows are too many for classes").format(
                name=column.name, n=len(labels), rows=len(column)
            )
        )
    counts = np.bincount(codes)
    say(
        _("{n} classes; always guessing the largest, {label}, is right in {share} of rows").format(
            n=len(labels), label=labels[counts.argmax()], share=f"{counts.max() / len(column):.1%}"
        )
    )
    return Targets(tuple(map(str, labels)), codes.astype(np.int32))


def _as_sortable(column: Series) -> NDArray[Any]:
    from pandas.api import types

    if types.is_bool_dtype(column) or not types.is_numeric_dtype(column):
        return np.asarray(column.astype(str).str.strip(), str)
    array: NDArray[Any] = column.to_numpy(np.float64)
    whole = array.astype(np.int64)
    return whole if (whole == array).all() else array
