"""Draw the arrows that make each step: gradient, velocity, scaling, and their sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.language import _
from descenso.paths import Descents, Parts, Trace, decompose
from descenso.report import style
from descenso.report.pictures import _captions as captions
from descenso.report.pictures import _look as look
from descenso.report.pictures._ground import LETTERS, Ground, of_values
from descenso.report.pictures._paths_file import draw_ground

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEPS = 6
MOST_PANELS = 4
COLOURS = {"fresh": "#0072B2", "carried": "#E69F00", "scaling": "#009E73", "decay": "#CC79A7"}


def draw(descents: Descents, theme: str = "light", steps: int = STEPS) -> Figure:
    """Return a panel for each method: its first steps, each with the arrows that make it."""
    traces = [t for t in first_of_each(descents) if len(t.path)][:MOST_PANELS]
    steps = min(steps, max(len(t.path) for t in traces))
    columns = min(2, len(traces))
    rows = -(-len(traces) // columns)
    with look.dressed(theme) as dress:
        figure = look.blank(11, 4.9 * rows + 1.7)
        panels = figure.subplots(rows, columns, squeeze=False)
        top = 1 - 0.85 / (4.9 * rows + 1.7)
        figure.subplots_adjust(left=0.075, right=0.985, top=top, wspace=0.16, hspace=0.3)
        for axes, trace in zip(panels.flat, traces, strict=False):
            _panel(axes, descents, trace, steps, theme)
        for axes in list(panels.flat)[len(traces) :]:
            axes.set_visible(False)
        figure.suptitle(captions.title(descents.surface), x=0.02, y=0.99, ha="left", fontsize=13)
        handles, labels = _legend(arrows_of(traces, steps), dress)
        look.put_below(figure, handles, labels, caption(descents, steps))
    return figure


def caption(descents: Descents, steps: int = STEPS) -> str:
    """Return what the picture shows."""
    traces = [t for t in first_of_each(descents) if len(t.path)][:MOST_PANELS]
    steps = min(steps, max(len(t.path) for t in traces))
    return captions.decomposition(descents, steps, arrows_of(traces, steps))


def first_of_each(descents: Descents) -> list[Trace]:
    """Return the first path of each method."""
    first: dict[str, Trace] = {}
    for trace in descents.traces:
        first.setdefault(trace.label, trace)
    return list(first.values())


def arrows_of(traces: list[Trace], steps: int) -> list[str]:
    """Return the kinds of arrows that are there to be seen."""
    return [n for n in COLOURS if any(_present(decompose(t.path), n, steps) for t in traces)]


def _legend(there: list[str], dress: style.Theme) -> Any:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=COLOURS[n], lw=3, marker=">", ms=8) for n in there]
    handles.append(Line2D([], [], color=dress.text, lw=2.4, marker=">", ms=8))
    return handles, [names()[n] for n in (*there, "step")]


def names() -> dict[str, str]:
    """Return what each kind of arrow is called."""
    return {
        "fresh": _("this gradient"),
        "carried": _("velocity carried along"),
        "scaling": _("scaling by the squared average"),
        "decay": _("weight decay"),
        "step": _("the whole step"),
    }


def _present(parts: Parts, name: str, steps: int) -> bool:
    arrows = getattr(parts, name)[:steps]
    return bool(np.abs(arrows).max() > 1e-9 * np.abs(parts.step[:steps]).max())


def shrink(parts: Parts, steps: int) -> float:
    """Return by how much arrows before scaling are shortened to be of the length of the steps."""
    if not _present(parts, "scaling", steps):
        return 1.0
    before = np.hypot(*(parts.fresh + parts.carried)[:steps].T)
    after = np.hypot(*parts.step[:steps].T)
    return float(np.median(after) / max(np.median(before), 1e-300))


def _panel(axes: Any, descents: Descents, trace: Trace, steps: int, theme: str) -> None:
    steps = min(steps, len(trace.path))
    parts = decompose(trace.path)
    k = shrink(parts, steps)
    shown = [chain(trace, parts, i, k) for i in range(steps)]
    window = view(np.concatenate([[a, b] for step in shown for _n, a, b in step]), descents)
    draw_ground(axes, land_in(window, descents), theme)
    for step in shown:
        for name, start, end in step:
            _arrow(axes, start, end, COLOURS.get(name, style.theme(theme).text), name == "step")
    _points(axes, trace, steps, theme)
    axes.set(xlim=window[0], ylim=window[1], xlabel="x", ylabel="y")
    axes.set_title(heading(trace), loc="left", fontsize=11, pad=18 if note(k) else 6)
    axes.annotate(note(k), (0, 1), xycoords="axes fraction", xytext=(0, 4), fontsize=9,
                  textcoords="offset points", va="bottom", annotation_clip=False)  # fmt: skip


def heading(trace: Trace) -> str:
    """Return the method of a panel with its settings."""
    return f"{trace.label.partition('(')[0]}  {trace.settings_text}"


def note(k: float) -> str:
    """Return by how much arrows were shortened, where they were."""
    if k == 1.0:
        return ""
    return _("arrows before scaling drawn × {factor}").format(factor=f"{k:.2g}")


def land_in(window: Sequence[tuple[float, float]], descents: Descents) -> Ground:
    """Return the ground in a part of the plane."""
    x, y = (np.linspace(low, high, 141) for low, high in window)
    with np.errstate(all="ignore"):
        z = np.asarray(descents.surface.function(np.stack(np.meshgrid(x, y))))
    lowest = min((m.value for m in descents.surface.minima), default=None)
    return of_values(x, y, z, lowest)


def chain(trace: Trace, parts: Parts, i: int, k: float) -> list[tuple[str, Any, Any]]:
    """Return the arrows of one step, each from the last one's tip: (name, from, to)."""
    start = trace.path.points[i]
    end = start + parts.step[i]
    before_decay = end - parts.decay[i]
    least = 1e-9 * max(1.0, float(np.hypot(*parts.step[i])))
    arrows, at = [], start
    for name, arrow in (("fresh", k * parts.fresh[i]), ("carried", k * parts.carried[i])):
        if np.hypot(*arrow) > 1e-9:
            arrows.append((name, at, at + arrow))
            at = at + arrow
    if np.hypot(*(before_decay - at)) > least:
        arrows.append(("scaling", at, before_decay))
    if np.hypot(*parts.decay[i]) > least:
        arrows.append(("decay", before_decay, end))
    arrows.append(("step", start, end))
    return arrows


