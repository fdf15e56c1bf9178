"""Draw a row per method: test scores by seed, and the differences from the best."""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go

from descenso.language import _
from descenso.report import canvas, data, ranges, style, words
from descenso.report.ranges import Shown
from descenso.study import MetricInfo, StudyResult
from descenso.study.words import difference
from descenso.study.words import figure as in_words


def results(result: StudyResult) -> go.Figure:
    """Draw test scores: a row per method, a point per seed, tuned above any default."""
    frame = data.results(result)
    shown, scale = ranges.scores(result)
    figure = canvas.empty(result.metric, "x", scale)
    looks = style.marks(result.design.methods)
    heights = canvas.heights(result)
    for (name, setting), rows in frame.groupby(["method", "setting"], sort=False):
        tuned, height = setting == "tuned", heights[name, setting]
        inside = rows["score"].between(*shown)
        _add_scores(figure, rows[inside], height, looks[name], tuned)
        if inside.any() and shown[0] <= rows["mean"].iloc[0] <= shown[1]:
            _add_mean(figure, rows.iloc[0], height, looks[name], shown, result.metric)
        for below, part in ranges.sides(rows, shown):
            _add_beyond(figure, part, height, below, result.metric)
    canvas.name_rows(figure, [method.name for method in reversed(result.ranking)])
    ends = [ranges.on_scale(end, scale) for end in shown]
    figure.update_xaxes(title=canvas.title(result.metric, "test"), range=ends)
    canvas.thin_out(figure.layout.xaxis)
    return figure


def differences(result: StudyResult) -> go.Figure:
    """Draw how far each method stays behind the best, with the interval of the paired mean."""
    frame = data.differences(result)
    figure = canvas.empty(result.metric, "x")
    looks = style.marks(result.design.methods)
    order = list(reversed(frame["method"]))
    shown = ranges.differences(frame)
    for row in frame.itertuples():
        mark = looks[str(row.method)]
        low, high = (float(end) for end in shown.at_rim([row.low, row.high]))
        figure.add_scatter(
            x=[row.difference],
            y=[order.index(row.method)],
            mode="markers+text",
            text=[_difference_label(row, result.metric)],
            textposition=_beside(row.difference, shown),
            marker={
                "symbol": mark.symbol + ("-open" if row.tied else ""),
                "size": 14,
                "color": mark.colour,
                "line": {"width": 2.5, "color": mark.colour},
            },
            error_x=canvas.interval(row.difference, low, high, mark),
            hoverinfo="skip",
            showlegend=False,
        )
        ends = [difference(end, result.metric) for end in (row.low, row.high)]
        said = _("{low} to {high}").format(low=ends[0], high=ends[1])
        height = order.index(row.method)
        canvas.add_rims(figure, row.low, row.high, height, shown, mark, said)
    figure.add_vline(x=0, line={"color": style.NEUTRAL, "width": 2}, layer="below")
    canvas.name_rows(figure, order)
    best = escape(result.verdict.best or _("the best"))
    title = _("how far behind {best}, test").format(best=best)
    figure.update_xaxes(title=title, range=list(shown))
    return figure


def _difference_label(row: Any, metric: MetricInfo) -> str:
    return escape(f"{difference(row.difference, metric)}, {words.p_value(row.p_value)}")


def _beside(position: float, shown: Shown) -> str:
    """Return where a label stays inside the figure: towards its middle."""
    share = (position - shown[0]) / (shown[1] - shown[0])
    return "top right" if share < 0.35 else "top left" if share > 0.65 else "top center"


def _add_scores(figure: go.Figure, rows: Any, height: float, mark: style.Mark, tuned: bool) -> None:
    figure.add_scatter(
        x=rows["score"],
        y=[height] * len(rows),
        mode="markers",
        showlegend=False,
        marker={
            "symbol": [
                "x-thin" if d else "circle" + "-open" * (not tuned) for d in rows["diverged"]
            ],
            "size": 10,
            "color": mark.colour,
            "opacity": 0.65,
            "line": {"width": 1.5, "color": mark.colour},
        },
        customdata=rows["seed"],
        hovertemplate="%{x}, " + _("seed {seed}").format(seed="%{customdata}") + "<extra></extra>",
    )


def _add_mean(
    figure: go.Figure, row: Any, height: float, mark: style.Mark, shown: Shown, metric: MetricInfo
) -> None:
    low, high = (float(end) for end in shown.at_rim([row["low"], row["high"]]))
    said = words.interval(metric, row["low"], row["high"])
    canvas.add_rims(figure, row["low"], row["high"], height, shown, mark, said)
    figure.add_scatter(
        x=[row["mean"]],
        y=[height],
        mode="markers",
        showlegend=False,
        marker={
            "symbol": "line-ns",
            "size": 22,
            "line": {"width": 3.5, "color": mark.colour},
        },
        error_x=canvas.interval(row["mean"], low, high, mark),
        hovertemplate=_("mean {value}").format(value="%{x}") + "<extra></extra>",
    )


def _add_beyond(
    figure: go.Figure, rows: Any, height: float, below: bool, metric: MetricInfo
) -> None:
    """Say at the rim which runs of a setting lie beyond the axis."""
    setting = _("default") if rows["setting"].iloc[0] == "default" else _("chosen")
    text = f"{setting}: {beyond_text(rows, metric)}"
    figure.add_annotation(
        x=0 if below else 1,
        xref="x domain",
        y=height,
        yshift=-13,
        text=f"◀ {text}" if below else f"{text} ▶",
        xanchor="left" if below else "right",
        showarrow=False,
        font={"color": style.NEUTRAL, "size": style.FONT_SIZE - 2},
    )


def beyond_text(rows: Any, metric: MetricInfo) -> str:
    """Return the scores of runs, from the lowest to the highest, and how many of them diverged."""
    ends = [in_words(rows["score"].min(), metric), in_words(rows["score"].max(), metric)]
    text, count = " – ".join(dict.fromkeys(ends)), int(rows["diverged"].sum())
    return text + " " + _("({count} diverged)").format(count=count) if count else text
