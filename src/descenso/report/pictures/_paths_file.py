"""Draw paths into a file: contours, paths, and the loss against the step beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.language import _
from descenso.paths import Descents, Trace
from descenso.report import labels, style
from descenso.report.pictures import _captions as captions
from descenso.report.pictures import _ground as ground_of
from descenso.report.pictures import _look as look
from descenso.report.pictures._ground import Ground, ground, inside_pieces, letters, level_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_OUTLINE = 3.4
_TICKS_APART = 0.14  # of the height of a relief


def draw(
    descents: Descents,
    theme: str = "light",
    *,
    three_d: bool = False,
    fitted: bool = True,
    whole: Descents | None = None,
) -> Figure:
    """Return the picture of :class:`~descenso.paths.Descents` as a Matplotlib figure.

    ``whole`` holds the paths to their ends where ``descents`` are cut for an animation: the axes
    are theirs. ``fitted`` draws the part of the window that the paths take up, not the whole of it.
    """
    if fitted:
        descents = ground_of.fitted(descents)
    with look.dressed(theme) as dress:
        figure = look.blank(11, 6.9)
        shape = {"projection": "3d", "computed_zorder": False} if three_d else {}
        left = figure.add_subplot(1, 2, 1, **shape)
        right = figure.add_subplot(1, 2, 2)
        names = labels.short(descents.labels)
        room = look.room_for(list(names.values())) / 11
        figure.subplots_adjust(left=0.075, right=1 - room, top=0.9, wspace=0.2)
        if three_d:
            figure.subplots_adjust(left=0.0, wspace=0.36)  # the name of heights stands between
        land = ground(descents.surface)
        marks = style.marks(descents.labels)
        if three_d:
            _relief(left, descents, land, marks, theme)
        else:
            _contours(left, descents, land, marks, theme)
        _losses(right, descents, land, marks, whole or descents)
        figure.suptitle(captions.title(descents.surface), x=0.02, y=0.975, ha="left", fontsize=13)
        handles, entries = _legend(descents, marks, dress)
        look.put_below(figure, handles, entries, captions.paths(descents, not three_d))
        look.name_ends(right, loss_ends(descents, land, marks, names))
    return figure


def _legend(descents: Descents, marks: dict[str, style.Mark], dress: style.Theme) -> Any:
    from matplotlib.lines import Line2D

    first: dict[str, Trace] = {}
    for trace in descents.traces:
        first.setdefault(trace.label, trace)
    handles = [
        Line2D([], [], color=marks[name].colour, lw=2.4, ls=look.dash(marks[name]),
               marker=look.marker(marks[name]), ms=7)
        for name in first
    ]  # fmt: skip
    entries = [captions.legend(trace, descents) for trace in first.values()]
    if descents.surface.minima:
        handles.append(
            Line2D([], [], ls="", marker="*", ms=13, mfc="none", mec=dress.text, mew=1.4)
        )
        entries.append(_("minimum"))
    return handles, entries


def _contours(
    axes: Any, descents: Descents, land: Ground, marks: dict[str, style.Mark], theme: str
) -> None:
    draw_ground(axes, land, theme)
    _mark_minima(axes, descents, theme)
    several = len(descents.seeds) > 1
    taken: list[Any] = []
    for trace in reversed(descents.traces):
        faint = several and trace.seed != descents.seeds[0]
        _path(axes, trace, marks[trace.label], descents, faint)
    each = max(3, 9 - 2 * len(descents.labels))
    for trace in descents.traces:
        if trace.seed == descents.seeds[0]:
            taken += _letter(axes, trace, marks[trace.label], descents, each, taken, theme)
    (x_low, x_high), (y_low, y_high) = descents.surface.window
    x, y = captions.axes(descents.surface)
    axes.set(xlim=(x_low, x_high), ylim=(y_low, y_high), xlabel=x, ylabel=y)


def draw_ground(axes: Any, land: Ground, theme: str) -> None:
    """Draw shaded ground with labelled contour lines."""
    axes.imshow(
        land.shade, origin="lower", aspect="auto", cmap=look.ground_colours(theme), vmin=0, vmax=1,
        extent=(land.x[0], land.x[-1], land.y[0], land.y[-1]), interpolation="bilinear", zorder=0,
    )  # fmt: skip
    lines = axes.contour(
        land.x, land.y, land.z, levels=sorted(set(land.levels)), colors=look.CONTOURS[theme],
        linewidths=0.7, linestyles="solid", zorder=1,
    )  # fmt: skip
    axes.clabel(lines, lines.levels[:: max(1, len(lines.levels) // 7)], fontsize=8, fmt=level_text)


def _mark_minima(axes: Any, descents: Descents, theme: str) -> None:
    for minimum in descents.surface.minima:
        axes.plot(
            *minimum.position, marker="*", ms=15, mfc="none", mec=style.theme(theme).text, mew=1.4,
            ls="", zorder=8, clip_on=True,
        )  # fmt: skip


def _path(axes: Any, trace: Trace, mark: style.Mark, descents: Descents, faint: bool) -> None:
    points = trace.path.points
    inside = clipped(points, descents.surface.window)
    x, y = inside[:, 0], inside[:, 1]
    ground_colour = axes.get_facecolor()
    if faint:
        axes.plot(x, y, color=mark.colour, lw=0.7, alpha=0.35, zorder=3)
        axes.plot(x[-1], y[-1], "o", color=mark.colour, ms=4, alpha=0.75, zorder=6)
        return
    axes.plot(x, y, color=ground_colour, lw=_OUTLINE, alpha=0.75, zorder=4, solid_joinstyle="round")
    axes.plot(x, y, color=mark.colour, lw=1.6, ls=look.dash(mark), zorder=5)
    _arrows(axes, inside, mark, descents)
    if trace.end == "diverged":
        axes.plot(*last_in_view(inside, descents.surface.window), marker="X", ms=12,
                  color=mark.colour, mec=ground_colour, mew=1.2, zorder=9)  # fmt: skip
    elif trace.end == "ran":
        axes.plot(x[-1], y[-1], marker=look.marker(mark), ms=8, color=mark.colour,
                  mec=ground_colour, mew=1.0, ls="", zorder=7)  # fmt: skip


def clipped(points: np.ndarray, window: Any) -> np.ndarray:
    """Return points with those far outside pulled in, so that no drawer has to draw to 1e300."""
    lows, highs = (np.array(ends) for ends in zip(*window, strict=True))
    room = 20 * (highs - lows)
    return np.asarray(np.clip(points, lows - room, highs + room))


def last_in_view(points: np.ndarray, window: Any) -> np.ndarray:
    """Return where a path that runs away meets the rim of the view."""
    lows, highs = (np.array(ends) for ends in zip(*window, strict=True))
    inside = ((points >= lows) & (points <= highs)).all(axis=1)
    last = int(np.flatnonzero(inside)[-1]) if inside.any() else 0
    if last + 1 >= len(points):
        return np.asarray(points[last])
    step = points[last + 1] - points[last]
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(step > 0, (highs - points[last]) / step, (lows - points[last]) / step)
    share = float(np.nanmin(np.where(np.isfinite(shares), shares, 1.0)))
    sides = highs - lows
    rim = points[last] + min(max(share, 0.0), 1.0) * step
    return np.asarray(np.clip(rim, lows + 0.015 * sides, highs - 0.015 * sides))


def _arrows(axes: Any, points: np.ndarray, mark: style.Mark, descents: Descents) -> None:
    """Put a head on every step that is long enough to carry one, in the middle of the step."""
    sides = np.array([high - low for low, high in descents.surface.window])
    steps = np.diff(points, axis=0)
    length = np.hypot(*(steps / sides).T)
    long = length > 0.03
    # Only the head is wanted: a shaft is not cut where it leaves the view.
    shafts = np.minimum(0.12, 0.02 / np.maximum(length, 1e-9))
    for start, step, shaft in zip(points[:-1][long], steps[long], shafts[long], strict=True):
        axes.annotate(
            "", start + 0.62 * step, start + (0.62 - shaft) * step, zorder=6, annotation_clip=True,
            arrowprops={"arrowstyle": "-|>", "color": mark.colour, "lw": 1.4, "shrinkA": 0,
                        "shrinkB": 0, "mutation_scale": 11},
        )  # fmt: skip


def _letter(
    axes: Any, trace: Trace, mark: style.Mark, descents: Descents, most: int, taken: list[Any],
    theme: str,
) -> list[Any]:  # fmt: skip
    import matplotlib.patheffects as effects

    placed = []
    for letter, step in letters(trace, descents.surface.window, most, taken):
        point = trace.path.points[step]
        colour = style.theme(theme).text if step == 0 else mark.colour
        axes.plot(*point, marker="o", ms=4.5, color=colour, ls="", zorder=7)
        text = axes.annotate(
            letter, point, xytext=(0, 6), textcoords="offset points", ha="center", fontsize=11,
            weight="bold", color=colour, zorder=10,
        )  # fmt: skip
        text.set_path_effects(
            [effects.withStroke(linewidth=2.6, foreground=style.theme(theme).ground)]
        )
        placed.append(point)
    return placed


def _losses(
    axes: Any, descents: Descents, land: Ground, marks: dict[str, style.Mark], whole: Descents
) -> None:
    log = bool(descents.surface.minima)
    axes.set_xlabel(_("step"))
    axes.set_title(_("height above the minimum") if log else _("value"), loc="left")
    if log:
        axes.set_yscale("log")
        axes.set_ylim(*_heights_shown(whole, land))
    else:
        low, high = float(np.nanmin(land.z)), float(np.nanmax(land.z))
        axes.set_ylim(low - 0.6 * (high - low), high)
    axes.set_xlim(0, descents.steps)
    axes.grid(True, lw=0.7)
    axes.set_axisbelow(True)
    for label in descents.labels:
        runs = [t for t in descents.traces if t.label == label]
        for start in dict.fromkeys(t.start for t in runs):
            seeds = [t for t in runs if t.start == start]
            _loss(axes, seeds, land, marks[label], descents.steps, log)


def loss_ends(
    descents: Descents, land: Ground, marks: dict[str, style.Mark], names: dict[str, str]
) -> list[tuple[float, str, str]]:
    """Return where the line of each method ends, its name and colour."""
    lowest = land.lowest if descents.surface.minima else 0.0
    ends = []
    for label in descents.labels:
        first = [t for t in descents.traces if t.label == label and t.start == descents.start]
        finals = [float(t.path.values[-1]) - lowest for t in first]
        ends.append((float(np.median(finals)), names[label], marks[label].colour))
    return ends


def _heights_shown(descents: Descents, land: Ground) -> tuple[float, float]:
    """Return the ends of the axis: all heights, but for what runs away or falls into rounding."""
    heights = [np.maximum(t.path.values - land.lowest, 1e-300) for t in descents.traces]
    start = max(max(float(own[0]) for own in heights), 1e-12)
    high = min(max(float(own.max()) for own in heights), 1e4 * start)
    low = max(min(float(own.min()) for own in heights), 1e-13 * high)
    return 0.6 * low, 1.6 * high


def _loss(
    axes: Any, seeds: list[Trace], land: Ground, mark: style.Mark, steps: int, log: bool
) -> None:
    heights = np.full((len(seeds), steps + 1), np.nan)
    for row, trace in zip(heights, seeds, strict=True):
        values = trace.path.values - (land.lowest if log else 0.0)
        row[: len(values)] = np.maximum(values, 1e-300) if log else values
    at = np.arange(steps + 1)
    if len(seeds) > 1:
        low, middle, high = band(heights)
        axes.fill_between(at, low, high, color=mark.colour, alpha=0.18, lw=0)
    else:
        middle = heights[0]
    axes.plot(at, middle, color=mark.colour, lw=1.8, ls=look.dash(mark))
    last = np.flatnonzero(np.isfinite(middle))[-1]
    if seeds[0].end == "diverged":
        at_rim = min(float(middle[last]), axes.get_ylim()[1])
        axes.plot(at[last], at_rim, marker="X", ms=10, color=mark.colour, clip_on=False, zorder=5)
    else:
        low, high = axes.get_ylim()
        axes.plot(at[last], middle[last], marker=look.marker(mark), ms=7, color=mark.colour,
                  clip_on=not low <= middle[last] <= high, zorder=5)  # fmt: skip


def band(heights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the lower end of eight tenths of the seeds, their median, and the upper end."""
    # A seed that was cut has no height from there on; it counts as the highest.
    counted = np.where(np.isnan(heights), np.inf, heights)
    low, middle, high = np.sort(counted, axis=0)[
        [max(0, round(q * (len(counted) - 1))) for q in (0.1, 0.5, 0.9)]
    ]
    return tuple(np.where(np.isfinite(part), part, np.nan) for part in (low, middle, high))  # type: ignore[return-value]


