"""Draw a study's figures into files, from the same frames as the report's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.language import _
from descenso.report import canvas, captions, data, labels, lines, ranges, style, words
from descenso.report.pictures import _look as look
from descenso.report.ranges import Shown
from descenso.report.rows import beyond_text
from descenso.study import MetricInfo, StudyResult

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
        named = name in ("curves", "target")
        names = list(labels.short(result.design.methods).values())
        right = 1 - look.room_for(names) / 8.6 if named else 0.955
        figure.subplots_adjust(left=0.13, right=right, top=0.96)
        axes.grid(True, lw=0.7)
        axes.set_axisbelow(True)
        drawings[name](axes, result)
        handles, entries = _legend(result, dress) if named or name == "sensitivity" else ([], [])
        look.put_below(figure, handles, entries, captions.caption(result, name))
        if named:
            look.name_ends(axes, _ends(result, name))
        elif name == "sensitivity":
            _name_chosen(figure, axes, result)
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


def _ends(result: StudyResult, name: str) -> list[tuple[float, str, str]]:
    """Return the last value of each line, its name and colour."""
    frame, column = (data.curves, "mean") if name == "curves" else (data.target, "share")
    names, marks = labels.short(result.design.methods), style.marks(result.design.methods)
    return [
        (float(rows[column].iloc[-1]), names[str(method)], marks[str(method)].colour)
        for method, rows in frame(result).groupby("method", sort=False)
    ]


def _name_chosen(figure: Figure, axes: Any, result: StudyResult) -> None:
    """Name each method over its chosen learning rate, in rows above the figure."""
    frame, (shown, _scale) = data.sensitivity(result), ranges.sensitivity(result)
    chosen = frame[frame["chosen"]]
    names, marks = labels.short(result.design.methods), style.marks(result.design.methods)
    low, high = np.log10(axes.get_xlim())
    width = axes.get_position().width * figure.get_size_inches()[0]
    across = [float(width * (np.log10(lr) - low) / (high - low)) for lr in chosen["lr"]]
    widths = [0.09 * len(names[m]) + 0.12 for m in chosen["method"]]
    rows = labels.in_rows(across, widths)
    for row, point in zip(rows, chosen.itertuples(), strict=True):
        axes.annotate(
            names[str(point.method)], (point.lr, float(shown.at_rim(point.mean))),
            xytext=(point.lr, 1), textcoords=("data", look.above(axes, 0.16 + 0.19 * row)),
            ha="left", va="center", fontsize=9.5, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": marks[str(point.method)].colour, "lw": 0.9,
                        "shrinkB": 6, "shrinkA": 0, "relpos": (0, 0.5)},
        )  # fmt: skip
    look.make_room_above(figure, 0.19 * (max(rows, default=-1) + 1))
    beyond = max((x + w for x, w in zip(across, widths, strict=True)), default=0) - width
    if beyond > 0:
        figure.subplots_adjust(right=figure.subplotpars.right - beyond / 8.6)


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
    shown, scale = ranges.curves(result)
    for name, rows in frame.groupby("method", sort=False):
        mark = marks[str(name)]
        rows = rows[rows["epoch"] > 0] if x == "steps" else rows
        axes.fill_between(rows[x], rows["low"], rows["high"], color=mark.colour, alpha=0.15, lw=0)
        axes.plot(rows[x], rows["mean"], color=mark.colour, lw=2, ls=look.dash(mark))
    if x == "steps":
        axes.set_xscale("log")
    else:
        axes.margins(x=0)
    furthest = float(frame[x].max())
    axes.set_xlim(right=furthest)
    for name, rows in frame.groupby("method", sort=False):
        if rows[x].iloc[-1] < furthest:  # from where it ends, a thin line leads to its name
            axes.plot([rows[x].iloc[-1], furthest], [rows["mean"].iloc[-1]] * 2, lw=0.8, ls=":",
                      color=marks[str(name)].colour)  # fmt: skip
    if x == "epoch":
        axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel(lines.axis_title(x))
    axes.set_ylabel(_plain(canvas.title(result.metric, "validation")))
    _as_metric(axes.yaxis, result.metric, scale)
    axes.set_ylim(*shown)
    _target_line(axes, result.metric)


def _target_line(axes: Any, metric: MetricInfo) -> None:
    if metric.target is not None and (axes.get_yscale() != "log" or metric.target > 0):
        axes.axhline(metric.target, color=style.NEUTRAL, lw=1.3, ls="--", zorder=1)


def _sensitivity(axes: Any, result: StudyResult) -> None:
    frame = data.sensitivity(result)
    marks = style.marks(result.design.methods)
    shown, scale = ranges.sensitivity(result)
    for name, rows in frame.groupby("method", sort=False):
        mark = marks[str(name)]
        first = rows[rows["stage"] == 1]
        axes.fill_between(
            first["lr"], first["low"], first["high"], color=mark.colour, alpha=0.12, lw=0
        )
        axes.plot(first["lr"], first["mean"], color=mark.colour, lw=1.3, ls=look.dash(mark))
        for row in rows.itertuples():
            _setting(axes, row, shown, mark)
    axes.set_xscale("log")
    axes.set_xlabel(_("learning rate η (log)"))
    axes.set_ylabel(_plain(canvas.title(result.metric, "validation")))
    _as_metric(axes.yaxis, result.metric, scale)
    axes.set_ylim(*shown)
    _target_line(axes, result.metric)


def _setting(axes: Any, row: Any, shown: Shown, mark: style.Mark) -> None:
    symbol = "x" if row.diverged else look.marker(mark)
    symbol = "^" if shown.above(row.mean) else "v" if shown.below(row.mean) else symbol
    mean = float(shown.at_rim(row.mean))
    face = mark.colour if row.full else axes.get_facecolor()
    axes.plot(
        row.lr, mean, marker=symbol, ms=6, mec=mark.colour, mfc=face, ls="", zorder=4, clip_on=False
    )
    if row.chosen:
        axes.plot(row.lr, mean, "o", ms=13, mfc="none", mec=mark.colour, mew=1.8, zorder=5)


def _results(axes: Any, result: StudyResult) -> None:
    frame = data.results(result)
    marks = style.marks(result.design.methods)
    order = [method.name for method in reversed(result.ranking)]
    shown, scale = ranges.scores(result)
    heights = canvas.heights(result)
    low, high = shown
    axes.set_xlim(low, high)
    for (name, setting), rows in frame.groupby(["method", "setting"], sort=False):
        tuned, mark = setting == "tuned", marks[name]
        height = heights[name, setting]
        face = mark.colour if tuned else axes.get_facecolor()
        inside = rows["score"].between(*shown)
        for below, part in ranges.sides(rows, shown):
            _beyond(axes, part, height, below, result.metric, mark)
        for diverged, part in rows[inside].groupby("diverged"):
            symbol = "x" if diverged else look.marker(mark)
            axes.plot(part["score"], [height] * len(part), marker=symbol, ls="", ms=7, mfc=face,
                      mec=mark.colour, alpha=0.85, clip_on=False)  # fmt: skip
        first = rows.iloc[0]
        if inside.any() and low <= first["mean"] <= high:
            _interval(axes, first["low"], first["high"], height, shown, mark)
            axes.plot(first["mean"], height, "|", ms=17, mew=2.6, color=mark.colour)
    axes.set_yticks(range(len(order)), order)
    axes.set(ylim=(-0.6, len(order) - 0.4), xlabel=_plain(canvas.title(result.metric, "test")))
    _as_metric(axes.xaxis, result.metric, scale)


def _interval(
    axes: Any, low: float, high: float, height: float, shown: Shown, mark: style.Mark
) -> None:
    """Draw an interval; where it goes on beyond the axis, an arrowhead at the rim says so."""
    if not np.isfinite([low, high]).all():
        return
    axes.plot(shown.at_rim([low, high]), [height] * 2, color=mark.colour, lw=3, alpha=0.7,
              solid_capstyle="butt")  # fmt: skip
    for beyond, at, symbol in (
        (low < shown.low, shown.low, "<"),
        (high > shown.high, shown.high, ">"),
    ):
        if beyond:
            axes.plot(at, height, marker=symbol, ms=9, color=mark.colour, ls="", clip_on=False)


def _beyond(
    axes: Any, rows: Any, height: float, below: bool, metric: MetricInfo, mark: Any
) -> None:
    """Say at the rim which runs of a setting lie beyond the axis."""
    text = beyond_text(rows, metric)
    low, high = axes.get_xlim()
    axes.annotate(
        f"◂ {text}" if below else f"{text} ▸", (low if below else high, height), xytext=(0, -9),
        textcoords="offset points", color=mark.colour, fontsize=10, va="center",
        ha="left" if below else "right",
    )  # fmt: skip


def _differences(axes: Any, result: StudyResult) -> None:
    frame = data.differences(result)
    marks = style.marks(result.design.methods)
    order = list(reversed(frame["method"]))
    shown = ranges.differences(frame)
    for row in frame.itertuples():
        mark, height = marks[str(row.method)], order.index(row.method)
        _interval(axes, row.low, row.high, height, shown, mark)
        face = axes.get_facecolor() if row.tied else mark.colour
        axes.plot(row.difference, height, marker=look.marker(mark), ms=11, mfc=face,
                  mec=mark.colour, mew=2.2, ls="", zorder=4)  # fmt: skip
        axes.annotate(words.p_value(row.p_value), (row.difference, height), xytext=(0, 11),
                      textcoords="offset points", ha="center", fontsize=10)  # fmt: skip
    axes.axvline(0, color=style.NEUTRAL, lw=1.6)
    axes.set_yticks(range(len(order)), order)
    axes.set(ylim=(-0.6, len(order) - 0.3), xlim=shown)
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
    axes.margins(x=0)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
