"""One HTML file that says what several studies say together, and needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from descenso.files import write_whole
from descenso.language import _
from descenso.report import html, style, table, templates
from descenso.report.together import _data as data
from descenso.report.together._captions import caption
from descenso.report.together._figures import figure, names
from descenso.study import StudyResult
from descenso.study.overview import Overview, in_words, overview
from descenso.study.words import listed


def write(
    results: Sequence[StudyResult], path: str | Path, reports: Mapping[str, str] | None = None
) -> Path:
    """Write the page, whole or not at all, and return where it lies.

    Parameters
    ----------
    results : finished studies of the same methods, their verdicts in words.
    reports : problem → place of its own report, to be linked to.

    Raises
    ------
    ReportError
        If it cannot be written.
    BudgetError
        If the studies do not compare the same methods, or repeat a problem.
    """
    return write_whole(path, render(results, reports or {}))


def render(results: Sequence[StudyResult], reports: Mapping[str, str]) -> str:
    """Return the page as HTML, in the language in use."""
    found = overview(results)
    titles = {
        "profile": _("How soon, and how surely, targets are reached"),
        "gains": _("What each run gained"),
    }
    sections = [
        {"name": name, "title": titles[name], "caption": caption(found, name), "number": number}
        for number, name in enumerate(names(found), 1)
    ]
    return templates.render(
        "report",
        "together/overview.html",
        title=_("Which optimizer for {problem}?").format(problem=listed(found.problems)),
        verdict=in_words(found),
        rows=[_row(found, name) for name in data.ranking(found)],
        problems=[_problem(result, reports) for result in results],
        sections=sections,
        themes=style.THEMES,
        font=style.FONT,
        plotly_js=html.plotly_js(),
        payload=html.payload({name: figure(found, name) for name in names(found)}),
    )


def _row(found: Overview, name: str) -> dict[str, Any]:
    middle, profile = found.iqm[name], found.profile[name]
    return {
        "name": name,
        "colour": style.marks(found.methods)[name].colour,
        "standing": table.standing_texts(found.verdict, name, found.scores[name].shape[1]),
        "mean": f"{float(np.mean(found.scores[name])):.1%}",
        "iqm": f"{middle.mean:.1%}",
        "interval": _span(middle.low, middle.high),
        "first": _share(profile[0]),
        "reached": _share(profile[-1]),
    }


def _span(low: float, high: float) -> str:
    return f"{low:.1%} – {high:.1%}" if math.isfinite(low + high) else "–"


def _share(value: float) -> str:
    return f"{value:.0%}" if math.isfinite(value) else "–"


def _problem(result: StudyResult, reports: Mapping[str, str]) -> dict[str, Any]:
    name = result.design.problem
    return {"name": name, "text": result.verdict.text, "report": reports.get(name),
            "identity": result.identity}  # fmt: skip
