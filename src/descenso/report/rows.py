"""Draw a row per method: test scores by seed, and the differences from the best."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from descenso.language import _
from descenso.report import canvas, data, style, words
from descenso.study._results import MetricInfo, StudyResult
from descenso.study.words import difference
from descenso.study.words import figure as in_words


def results(result: StudyResult) -> go.Figure:
    """Draw test scores: a row per method, a point per seed, tuned above any default."""
    frame = data.results(result)
    scale = canvas.scale_of(result.metric, frame[frame["setting"] == "tuned"]["score"])
    figure = canvas.empty(result.metric, "x", scale)
    looks = style.marks(result.design.methods)
    shown = _score_range(frame, scale)
    heights = canvas.heights(result)
    for (name, setting), rows in frame.groupby(["method", "setting"], sort=False):
        tuned, height = setting == "tuned", heights[name, setting]
        inside = _shown(rows, shown)
        _add_scores(figure, rows[inside], height, looks[name], tuned)
        if inside.any() and shown[0] <= rows["mean"].iloc[0] <= shown[1]:
            _add_mean(figure, rows.iloc[0], height, looks[name], shown)
        if not inside.all():
            _add_beyond(figure, rows[~inside], height, shown, result.metric)
    canvas.name_rows(figure, [method.name for method in reversed(result.ranking)])
    ends = [canvas.on_scale(end, scale) for end in shown]
    figure.update_xaxes(title=canvas.title(result.metric, "test"), range=ends)
    return figure


def differences(result: StudyResult) -> go.Figure:
    """Draw how far each method stays behind the best, with the interval of the paired mean."""
    frame = data.differences(result)
    figure = canvas.empty(result.metric, "x")
    looks = style.marks(result.design.methods)
    order = list(reversed(frame["method"]))
    shown = _difference_range(frame)
    for row in frame.itertuples():
        mark = looks[str(row.method)]
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
            error_x=canvas.interval(row.difference, row.low, row.high, mark),
            hoverinfo="skip",
            showlegend=False,
        )
    figure.add_vline(x=0, line={"color": style.NEUTRAL, "width": 2})
    canvas.name_rows(figure, order)
    best = escape(result.verdict.best or _("the best"))
    title = _("how far behind {best}, test").format(best=best)
    figure.update_xaxes(title=title, range=shown)
    return figure


def _difference_label(row: Any, metric: MetricInfo) -> str:
    return escape(f"{difference(row.difference, metric)}, {words.p_value(row.p_value)}")


def _beside(position: float, shown: list[float]) -> str:
    """Return where a label stays inside the figure: towards its middle."""
    share = (position - shown[0]) / (shown[1] - shown[0])
    return "top right" if share < 0.35 else "top left" if share > 0.65 else "top center"


def _difference_range(frame: Any) -> list[float]:
    """Return a range that shows every mean; the interval of a method that diverges may leave it."""
    if not len(frame):
        return [-1.0, 1.0]
    far = max(float(frame["difference"].abs().max()), 1e-12)
    low = max(-far, min(0.0, float(frame["low"].fillna(0.0).min())))
    high = min(1.6 * far, max(far, float(frame["high"].fillna(far).max())))
    room = 0.08 * (high - low)
    return [low - room, high + room]


def _score_range(frame: Any, scale: str) -> tuple[float, float]:
    """Return a range that shows every trained, tuned score, and the defaults not far off them."""
    trained = frame[~frame["diverged"]].assign(score=lambda f: canvas.on_scale(f["score"], scale))
    tuned = trained[trained["setting"] == "tuned"]["score"]
    tuned = tuned if len(tuned) else canvas.on_scale(frame["score"], scale)
    low, high = float(tuned.min()), float(tuned.max())
    span = (high - low) or abs(high) * 0.1 or 1.0
    ends = trained.groupby(["method", "setting"])["score"].agg(["min", "max"])
    near = ends[(ends["min"] >= low - 0.5 * span) & (ends["max"] <= high + 0.5 * span)]
    low, high = min(low, *near["min"]), max(high, *near["max"])
    room = 0.08 * ((high - low) or span)
    return canvas.off_scale(low - room, scale), canvas.off_scale(high + room, scale)


def _shown(rows: Any, shown: tuple[float, float]) -> Any:
    """Return which runs of one setting are drawn: those that diverged aside, all or none."""
    inside = rows["score"].between(*shown)
    return inside & (inside | rows["diverged"]).all()


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
    figure: go.Figure, row: Any, height: float, mark: style.Mark, shown: tuple[float, float]
) -> None:
    low, high = (float(np.clip(row[end], *shown)) for end in ("low", "high"))
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
    figure: go.Figure, rows: Any, height: float, shown: tuple[float, float], metric: MetricInfo
) -> None:
    """Say at the edge what lies off the axis: a whole setting, or the runs of it that diverged."""
    below = rows["score"].mean() < shown[0]
    setting = _("default") if rows["setting"].iloc[0] == "default" else _("chosen")
    value, count = in_words(rows["score"].mean(), metric), int(rows["diverged"].sum())
    text = f"{setting}: {value}"
    if count:
        text += " " + _("({count} diverged)").format(count=count)
    figure.add_annotation(
        x=0 if below else 1,
        xref="x domain",
        y=height,
        text=f"◀ {text}" if below else f"{text} ▶",
        xanchor="left" if below else "right",
        showarrow=False,
        font={"color": style.NEUTRAL, "size": style.FONT_SIZE - 1},
    )
