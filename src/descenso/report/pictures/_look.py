"""How pictures in files look: Matplotlib dressed as the figures of the report."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from descenso.report import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARKERS = {
    "circle": "o", "square": "s", "diamond": "D", "triangle-up": "^",
    "triangle-down": "v", "pentagon": "p", "hexagon": "h",
}  # fmt: skip
_DASHES = {
    "solid": "-", "dash": (0, (5, 2)), "dot": (0, (1.2, 1.4)), "dashdot": (0, (5, 1.5, 1.2, 1.5)),
    "longdash": (0, (9, 2)),
}  # fmt: skip
#: From the lowest ground to the highest, so quiet that paths stand out on it.
GROUNDS = {"light": ("#ffffff", "#c3d0de"), "dark": ("#15191e", "#46566a")}
CONTOURS = {"light": "#8796a8", "dark": "#8796a8"}


def marker(mark: style.Mark) -> str:
    """Return a method's symbol as Matplotlib names it."""
    return _MARKERS[mark.symbol]


def dash(mark: style.Mark) -> Any:
    """Return a method's line style as Matplotlib names it."""
    return _DASHES[mark.dash]


@contextmanager
def dressed(theme: str) -> Iterator[style.Theme]:
    """Draw in the theme's colours, without touching the user's own Matplotlib settings."""
    import matplotlib as mpl

    look = style.theme(theme)
    with mpl.rc_context(
        {
            "font.family": "sans-serif",
            "font.size": 11,
            "mathtext.fontset": "dejavusans",
            "figure.facecolor": look.ground,
            "axes.facecolor": look.ground,
            "savefig.facecolor": look.ground,
            "text.color": look.text,
            "axes.labelcolor": look.text,
            "axes.edgecolor": look.text,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "xtick.color": look.text,
            "ytick.color": look.text,
            "grid.color": look.grid,
            "axes.titlesize": 12,
            "axes.titleweight": "bold",
            "legend.frameon": False,
            "svg.hashsalt": "descenso",
            "svg.fonttype": "none",
        }
    ):
        yield look


def ground_colours(theme: str) -> Any:
    """Return the colour map of the ground."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list(f"descenso-{theme}", GROUNDS[theme])


def blank(width: float, height: float) -> Figure:
    """Return an empty figure that is tied to no window, in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=160)
    FigureCanvasAgg(figure)
    return figure


def put_below(
    figure: Figure, handles: Sequence[Any], labels: Sequence[str], caption: str, columns: int = 0
) -> None:
    """Set one legend for all panels under them, and the caption under the legend."""
    width, height = figure.get_size_inches()
    lines = textwrap.wrap(caption, int(width * 13.2))
    columns = columns or _columns(labels, width)
    rows = -(-len(labels) // columns)
    below = 0.2 * len(lines) + 0.15
    figure.text(
        0.15 / width, below / height, "\n".join(lines), va="top", ha="left", fontsize=10,
        linespacing=1.35, wrap=False,
    )  # fmt: skip
    if labels:
        figure.legend(
            handles, labels, loc="lower left", ncols=columns, fontsize=10.5,
            bbox_to_anchor=(0.05 / width, (below + 0.06) / height), handlelength=2.6,
        )  # fmt: skip
    figure.subplots_adjust(bottom=(below + 0.27 * rows + 0.75) / height)


def _columns(labels: Sequence[str], width: float) -> int:
    longest = max(map(len, labels), default=1)
    return max(1, min(len(labels), int(width * 11.5 / (longest + 8))))


def mark_log(axis: Any) -> None:
    """Mark a log axis at 1, 2 and 5 of each power in plain numbers where it spans less than two."""
    from matplotlib.ticker import LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    axis.set_minor_formatter(NullFormatter())
    if high < 100 * low:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(lambda value, _place: f"{value:g}")
