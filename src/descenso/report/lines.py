"""Draw lines: validation while training, and validation against the learning rate."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from descenso.language import _
from descenso.report import canvas, data, style
from descenso.study._results import MetricInfo, StudyResult

AXES = ("epoch", "examples", "steps", "seconds")


def curves(result: StudyResult, x: str = "epoch") -> go.Figure:
    """Draw validation while training: a line per method, a band over its seeds."""
    frame = data.curves(result)
    scale = canvas.scale_of(result.metric, frame["mean"])
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
        range=_learning_range(frame, result.metric, scale),
    )
    return figure


def sensitivity(result: StudyResult) -> go.Figure:
    """Draw validation against learning rate: a point per setting that the search tried."""
    frame = data.sensitivity(result)
    scale = canvas.scale_of(result.metric, frame["mean"])
    figure = canvas.empty(result.metric, scale=scale)
    looks = style.marks(result.design.methods)
    worst = float(np.mean([data.untrained(method.tuned) for method in result.methods]))
    for name, rows in frame.groupby("method", sort=False):
        mark = looks[str(name)]
        columns = ("mean", "low", "high")
        mean, low, high = (_at_worst(rows[c], worst, result.metric) for c in columns)
        _add_legend_entry(figure, str(name), mark)
        first = rows["stage"] == 1  # beyond it other settings vary too: points without a line
        _add_band(figure, rows["lr"][first], low[first], high[first], str(name), mark, alpha=0.12)
        _add_line(figure, rows["lr"][first], mean[first], str(name), mark)
        figure.add_scatter(
            x=rows["lr"],
            y=mean,
            mode="markers",
            name=escape(str(name)),
            legendgroup=escape(str(name)),
            showlegend=False,
            marker=_search_markers(rows, mark),
            customdata=_search_notes(rows, result.design.epochs),
            hovertemplate="η = %{x:.3g}: %{y}<br>%{customdata}<extra>%{fullData.name}</extra>",
        )
    canvas.add_target(figure, result.metric, scale, side="left")
    figure.update_xaxes(title=_("learning rate η (log)"), **_decades(frame["lr"]))
    figure.update_yaxes(title=canvas.title(result.metric, "validation"))
    return figure


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


def _learning_range(frame: Any, metric: MetricInfo, scale: str) -> list[float]:
    """Return an axis on which the ends of the curves can be told apart."""
    sign = 1 if metric.higher_is_better else -1
    mean = canvas.on_scale(frame["mean"], scale)
    last = mean[frame["epoch"] == frame["epoch"].max()]
    best, worst = sign * (sign * mean).max(), sign * (sign * last).min()
    start = sign * (sign * mean).min()
    floor = worst - sign * 0.3 * abs(best - start)
    floor = start if sign * (floor - start) < 0 else floor
    room = 0.04 * abs(best - floor) or 0.01
    return sorted((floor - sign * room, best + sign * 1.5 * room))


def _at_worst(values: Any, worst: float, metric: MetricInfo) -> Any:
    """Return values no worse than the untrained network's: an exploded loss has no scale."""
    if metric.percent:
        return values
    return values.clip(lower=worst) if metric.higher_is_better else values.clip(upper=worst)


def _search_markers(rows: Any, mark: style.Mark) -> dict[str, Any]:
    symbols = [mark.symbol if full else f"{mark.symbol}-open" for full in rows["full"]]
    symbols = ["x-thin" if share else s for s, share in zip(symbols, rows["diverged"], strict=True)]
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


def _search_notes(rows: Any, budget: int) -> list[str]:
    notes = []
    for row in rows.itertuples():
        note = [_("{epochs} of {budget} epochs").format(epochs=row.epochs, budget=budget)]
        if row.diverged:
            note.append(_("{share} of its runs diverged").format(share=f"{row.diverged:.0%}"))
        if row.chosen:
            note.append(_("chosen"))
        notes.append(", ".join(note))
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
