"""Draw how training moves for a page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.language import _
from descenso.paths.dynamics import Dynamics, Motion
from descenso.report import labels, style
from descenso.report.pictures._dynamics_file import (
    ends,
    label,
    layer_names,
    places,
    running_share,
    spread,
)
from descenso.report.pictures._page_parts import dress_page, name_axes

if TYPE_CHECKING:
    import plotly.graph_objects as go


def figure(found: Dynamics, theme: str = "light") -> go.Figure:
    """Return three panels as a Plotly figure: oscillation, effective steps, noise."""
    from plotly.subplots import make_subplots

    titles = [
        _("share that turns back"), _("step / size of the layer"),
        _("noise / signal of the gradient"),
    ]  # fmt: skip
    names = [name for _value, name, _colour in ends(found)]
    gap = 0.12 + labels.room(names) / 2600
    made = make_subplots(
        1, 3, subplot_titles=titles, horizontal_spacing=gap, column_widths=[0.3, 0.36, 0.34]
    )
    dress = dress_page(made, theme)
    marks = style.marks([motion.member.method for motion in found.motions])
    for i, motion in enumerate(found.motions):
        mark = marks[motion.member.method]
        _turning(made, motion, mark)
        _lengths(made, motion, mark, layer_names(found), 0.3 - 0.6 * (i + 0.5) / len(found.motions))
    _noise(made, found, dress)
    _axes(made, found)
    shown = [labels.End((v + 0.03) / 1.06, name, colour) for v, name, colour in ends(found)]
    labels.add_ends(made, shown, made.layout.height - 170)
    return made


def _turning(made: Any, motion: Motion, mark: style.Mark) -> None:
    at, share = running_share(motion) if motion.steps > 1 else ([None], [None])
    made.add_scatter(
        x=at, y=share, mode="lines", name=escape(label(motion)),
        legendgroup=escape(motion.member.method),
        line={"color": mark.colour, "width": 2.4, "dash": mark.dash},
        hovertemplate="%{x:.0f}: %{y:.0%}<extra>%{fullData.name}</extra>", row=1, col=1,
    )  # fmt: skip


def _lengths(made: Any, motion: Motion, mark: style.Mark, layers: list[str], raised: float) -> None:
    known = [(j, found) for j in range(len(layers)) if (found := spread(motion, j))]
    if not known:
        return
    low, middle, high = np.array([found for _j, found in known]).T
    made.add_scatter(
        x=middle, y=[j + raised for j, _found in known], mode="markers", showlegend=False,
        legendgroup=escape(motion.member.method), name=escape(label(motion)),
        marker={"symbol": mark.symbol, "size": 9, "color": mark.colour},
        error_x={"type": "data", "symmetric": False, "array": high - middle, "width": 0,
                 "arrayminus": middle - low, "color": mark.colour, "thickness": 2.2},
        text=[escape(layers[j]) for j, _found in known],
        hovertemplate="%{text}: %{x:.2g}<extra>%{fullData.name}</extra>", row=1, col=2,
    )  # fmt: skip


def _noise(made: Any, found: Dynamics, dress: style.Theme) -> None:
    for noise, dash in zip(found.noises, ("solid", "dash"), strict=False):
        made.add_scatter(
            x=noise.batch_sizes, y=noise.ratio, mode="lines+markers", name=places()[noise.place],
            line={"color": dress.text, "width": 2, "dash": dash}, marker={"size": 7},
            hovertemplate="%{x}: %{y:.2g}<extra>%{fullData.name}</extra>", row=1, col=3,
        )  # fmt: skip
    made.add_hline(y=1, line={"color": style.NEUTRAL, "dash": "dot", "width": 1.5}, row=1, col=3)


def _axes(made: Any, found: Dynamics) -> None:
    name_axes(made, 1, _("step"), "")
    name_axes(made, 2, _("share of its length (log)"), "")
    name_axes(made, 3, _("batch size (log)"), "")
    made.update_yaxes(range=[-0.03, 1.03], tickformat=".0%", row=1, col=1)
    powers = {"type": "log", "dtick": 1, "exponentformat": "power"}
    made.update_xaxes(**powers, row=1, col=2)
    made.update_yaxes(
        tickvals=list(range(len(found.layers))), ticktext=[escape(n) for n in layer_names(found)],
        range=[len(found.layers) - 0.5, -0.5], row=1, col=2,
    )  # fmt: skip
    made.update_xaxes(**powers, row=1, col=3)
    made.update_yaxes(**powers, row=1, col=3)
    made.update_layout(height=max(560, 160 + 26 * len(found.layers)), margin={"t": 110})
    made.update_layout(legend={"y": 1.1})
