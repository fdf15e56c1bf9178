"""What all pictures for pages share: the ground, the look, words beside colours."""

from __future__ import annotations

from typing import Any

import numpy as np

from descenso.report import style
from descenso.report.pictures import _look as look
from descenso.report.pictures._ground import Ground, level_text


def dress_page(made: Any, theme: str) -> style.Theme:
    """Dress a Plotly figure as those of the report; return the colours it has."""
    dress = style.theme(theme)
    made.update_layout(
        template="none", paper_bgcolor=dress.ground, plot_bgcolor=dress.ground, hovermode="closest",
        font={"family": style.FONT, "size": style.FONT_SIZE, "color": dress.text},
        margin={"l": 60, "r": 20, "t": 20, "b": 60},
        hoverlabel={"bgcolor": dress.ground, "font": {"color": dress.text}},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    lines = {"gridcolor": dress.grid, "linecolor": dress.text, "showline": True, "ticks": "outside"}
    made.update_xaxes(**lines, zeroline=False, automargin=True, title_standoff=8)
    made.update_yaxes(**lines, zeroline=False, automargin=True, title_standoff=8)
    return dress


def add_ground(made: Any, land: Ground, theme: str, row: int = 1, col: int = 1) -> None:
    """Draw shaded ground with labelled contour lines."""
    scale = [[0, look.GROUNDS[theme][0]], [1, look.GROUNDS[theme][1]]]
    made.add_heatmap(
        x=land.x, y=land.y, z=land.shade, colorscale=scale, showscale=False, zsmooth="best",
        customdata=land.z, hovertemplate="(%{x:.3g}, %{y:.3g}): %{customdata:.4g}<extra></extra>",
        row=row, col=col,
    )  # fmt: skip
    lines, labels = contour_lines(land)
    made.add_scatter(
        x=lines[:, 0], y=lines[:, 1], mode="lines", hoverinfo="skip", showlegend=False,
        line={"color": look.CONTOURS[theme], "width": 0.8}, row=row, col=col,
    )  # fmt: skip
    made.add_scatter(
        x=[x for x, _y, _v in labels], y=[y for _x, y, _v in labels], mode="text",
        text=[level_text(v) for _x, _y, v in labels], textfont={"size": 11, "color": style.NEUTRAL},
        hoverinfo="skip", showlegend=False, row=row, col=col,
    )  # fmt: skip


def contour_lines(land: Ground) -> tuple[np.ndarray, list[tuple[float, float, float]]]:
    """Return all contour lines as points, NaN between two lines, and where to name their levels.

    Plotly draws contours at even distances only; these levels may grow by factors.
    """
    from contourpy import contour_generator

    generator = contour_generator(land.x, land.y, np.ma.masked_invalid(land.z))
    pieces: list[Any] = []
    labels: list[tuple[float, float, float]] = []
    every = max(1, len(land.levels) // 7)
    for i, level in enumerate(sorted(set(land.levels))):
        drawn: Any = generator.lines(level)
        lines = [line for line in drawn if len(line) > 1]
        pieces += [part for line in lines for part in (line, [[np.nan, np.nan]])]
        if i % every == 0 and lines:
            longest = max(lines, key=len)
            x, y = longest[len(longest) // 3]
            labels.append((float(x), float(y), level))
    whole = np.concatenate(pieces) if pieces else np.empty((0, 2))
    return whole, labels


def name_axes(made: Any, col: int, x: str, y: str, row: int = 1) -> None:
    """Name the axes of a panel."""
    made.update_xaxes(title=x, row=row, col=col)
    made.update_yaxes(title=y, row=row, col=col)


def legend_entry(made: Any, name: str, **look_of_it: Any) -> None:
    """Add an entry to the legend that stands for no single trace."""
    made.add_scatter(x=[None], y=[None], name=name, hoverinfo="skip", **look_of_it)
