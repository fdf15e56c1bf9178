"""The figures of a study, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from descenso.language import _
from descenso.report import lines, rows, style
from descenso.study import StudyResult

if TYPE_CHECKING:
    import plotly.graph_objects as go

_DRAWINGS: dict[str, Callable[[StudyResult], go.Figure]] = {
    "results": rows.results,
    "differences": rows.differences,
    "sensitivity": lines.sensitivity,
    "curves": lines.curves,
    "target": lines.target,
}


def names() -> list[str]:
    """Return the names of all figures, in the order of the report."""
    return list(_DRAWINGS)


def figure(result: StudyResult, name: str, theme: str = "light", *, x: str = "epoch") -> go.Figure:
    """Return a figure of a study.

    Parameters
    ----------
    name : ``results`` (test scores by seed), ``differences`` (from the best method, paired),
        ``sensitivity`` (validation against learning rate), ``curves`` (validation while training)
        or ``target`` (share of runs that have reached the target by each epoch).
    theme : ``light`` or ``dark``.
    x : what ``curves`` is drawn against: ``epoch``, ``examples``, ``steps`` or ``seconds``.

    Raises
    ------
    UnknownNameError
        If there is no such figure, theme or axis; the message offers the nearest name.
    """
    style.known(name, names(), _("there is no figure named {name!r}; there are {known}."))
    style.known(x, lines.AXES, _("there is no axis named {name!r}; there are {known}."))
    return dressed(lines.curves(result, x) if name == "curves" else _DRAWINGS[name](result), theme)


def dressed(drawn: go.Figure, theme: str) -> go.Figure:
    """Return a figure in the colours of a theme."""
    look = style.theme(theme)
    drawn.update_layout(paper_bgcolor=look.ground, plot_bgcolor=look.ground, font_color=look.text)
    drawn.update_layout(hoverlabel={"bgcolor": look.ground, "font_color": look.text})
    drawn.update_xaxes(gridcolor=look.grid, linecolor=look.text, zerolinecolor=style.NEUTRAL)
    drawn.update_yaxes(gridcolor=look.grid, linecolor=look.text, zerolinecolor=style.NEUTRAL)
    return drawn
