"""Choose the column that judges a run, and the one on validation that goes with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from descenso.errors import DataError
from descenso.language import _
from descenso.metric_names import higher_is_better, is_spent
from descenso.study.external._columns import (
    KNOWN,
    bare,
    is_bookkeeping,
    is_hyperparameter,
    leaf,
    of_metrics,
)
from descenso.study.external._numbers import as_number, is_missing, is_summary

if TYPE_CHECKING:
    import pandas as pd

TEST, VALIDATION, TRAIN = "test", "validation", "train"
_SPLITS = {
    **dict.fromkeys(("test", "testing", "tst", "holdout", "ood"), TEST),
    **dict.fromkeys(("val", "valid", "validation", "dev", "eval", "evaluation", "vl"), VALIDATION),
    **dict.fromkeys(("train", "training", "trn", "tr", "rollout", "fit"), TRAIN),
}
_PER_STEP = re.compile(r"(?i)(.+)_(step|batch)")


@dataclass(frozen=True)
class Metric:
    """A column of results: its split, what it measures, and how readily it judges."""

    name: str
    split: str
    base: str
    kind: int  # 0: how good; 1: how bad; 2: unknown


def results(frame: pd.DataFrame, taken: Sequence[str], surely: Sequence[str] = ()) -> list[Metric]:
    """Return the columns that hold results of runs, in the order of the table."""
    columns = [
        str(name)
        for name in frame.columns
        if name not in taken
        and (name in surely or _may_be_result(str(name)))
        and _is_numeric(frame[name])
    ]
    whole = {bare(name) for name in columns}
    kept = [
        c for c in columns if not ((m := _PER_STEP.fullmatch(bare(c))) and _as_epoch(m[1]) in whole)
    ]
    return [describe(name) for name in kept]


def spent(frame: pd.DataFrame, taken: Sequence[str]) -> list[Metric]:
    """Return the columns of what runs spend, such as their time, in the order of the table."""
    return [
        describe(name)
        for name in map(str, frame.columns)
        if name not in taken and is_spent(name) and _is_numeric(frame[name])
    ]


def _as_epoch(name: str) -> str:
    return f"{name}_epoch"


def _may_be_result(name: str) -> bool:
    short = leaf(name)
    others = (*KNOWN["step"], *KNOWN["clock"], *KNOWN["seed"], *KNOWN["id"])
    if short in others or bare(name) in others or is_bookkeeping(name):
        return False
    return of_metrics(name) or not is_hyperparameter(name)


def _is_numeric(cells: pd.Series) -> bool:
    """Whether a column holds mostly numbers, or summaries of them, which are refused later."""
    known = [c for c in dict.fromkeys(cells.tolist()) if not is_missing(c)]
    fitting = sum(as_number(c) is not None or is_summary(c) for c in known)
    return bool(known) and fitting * 2 >= len(known)


def describe(name: str) -> Metric:
    """Return what the name of a column says of its results."""
    words = _words(name)
    split = next((_SPLITS[w] for w in words if w in _SPLITS), "")
    base = "_".join(w for w in words if w not in _SPLITS)
    higher = None if is_spent(name) else higher_is_better(name)
    return Metric(name, split, base, {True: 0, False: 1, None: 2}[higher])


def _words(name: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())
    short = bare(spaced)
    return [w for w in re.split(r"[\W_]+", short) if w]


def choose_metric(found: Sequence[Metric], where: str) -> tuple[Metric, Metric | None]:
    """Return the column that judges, and the column of the same metric on validation, if any.

    Test before validation before training; a measure of quality before a loss; then the order of
    the table.

    Raises
    ------
    DataError
        If only columns are left of which nothing tells that they are the results that count.
    """
    bases = {m.base for m in found if m.split in (TEST, VALIDATION)}

    def rank(m: Metric) -> tuple[int, bool, int, int, int]:
        split = m.split or (TRAIN if m.base in bases else VALIDATION)
        named = 0 if bare(m.name) in KNOWN["value"] else 1
        return (
            named,
            is_spent(m.name),
            (TEST, VALIDATION, TRAIN).index(split),
            m.kind,
            _sums_up(m),
        )

    ordered = sorted(found, key=rank)
    best = ordered[0]
    rivals = [m.name for m in ordered if rank(m) == rank(best)]
    objectives = all(
        re.fullmatch(r"values_\w+", name) for name in rivals
    )  # Optuna: the first counts
    if best.kind == 2 and len(rivals) > 1 and not objectives and best.name not in KNOWN["value"]:
        raise DataError(
            _("{path}: which of {names} judges a run? Name it: --columns value={example}").format(
                path=where, names=", ".join(rivals[:8]), example=rivals[0]
            )
        )
    return best, partner(best, found)


def _sums_up(m: Metric) -> int:
    """Return 0 for the mean of episodes or batches, 2 for their least, most or spread."""
    words = set(m.base.split("_"))
    return 0 if words & {"mean", "avg"} else 2 if words & {"min", "max", "std"} else 1


def partner(chosen: Metric, found: Sequence[Metric]) -> Metric | None:
    """Return the column on validation that measures the same as one on test."""
    if chosen.split != TEST:
        return None
    return next((m for m in found if m.split == VALIDATION and m.base == chosen.base), None)
