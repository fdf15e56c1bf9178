"""Draw the figures over several problems into files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from descenso.language import _
from descenso.report import labels, style
from descenso.report.pictures import _look as look
from descenso.report.together import _data as data
from descenso.report.together import _figures as figures
from descenso.report.together._captions import caption
from descenso.study.overview import Overview

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(found: Overview, name: str, theme: str = "light") -> Figure:
    """Return a figure over several problems as a Matplotlib figure, with its caption."""
    known = figures.names(found)
    style.known(name, known, _("there is no figure named {name!r}; there are {known}."))
    with look.dressed(theme) as dress:
        figure = look.blank(8.6, 6.6)
        axes = figure.subplots()
        names = list(labels.short(found.methods).values())
        right = 1 - look.room_for(names) / 8.6 if name == "profile" else 0.955
        figure.subplots_adjust(left=0.13, right=right, top=0.96)
        axes.grid(True, lw=0.7)
        axes.set_axisbelow(True)
        (_profile if name == "profile" else _gains)(axes, found)
        handles, entries = _legend(found, dress) if name == "profile" else ([], [])
        look.put_below(figure, handles, entries, caption(found, name))
        if name == "profile":
            look.name_ends(axes, figures.ends(found))
        if name == "gains":
            longest = max(map(len, found.methods))
            figure.subplots_adjust(left=min(0.45, 0.05 + 0.0135 * longest))
    return figure


def _legend(found: Overview, dress: style.Theme) -> Any:
    from matplotlib.lines import Line2D

    marks = style.marks(found.methods)
    handles = [Line2D([], [], color=m.colour, lw=2.4, ls=look.dash(m)) for m in marks.values()]
    return handles, list(marks)


def _profile(axes: Any, found: Overview) -> None:
    from matplotlib.ticker import NullLocator, PercentFormatter

    marks = style.marks(found.methods)
    end = figures.far_end(found)
    for name, rows in data.profile(found).groupby("method", sort=False):
        x, y = [*rows["ratio"], end], [*rows["solved"], rows["solved"].iloc[-1]]
        mark = marks[str(name)]
        axes.step(x, y, where="post", color=mark.colour, lw=2.2, ls=look.dash(mark))
    ticks = figures.ratio_ticks(end)
    axes.set(xscale="log", xlim=(0.99, end), ylim=(-0.02, 1.04), xlabel=figures.ratio_title())
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_ylabel(_("share of runs at the target"))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))


def _gains(axes: Any, found: Overview) -> None:
    from matplotlib.ticker import PercentFormatter

    marks = style.marks(found.methods)
    order = list(reversed(data.ranking(found)))
    low, high = data.shown_gains(found)
    for name, rows in data.gains(found).groupby("method", sort=False):
        height, colour = order.index(str(name)), marks[str(name)].colour
        heights, beyond = figures.spread(rows, height), (rows["gain"] < low).to_numpy()
        for inside, symbol in ((~beyond, "o"), (beyond, "<")):
            axes.plot(rows["gain"].clip(lower=low)[inside], heights[inside], symbol, ms=5.5,
                      color=colour, alpha=0.6, mew=0, clip_on=False)  # fmt: skip
        row = rows.iloc[0]
        axes.plot([max(row["low"], low), row["high"]], [height + 0.14] * 2, color=colour, lw=3)
        if row["low"] < low:
            axes.plot(low, height + 0.14, "<", ms=9, color=colour, clip_on=False)
        axes.plot(row["iqm"], height + 0.14, "|", ms=17, mew=3, color=colour)
    axes.axvline(1, color=style.NEUTRAL, lw=1.3, ls="--", zorder=1)
    axes.set(xlim=(low, high), ylim=(-0.6, len(order) - 0.4), xlabel=figures.gain_title())
    axes.set_yticks(range(len(order)), order)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
