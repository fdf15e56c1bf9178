"""Draw a map of two settings: the distance left, the divergent region, the theory."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.language import _
from descenso.paths import SettingsMap
from descenso.report import style
from descenso.report.pictures import _captions as captions
from descenso.report.pictures import _look as look
from descenso.rules import Hyperparameter

THEORY, NEVER = "#D55E00", "#b4b4b4"

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(found: SettingsMap, theme: str = "light") -> Figure:
    """Return two maps side by side: the final distance, and the step of arrival."""
    with look.dressed(theme) as dress:
        figure = look.blank(11, 6.4)
        left, right = figure.subplots(1, 2, sharey=True)
        figure.subplots_adjust(left=0.09, right=0.985, top=0.85, wspace=0.12)
        title = _("distance left (powers of ten)")
        _one(figure, left, found, log_distance(found), title, dress, distance_range(found))
        arrived = np.where(np.isfinite(found.arrived), found.arrived, np.nan)
        _one(figure, right, found, arrived, _("steps to arrive"), dress)
        left.set_ylabel(textwrap.fill(axis_name(found.other_setting), 36))
        title = f"{captions.title(found.surface)}   –   {found.method.label}"
        figure.suptitle(title, x=0.02, y=0.975, ha="left", fontsize=13)
        handles, labels = _legend(found, dress)
        look.put_below(figure, handles, labels, captions.settings_map(found))
    return figure


def axis_name(setting: Hyperparameter) -> str:
    """Return what the second setting is, with its symbol and, where there is one, its scale."""
    meaning, letter = _(setting.meaning).partition(";")[0], setting.symbol
    text = meaning if letter in meaning else f"{meaning} ({letter})"
    return _("{name} (log scale)").format(name=text) if setting.scale == "log" else text


def log_distance(found: SettingsMap) -> np.ndarray:
    """Return the distance left in powers of ten; NaN where it diverged."""
    with np.errstate(divide="ignore"):
        return np.where(found.diverged, np.nan, np.log10(np.maximum(found.distance, 1e-12)))


def distance_range(found: SettingsMap) -> tuple[float, float]:
    """Return the ends of the colours of :func:`log_distance`.

    A method that neither arrives nor diverges may end any distance away: what is further than
    ``found.far`` shares the last colour.
    """
    known = log_distance(found)
    known = known[np.isfinite(known)]
    if not known.size:
        return -1.0, 0.0
    high = min(float(known.max()), float(np.log10(found.far)))
    low = min(float(known.min()), high - 1)
    return low, high


def _one(
    figure: Figure, axes: Any, found: SettingsMap, values: np.ndarray, title: str, dress: Any,
    ends: tuple[float, float] | None = None,
) -> None:  # fmt: skip
    from matplotlib.colors import Normalize

    height = heights(found)
    known = values[np.isfinite(values)]
    low, high = ends or ((known.min(), known.max()) if known.size else (0, 1))
    norm = Normalize(low, high)
    beyond = "max" if known.size and known.max() > high else "neither"
    axes.set_facecolor(dress.ground)
    # Where it neither diverges nor arrives, there is no number of steps: a plain grey.
    never = np.where(np.isnan(values) & ~found.diverged, 1.0, np.nan)
    axes.pcolormesh(
        found.lr, height, never, cmap="Greys", vmin=0, vmax=3, shading="nearest", rasterized=True
    )
    mesh = axes.pcolormesh(
        found.lr, height, values, cmap="viridis_r", norm=norm, shading="nearest", rasterized=True
    )
    grows = found.diverged.astype(float)
    if grows.any() and not grows.all():
        axes.contourf(
            found.lr, height, grows, levels=[0.5, 1.5], colors="none", hatches=["///"]
        ).set_edgecolor(style.NEUTRAL)
    _theory(axes, found, height)
    _ring(axes, found, height)
    axes.set(xscale="log", xlabel=_("learning rate η (log scale)"))
    axes.set_xlim(found.lr[0], found.lr[-1])
    axes.set_ylim(height[0], height[-1])
    shown = marked(found)
    axes.set_yticks(stretch(found, np.array(shown)), [f"{v:g}" for v in shown])
    axes.minorticks_off()
    if not known.size:  # it arrives nowhere: no colour stands for a number of steps
        axes.set_title(_("it arrives nowhere"), fontsize=11, weight="normal")
        return
    bar = figure.colorbar(
        mesh, ax=axes, location="top", shrink=0.9, aspect=34, pad=0.02, extend=beyond
    )
    bar.set_label(title, fontsize=11, labelpad=6)
    bar.outline.set_visible(False)


def marked(found: SettingsMap) -> list[float]:
    """Return the values of the second setting that stand on its axis."""
    low, high = float(found.other[0]), float(found.other[-1])
    candidates: tuple[float, ...]
    match _kind(found.other_setting):
        case "near one":
            few = (0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
            candidates = few if high <= 0.99 else (0, 0.5, 0.8, 0.9, 0.98, 0.99, 0.999, 0.9999)
        case "log":
            powers = range(
                math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1
            )
            candidates = tuple(10.0**k for k in powers)[:: 1 + len(powers) // 9]
        case _:
            candidates = tuple(float(v) for v in np.linspace(low, high, 6))
    return [v for v in candidates if low - 1e-12 <= v <= high * (1 + 1e-9) + 1e-12]


def heights(found: SettingsMap) -> np.ndarray:
    """Return where on the map the values of the second setting lie."""
    return stretch(found, found.other)


def stretch(found: SettingsMap, values: np.ndarray) -> np.ndarray:
    """Return heights on the scale of the second setting.

    Averaging factors near 1, which differ most, are told apart.
    """
    match _kind(found.other_setting):
        case "near one":
            return np.asarray(-np.log10(1 - np.minimum(values, 1 - 1e-9)))
        case "log":
            return np.asarray(np.log10(np.maximum(values, 1e-300)))
    return np.asarray(values, np.float64)


def _kind(setting: Hyperparameter) -> str:
    if setting.scale == "log":
        return "log"
    return "near one" if (setting.low, setting.high) == (0, 1) else "linear"


def _theory(axes: Any, found: SettingsMap, height: np.ndarray) -> None:
    if np.isfinite(found.boundary).any():
        axes.plot(found.boundary, height, color="white", lw=4.2)
        axes.plot(found.boundary, height, color=THEORY, lw=2.2)


def _ring(axes: Any, found: SettingsMap, height: np.ndarray) -> None:
    at = first_to_arrive(found, height)
    if at is not None:
        axes.plot(*at, "o", ms=13, mfc="none", mec="white", mew=4)
        axes.plot(*at, "o", ms=13, mfc="none", mec="black", mew=1.8)


def first_to_arrive(found: SettingsMap, height: np.ndarray) -> tuple[float, float] | None:
    """Return where on the map it arrives first, if it arrives anywhere."""
    best = np.unravel_index(int(np.argmin(found.arrived)), found.arrived.shape)
    if not np.isfinite(found.arrived[best]):
        return None
    return float(found.lr[best[1]]), float(height[best[0]])


def _legend(found: SettingsMap, dress: Any) -> Any:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Patch(facecolor="none", edgecolor=style.NEUTRAL, hatch="///", lw=0)]
    labels = [_("diverges")]
    if np.isfinite(found.boundary).any():
        handles.append(Line2D([], [], color=THEORY, lw=2.4))
        labels.append(_("stable up to here, by theory"))
    handles.append(Patch(facecolor=NEVER, lw=0))
    labels.append(_("stable, but does not arrive"))
    return handles, labels
