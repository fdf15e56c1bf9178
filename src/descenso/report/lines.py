"""Draw lines: validation while training, and validation against the learning rate."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from descenso.language import _
from descenso.report import canvas, data, labels, ranges, style
from descenso.report.ranges import Shown
from descenso.study import StudyResult
from descenso.study.words import figure as in_words

AXES = ("epoch", "examples", "steps", "seconds")
_WIDTH = 860  # pixels that a figure is usually wide


def curves(result: StudyResult, x: str = "epoch") -> go.Figure:
    """Draw validation while training: a line per method, a band over its seeds."""
    frame = data.curves(result)
    shown, scale = ranges.curves(result)
    figure = canvas.empty(result.metric, scale=scale)
    looks = style.marks(result.design.methods)
    for name, rows in frame.groupby("method", sort=False):
        # A method that takes one step per epoch and one that takes a thousand share no linear axis.
        rows = rows[rows["epoch"] > 0] if x == "steps" else rows
        _add_band(figure, rows[x], rows["low"], rows["high"], str(name), looks[str(name)])
        figure.add_scatter(
            x=rows[x],
            y=rows["mean"],
            mode="lines",
            name=escape(str(name)),
            legendgroup=escape(str(name)),
            line={"color": looks[str(name)].colour, "width": 2.5, "dash": looks[str(name)].dash},
            hovertemplate="%{y}<extra>%{fullData.name}</extra>",
        )
    canvas.add_target(figure, result.metric, scale)
    figure.update_layout(hovermode="x unified" if x == "epoch" else "closest")
    figure.update_xaxes(title=axis_title(x), type="log" if x == "steps" else "linear")
    figure.update_yaxes(
        title=canvas.title(result.metric, "validation"),
        range=[ranges.on_scale(end, scale) for end in shown],
    )
    canvas.thin_out(figure.layout.yaxis)
    ends, furthest = [], float(frame[x].max())
    for name, rows in frame.groupby("method", sort=False):
        last, mark = float(rows["mean"].iloc[-1]), looks[str(name)]
        ends.append((last, str(name), mark))
        if rows[x].iloc[-1] < furthest:  # from where it ends, a thin line leads to its name
            figure.add_scatter(
                x=[rows[x].iloc[-1], furthest], y=[last, last], mode="lines", hoverinfo="skip",
                showlegend=False, legendgroup=escape(str(name)),
                line={"color": mark.colour, "width": 1, "dash": "dot"},
            )  # fmt: skip
    canvas.name_ends(figure, ends, shown, scale)
    return figure


def sensitivity(result: StudyResult) -> go.Figure:
    """Draw validation against learning rate: a point per setting that the search tried."""
    frame = data.sensitivity(result)
    shown, scale = ranges.sensitivity(result)
    figure = canvas.empty(result.metric, scale=scale)
    looks = style.marks(result.design.methods)
    for name, rows in frame.groupby("method", sort=False):
        mark = looks[str(name)]
        _add_legend_entry(figure, str(name), mark)
        first = rows["stage"] == 1  # beyond it other settings vary too: points without a line
        along = rows[first]
        _add_band(figure, along["lr"], along["low"], along["high"], str(name), mark, alpha=0.12)
        _add_line(figure, along["lr"], along["mean"], str(name), mark)
        figure.add_scatter(
            x=rows["lr"],
            y=shown.at_rim(rows["mean"]),
            mode="markers",
            name=escape(str(name)),
            legendgroup=escape(str(name)),
            showlegend=False,
            marker=_search_markers(rows, mark, shown),
            cliponaxis=False,
            customdata=_search_notes(rows, result),
            hovertemplate="η = %{x:.3g}: %{customdata}<extra>%{fullData.name}</extra>",
        )
    canvas.add_target(figure, result.metric, scale, side="left")
    figure.update_xaxes(title=_("learning rate η (log)"), **_decades(frame["lr"]))
    figure.update_yaxes(
        title=canvas.title(result.metric, "validation"),
        range=[ranges.on_scale(end, scale) for end in shown],
    )
    canvas.thin_out(figure.layout.yaxis)
    _name_chosen(figure, frame, looks, shown, scale)
    return figure


def _name_chosen(
    figure: go.Figure, frame: Any, looks: dict[str, style.Mark], shown: Shown, scale: str
) -> None:
    """Name each method over its chosen learning rate, in rows above the figure."""
    chosen = frame[frame["chosen"]]
    names = labels.short(list(looks))
    low, high = figure.layout.xaxis.range
    across = [_WIDTH * (math.log10(lr) - low) / (high - low) for lr in chosen["lr"]]
    widths = [7.6 * len(names[name]) + 14 for name in chosen["method"]]
    rows = labels.in_rows(across, widths)
    beyond = max((x + w for x, w in zip(across, widths, strict=True)), default=0) - _WIDTH
    figure.update_layout(margin_r=max(figure.layout.margin.r, round(beyond) + 8))
    above = 20 * (max(rows, default=0) + 1)
    figure.update_layout(
        margin_t=figure.layout.margin.t + above, height=figure.layout.height + above,
        meta={"above": above},
    )  # fmt: skip
    inner = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    figure.update_layout(legend_y=1 + (above + 6) / inner)
    ends = [float(ranges.on_scale(end, scale)) for end in shown]
    for row, point in zip(rows, chosen.itertuples(), strict=True):
        at = float(ranges.on_scale(shown.at_rim(point.mean), scale))
        up = (ends[1] - at) / (ends[1] - ends[0]) * inner + 12 + 20 * row
        figure.add_annotation(
            x=math.log10(point.lr), y=at, ax=0, ay=-up, text=escape(names[point.method]),
            name=labels.END, arrowhead=0, arrowwidth=1, arrowcolor=looks[point.method].colour,
            standoff=9, xanchor="left", yanchor="middle", font={"size": 13},
        )  # fmt: skip


def target(result: StudyResult) -> go.Figure:
    """Draw the share of runs that have reached the target by each epoch: a stair per method."""
    frame = data.target(result)
    figure = canvas.empty(result.metric)
    looks = style.marks(result.design.methods)
    for name, rows in frame.groupby("method", sort=False):
        mark = looks[str(name)]
        figure.add_scatter(
            x=rows["epoch"],
            y=rows["share"],
            mode="lines",
            name=escape(str(name)),
            line={"color": mark.colour, "width": 2.5, "dash": mark.dash, "shape": "hv"},
            hovertemplate="%{y:.0%}<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(hovermode="x unified")
    figure.update_xaxes(title=axis_title("epoch"))
    figure.update_yaxes(
        title=_("share of runs at the target"), range=[-0.02, 1.04], type="linear", tickformat=".0%"
    )
    ends = [
        (float(rows["share"].iloc[-1]), str(name), looks[str(name)])
        for name, rows in frame.groupby("method", sort=False)
    ]
    if ends:
        canvas.name_ends(figure, ends, (-0.02, 1.04))
    return figure


def axis_title(x: str) -> str:
    """Return the name of a horizontal axis of the learning curves."""
    return {
        "epoch": _("epochs"),
        "examples": _("examples seen"),
        "steps": _("update steps (log)"),
        "seconds": _("seconds of computation per run"),
    }[x]


def _add_band(
    figure: go.Figure, x: Any, low: Any, high: Any, name: str, mark: style.Mark, alpha: float = 0.15
) -> None:
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        fill="toself",
        fillcolor=mark.band(alpha),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        legendgroup=escape(name),
        showlegend=False,
    )


def _add_line(figure: go.Figure, x: Any, y: Any, name: str, mark: style.Mark) -> None:
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines",
        legendgroup=escape(name),
        showlegend=False,
        hoverinfo="skip",
        line={"color": mark.colour, "width": 1.5, "dash": mark.dash},
    )


def _add_legend_entry(figure: go.Figure, name: str, mark: style.Mark) -> None:
    """Name a method by its plain symbol: the first point of its line may be a hollow one."""
    figure.add_scatter(
        x=[None],
        y=[None],
        mode="lines+markers",
        name=escape(name),
        legendgroup=escape(name),
        line={"color": mark.colour, "width": 1.5, "dash": mark.dash},
        marker={"symbol": mark.symbol, "color": mark.colour, "size": 9},
    )


def _search_markers(rows: Any, mark: style.Mark, shown: Shown) -> dict[str, Any]:
    symbols = [mark.symbol if full else f"{mark.symbol}-open" for full in rows["full"]]
    symbols = ["x-thin" if share else s for s, share in zip(symbols, rows["diverged"], strict=True)]
    for beyond, rim in ((shown.above, "triangle-up"), (shown.below, "triangle-down")):
        symbols = [rim if b else s for s, b in zip(symbols, beyond(rows["mean"]), strict=True)]
    return {
        "symbol": symbols,
        "color": mark.colour,
        "size": np.where(rows["chosen"], 16, 9),
        "line": {
            "width": np.where(rows["chosen"] | (rows["diverged"] > 0), 2.5, 1.5),
            "color": _rings(rows, mark),
        },
        "opacity": 1,
    }


def _rings(rows: Any, mark: style.Mark) -> list[str]:
    return [style.NEUTRAL if chosen else mark.colour for chosen in rows["chosen"]]


def _search_notes(rows: Any, result: StudyResult) -> list[str]:
    notes, budget = [], result.design.epochs
    for row in rows.itertuples():
        note = [_("{epochs} of {budget} epochs").format(epochs=row.epochs, budget=budget)]
        if row.diverged:
            note.append(_("{share} of its runs diverged").format(share=f"{row.diverged:.0%}"))
        if row.chosen:
            note.append(_("chosen"))
        notes.append(f"{in_words(row.mean, result.metric)}<br>{', '.join(note)}")
    return notes


def _decades(rates: Any) -> dict[str, Any]:
    if not len(rates):
        return {"type": "log"}
    low, high = math.log10(rates.min()), math.log10(rates.max())
    ticks = [10.0**n for n in range(math.floor(low), math.ceil(high) + 1)]
    return {
        "type": "log",
        "tickvals": ticks,
        "ticktext": [_power_of_ten(tick) for tick in ticks],
        "range": [low - 0.15, high + 0.15],
    }


def _power_of_ten(number: float) -> str:
    power = round(math.log10(number))
    return f"{number:g}" if -2 <= power <= 2 else f"10<sup>{power}</sup>".replace("-", "−")
