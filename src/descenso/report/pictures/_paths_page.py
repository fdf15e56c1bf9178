"""Draw paths with Plotly: for a page that can be zoomed, hovered over and stepped through."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.language import _
from descenso.paths import Descents, Trace
from descenso.report import labels, style
from descenso.report.pictures import _captions as captions
from descenso.report.pictures import _look as look
from descenso.report.pictures._ground import Ground, ground, inside_pieces, letters, level_text
from descenso.report.pictures._ground import fitted as fitted_to
from descenso.report.pictures._page_parts import add_ground, dress_page
from descenso.report.pictures._paths_file import (
    band,
    clipped,
    height_ticks,
    last_in_view,
    lifted,
    loss_ends,
    relief_end,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

_MOST_FRAMES = 60
_LIFT = 0.02  # that a mark stands above a relief, so that the ground does not cut it
_SYMBOLS_3D = ("circle", "square", "diamond")  # of our symbols, those that Plotly has for reliefs


def figure(
    descents: Descents, theme: str = "light", *, three_d: bool = False, fitted: bool = True
) -> go.Figure:
    """Return the picture of :class:`~descenso.paths.Descents` as a Plotly figure with a slider."""
    from plotly.subplots import make_subplots

    if fitted:
        descents = fitted_to(descents)
    land = ground(descents.surface, 121)
    marks = style.marks(descents.labels)
    kinds = [{"type": "scene" if three_d else "xy"}, {"type": "xy"}]
    made = make_subplots(1, 2, specs=[kinds], column_widths=[0.54, 0.46], horizontal_spacing=0.09)
    _ground_traces(made, land, theme, three_d)
    _add_minima(made, descents, land, theme, three_d)
    moving = []
    for trace in descents.traces:
        moving.append(len(made.data))
        _add_path(made, trace, descents, land, marks[trace.label], three_d)
        if three_d:
            moving.append(len(made.data))
            _add_end(made, trace, descents, land, marks[trace.label])
        moving.append(len(made.data))
        _add_loss(made, trace, descents, land, marks[trace.label])
    _add_crosses(made, descents, land, marks, three_d)
    if not three_d:
        _add_letters(made, descents, marks, theme)
    _add_bands(made, descents, land, marks)
    _add_slider(made, descents, land, moving, three_d)
    _dress(made, descents, land, theme, three_d)
    _name_ends(made, descents, land, marks)
    return made


def _name_ends(made: Any, descents: Descents, land: Ground, marks: dict[str, style.Mark]) -> None:
    names = labels.short(descents.labels)
    axes = "" if "yaxis2" not in made.layout else "2"
    axis = made.layout[f"yaxis{axes}"]
    low, high = axis.range
    ends = []
    for value, name, colour in loss_ends(descents, land, marks, names):
        at = np.log10(max(value, 1e-300)) if axis.type == "log" else value
        ends.append(labels.End((at - low) / (high - low), name, colour))
    made.update_layout(margin={"r": labels.room(list(names.values()))})
    labels.add_ends(made, ends, made.layout.height - 200, axes)


def _ground_traces(made: Any, land: Ground, theme: str, three_d: bool) -> None:
    if three_d:
        scale = [[0, look.GROUNDS[theme][0]], [1, look.GROUNDS[theme][1]]]
        made.add_surface(
            x=land.x, y=land.y, z=land.shade, colorscale=scale, showscale=False, opacity=0.96,
            customdata=land.z, hovertemplate="%{customdata:.4g}<extra></extra>",
            contours={"z": {"show": True, "color": look.CONTOURS[theme], "start": 0, "end": 1,
                            "size": 0.08}}, row=1, col=1,
        )  # fmt: skip
        return
    add_ground(made, land, theme)


def _add_minima(made: Any, descents: Descents, land: Ground, theme: str, three_d: bool) -> None:
    minima = descents.surface.minima
    if not minima:
        return
    x, y = ([m.position[i] for m in minima] for i in (0, 1))
    shared = {
        "mode": "text" if three_d else "markers",
        "name": _("minimum"),
        "hovertemplate": "(%{x:.4g}, %{y:.4g})",
    }
    colour = style.theme(theme).text
    if three_d:  # no marker is a star there, a letter is
        made.add_scatter3d(
            x=x, y=y, z=land.scaled([m.value for m in minima]) + _LIFT, **shared,
            text=["☆"] * len(x), textfont={"size": 22, "color": colour}, showlegend=False,
            row=1, col=1,
        )  # fmt: skip
        return
    marker = {"symbol": "star-open", "size": 15, "color": colour, "line": {"width": 2}}
    made.add_scatter(x=x, y=y, marker=marker, **shared, row=1, col=1)


def _line(mark: style.Mark, faint: bool) -> dict[str, Any]:
    return {"color": mark.colour, "width": 0.8 if faint else 2.4, "dash": mark.dash}


def _is_faint(trace: Trace, descents: Descents) -> bool:
    return trace.seed != descents.seeds[0]


def _add_path(
    made: Any, trace: Trace, descents: Descents, land: Ground, mark: style.Mark, three_d: bool
) -> None:
    faint = _is_faint(trace, descents)
    first = next(t for t in descents.traces if t.label == trace.label)
    shared = {
        "name": escape(captions.legend(trace, descents)),
        "legendgroup": escape(trace.label),
        "showlegend": trace is first,
        "opacity": 0.4 if faint else 1.0,
        "line": _line(mark, faint),
        **_path_data(trace, descents, land, three_d, len(trace.path)),
    }
    if three_d:
        shared["line"]["width"] *= 2.2
        made.add_scatter3d(mode="lines", **shared, row=1, col=1)
        return
    symbols = {"symbol": "arrow", "angleref": "previous", "size": 0 if faint else 9,
               "color": mark.colour}  # fmt: skip
    hover = "%{customdata}<extra>%{fullData.name}</extra>"
    made.add_scatter(
        mode="lines" if faint else "lines+markers", marker=symbols, hovertemplate=hover, **shared,
        row=1, col=1,
    )  # fmt: skip


def _path_data(
    trace: Trace, descents: Descents, land: Ground, three_d: bool, step: int
) -> dict[str, Any]:
    path = trace.path
    points = clipped(path.points[: step + 1], descents.surface.window)
    if three_d:
        points = inside_pieces(path.points[: step + 1], descents.surface.window)
        z = lifted(points, descents, land)
        return {"x": points[:, 0], "y": points[:, 1], "z": z}
    said = [_said(trace, i) for i in range(len(points))]
    return {"x": points[:, 0], "y": points[:, 1], "customdata": said}


def _add_end(made: Any, trace: Trace, descents: Descents, land: Ground, mark: style.Mark) -> None:
    """Mark where a path on a relief stands at the step shown; a cross marks what diverged."""
    symbol = mark.symbol if mark.symbol in _SYMBOLS_3D else "circle"
    made.add_scatter3d(
        mode="markers", marker={"symbol": symbol, "size": 6, "color": mark.colour},
        legendgroup=escape(trace.label), showlegend=False, hoverinfo="skip",
        **_end_data(trace, descents, land, len(trace.path)), row=1, col=1,
    )  # fmt: skip


def _end_data(trace: Trace, descents: Descents, land: Ground, step: int) -> dict[str, Any]:
    point = trace.path.points[min(step, len(trace.path)), None]
    ended = trace.end == "diverged" and step >= len(trace.path)  # a cross stands there
    shown = not (ended or _is_faint(trace, descents))
    point = point[captions.in_view(point, descents.surface)] if shown else point[:0]
    return {"x": point[:, 0], "y": point[:, 1], "z": lifted(point, descents, land) + _LIFT}


def _said(trace: Trace, step: int) -> str:
    x, y = trace.path.points[step]
    return _("step {step}: ({x}, {y}), value {value}").format(
        step=step, x=f"{x:.4g}", y=f"{y:.4g}", value=f"{trace.path.values[step]:.4g}"
    )


def _loss_data(trace: Trace, descents: Descents, land: Ground, step: int) -> dict[str, Any]:
    values = trace.path.values[: step + 1]
    if descents.surface.minima:
        values = np.maximum(values - land.lowest, 1e-300)
    return {"x": np.arange(len(values)), "y": values}


def _add_loss(made: Any, trace: Trace, descents: Descents, land: Ground, mark: style.Mark) -> None:
    faint = _is_faint(trace, descents)
    made.add_scatter(
        mode="lines", line=_line(mark, faint), opacity=0.35 if faint else 1.0,
        legendgroup=escape(trace.label), showlegend=False, name=escape(trace.label),
        hovertemplate="%{x}: %{y:.4g}<extra>%{fullData.name}</extra>",
        **_loss_data(trace, descents, land, len(trace.path)), row=1, col=2,
    )  # fmt: skip


def _add_bands(made: Any, descents: Descents, land: Ground, marks: dict[str, style.Mark]) -> None:
    if len(descents.seeds) < 2:
        return
    for label in descents.labels:
        runs = [
            t for t in descents.traces if t.label == label and t.start == descents.traces[0].start
        ]
        heights = np.full((len(runs), descents.steps + 1), np.nan)
        for row, trace in zip(heights, runs, strict=True):
            data = _loss_data(trace, descents, land, len(trace.path))["y"]
            row[: len(data)] = data
        low, _middle, high = band(heights)
        at = np.arange(descents.steps + 1)
        ends = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
        made.add_scatter(x=at, y=low, **ends, legendgroup=escape(label), row=1, col=2)
        made.add_scatter(x=at, y=high, fill="tonexty", fillcolor=marks[label].band(0.18), **ends,
                         legendgroup=escape(label), row=1, col=2)  # fmt: skip


def _add_crosses(
    made: Any, descents: Descents, land: Ground, marks: dict[str, style.Mark], three_d: bool
) -> None:
    """Mark where a path that diverges leaves the view, and how high it was when it was cut."""
    high = 10 ** _loss_range(descents, land)[1] if descents.surface.minima else np.inf
    for trace in descents.traces:
        if trace.end != "diverged" or _is_faint(trace, descents):
            continue
        colour = marks[trace.label].colour
        shared = {"mode": "markers", "showlegend": False, "hoverinfo": "skip",
                  "legendgroup": escape(trace.label)}  # fmt: skip
        window = descents.surface.window
        if three_d:
            end = relief_end(trace, descents)
            assert end is not None
            made.add_scatter3d(
                x=end[:, 0], y=end[:, 1], z=lifted(end, descents, land),
                marker={"symbol": "x", "size": 6, "color": colour}, **shared, row=1, col=1,
            )  # fmt: skip
        else:
            x, y = last_in_view(clipped(trace.path.points, window), window)
            made.add_scatter(x=[x], y=[y], marker=_cross(colour), **shared, row=1, col=1)
        last = _loss_data(trace, descents, land, len(trace.path))
        made.add_scatter(
            x=last["x"][-1:], y=np.minimum(last["y"][-1:], high), marker=_cross(colour),
            cliponaxis=False, **shared, row=1, col=2,
        )  # fmt: skip


def _cross(colour: str) -> dict[str, Any]:
    return {"symbol": "x", "size": 12, "color": colour}


def _add_letters(made: Any, descents: Descents, marks: dict[str, style.Mark], theme: str) -> None:
    taken: list[Any] = []
    each = max(3, 9 - 2 * len(descents.labels))
    for trace in descents.traces:
        if _is_faint(trace, descents):
            continue
        for letter, step in letters(trace, descents.surface.window, each, taken):
            point = trace.path.points[step]
            taken.append(point)
            colour = style.theme(theme).text if step == 0 else marks[trace.label].colour
            made.add_annotation(
                x=point[0], y=point[1], text=f"<b>{letter}</b>", showarrow=False, yshift=13,
                font={"color": colour, "size": 14}, row=1, col=1,
            )  # fmt: skip


def _add_slider(
    made: Any, descents: Descents, land: Ground, moving: list[int], three_d: bool
) -> None:
    import plotly.graph_objects as go

    every = -(-descents.steps // _MOST_FRAMES)
    stops = [*range(0, descents.steps, every), descents.steps]
    made.frames = [
        go.Frame(
            name=str(stop),
            traces=moving,
            data=[part for t in descents.traces for part in _at(t, descents, land, three_d, stop)],
        )
        for stop in stops
    ]
    at_once = {"mode": "immediate", "frame": {"duration": 0}, "transition": {"duration": 0}}
    steps = [{"args": [[str(s)], at_once], "label": str(s), "method": "animate"} for s in stops]
    playing = {"frame": {"duration": 90}, "transition": {"duration": 0}, "fromcurrent": False}
    made.update_layout(
        sliders=[{"steps": steps, "active": len(steps) - 1, "x": 0.1, "len": 0.9, "y": -0.14,
                  "pad": {"t": 30}, "currentvalue": {"prefix": _("step") + " "}}],
        updatemenus=[{"type": "buttons", "x": 0.02, "y": -0.2, "yanchor": "top", "pad": {"t": 18},
                      "buttons": [{"label": _("Play"), "method": "animate",
                                   "args": [None, playing]}]}],
    )  # fmt: skip


def _at(trace: Trace, descents: Descents, land: Ground, three_d: bool, stop: int) -> list[Any]:
    import plotly.graph_objects as go

    path = _path_data(trace, descents, land, three_d, stop)
    loss = go.Scatter(**_loss_data(trace, descents, land, stop))
    if not three_d:
        return [go.Scatter(**path), loss]
    return [go.Scatter3d(**path), go.Scatter3d(**_end_data(trace, descents, land, stop)), loss]


def _dress(made: Any, descents: Descents, land: Ground, theme: str, three_d: bool) -> None:
    dress = dress_page(made, theme)
    made.update_layout(height=620)
    (left, right), (bottom, top) = descents.surface.window
    made.update_xaxes(title=_("step"), range=[0, descents.steps], row=1, col=2)
    if descents.surface.minima:
        ends = _loss_range(descents, land)
        made.update_yaxes(title=_("height above the minimum"), type="log", range=ends,
                          exponentformat="power", dtick=1 if ends[1] - ends[0] < 8 else 2,
                          row=1, col=2)  # fmt: skip
    else:
        low, high = float(np.nanmin(land.z)), float(np.nanmax(land.z))
        made.update_yaxes(title=_("value"), range=[low - 0.6 * (high - low), high], row=1, col=2)
    made.update_layout(
        updatemenus=[{"bgcolor": dress.ground, "bordercolor": style.NEUTRAL, "showactive": False}],
        sliders=[{"bgcolor": dress.grid, "bordercolor": style.NEUTRAL}],
    )
    if three_d:
        _dress_scene(made, land, dress, captions.axes(descents.surface))
    else:
        x, y = captions.axes(descents.surface)
        made.update_xaxes(title=x, range=[left, right], showgrid=False, row=1, col=1)
        made.update_yaxes(title=y, range=[bottom, top], showgrid=False, row=1, col=1)


def _loss_range(descents: Descents, land: Ground) -> list[float]:
    """Return the ends of the axis of heights, as powers of ten."""
    lows, highs = zip(*(_heights(t, land) for t in descents.traces), strict=True)
    low, high = max(min(lows), 1e-13 * max(highs)), max(highs)
    return [float(np.log10(low)) - 0.2, float(np.log10(high)) + 0.2]


def _heights(trace: Trace, land: Ground) -> tuple[float, float]:
    heights = np.maximum(trace.path.values - land.lowest, 1e-300)
    return float(heights.min()), float(min(heights.max(), 1e4 * heights[0]))


def _dress_scene(made: Any, land: Ground, dress: style.Theme, names: tuple[str, str]) -> None:
    shown = height_ticks(land)
    axis = {"gridcolor": dress.grid, "backgroundcolor": dress.ground, "color": dress.text,
            "tickfont": {"size": 11}, "nticks": 6}  # fmt: skip
    made.update_scenes(
        xaxis={**axis, "title": names[0]}, yaxis={**axis, "title": names[1]},
        zaxis={**axis, "title": _("value (log)") if land.logarithmic else _("value"),
               "tickvals": land.scaled(shown), "ticktext": [level_text(v) for v in shown]},
        aspectratio={"x": 1.2, "y": 1.2, "z": 0.7},
        camera={"eye": {"x": 0.45, "y": -1.1, "z": 2.45}, "center": {"x": 0, "y": 0, "z": -0.1}},
    )  # fmt: skip
