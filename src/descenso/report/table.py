"""The table of a study: one row per method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from descenso.language import _
from descenso.records import Verdict
from descenso.study import MethodResult, StudyResult
from descenso.study.words import settings

if TYPE_CHECKING:
    import pandas as pd


def frame(result: StudyResult) -> pd.DataFrame:
    """Return a row per method, best first.

    Columns: ``method``, ``rule``, ``regime``, ``settings``, ``batch_size``; ``test``, ``low``,
    ``high`` (mean over seeds and its 95% interval); ``validation``; ``default`` (test mean with
    the default settings); ``diverged`` and ``default_diverged`` of ``runs`` (those of the defaults
    only where they were confirmed);
    ``epochs_to_target`` (median over seeds; infinite where most did not reach it, NaN without a
    target); ``seconds_per_run``; ``standing`` (see :func:`standing`); ``recommended``.
    """
    import pandas as pd

    return pd.DataFrame([_row(result, method) for method in result.ranking])


def standing(verdict: Verdict, name: str, seeds: int) -> str:
    """Return ``best``, ``tied``, ``unknown`` (one seed cannot tell) or an empty text."""
    if name == verdict.best:
        return "best"
    if verdict.best is not None and seeds < 2:
        return "unknown"
    return "tied" if name in verdict.tied else ""


def standing_texts(verdict: Verdict, name: str, seeds: int) -> list[str]:
    """Return what stands beside a method's name: its standing, and whether it is recommended."""
    said = {
        "best": _("best mean"),
        "tied": _("tied with the best"),
        "unknown": _("one seed cannot tell"),
    }
    found = [said[place] for place in [standing(verdict, name, seeds)] if place]
    return [*found, _("recommended")] if verdict.tied and name == verdict.recommended else found


def seconds_per_run(method: MethodResult) -> float:
    """Return the mean wall time of a run with the chosen settings."""
    return method.tuned.seconds / max(len(method.tuned.curves), 1)


def _row(result: StudyResult, method: MethodResult) -> dict[str, object]:
    tuned = method.tuned
    target = tuned.epochs_to_target if result.metric.target is not None else ()
    return {
        "method": method.name,
        "rule": method.rule,
        "regime": method.regime,
        "settings": settings(method.rule, method.settings),
        "batch_size": method.batch_size,
        "test": tuned.test.mean,
        "low": tuned.test.low,
        "high": tuned.test.high,
        "validation": tuned.validation.mean,
        **({"default": method.default.test.mean} if method.default else {}),
        "diverged": tuned.diverged,
        **({"default_diverged": method.default.diverged} if method.default else {}),
        "runs": len(tuned.curves),
        "epochs_to_target": float(np.median(target)) if target else float("nan"),
        "seconds_per_run": seconds_per_run(method),
        "standing": standing(result.verdict, method.name, result.seeds),
        "recommended": method.name == result.verdict.recommended,
    }
