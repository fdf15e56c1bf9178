"""Draw the figures over several problems with Plotly."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.language import _
from descenso.report import canvas, figures, style
from descenso.report.together import _data as data
from descenso.study import MetricInfo
from descenso.study.overview import Overview

if TYPE_CHECKING:
    import plotly.graph_objects as go

GAIN = MetricInfo("gain", higher_is_better=True, percent=True, target=None)


def names(found: Overview) -> list[str]:
    """Return the names of the figures that have something to show."""
    return ["profile", "gains"] if len(data.profile(found)) else ["gains"]


def figure(found: Overview, name: str, theme: str = "light") -> go.Figure:
    """Return a figure over several problems.

    Parameters
    ----------
    name : ``profile`` (share of runs at the target, against the epochs taken in those of the
        quickest method) or ``gains`` (comparable scores of every run).
    theme : ``light`` or ``dark``.

    Raises
    ------
    UnknownNameError
        If there is no such figure or theme, or no problem has a target that could be reached.
    """
    style.known(name, names(found), _("there is no figure named {name!r}; there are {known}."))
    return figures.dressed(_profile(found) if name == "profile" else _gains(found), theme)


def far_end(found: Overview) -> float:
    """Return how far the profile is drawn: beyond the last run that gets to its target."""
    return max(2.0, 1.15 * float(found.ratios[-1]))


def _profile(found: Overview) -> go.Figure:
    frame = data.profile(found)
    made = canvas.empty(GAIN)
    looks = style.marks(found.methods)
    for name, rows in frame.groupby("method", sort=False):
        mark = looks[str(name)]
        made.add_scatter(
            x=[*rows["ratio"], far_end(found)], y=[*rows["solved"], rows["solved"].iloc[-1]],
            mode="lines", name=escape(str(name)),
            line={"color": mark.colour, "width": 2.5, "dash": mark.dash, "shape": "hv"},
            hovertemplate="× %{x:.3g}: %{y:.0%}<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    ticks = ratio_ticks(far_end(found))
    made.update_xaxes(
        title=ratio_title(), type="log", range=[-0.005, np.log10(far_end(found))],
        tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks],
    )  # fmt: skip
    made.update_yaxes(title=_("share of runs at the target"), range=[-0.02, 1.04], tickformat=".0%")
    named = [(share, name, looks[name]) for share, name, _colour in ends(found)]
    canvas.name_ends(made, named, (-0.02, 1.04))
    return made


def ends(found: Overview) -> list[tuple[float, str, str]]:
    """Return where the profile of each method ends, its name and colour."""
    looks = style.marks(found.methods)
    return [
        (float(rows["solved"].iloc[-1]), str(name), looks[str(name)].colour)
        for name, rows in data.profile(found).groupby("method", sort=False)
    ]


def ratio_title() -> str:
    """Return the name of the axis of a profile."""
    return _("epochs to the target, in those of the quickest method (log)")


def ratio_ticks(end: float) -> list[float]:
    """Return round ratios from 1 up to ``end``."""
    return [r for r in (1, 1.5, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000) if r <= end]


def _gains(found: Overview) -> go.Figure:
    frame = data.gains(found)
    made = canvas.empty(GAIN, "x")
    looks = style.marks(found.methods)
    order = list(reversed(data.ranking(found)))
    low, high = data.shown_gains(found)
    for name, rows in frame.groupby("method", sort=False):
        _runs(made, rows, order.index(str(name)), looks[str(name)], low)
        _middle(made, rows.iloc[0], order.index(str(name)), looks[str(name)], low)
    made.add_vline(x=1, line={"color": style.NEUTRAL, "width": 1.5, "dash": "dash"})
    canvas.name_rows(made, order)
    made.update_xaxes(title=gain_title(), range=[low, high])
    return made


def gain_title() -> str:
    """Return the name of the axis of gains."""
    return _("share of the best method's gain over the untrained network, test")


def _runs(made: Any, rows: Any, height: int, mark: style.Mark, low: float) -> None:
    beyond = rows["gain"] < low
    said = [
        _("{problem}, seed {seed}: {gain}").format(
            problem=escape(str(row.problem)), seed=row.seed, gain=f"{row.gain:.1%}"
        )
        for row in rows.itertuples()
    ]
    made.add_scatter(
        x=rows["gain"].clip(lower=low), y=spread(rows, height), mode="markers", showlegend=False,
        marker={"symbol": ["triangle-left" if b else "circle" for b in beyond], "size": 9,
                "color": mark.colour, "opacity": 0.6},
        text=said, hovertemplate="%{text}<extra></extra>", cliponaxis=False,
    )  # fmt: skip


def spread(rows: Any, height: int) -> np.ndarray:
    """Return heights at which the runs of each problem lie on a line of their own."""
    problems = list(dict.fromkeys(rows["problem"]))
    lines = np.array([problems.index(problem) for problem in rows["problem"]])
    return np.asarray(height - 0.08 - 0.28 * (lines + 0.5) / len(problems))


def _middle(made: Any, row: Any, height: int, mark: style.Mark, low: float) -> None:
    beyond = row["low"] < low
    ends = (max(float(row["low"]), low), float(row["high"]))
    if beyond:
        made.add_scatter(
            x=[low], y=[height + 0.14], mode="markers", showlegend=False, cliponaxis=False,
            hoverinfo="skip",
            marker={"symbol": "triangle-left", "size": 12, "color": mark.colour},
        )  # fmt: skip
    made.add_scatter(
        x=[row["iqm"]], y=[height + 0.14], mode="markers", showlegend=False,
        marker={"symbol": "line-ns", "size": 20, "line": {"width": 3.5, "color": mark.colour}},
        error_x=canvas.interval(row["iqm"], *ends, mark),
        hovertemplate=_("interquartile mean {value}").format(value="%{x}") + "<extra></extra>",
    )  # fmt: skip
