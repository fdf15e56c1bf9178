"""Draw the frames of :mod:`descenso.report.data` with Plotly."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from descenso.language import _, ngettext
from descenso.report import data, style, words
from descenso.study._results import MetricInfo, StudyResult
from descenso.study.words import difference
from descenso.study.words import figure as in_words

AXES = ("epoch", "examples", "steps", "seconds")


def curves(result: StudyResult, x: str = "epoch") -> go.Figure:
    """Draw validation while training: a line per method, a band over its seeds."""
    frame = data.curves(result)
    figure = _empty(result.metric)
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
    _add_target(figure, result.metric)
    figure.update_layout(hovermode="x unified" if x == "epoch" else "closest")
    figure.update_xaxes(title=axis_title(x), type="log" if x == "steps" else "linear")
    figure.update_yaxes(
        title=_validation_title(result.metric),
        range=_learning_range(frame, result.metric),
    )
    return figure


def sensitivity(result: StudyResult) -> go.Figure:
    """Draw validation against learning rate: a point per setting that the search tried."""
    frame = data.sensitivity(result)
    figure = _empty(result.metric)
    looks = style.marks(result.design.methods)
    worst = _worst_shown(result, frame)
    for name, rows in frame.groupby("method", sort=False):
        mark = looks[str(name)]
        columns = ("mean", "low", "high")
        mean, low, high = (_at_worst(rows[c], worst, result.metric) for c in columns)
        _add_legend_entry(figure, str(name), mark)
        _add_band(figure, rows["lr"], low, high, str(name), mark, alpha=0.12)
        figure.add_scatter(
            x=rows["lr"],
            y=mean,
            mode="lines+markers",
            name=escape(str(name)),
            legendgroup=escape(str(name)),
            showlegend=False,
            line={"color": mark.colour, "width": 1.5, "dash": mark.dash},
            marker=_search_markers(rows, mark),
            customdata=_search_notes(rows, result.design.epochs),
            hovertemplate="η = %{x:.3g}: %{y}<br>%{customdata}<extra>%{fullData.name}</extra>",
        )
    _add_target(figure, result.metric)
    figure.update_xaxes(title=_("learning rate η (log scale)"), **_decades(frame["lr"]))
    figure.update_yaxes(title=_validation_title(result.metric))
    return figure


def results(result: StudyResult) -> go.Figure:
    """Draw test scores: a row per method, a point per seed, tuned above default."""
    frame = data.results(result)
    figure = _empty(result.metric, value_axis="x")
    looks = style.marks(result.design.methods)
    shown = _score_range(frame)
    order = [method.name for method in reversed(result.ranking)]
    for (name, setting), rows in frame.groupby(["method", "setting"], sort=False):
        tuned = setting == "tuned"
        height = order.index(name) + (0.17 if tuned else -0.2)
        inside = _shown(rows, shown)
        _add_scores(figure, rows[inside], height, looks[name], tuned)
        if inside.any() and shown[0] <= rows["mean"].iloc[0] <= shown[1]:
            _add_mean(figure, rows.iloc[0], height, looks[name], shown)
        if not inside.all():
            _add_beyond(figure, rows[~inside], height, shown, result.metric)
    _name_rows(figure, order)
    title = _("{metric}, test").format(metric=escape(words.metric(result.metric)))
    figure.update_xaxes(title=title, range=shown)
    return figure


def differences(result: StudyResult) -> go.Figure:
    """Draw how far each method stays behind the best, with the interval of the paired mean."""
    frame = data.differences(result)
    figure = _empty(result.metric, value_axis="x")
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
            error_x=_interval(row.difference, row.low, row.high, mark),
            hoverinfo="skip",
            showlegend=False,
        )
    figure.add_vline(x=0, line={"color": style.NEUTRAL, "width": 2})
    _name_rows(figure, order)
    best = escape(result.verdict.best or "")
    title = _("how far behind {best}, test").format(best=best)
    figure.update_xaxes(title=title, range=shown)
    return figure


def _validation_title(metric: MetricInfo) -> str:
    return _("{metric}, validation").format(metric=escape(words.metric(metric)))


def axis_title(x: str) -> str:
    """Return the name of a horizontal axis of the learning curves."""
    return {
        "epoch": _("epochs"),
        "examples": _("examples seen"),
        "steps": _("update steps (log scale)"),
        "seconds": _("seconds of computation per run"),
    }[x]


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


def _empty(metric: MetricInfo, value_axis: str = "y") -> go.Figure:
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
    figure.update_yaxes(**shared, title_standoff=12)
    if metric.percent:
        axis = figure.layout[f"{value_axis}axis"]
        axis.update(tickformat=".2~%", hoverformat=".2%")
    return figure


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


def _add_target(figure: go.Figure, metric: MetricInfo) -> None:
    if metric.target is None:
        return
    figure.add_hline(
        y=metric.target,
        line={"color": style.NEUTRAL, "dash": "dash", "width": 1.5},
        annotation={
            "text": _("target {value}").format(value=in_words(metric.target, metric)),
            "font": {"color": style.NEUTRAL, "size": style.FONT_SIZE - 1},
            "xanchor": "right",
        },
        annotation_position="bottom right",
    )


def _learning_range(frame: Any, metric: MetricInfo) -> list[float]:
    """Return an axis on which the ends of the curves can be told apart."""
    sign = 1 if metric.higher_is_better else -1
    last = frame[frame["epoch"] == frame["epoch"].max()]
    best, worst = sign * (sign * frame["mean"]).max(), sign * (sign * last["mean"]).min()
    start = sign * (sign * frame["mean"]).min()
    floor = worst - sign * 0.3 * abs(best - start)
    floor = start if sign * (floor - start) < 0 else floor
    room = 0.04 * abs(best - floor) or 0.01
    return sorted((floor - sign * room, best + sign * 1.5 * room))


def _worst_shown(result: StudyResult, frame: Any) -> float:
    start = np.mean([data.untrained(method.tuned) for method in result.methods])
    return float(start) if len(frame) else math.nan


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


def _score_range(frame: Any) -> tuple[float, float]:
    """Return a range that shows every trained, tuned score, and the defaults not far off them."""
    trained = frame[~frame["diverged"]]
    tuned = trained[trained["setting"] == "tuned"]["score"]
    tuned = tuned if len(tuned) else frame["score"]
    low, high = float(tuned.min()), float(tuned.max())
    span = (high - low) or abs(high) * 0.1 or 1.0
    ends = trained.groupby(["method", "setting"])["score"].agg(["min", "max"])
    near = ends[(ends["min"] >= low - 0.5 * span) & (ends["max"] <= high + 0.5 * span)]
    low, high = min(low, *near["min"]), max(high, *near["max"])
    room = 0.08 * ((high - low) or span)
    return low - room, high + room


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
        error_x=_interval(row["mean"], low, high, mark),
        hovertemplate=_("mean {value}").format(value="%{x}") + "<extra></extra>",
    )


def _add_beyond(
    figure: go.Figure, rows: Any, height: float, shown: tuple[float, float], metric: MetricInfo
) -> None:
    """Say at the edge what lies off the axis: so many runs, diverged or not, and their mean."""
    below = rows["score"].mean() < shown[0]
    setting = _("default") if rows["setting"].iloc[0] == "default" else _("chosen")
    count, diverged = len(rows), int(rows["diverged"].sum())
    text = ngettext(
        "{setting}: {count} run near {value}", "{setting}: {count} runs near {value}", count
    ).format(setting=setting, count=count, value=in_words(rows["score"].mean(), metric))
    if diverged:
        text += " " + _("({count} diverged)").format(count=diverged)
    figure.add_annotation(
        x=shown[0] if below else shown[1],
        y=height,
        text=f"◀ {text}" if below else f"{text} ▶",
        xanchor="left" if below else "right",
        showarrow=False,
        font={"color": style.NEUTRAL, "size": style.FONT_SIZE - 1},
    )


def _interval(mean: float, low: float, high: float, mark: style.Mark) -> dict[str, Any] | None:
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


def _name_rows(figure: go.Figure, order: list[str]) -> None:
    figure.update_yaxes(
        tickvals=list(range(len(order))),
        ticktext=[escape(name) for name in order],
        range=[-0.6, len(order) - 0.4],
        ticks="",
    )
    figure.update_layout(height=110 + 56 * max(len(order), 2))
