"""What all drawings share: the empty figure, the scale of the metric, intervals, rows."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import plotly.graph_objects as go

from descenso.language import _
from descenso.report import labels, style, words
from descenso.report.ranges import Shown, on_scale
from descenso.study import MetricInfo, StudyResult
from descenso.study.words import figure as in_words

_MOST_POWERS = 7  # of ten that stand side by side on an axis


def empty(metric: MetricInfo, value_axis: str = "y", scale: str = "linear") -> go.Figure:
    """Return a figure without data whose ``value_axis`` is ready for the metric."""
    figure = go.Figure(
        layout={
            "template": "none",
            "font": {"family": style.FONT, "size": style.FONT_SIZE},
            "margin": {"l": 70, "r": 24, "t": 24, "b": 64},
            "height": 500,
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            "hoverlabel": {"font": {"size": style.FONT_SIZE - 1}},
        }
    )
    shared = {"showline": True, "ticks": "outside", "automargin": True, "zeroline": False}
    figure.update_xaxes(**shared, title_standoff=12)
    figure.update_yaxes(**shared, title_standoff=30)
    axis = figure.layout[f"{value_axis}axis"]
    axis.update(type=scale)
    if scale == "log":
        axis.update(exponentformat="power", dtick=1)
    if metric.percent:
        axis.update(tickformat=".2~%", hoverformat=".2%")
    return figure


def thin_out(axis: Any) -> None:
    """Mark every second or third power of ten where an axis spans too many for all of them."""
    if axis.type == "log":
        axis.dtick = max(1, math.ceil((axis.range[1] - axis.range[0]) / _MOST_POWERS))


def title(metric: MetricInfo, part: str) -> str:
    """Return the title of an axis: the metric on validation or on test."""
    text = _("{metric}, test") if part == "test" else _("{metric}, validation")
    return text.format(metric=escape(words.metric(metric)))


def add_target(figure: go.Figure, metric: MetricInfo, scale: str, side: str = "right") -> None:
    """Draw the target as a line across, if there is one."""
    if metric.target is None or (scale == "log" and metric.target <= 0):
        return
    figure.add_hline(y=metric.target, line={"color": style.NEUTRAL, "dash": "dash", "width": 1.5})
    figure.add_annotation(
        text=_("target {value}").format(value=in_words(metric.target, metric)),
        x=0 if side == "left" else 1,
        xref="x domain",
        xanchor=side,
        y=on_scale(metric.target, scale),
        yanchor="top",
        showarrow=False,
        font={"color": style.NEUTRAL, "size": style.FONT_SIZE - 1},
    )


def interval(mean: float, low: float, high: float, mark: style.Mark) -> dict[str, Any] | None:
    """Return the error bar from ``low`` to ``high``; none where there is no interval."""
    if math.isnan(low) or math.isnan(high):
        return None
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - mean],
        "arrayminus": [mean - low],
        "color": mark.colour,
        "thickness": 3,
        "width": 0,
    }


def add_rims(
    figure: go.Figure, low: float, high: float, height: float, shown: Shown, mark: style.Mark,
    said: str,
) -> None:  # fmt: skip
    """Mark at the rim that an interval goes on beyond the axis."""
    for beyond, at, symbol in (
        (low < shown.low, shown.low, "triangle-left"),
        (high > shown.high, shown.high, "triangle-right"),
    ):
        if beyond:
            figure.add_scatter(
                x=[at], y=[height], mode="markers", showlegend=False, cliponaxis=False,
                marker={"symbol": symbol, "size": 12, "color": mark.colour},
                text=[escape(said)], hovertemplate="%{text}<extra></extra>",
            )  # fmt: skip


def name_ends(
    figure: go.Figure, ends: Any, shown: tuple[float, float], scale: str = "linear"
) -> None:
    """Name lines at the right rim: (last value, name, mark) of each; ``shown`` are values."""
    low, high = (float(on_scale(end, scale)) for end in shown)
    names = labels.short([name for _value, name, _mark in ends])
    found = [
        labels.End((float(on_scale(value, scale)) - low) / (high - low), names[name], mark.colour)
        for value, name, mark in ends
    ]
    figure.update_layout(margin_r=labels.room(list(names.values())))
    margin = figure.layout.margin
    labels.add_ends(figure, found, figure.layout.height - margin.t - margin.b)


def heights(result: StudyResult) -> dict[tuple[str, str], float]:
    """Return where each method and setting is drawn: a default below what was chosen instead."""
    apart = {"tuned": 0.17, "default": -0.2}
    return {
        (method.name, setting): row + (apart[setting] if len(method.confirmations) > 1 else 0.0)
        for row, method in enumerate(reversed(result.ranking))
        for setting in method.confirmations
    }


def name_rows(figure: go.Figure, order: list[str]) -> None:
    """Name the rows of a figure, from the bottom up."""
    figure.update_yaxes(
        tickvals=list(range(len(order))),
        ticktext=["<br>".join(map(escape, labels.in_lines(name))) for name in order],
        range=[-0.6, len(order) - 0.4],
        ticks="",
    )
    figure.update_layout(height=110 + 56 * max(len(order), 2))
