"""Draw a study's figures into files, from the same frames as the report's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.language import _
from descenso.report import canvas, captions, data, lines, style, words
from descenso.report.pictures import _look as look
from descenso.study._results import MetricInfo, StudyResult
from descenso.study.words import figure as in_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(result: StudyResult, name: str, theme: str = "light", x: str = "epoch") -> Figure:
    """Return a figure of a study as a Matplotlib figure, with its caption.

    Parameters
    ----------
    name, x : as in :func:`descenso.report.figure`.
    """
    from descenso.report import figures

    style.known(name, figures.names(), _("there is no figure named {name!r}; there are {known}."))
    style.known(x, lines.AXES, _("there is no axis named {name!r}; there are {known}."))
    drawings: dict[str, Callable[[Any, StudyResult], Any]] = {
        "results": _results,
        "differences": _differences,
        "sensitivity": _sensitivity,
        "curves": lambda axes, result: _curves(axes, result, x),
        "target": _target,
    }
    with look.dressed(theme) as dress:
        figure = look.blank(8.6, 6.6)
        axes = figure.subplots()
        figure.subplots_adjust(left=0.13, right=0.955, top=0.96)
        axes.grid(True, lw=0.7)
        axes.set_axisbelow(True)
        drawings[name](axes, result)
        handles, labels = (
            _legend(result, dress) if name in ("curves", "sensitivity", "target") else ([], [])
        )
        look.put_below(figure, handles, labels, captions.caption(result, name))
        if name in ("results", "differences"):
            longest = max(len(m.name) for m in result.methods)
            figure.subplots_adjust(left=min(0.45, 0.05 + 0.0135 * longest))
    return figure


def _legend(result: StudyResult, dress: style.Theme) -> Any:
    from matplotlib.lines import Line2D

    marks = style.marks(result.design.methods)
    handles = [
        Line2D([], [], color=m.colour, lw=2.4, ls=look.dash(m), marker=look.marker(m), ms=6)
        for m in marks.values()
    ]
    return handles, list(marks)


def _as_metric(axis: Any, metric: MetricInfo, scale: str) -> None:
    from matplotlib.ticker import PercentFormatter

    if scale == "log":
        (axis.axes.set_yscale if axis.axis_name == "y" else axis.axes.set_xscale)("log")
    elif metric.percent:
        axis.set_major_formatter(PercentFormatter(1.0))


def _plain(text: str) -> str:
    """Return a text made for HTML as it is read."""
    from html import unescape

    return unescape(text)


def _curves(axes: Any, result: StudyResult, x: str) -> None:
    frame = data.curves(result)
    marks = style.marks(result.design.methods)
    scale = canvas.scale_of(result.metric, frame["mean"])
    for name, rows in frame.groupby("method", sort=False):
        mark = marks[str(name)]
        rows = rows[rows["epoch"] > 0] if x == "steps" else rows
        axes.fill_between(rows[x], rows["low"], rows["high"], color=mark.colour, alpha=0.15, lw=0)
        axes.plot(rows[x], rows["mean"], color=mark.colour, lw=2, ls=look.dash(mark))
    if x == "steps":
        axes.set_xscale("log")
    if x == "epoch":
        axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel(lines.axis_title(x))
    axes.set_ylabel(_plain(canvas.title(result.metric, "validation")))
    _as_metric(axes.yaxis, result.metric, scale)
    _target_line(axes, result.metric)


def _target_line(axes: Any, metric: MetricInfo) -> None:
    if metric.target is not None and (axes.get_yscale() != "log" or metric.target > 0):
        axes.axhline(metric.target, color=style.NEUTRAL, lw=1.3, ls="--", zorder=1)


def _sensitivity(axes: Any, result: StudyResult) -> None:
    frame = data.sensitivity(result)
    marks = style.marks(result.design.methods)
    worst = float(np.mean([data.untrained(method.tuned) for method in result.methods]))
    bound = np.maximum if result.metric.higher_is_better else np.minimum
    for name, rows in frame.groupby("method", sort=False):
        mark = marks[str(name)]
        first = rows[rows["stage"] == 1]
        low, high, mean = (bound(first[c], worst) for c in ("low", "high", "mean"))
        axes.fill_between(first["lr"], low, high, color=mark.colour, alpha=0.12, lw=0)
        axes.plot(first["lr"], mean, color=mark.colour, lw=1.3, ls=look.dash(mark))
        for row in rows.itertuples():
            _setting(axes, row, float(bound(row.mean, worst)), mark)
    axes.set_xscale("log")
    axes.set_xlabel(_("learning rate η (log)"))
    axes.set_ylabel(_plain(canvas.title(result.metric, "validation")))
    _as_metric(axes.yaxis, result.metric, canvas.scale_of(result.metric, frame["mean"]))
    _target_line(axes, result.metric)


def _setting(axes: Any, row: Any, mean: float, mark: style.Mark) -> None:
    symbol = "x" if row.diverged else look.marker(mark)
    face = mark.colour if row.full else axes.get_facecolor()
    axes.plot(row.lr, mean, marker=symbol, ms=6, mec=mark.colour, mfc=face, ls="", zorder=4)
    if row.chosen:
        axes.plot(row.lr, mean, "o", ms=13, mfc="none", mec=mark.colour, mew=1.8, zorder=5)


def _results(axes: Any, result: StudyResult) -> None:
    frame = data.results(result)
    marks = style.marks(result.design.methods)
    order = [method.name for method in reversed(result.ranking)]
    scale = canvas.scale_of(result.metric, frame[frame["setting"] == "tuned"]["score"])
    heights = canvas.heights(result)
    low, high = _scores_shown(frame)
    for (name, setting), rows in frame.groupby(["method", "setting"], sort=False):
        tuned, mark = setting == "tuned", marks[name]
        height = heights[name, setting]
        face = mark.colour if tuned else axes.get_facecolor()
        if not rows["score"].between(low, high).all():
            _beyond(axes, rows, height, (low, high), result.metric, mark)
            continue
        for diverged, part in rows.groupby("diverged"):
            symbol = "x" if diverged else look.marker(mark)
            axes.plot(part["score"], [height] * len(part), marker=symbol, ls="", ms=7, mfc=face,
                      mec=mark.colour, alpha=0.85, clip_on=False)  # fmt: skip
        first = rows.iloc[0]
        if low <= first["mean"] <= high:
            axes.plot(
                [first["low"], first["high"]], [height] * 2, color=mark.colour, lw=3, alpha=0.7
            )
            axes.plot(first["mean"], height, "|", ms=17, mew=2.6, color=mark.colour)
    axes.set_yticks(range(len(order)), order)
    axes.set_xlim(low, high)
    axes.set(ylim=(-0.6, len(order) - 0.4), xlabel=_plain(canvas.title(result.metric, "test")))
    _as_metric(axes.xaxis, result.metric, scale)


def _beyond(
    axes: Any, rows: Any, height: float, shown: tuple[float, float], metric: MetricInfo, mark: Any
) -> None:
    """Say where the scores of one setting lie that are too far off to be drawn to scale."""
    left = rows["score"].median() < shown[0]
    ends = sorted({in_words(rows["score"].min(), metric), in_words(rows["score"].max(), metric)})
    text = f"◂ {' – '.join(ends)}" if left else f"{' – '.join(ends)} ▸"
    crashed = int(rows["diverged"].sum())
    if crashed:
        text += f"  (× {crashed})"
    axes.text(shown[0] if left else shown[1], height, text, color=mark.colour, fontsize=10,
              va="center", ha="left" if left else "right")  # fmt: skip


def _scores_shown(frame: Any) -> tuple[float, float]:
    """Return a range that holds every tuned score that did not diverge."""
    tuned = frame[(frame["setting"] == "tuned") & ~frame["diverged"]]["score"]
    tuned = tuned if len(tuned) else frame["score"]
    low, high = float(tuned.min()), float(tuned.max())
    span = (high - low) or abs(high) * 0.1 or 1.0
    return low - 0.5 * span, high + 0.5 * span


def _differences(axes: Any, result: StudyResult) -> None:
    frame = data.differences(result)
    marks = style.marks(result.design.methods)
    order = list(reversed(frame["method"]))
    for row in frame.itertuples():
        mark, height = marks[str(row.method)], order.index(row.method)
        if np.isfinite(row.low) and np.isfinite(row.high):
            axes.plot([row.low, row.high], [height] * 2, color=mark.colour, lw=3)
        face = axes.get_facecolor() if row.tied else mark.colour
        axes.plot(row.difference, height, marker=look.marker(mark), ms=11, mfc=face,
                  mec=mark.colour, mew=2.2, ls="", zorder=4)  # fmt: skip
        axes.annotate(words.p_value(row.p_value), (row.difference, height), xytext=(0, 11),
                      textcoords="offset points", ha="center", fontsize=10)  # fmt: skip
    axes.axvline(0, color=style.NEUTRAL, lw=1.6)
    axes.set_yticks(range(len(order)), order)
    axes.set_ylim(-0.6, len(order) - 0.3)
    best = result.verdict.best or _("the best")
    axes.set_xlabel(_("how far behind {best}, test").format(best=best))
    _as_metric(axes.xaxis, result.metric, "linear")


def _target(axes: Any, result: StudyResult) -> None:
    from matplotlib.ticker import PercentFormatter

    marks = style.marks(result.design.methods)
    for name, rows in data.target(result).groupby("method", sort=False):
        mark = marks[str(name)]
        axes.step(rows["epoch"], rows["share"], where="post", color=mark.colour, lw=2,
                  ls=look.dash(mark))  # fmt: skip
    axes.set(xlabel=lines.axis_title("epoch"), ylabel=_("share of runs at the target"))
    axes.set_ylim(-0.02, 1.04)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
