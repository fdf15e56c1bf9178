"""Tell classification from regression by the column to learn, and read it accordingly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descenso.data._table_columns import (
    CATEGORY,
    DATE_ORDERS,
    DECIMALS,
    STAND_IN,
    Say,
    check_kind,
)
from descenso.data._table_dates import DATES, read_dates
from descenso.data._table_numbers import Note, read_numbers
from descenso.data._table_spelling import SPELLINGS, one_spelling
from descenso.data._table_times import read_times
from descenso.data.missing import missing_places, stand_ins
from descenso.errors import DataError, ProblemError, UnknownNameError
from descenso.language import N_, _, did_you_mean

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


@dataclass(frozen=True)
class Target:
    """The column to learn, read as numbers where it holds any.

    Attributes
    ----------
    column : as it is in the table.
    numbers : float64, NaN where a value is missing or no number.
    missing : where there is nothing to learn; shape (rows,).
    notes : what was inferred of numbers or dates.
    units : of the numbers, where they cannot be put into one.
    """

    column: Series
    numbers: Series
    missing: NDArray[np.bool_]
    notes: tuple[Note, ...] = ()
    units: tuple[str, ...] = ()

    def of(self, rows: NDArray[np.bool_]) -> Target:
        """Return these rows alone."""
        column, numbers = self.column[rows].infer_objects(), self.numbers[rows]
        return Target(column, numbers, self.missing[rows], self.notes, self.units)


def read_target(column: Series, kind: str) -> Target:
    """Return the column to learn with its numbers, or its dates in days.

    Parameters
    ----------
    kind : as :func:`descenso.data._table_columns.read_columns`; empty where nothing was asked for.
    """
    import pandas
    from pandas.api import types

    if kind:
        check_kind(kind)
    missing = column.isna().to_numpy()
    if types.is_datetime64_any_dtype(column):
        plain = column.dt.tz_localize(None) if column.dt.tz is not None else column
        days = (plain - pandas.Timestamp(0)) / pandas.Timedelta(days=1)
        return Target(column, days.astype("float64"), missing, ((DATES, {}),))
    if types.is_numeric_dtype(column):
        return Target(column, column.astype("float64"), missing)
    texts = column.astype(str).str.strip().where(column.notna())
    levels = [str(level) for level in texts.dropna().unique()]
    signs = [levels[place] for place in missing_places(levels, among_numbers=False)]
    missing = missing | texts.isin(signs).to_numpy()
    if kind == CATEGORY:
        return Target(column, pandas.Series(np.nan, column.index), missing)
    return _read_texts(column, texts, missing, kind)


def _read_texts(column: Series, texts: Series, missing: NDArray[np.bool_], kind: str) -> Target:
    numbers = read_numbers(texts, DECIMALS.get(kind, ""))
    if numbers.share < 0.5:
        times = read_times(texts)
        if times is not None:
            return Target(column, times.values, ~times.known, times.notes)
        dates = read_dates(texts, DATE_ORDERS.get(kind, ""))
        if dates is not None:
            return Target(column, dates.days, ~dates.known, dates.notes)
    # Among numbers a dash or a word such as unknown is missing; else it may be a class.
    mixed = numbers.share < 1
    known = ~missing if mixed else numbers.known
    return Target(column, numbers.values, ~known, numbers.notes, numbers.units)


def read_targets(target: Target, task: str | None, kind: str, say: Say) -> Targets:
    """Return the targets; no value is missing.

    Parameters
    ----------
    task : ``classification`` or ``regression``; inferred from the column, and said, where ``None``.
    kind : what the column was asked to be: a category is learnt as classes, numbers and dates by
        regression, unless the task says otherwise.

    Raises
    ------
    DataError
        If the column is constant, mixes numbers and texts, has as many classes as rows, or is
        text to be regressed.
    ProblemError
        If a category is to be regressed.
    UnknownNameError
        If there is no such task.
    """
    column, numbers = target.column, target.numbers
    if task is not None and task not in TASKS:
        hint = did_you_mean(task, TASKS)
        text = _("the task is one of {known}; got {task!r}.")
        raise UnknownNameError(text.format(known=", ".join(TASKS), task=task) + hint)
    if kind == CATEGORY and task == REGRESSION:
        raise ProblemError(
            _("{name}: a category cannot be learnt by regression; leave out one of the two").format(
                name=column.name
            )
        )
    if column.nunique() < 2:
        raise DataError(
            _("{name}: all values to learn are {value}; there is nothing to learn").format(
                name=column.name, value=column.iloc[0]
            )
        )
    if (
        0 < len(target.units) <= MOST_CLASSES
        and column.nunique() > MOST_CLASSES
        and task != CLASSIFICATION
    ):
        text = _("{name}: its numbers are in different units ({units}); put them into one first")
        raise DataError(text.format(name=column.name, units=", ".join(target.units)))
    if task is None:
        task, why = _asked(kind) if kind else _inferred(column, numbers)
        say(_("{name}: {task}, for {why}").format(name=column.name, task=_(task), why=why))
    if task == CLASSIFICATION:
        return _classes(column, numbers, say)
    for text, values in target.notes:
        say(_(text).format(name=column.name, **values))
    for value, count in stand_ins(numbers.to_numpy(np.float64)):
        say(_(STAND_IN).format(name=column.name, value=f"{value:g}", count=count))
    return _figures(column, numbers)


def _asked(kind: str) -> tuple[str, str]:
    return (CLASSIFICATION if kind == CATEGORY else REGRESSION), _("it was given as {kind}").format(
        kind=kind
    )


def _inferred(column: Series, numbers: Series) -> tuple[str, str]:
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
            "{value!r} in row {row} (counted from 0); correct or empty these cells: a row with an empty "
            "one is left out"
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


def _classes(column: Series, numbers: Series, say: Say) -> Targets:
    if not _is_numeric(column):
        column, spellings = one_spelling(column.astype(str).str.strip())
        if spellings:
            say(_(SPELLINGS).format(name=column.name, spellings=spellings))
    labels, codes = np.unique(_as_sortable(column), return_inverse=True)
    if len(labels) > 0.5 * len(column):
        hint = (
            _("; --task regression learns them as numbers")
            if numbers.notna().all()
            else _("; nor are they numbers: the first is {value!r}").format(value=column.iloc[0])
        )
        text = _("{name}: {n} different values in {rows} rows are too many for classes")
        raise DataError(text.format(name=column.name, n=len(labels), rows=len(column)) + hint)
    counts = np.bincount(codes)
    say(
        _("{n} classes; always guessing the largest, {label}, is right in {share} of rows").format(
            n=len(labels), label=labels[counts.argmax()], share=f"{counts.max() / len(column):.1%}"
        )
    )
    return Targets(tuple(map(str, labels)), codes.astype(np.int32))


def _is_numeric(column: Series) -> bool:
    from pandas.api import types

    return types.is_numeric_dtype(column) and not types.is_bool_dtype(column)


def _as_sortable(column: Series) -> NDArray[Any]:
    if not _is_numeric(column):
        return np.asarray(column, str)
    array: NDArray[Any] = column.to_numpy(np.float64)
    whole = array.astype(np.int64)
    return whole if (whole == array).all() else array
