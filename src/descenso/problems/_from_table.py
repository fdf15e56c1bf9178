"""Make a problem of a table: tell what its columns are, encode them, and fit a dense network."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from descenso import data
from descenso.data import Data, Split
from descenso.data._table_columns import DROP, Column, Say, read_columns
from descenso.data._table_encoding import encode, width
from descenso.data._table_files import check_frame, missing_column, read_arrays, read_table
from descenso.errors import DataError, ProblemError
from descenso.language import N_, _, printable
from descenso.methods import SIX
from descenso.problems._figures import ACCURACY, R2, cross_entropy, mean_squared_error
from descenso.problems._from_jax import _check_whole
from descenso.problems._networks import dense_apply, dense_init
from descenso.problems._problem import Problem
from descenso.problems._table_leaks import say_what_tells_the_target
from descenso.problems._table_targets import Target, Targets, read_target, read_targets

if TYPE_CHECKING:
    from pandas import DataFrame


def say_on_stderr(text: str) -> None:
    """Print an inference."""
    print(printable(text), file=sys.stderr)


def from_table(
    table: str | Path | DataFrame,
    *,
    target: str | None = None,
    task: str | None = None,
    drop: Sequence[str] = (),
    columns: Mapping[str, str] | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    hidden: Sequence[int] | None = None,
    name: str | None = None,
    batch_size: int | None = None,
    epochs: int | None = None,
    methods: tuple[str, ...] = SIX,
    say: Say = say_on_stderr,
) -> Problem:
    """Return a problem made of a table: a dense network that learns one column from the others.

    What a column is, whether the task is classification or regression, and the size of the network
    are told from the table; each such inference is said, and each can be overridden. The rows are
    split 60/20/20 by the study's seed, stratified by class. Numbers are standardised, categories
    become an input for each level, missing values are filled in and marked, all with figures of
    the training rows alone.

    Parameters
    ----------
    table : a text (CSV and its kin, plain or compressed), Parquet, Feather, Excel, ODS or npz
        file, or a pandas frame. An npz file holds inputs ``x``
        and targets ``y``, whose first axes count the same examples.
    target : the column to learn; the array of an npz file, ``y`` unless given.
    task : ``"classification"`` (cross-entropy, accuracy) or ``"regression"`` (mean squared error
        of the standardised target, R²).
    drop : columns that are not learnt from.
    columns : column → ``"number"``, ``"category"``, ``"date"`` or ``"drop"``; also
        ``"number-point"`` and ``"number-comma"`` (the decimal sign), ``"date-dmy"``,
        ``"date-mdy"`` and ``"date-ymd"`` (the order of day, month and year). Of the target, a
        category is classified, numbers and dates are regressed.
    delimiter, encoding : of a text file; inferred unless given.
    hidden : widths of the hidden layers, possibly none.
    name : what to call it; the file's name with these choices unless given.
    batch_size, epochs, methods : as in :func:`from_jax`; told from the number of rows.
    say : takes each inference in words; prints it on the standard error unless given.

    Raises
    ------
    DataError
        If the table cannot be read, has no such column, is constant in the target or in all else,
        or breaks a rule of :func:`descenso.data.check_examples`.
    ProblemError, UnknownNameError
        If an option is of the wrong kind, or unknown.
    """
    asked = {**(columns or {}), **dict.fromkeys(drop, DROP)}
    frame, target, where = _frame(table, target, delimiter, encoding, say)
    for column in asked:
        if column not in frame.columns:
            raise missing_column(column, [c for c in frame.columns if c != target], where)
    kind = _kind_of_target(asked, target)
    frame, learnt = _with_target(frame, read_target(frame[target], kind), say)
    targets = read_targets(learnt, task, kind, say)
    inputs = read_columns(frame.drop(columns=[target]), asked, say)
    say_what_tells_the_target(inputs, targets, target, say)
    sizes = _sizes(inputs, targets, hidden, len(frame), say)
    batch_size, epochs = _budget(len(frame), batch_size, epochs, say)
    classes = bool(targets.classes)
    return Problem(
        name=name or f"{where}:{target}",
        summary=N_("a table of your own: dense network"),
        make_data=lambda seed: _split(inputs, targets, seed),
        init=dense_init(sizes),
        apply=dense_apply,
        loss=cross_entropy if classes else mean_squared_error,
        metric=ACCURACY if classes else R2,
        batch_size=batch_size,
        epochs=epochs,
        methods=methods,
    )


def _frame(
    table: Any, target: str | None, delimiter: str | None, encoding: str | None, say: Say
) -> tuple[DataFrame, str, str]:
    """Return the table as a frame, the column to learn, and what to call the table."""
    import pandas

    if isinstance(table, pandas.DataFrame):
        frame, where = table.copy(deep=False), _("the table")
        check_frame(frame, where, say)
    elif not isinstance(table, str | Path):
        raise ProblemError(
            _("a table is a file or a pandas frame; got {kind}").format(kind=type(table).__name__)
        )
    elif str(table).lower().endswith(".npz"):
        return _frame_of_arrays(Path(table), target, say)
    else:
        frame, where = read_table(Path(table), delimiter, encoding, say), str(table)
    names = list(frame.columns)
    if target is None:
        few = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
        raise ProblemError(
            _("{where}: say which column to learn with --target; there are {names}").format(
                where=where, names=few
            )
        )
    if target not in names and " ".join(target.split()) in names:
        target = " ".join(target.split())  # as the headers of files are read
    if target not in names:
        raise missing_column(target, names, where)
    return frame, target, where


def _frame_of_arrays(path: Path, target: str | None, say: Say) -> tuple[DataFrame, str, str]:
    import pandas

    inputs, targets, name = read_arrays(path, target, say)
    data.check_examples(np.nan_to_num(inputs), np.zeros(len(targets)), str(path), classes=False)
    if targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    if targets.ndim != 1:
        raise DataError(
            _("{where}: targets must be one column; {name} has shape {shape}").format(
                where=path, name=name, shape=targets.shape
            )
        )
    frame = pandas.DataFrame(inputs, columns=[f"x{i}" for i in range(inputs.shape[1])])
    return frame.assign(**{name: targets}), name, str(path)


def _kind_of_target(asked: dict[str, str], target: str) -> str:
    """Take out what was asked of the column to learn; an empty text where nothing was."""
    kind = asked.pop(target, "")
    if kind == DROP:
        raise ProblemError(
            _("{name} is the column to learn: it cannot be left out").format(name=target)
        )
    return kind


def _with_target(frame: DataFrame, target: Target, say: Say) -> tuple[DataFrame, Target]:
    """Leave out the rows that have nothing to learn in them."""
    missing, name = target.missing, target.column.name
    if not missing.any():
        return frame, target
    if missing.all():
        raise DataError(_("{name}: all values to learn are missing").format(name=name))
    text = _("{name}: rows without it are left out: {count}")
    say(text.format(name=name, count=int(missing.sum())))
    return frame[~missing], target.of(~missing)


def _sizes(
    inputs: Sequence[Column], targets: Targets, hidden: Sequence[int] | None, rows: int, say: Say
) -> tuple[int, ...]:
    """Return the widths of the network's layers, from its inputs to its outputs."""
    first = sum(width(column) for column in inputs)
    if hidden is None:
        # Wider for more inputs and classes, but no more weights than half the training rows.
        least = 32 if rows >= 2000 else 8
        wanted = min(128, max(least, first, 2 * targets.outputs))
        affordable = max(8, 0.3 * rows / (first + targets.outputs))
        middle = 2 ** round(math.log2(min(wanted, affordable)))
        hidden = (middle, middle // 2) if rows >= 2000 else (middle,)
    for size in hidden:
        _check_whole(size, "hidden")
    sizes = (first, *hidden, targets.outputs)
    say(
        _("dense network {sizes}; {rows} rows; {memory} MB of inputs").format(
            sizes="-".join(map(str, sizes)), rows=rows, memory=f"{4e-6 * rows * first:,.1f}"
        )
    )
    return sizes


def _budget(rows: int, batch_size: int | None, epochs: int | None, say: Say) -> tuple[int, int]:
    """Return batch size and epochs: about fifty steps an epoch, and two thousand in all."""
    train = max(1, round(0.6 * rows))
    if batch_size is None:
        batch_size = min(512, max(16, 2 ** round(math.log2(max(1, train / 50)))))
    _check_whole(batch_size, "batch_size")
    if epochs is None:
        epochs = min(50, max(5, round(2000 * batch_size / train)))
    _check_whole(epochs, "epochs")
    say(_("batches of {batch}, {epochs} epochs unless told otherwise").format(
        batch=batch_size, epochs=epochs
    ))  # fmt: skip
    return batch_size, epochs


def _split(columns: Sequence[Column], targets: Targets, seed: int) -> Data:
    classes = bool(targets.classes)
    values = targets.values
    rows = data.split(np.arange(len(values)), values, seed, stratify=classes)
    inputs = encode(columns, rows.train.inputs)
    parts = Data(
        *(
            Split(inputs[part.inputs], part.targets)
            for part in (rows.train, rows.validation, rows.test)
        )
    )
    return parts if classes else data.standardise_targets(parts)