def view(points: np.ndarray, descents: Descents) -> list[tuple[float, float]]:
    """Return the part of the plane that holds points, with room around them."""
    low, high = points.min(axis=0), points.max(axis=0)
    sides = np.array([b - a for a, b in descents.surface.window])
    side = np.maximum(1.25 * (high - low), 1e-6 * sides)
    middle = (low + high) / 2
    return [(float(m - s / 2), float(m + s / 2)) for m, s in zip(middle, side, strict=True)]


def _arrow(axes: Any, start: Any, end: Any, colour: str, whole: bool) -> None:
    axes.annotate(
        "", end, start, zorder=4 if whole else 5, annotation_clip=False,
        arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 2.0 if whole else 2.6,
                    "shrinkA": 0, "shrinkB": 0, "mutation_scale": 14 if whole else 12,
                    "alpha": 0.9},
    )  # fmt: skip


def _points(axes: Any, trace: Trace, steps: int, theme: str) -> None:
    import matplotlib.patheffects as effects

    look_ = style.theme(theme)
    for i, point in enumerate(trace.path.points[: steps + 1]):
        axes.plot(*point, "o", ms=5, color=look_.text, zorder=7)
        text = axes.annotate(
            LETTERS[i], point, xytext=(7, 5), textcoords="offset points",
            weight="bold", fontsize=11, color=look_.text, zorder=8,
        )  # fmt: skip
        text.set_path_effects([effects.withStroke(linewidth=2.6, foreground=look_.ground)])
