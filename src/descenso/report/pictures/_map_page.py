"""Draw a map of two settings for a page: every pair can be hovered over."""

from __future__ import annotations

import textwrap
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.language import _
from descenso.paths import SettingsMap
from descenso.report import style
from descenso.report.pictures._map_file import (
    NEVER,
    THEORY,
    axis_name,
    distance_range,
    first_to_arrive,
    heights,
    log_distance,
    marked,
    stretch,
)
from descenso.report.pictures._page_parts import dress_page, legend_entry, name_axes

if TYPE_CHECKING:
    import plotly.graph_objects as go

_HATCH = 5  # cells between two lines of the hatching


def figure(found: SettingsMap, theme: str = "light") -> go.Figure:
    """Return the map as a Plotly figure: the distance left, and the step of arrival."""
    from plotly.subplots import make_subplots

    made = make_subplots(1, 2, shared_yaxes=True, horizontal_spacing=0.08)
    dress_page(made, theme)
    arrived = np.where(np.isfinite(found.arrived), found.arrived, np.nan)
    panels = (
        (log_distance(found), _("distance left (powers of ten)"), distance_range(found)),
        (arrived, _("steps to arrive"), (None, None)),
    )
    height = heights(found)
    for col, (values, title, ends) in enumerate(panels, 1):
        _cells(made, found, height, values, title, ends, col)
        _lines(made, found, height, col)
    if np.isfinite(found.boundary).any():
        legend_entry(made, _("stable up to here, by theory"), mode="lines",
                     line={"color": THEORY, "width": 3})  # fmt: skip
    legend_entry(made, _("diverges"), mode="markers",
                 marker={"symbol": "line-ne", "size": 12,
                         "line": {"color": style.NEUTRAL, "width": 2}})  # fmt: skip
    legend_entry(made, _("stable, but does not arrive"), mode="markers",
                 marker={"symbol": "square", "size": 12, "color": NEVER})  # fmt: skip
    _axes(made, found, height)
    made.update_layout(height=600, margin={"t": 130})
    return made


def _cells(
    made: Any, found: SettingsMap, height: np.ndarray, values: np.ndarray, title: str,
    ends: tuple[float | None, float | None], col: int,
) -> None:  # fmt: skip
    never = np.where(np.isnan(values) & ~found.diverged, 1.0, np.nan)
    plain = [[0, NEVER], [1, NEVER]]
    grid = {"x": found.lr, "y": height, "row": 1, "col": col}
    made.add_heatmap(z=never, colorscale=plain, showscale=False, hoverinfo="skip", **grid)
    known = bool(np.isfinite(values).any())
    made.add_heatmap(
        showscale=known, z=values, zmin=ends[0], zmax=ends[1], colorscale="Viridis", reversescale=True,
        hoverinfo="skip", **grid,
        colorbar={"orientation": "h", "title": {"text": title, "side": "top"}, "thickness": 12,
                  "len": 0.4, "x": 0.22 if col == 1 else 0.78, "y": 1.03, "yanchor": "bottom",
                  "outlinewidth": 0},
    )  # fmt: skip
    # What is said of a pair covers all of them, coloured or not.
    made.add_heatmap(
        z=np.zeros_like(values), opacity=0, showscale=False, text=_said(found),
        hovertemplate="%{text}<extra></extra>", **grid,
    )  # fmt: skip


def _said(found: SettingsMap) -> list[list[str]]:
    """Return what each pair of settings comes to, in words."""
    name = found.other_setting.symbol
    return [
        [
            f"η = {lr:.3g}, {name} = {other:.3g}<br>"
            + _outcome(found.distance[i, j], found.arrived[i, j], bool(found.diverged[i, j]))
            for j, lr in enumerate(found.lr)
        ]
        for i, other in enumerate(found.other)
    ]


def _outcome(distance: float, arrived: float, diverged: bool) -> str:
    if diverged:
        return _("diverges")
    left = _("distance left: {distance}").format(distance=f"{distance:.2g}")
    if np.isfinite(arrived):
        return left + "<br>" + _("arrives at step {step}").format(step=int(arrived))
    return left + "<br>" + _("does not arrive")


def _lines(made: Any, found: SettingsMap, height: np.ndarray, col: int) -> None:
    shared = {"mode": "lines", "hoverinfo": "skip", "showlegend": False, "row": 1, "col": col}
    x, y = hatching(found, height)
    made.add_scatter(x=x, y=y, line={"color": style.NEUTRAL, "width": 1}, **shared)
    if np.isfinite(found.boundary).any():
        for colour, width in (("white", 6), (THEORY, 3)):
            line = {"color": colour, "width": width}
            made.add_scatter(x=found.boundary, y=height, line=line, **shared)
    at = first_to_arrive(found, height)
    if at is not None:
        for colour, width in (("white", 5), ("black", 2)):
            ring = {"symbol": "circle-open", "size": 15, "color": colour, "line": {"width": width}}
            made.add_scatter(
                x=[at[0]], y=[at[1]], marker=ring, **{**shared, "mode": "markers"}
            )  # fmt: skip


def hatching(found: SettingsMap, height: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return slanted lines over the cells that diverge, NaN where they break off."""
    rows, columns = found.diverged.shape
    xs: list[np.ndarray] = []
    ys: list[np.ndarray] = []
    for offset in range(-rows, columns, _HATCH):
        j = np.arange(max(0, offset), min(columns, offset + rows))
        i = j - offset
        shown = found.diverged[i, j]
        xs += [np.where(shown, found.lr[j], np.nan), np.array([np.nan])]
        ys += [np.where(shown, height[i], np.nan), np.array([np.nan])]
    return np.concatenate(xs), np.concatenate(ys)


def _axes(made: Any, found: SettingsMap, height: np.ndarray) -> None:
    shown = marked(found)
    made.update_xaxes(
        type="log", range=np.log10([found.lr[0], found.lr[-1]]), exponentformat="power", dtick=1,
        showgrid=False,
    )  # fmt: skip
    made.update_yaxes(
        range=[height[0], height[-1]], tickvals=stretch(found, np.array(shown)), showgrid=False,
        ticktext=[f"{value:g}" for value in shown],
    )  # fmt: skip
    rate = _("learning rate η (log scale)")
    name_axes(made, 1, rate, "<br>".join(textwrap.wrap(escape(axis_name(found.other_setting)), 46)))
    name_axes(made, 2, rate, "")
    made.update_layout(legend={"y": -0.16, "yanchor": "top"})
