"""How pictures in files look: Matplotlib dressed as the figures of the report."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from descenso.report import labels, style

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
_BOTTOM = 1.7  # inches under the panels that a picture is drawn with
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
    figure: Figure, handles: Sequence[Any], entries: Sequence[str], caption: str, columns: int = 0
) -> None:
    """Set one legend for all panels under them, and the caption under the legend."""
    width, height = figure.get_size_inches()
    lines = textwrap.wrap(caption, int(width * 13.2))
    columns = columns or _columns(entries, width)
    rows = -(-len(entries) // columns)
    below = 0.2 * len(lines) + 0.15
    figure.text(
        0.15 / width, below / height, "\n".join(lines), va="top", ha="left", fontsize=10,
        linespacing=1.35, wrap=False,
    )  # fmt: skip
    if entries:
        figure.legend(
            handles, entries, loc="lower left", ncols=columns, fontsize=10.5,
            bbox_to_anchor=(0.05 / width, (below + 0.06) / height), handlelength=2.6,
        )  # fmt: skip
    # What stands below takes no height from the panels: the picture grows.
    bottom = below + 0.27 * rows + 0.75
    grown = max(0.0, bottom - _BOTTOM)
    above = (1 - figure.subplotpars.top) * height
    figure.set_size_inches(width, height + grown)
    for text in figure.texts:
        text.set_y(text.get_position()[1] * height / (height + grown))
    if figure.legends:
        figure.legends[0].set_bbox_to_anchor((0.05 / width, (below + 0.06) / (height + grown)))
    if figure._suptitle is not None:  # type: ignore[attr-defined]
        figure._suptitle.set_y(1 - 0.17 / (height + grown))  # type: ignore[attr-defined]
    figure.subplots_adjust(
        bottom=bottom / (height + grown), top=1 - above / (height + grown)
    )  # fmt: skip


def _columns(entries: Sequence[str], width: float) -> int:
    longest = max(map(len, entries), default=1)
    return max(1, min(len(entries), int(width * 11.5 / (longest + 8))))


def name_ends(axes: Any, ends: Sequence[tuple[float, str, str]]) -> None:
    """Name lines at the right rim: (height in data, name, colour) for each.

    The limits of the axes must be final. See :func:`room_for` for the margin it takes.
    """
    low, high = axes.get_ylim()
    if axes.get_yscale() == "log":
        low, high = math.log10(low), math.log10(high)

    def share(value: float) -> float:
        place = math.log10(max(value, 1e-300)) if axes.get_yscale() == "log" else value
        return float((place - low) / (high - low))

    found = [labels.End(share(value), name, colour) for value, name, colour in ends]
    inches = axes.get_position().height * axes.figure.get_size_inches()[1]
    placed = labels.spread_out([end.share for end in found], 0.17 / inches)
    for end, at in zip(found, placed, strict=True):
        axes.plot([1.0, 1.03], [min(max(end.share, 0.0), 1.0), at], color=end.colour, lw=1.6,
                  transform=axes.transAxes, clip_on=False, zorder=4)  # fmt: skip
        axes.annotate(end.text, (1.03, at), xycoords="axes fraction", xytext=(3, 0),
                      textcoords="offset points", va="center", fontsize=9.5,
                      annotation_clip=False)  # fmt: skip


def above(axes: Any, inches: float) -> Any:
    """Return a transform for annotations whose 1 stands so far above the axes."""
    from matplotlib.transforms import ScaledTranslation

    return axes.transAxes + ScaledTranslation(0, inches, axes.figure.dpi_scale_trans)


def make_room_above(figure: Figure, inches: float) -> None:
    """Let the picture grow at its top, its panels as high as they were."""
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + inches)
    grown = height / (height + inches)
    for text in figure.texts:
        text.set_y(text.get_position()[1] * grown)
    for legend in figure.legends:
        box = legend.get_bbox_to_anchor().transformed(figure.transFigure.inverted())
        legend.set_bbox_to_anchor((box.x0, box.y0))
    parts = figure.subplotpars
    figure.subplots_adjust(bottom=parts.bottom * grown, top=parts.top * grown)


def room_for(names: Sequence[str]) -> float:
    """Return how many inches names take at the right rim."""
    return 0.35 + 0.082 * max(map(len, names), default=0)


def mark_log(axis: Any) -> None:
    """Mark a log axis at 1, 2 and 5 of each power in plain numbers where it spans less than two."""
    from matplotlib.ticker import LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    axis.set_minor_formatter(NullFormatter())
    if high < 100 * low:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(lambda value, _place: f"{value:g}")
