"""Stored studies as JSON-ready values. The store may change, or break, while it is read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from descenso.api import Study
from descenso.errors import UnknownNameError
from descenso.language import _
from descenso.problems import surfaces
from descenso.records import Run
from descenso.report import data, table
from descenso.report import words as report_words
from descenso.store import Store
from descenso.store._store import StoredStudy
from descenso.study import StudyResult, decode_result
from descenso.study import words as study_words

MOST_LIVE_CURVES = 400


def listing(store: Store, running: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return a line for each study, the newest first."""
    return [_line(study, running) for study in store.studies()]


def _line(study: StoredStudy, running: Sequence[str]) -> dict[str, Any]:
    state = "finished" if study.result else "unfinished"
    design = study.design if isinstance(study.design, Mapping) else {}
    methods = [str(name) for name in design.get("methods", [])]
    return {
        "identity": study.identity,
        "problem": study.problem,
        "methods": methods,
        "started": report_words.moment(study.started),
        "state": "running" if study.identity in running else state,
    }


def find(store: Store, identity: str) -> StoredStudy:
    """Return the study of exactly that identity.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    found = store.find(identity) if identity.isalnum() and len(identity) <= 64 else None
    if found is None:
        raise UnknownNameError(
            _("there is no study {identity!r} in the store").format(identity=identity[:40])
        )
    return found


def one(store: Store, identity: str) -> dict[str, Any]:
    """Return a study: its verdict and table if it is finished, else its curves so far."""
    stored = find(store, identity)
    line = _line(stored, ())
    if stored.result is None:
        return {**line, "live": _live(store.runs(identity))}
    return {**line, **_finished(decode_result(stored.result))}


def result_of(store: Store, identity: str) -> Study:
    """Return a finished study.

    Raises
    ------
    UnknownNameError
        If there is none, or it is not finished.
    StoreError
        If what is stored cannot be read.
    """
    stored = find(store, identity)
    if stored.result is None:
        raise UnknownNameError(_("study {identity} is not finished yet").format(identity=identity))
    return Study(decode_result(stored.result))


def _finished(result: StudyResult) -> dict[str, Any]:
    study = Study(result)
    metric = result.metric
    means = data.curves(result).set_index("method")["mean"]
    rows = []
    for method in result.ranking:
        tuned = method.tuned
        rows.append(
            {
                "method": method.name,
                "settings": study_words.settings(method.rule, method.settings),
                "test": study_words.figure(tuned.test.mean, metric),
                "interval": report_words.interval(metric, tuned.test.low, tuned.test.high),
                "diverged": study_words.early_ends(tuned),
                "seconds": report_words.seconds(tuned.seconds / max(1, len(tuned.curves))),
                "standing": ", ".join(
                    table.standing_texts(result.verdict, method.name, result.seeds)
                ),
                "place": list(result.design.methods).index(method.name),
                "curve": _rounded(means.loc[method.name]),
            }
        )
    return {
        "verdict": study.verdict.text,
        "metric": report_words.metric(metric),
        "percent": metric.percent,
        "target": metric.target,
        "rows": rows,
    }


def _rounded(values: Iterable[float]) -> list[float | None]:
    return [float(f"{v:.5g}") if math.isfinite(v) else None for v in values]


def _live(runs: Sequence[Run]) -> dict[str, Any]:
    methods = list(dict.fromkeys(run.member.method for run in runs))
    curves = [
        {
            "method": run.member.method,
            "lr": float(f"{float(run.member.settings['lr']):.4g}"),
            "values": _rounded(run.curve.validation_metric),
            "diverged": run.curve.diverged,
        }
        for run in runs[-MOST_LIVE_CURVES:]
    ]  # fmt: skip
    return {"count": len(runs), "methods": methods, "curves": curves}


def check_startable(problem: str, known: Sequence[str]) -> None:
    """Refuse what is not built in: from a page, no code of one's own is ever loaded.

    Raises
    ------
    UnknownNameError
        If it is no built-in problem.
    """
    if problem in known or (len(problem) < 80 and surfaces.is_surface(problem)):
        return
    raise UnknownNameError(
        _("from the page, only built-in problems can be started; got {name!r}").format(
            name=problem[:80]
        )
    )
