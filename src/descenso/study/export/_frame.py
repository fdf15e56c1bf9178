"""A stored study as a long table: one row for each run, split and step."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.errors import StoreError
from descenso.language import _
from descenso.records import Run
from descenso.store import Store, StoredStudy
from descenso.study import words
from descenso.study._results import MethodResult, MetricInfo, StudyResult
from descenso.study._search import FIRST_SEARCH_SEED
from descenso.study._storage import decode_result

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "problem", "method", "setting", "seed", "split", "step", "value", "role", "metric",
    "higher_is_better", "resolution",
)  # fmt: skip


@dataclass(frozen=True)
class Exported:
    """A run of a study and the parts it plays: ``search``, ``tuned``, ``default``."""

    run: Run
    roles: tuple[str, ...]
    setting: str


def long_form(store: Store, stored: StoredStudy) -> pd.DataFrame:
    """Return every value of every run: validation at each epoch, and test where it was judged.

    A run that is both the tuned and the default setting of its method has rows in both roles. A
    diverged run's test value is NaN. ``descenso verdict`` reads this very table.

    Raises
    ------
    StoreError
        If the study is not finished: which runs judge is not known before.
    """
    import pandas as pd

    result = finished(stored)
    rows = [
        row
        for exported in exported_runs(store, result)
        for role in exported.roles
        for row in _rows(result, exported, role)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def finished(stored: StoredStudy) -> StudyResult:
    """Return the study's result, or refuse."""
    if stored.result is None:
        raise StoreError(
            _("study {name} is not finished: run its command again and it goes on").format(
                name=stored.identity
            )
        )
    return decode_result(stored.result)


def exported_runs(store: Store, result: StudyResult) -> list[Exported]:
    """Return every run with the roles it plays, in an order that does not depend on the store."""
    runs = sorted(store.runs(result.identity), key=lambda run: (run.member.method, run.member.key))
    found = [
        Exported(run, _roles(run, result), words.settings(run.member.rule, run.member.settings))
        for run in runs
    ]
    return [exported for exported in found if exported.roles]


def _roles(run: Run, result: StudyResult) -> tuple[str, ...]:
    if run.member.seed >= FIRST_SEARCH_SEED:
        return ("search",)
    confirmed = result.method(run.member.method).confirmations
    settings = dict(run.member.settings)
    return tuple(role for role, part in confirmed.items() if dict(part.settings) == settings)


def _rows(result: StudyResult, exported: Exported, role: str) -> Iterator[tuple[Any, ...]]:
    run, metric = exported.run, result.metric
    member, curve = run.member, run.curve
    first = (result.design.problem, member.method, exported.setting, member.seed)
    last = (role, metric.name, metric.higher_is_better, result.resolution)
    for step, value in enumerate(curve.validation_metric):
        yield (*first, "validation", step, float(value), *last)
    if role != "search":
        value = math.nan if curve.ended else curve.test_metric
        yield (*first, "test", curve.epochs, value, *last)


def summary(store: Store, stored: StoredStudy) -> pd.DataFrame:
    """Return one row for each method and setting, of an unfinished study too.

    Columns: method, settings, runs, epochs (most of its runs), diverged, validation (mean).
    """
    import pandas as pd

    groups: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in store.runs(stored.identity):
        member = run.member
        groups[member.method, words.settings(member.rule, member.settings)].append(run)
    metric = decode_result(stored.result).metric if stored.result else None
    rows = [
        (
            method,
            settings,
            len(runs),
            max(r.curve.epochs for r in runs),
            sum(r.curve.diverged for r in runs),
            _mean([float(r.curve.validation_metric[-1]) for r in runs], metric),
        )
        for (method, settings), runs in sorted(groups.items())
    ]
    columns = ["method", "settings", "runs", "epochs", "diverged", "validation"]
    return pd.DataFrame(rows, columns=columns)


def _mean(values: list[float], metric: MetricInfo | None) -> str:
    finite = [v for v in values if math.isfinite(v)]
    if not finite:
        return "–"
    mean = float(np.mean(finite))
    return words.figure(mean, metric) if metric else f"{mean:.4g}"


def judged(result: StudyResult) -> list[tuple[MethodResult, int, float]]:
    """Return (method, seed, test score) of every confirmed run of a chosen setting."""
    return [
        (m, seed, score)
        for m in result.methods
        for seed, score in zip(m.tuned.seeds, m.tuned.scores, strict=True)
    ]
