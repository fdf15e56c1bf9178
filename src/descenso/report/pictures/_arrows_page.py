"""Draw the arrows that make each step for a page: each says what it is and how long."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.language import _
from descenso.paths import Descents, Trace, decompose
from descenso.report import style
from descenso.report.pictures import _captions as captions
from descenso.report.pictures._arrows_file import (
    COLOURS,
    MOST_PANELS,
    STEPS,
    arrows_of,
    chain,
    first_of_each,
    heading,
    land_in,
    names,
    note,
    shrink,
    view,
)
from descenso.report.pictures._ground import LETTERS
from descenso.report.pictures._page_parts import add_ground, dress_page, legend_entry, name_axes

if TYPE_CHECKING:
    import plotly.graph_objects as go


def figure(descents: Descents, theme: str = "light", steps: int = STEPS) -> go.Figure:
    """Return a panel for each method: its first steps, each with the arrows that make it."""
    from plotly.subplots import make_subplots

    traces = [t for t in first_of_each(descents) if len(t.path)][:MOST_PANELS]
    steps = min(steps, max(len(t.path) for t in traces))
    columns = min(2, len(traces))
    rows = -(-len(traces) // columns)
    titles = [_title(trace, min(steps, len(trace.path))) for trace in traces]
    made = make_subplots(
        rows, columns, subplot_titles=titles, horizontal_spacing=0.1, vertical_spacing=0.14
    )
    dress = dress_page(made, theme)
    x, y = captions.axes(descents.surface)
    for i, trace in enumerate(traces):
        row, col = i // columns + 1, i % columns + 1
        _panel(made, descents, trace, steps, theme, row, col)
        name_axes(made, col, x, y, row)
    for kind in (*arrows_of(traces, steps), "step"):
        legend_entry(
            made, names()[kind], mode="lines+markers", legendgroup=kind,
            line={"color": _colour(kind, dress), "width": 3},
            marker={"symbol": "arrow-right", "size": 10, "color": _colour(kind, dress)},
        )  # fmt: skip
    made.update_layout(height=170 + 430 * rows, margin={"t": 100})
    made.update_layout(legend={"y": 1.04 + 0.03 / rows})
    return made


def _title(trace: Trace, steps: int) -> str:
    shortened = note(shrink(decompose(trace.path), steps))
    return escape(heading(trace)) + (f"<br><sup>{escape(shortened)}</sup>" if shortened else "")


def _colour(kind: str, dress: style.Theme) -> str:
    return COLOURS.get(kind, dress.text)


def _panel(
    made: Any, descents: Descents, trace: Trace, steps: int, theme: str, row: int, col: int
) -> None:
    steps = min(steps, len(trace.path))
    parts = decompose(trace.path)
    k = shrink(parts, steps)
    shown = [chain(trace, parts, i, k) for i in range(steps)]
    window = view(np.concatenate([[a, b] for step in shown for _n, a, b in step]), descents)
    add_ground(made, land_in(window, descents), theme, row, col)
    dress = style.theme(theme)
    for kind in (*COLOURS, "step"):
        drawn = [
            (i, start, end)
            for i, step in enumerate(shown)
            for name, start, end in step
            if name == kind
        ]
        if drawn:
            _arrows(made, kind, drawn, k if kind in ("fresh", "carried") else 1.0, dress, row, col)
    points = trace.path.points[: steps + 1]
    made.add_scatter(
        x=points[:, 0], y=points[:, 1], mode="markers+text", showlegend=False,
        text=[f"<b>{LETTERS[i]}</b>" for i in range(len(points))], textposition="top right",
        textfont={"color": dress.text, "size": 14}, marker={"size": 7, "color": dress.text},
        customdata=[f"{value:.4g}" for value in trace.path.values[: steps + 1]],
        hovertemplate="(%{x:.4g}, %{y:.4g}): %{customdata}<extra></extra>", row=row, col=col,
    )  # fmt: skip
    for update, ends in ((made.update_xaxes, window[0]), (made.update_yaxes, window[1])):
        update(range=list(ends), showgrid=False, row=row, col=col)


def _arrows(
    made: Any, kind: str, drawn: list[Any], k: float, dress: style.Theme, row: int, col: int
) -> None:
    """Draw the arrows of one kind as one trace, so that the legend hides and shows them."""
    gap = [np.nan, np.nan]
    places = np.array([point for _i, start, end in drawn for point in (start, end, gap)])
    said = [text for i, start, end in drawn for text in ("", _said(kind, i, (end - start) / k), "")]
    made.add_scatter(
        x=places[:, 0], y=places[:, 1], mode="lines+markers", legendgroup=kind, showlegend=False,
        line={"color": _colour(kind, dress), "width": 2.4 if kind == "step" else 3},
        marker={"symbol": "arrow", "angleref": "previous", "color": _colour(kind, dress),
                "size": [0, 13, 0] * len(drawn), "opacity": 1, "line": {"width": 0}},
        opacity=0.9, text=said, hovertemplate="%{text}<extra></extra>", row=row, col=col,
    )  # fmt: skip


def _said(kind: str, step: int, arrow: np.ndarray) -> str:
    where = _("step {start} → {end}").format(start=LETTERS[step], end=LETTERS[step + 1])
    return f"{where}, {names()[kind]}: ({arrow[0]:.4g}, {arrow[1]:.4g})"