def _relief(
    axes: Any, descents: Descents, land: Ground, marks: dict[str, style.Mark], theme: str
) -> None:
    """Draw the surface in three dimensions; heights by the logarithm where the levels are."""
    from matplotlib.colors import LightSource

    x, y = np.meshgrid(land.x, land.y)
    shade = land.shade
    colours = LightSource(315, 55).shade(
        shade, look.ground_colours(theme), blend_mode="soft", vert_exag=40
    )
    axes.plot_surface(x, y, shade, facecolors=colours, rstride=2, cstride=2, linewidth=0,
                      antialiased=False, shade=False, zorder=1, alpha=0.97)  # fmt: skip
    axes.contour(x, y, shade, levels=np.unique(land.scaled(land.levels)),
                 colors=look.CONTOURS[theme], linewidths=0.5, zorder=2)  # fmt: skip
    for trace in descents.traces:
        mark = marks[trace.label]
        faint = trace.seed != descents.seeds[0]
        points = inside_pieces(trace.path.points, descents.surface.window)
        axes.plot(*points.T, lifted(points, descents, land), color=mark.colour,
                  lw=0.7 if faint else 2.0, alpha=0.4 if faint else 1, zorder=5)  # fmt: skip
        end = relief_end(trace, descents)
        if end is not None and not faint:
            symbol = "X" if trace.end == "diverged" else look.marker(mark)
            axes.plot(*end.T, lifted(end, descents, land), marker=symbol, ms=8, color=mark.colour,
                      mec=axes.get_facecolor(), mew=0.8, ls="", zorder=6)  # fmt: skip
    begin = np.array([descents.start])
    axes.plot(*begin.T, lifted(begin, descents, land), marker="o", ms=5, ls="", zorder=7,
              color=style.theme(theme).text)  # fmt: skip
    for minimum in descents.surface.minima:
        axes.plot([minimum.position[0]], [minimum.position[1]], land.scaled([minimum.value]),
                  marker="*", ms=14, mfc="none", mec=style.theme(theme).text, zorder=7)  # fmt: skip
    _dress_relief(axes, land, theme, captions.axes(descents.surface))


