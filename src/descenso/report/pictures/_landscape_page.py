"""Draw a network's landscape for a page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.language import _
from descenso.paths.landscape import Landscape, Route
from descenso.report import labels, style
from descenso.report.pictures._landscape_file import directions, ends, key, label, land_of
from descenso.report.pictures._page_parts import add_ground, dress_page, legend_entry, name_axes

if TYPE_CHECKING:
    import plotly.graph_objects as go


def figure(found: Landscape, theme: str = "light") -> go.Figure:
    """Return the plane with the routes, and how far it can be believed, as a Plotly figure."""
    from plotly.subplots import make_subplots

    made = make_subplots(1, 2, column_widths=[0.54, 0.46], horizontal_spacing=0.11)
    dress = dress_page(made, theme)
    add_ground(made, land_of(found), theme)
    marks = style.marks([key(route) for route in found.routes])
    for route in found.routes:
        _route(made, route, marks[key(route)], dress)
        _belief(made, route, marks[key(route)])
    start = found.routes[0].places[0]
    ring = {"size": 13, "color": dress.ground, "line": {"color": dress.text, "width": 2.5}}
    made.add_scatter(x=[start[0]], y=[start[1]], mode="markers", marker=ring, row=1, col=1,
                     name=_("common start"), hoverinfo="name")  # fmt: skip
    line = {"color": dress.text, "width": 2}
    legend_entry(made, _("true loss"), mode="lines", line=line)
    legend_entry(made, _("loss of the nearest point in the plane"), mode="lines",
                 line={**line, "dash": "dot"})  # fmt: skip
    _axes(made, found)
    _name_ends(made, found)
    return made


def _name_ends(made: Any, found: Landscape) -> None:
    """Name the true losses where they end; the axis of losses is set to hold them all."""
    everything = np.concatenate([part for r in found.routes for part in (r.losses, r.seen)])
    log = made.layout.yaxis2.type == "log"
    low, high = (float(np.log10(v) if log else v) for v in (everything.min(), everything.max()))
    room = 0.04 * (high - low) or 0.1
    low, high = low - room, high + room
    made.update_yaxes(range=[low, high], row=1, col=2)
    shown = [
        labels.End((float(np.log10(loss) if log else loss) - low) / (high - low), name, colour)
        for loss, name, colour in ends(found)
    ]
    made.update_layout(margin={"r": labels.room([end.name for end in shown])})
    labels.add_ends(made, shown, made.layout.height - 140, "2")


def _route(made: Any, route: Route, mark: style.Mark, dress: style.Theme) -> None:
    x, y = route.places.T
    symbols = ["circle"] * (len(x) - 1) + ["x" if route.diverged else mark.symbol]
    made.add_scatter(
        x=x, y=y, mode="lines+markers", name=escape(label(route)), legendgroup=escape(key(route)),
        line={"color": mark.colour, "width": 2.4, "dash": mark.dash},
        marker={"symbol": symbols, "size": [6] * (len(x) - 1) + [13], "color": mark.colour,
                "line": {"color": dress.ground, "width": 1}},
        text=_said(route), hovertemplate="%{text}<extra>%{fullData.name}</extra>", row=1, col=1,
    )  # fmt: skip


def _said(route: Route) -> list[str]:
    return [
        _("epoch {epoch}: true loss {loss}, {seen} in the plane").format(
            epoch=epoch, loss=f"{loss:.3g}", seen=f"{seen:.3g}"
        )
        for epoch, (loss, seen) in enumerate(zip(route.losses, route.seen, strict=True))
    ]


def _belief(made: Any, route: Route, mark: style.Mark) -> None:
    for values, dash, width in ((route.losses, "solid", 2.4), (route.seen, "dot", 2)):
        made.add_scatter(
            x=np.arange(len(values)), y=values, mode="lines", showlegend=False,
            legendgroup=escape(key(route)), text=_said(route), name=escape(label(route)),
            line={"color": mark.colour, "width": width, "dash": dash},
            hovertemplate="%{text}<extra>%{fullData.name}</extra>", row=1, col=2,
        )  # fmt: skip


def _axes(made: Any, found: Landscape) -> None:
    name_axes(made, 1, *directions(found))
    name_axes(made, 2, _("epochs"), _("training loss"))
    made.update_xaxes(range=[found.across[0], found.across[-1]], showgrid=False, row=1, col=1)
    made.update_yaxes(range=[found.along[0], found.along[-1]], showgrid=False, row=1, col=1)
    if min(float(route.losses.min()) for route in found.routes) > 0:
        made.update_yaxes(type="log", dtick="D2", exponentformat="power", row=1, col=2)
    made.update_layout(height=620, margin={"t": 80})
