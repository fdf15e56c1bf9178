"""Draw a map of two settings: the distance left, the divergent region, the theory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.language import _
from descenso.paths import SettingsMap
from descenso.report import style
from descenso.report.pictures import _captions as captions
from descenso.report.pictures import _look as look

THEORY, NEVER = "#D55E00", "#b4b4b4"

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(found: SettingsMap, theme: str = "light") -> Figure:
    """Return two maps side by side: the final distance, and the step of arrival."""
    with look.dressed(theme) as dress:
        figure = look.blank(11, 6.4)
        left, right = figure.subplots(1, 2, sharey=True)
        figure.subplots_adjust(left=0.07, right=0.985, top=0.85, wspace=0.12)
        _one(figure, left, found, log_distance(found), _("distance left (powers of ten)"), dress)
        arrived = np.where(np.isfinite(found.arrived), found.arrived, np.nan)
        _one(figure, right, found, arrived, _("steps to arrive"), dress)
        left.set_ylabel(_("momentum {name}").format(name=symbol(found.other_name)))
        title = f"{captions.title(found.surface)}   –   {found.method.label}"
        figure.suptitle(title, x=0.02, y=0.975, ha="left", fontsize=13)
        handles, labels = _legend(found, dress)
        look.put_below(figure, handles, labels, captions.settings_map(found))
    return figure


def symbol(name: str) -> str:
    """Return a setting as formulas write it."""
    return {"beta": "β", "beta1": "β₁", "beta2": "β₂", "dampening": "τ"}.get(name, name)


def log_distance(found: SettingsMap) -> np.ndarray:
    """Return the distance left in powers of ten; NaN where it diverged."""
    with np.errstate(divide="ignore"):
        return np.where(found.diverged, np.nan, np.log10(np.maximum(found.distance, 1e-12)))


def _one(
    figure: Figure, axes: Any, found: SettingsMap, values: np.ndarray, title: str, dress: Any
) -> None:
    from matplotlib.colors import Normalize

    height = stretch(found.other)
    known = values[np.isfinite(values)]
    norm = Normalize(known.min(), known.max()) if known.size else None
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
    axes.set_yticks(stretch(np.array(shown)), [f"{v:g}" for v in shown])
    axes.minorticks_off()
    bar = figure.colorbar(mesh, ax=axes, location="top", shrink=0.9, aspect=34, pad=0.02)
    bar.set_label(title, fontsize=11, labelpad=6)
    bar.outline.set_visible(False)


def marked(found: SettingsMap) -> list[float]:
    """Return the values of the second setting that stand on its axis."""
    return [v for v in (0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99) if v <= found.other[-1]]


def stretch(beta: np.ndarray) -> np.ndarray:
    """Return heights at which averaging factors near 1, which differ most, are told apart."""
    return np.asarray(-np.log10(1 - np.minimum(beta, 1 - 1e-9)))


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