def lifted(points: np.ndarray, descents: Descents, land: Ground) -> np.ndarray:
    """Return heights a little above the ground at points, shape (n, 2); NaN stays NaN."""
    known = np.isfinite(points).all(axis=1)
    values = np.full(len(points), np.nan)
    values[known] = descents.surface.function(points[known].T)
    return np.asarray(np.where(known, land.scaled(values) + 0.012, np.nan))


def relief_end(trace: Trace, descents: Descents) -> np.ndarray | None:
    """Return where the mark of a path's end stands, shape (1, 2): its end, or the rim it leaves by.

    A path that merely ends outside the view has no mark.
    """
    points = trace.path.points
    if trace.end == "diverged":
        return last_in_view(clipped(points, descents.surface.window), descents.surface.window)[None]
    shown = captions.in_view(points[-1:], descents.surface).all()
    return points[-1:] if shown else None


def height_ticks(land: Ground) -> list[float]:
    """Return levels that stand far enough apart on the axis of a relief."""
    shown: list[float] = []
    for level in sorted(set(land.levels)):
        if not shown or land.scaled(level) - land.scaled(shown[-1]) > _TICKS_APART:
            shown.append(level)
    return shown


def _dress_relief(axes: Any, land: Ground, theme: str, names: tuple[str, str]) -> None:
    shown = height_ticks(land)
    axes.set_zticks(land.scaled(shown), [level_text(value) for value in shown])
    axes.set(
        xlabel=names[0], ylabel=names[1], xlim=(land.x[0], land.x[-1]), ylim=(land.y[0], land.y[-1])
    )
    axes.set_zlabel(_("value (log scale)") if land.logarithmic else _("value"), labelpad=6)
    axes.view_init(elev=42, azim=-62)
    axes.set_box_aspect((1, 1, 0.62), zoom=1.02)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.pane.set_visible(False)
        axis.line.set_color(style.theme(theme).text)
