"""The ground a path is drawn on: values on a grid, levels a reader can name, letters for steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descenso.paths import Descents, Trace
from descenso.problems.surfaces import Surface

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Window = tuple[tuple[float, float], tuple[float, float]]

_WIDE = 20.0  # a range over which evenly spaced levels would hide the valley
_MOST_LEVELS = 14
LARGEST = 1e300  # beyond it, the range of two values would overflow
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_APART = 0.045  # of the view: letters nearer than that would cover each other


@dataclass(frozen=True)
class Ground:
    """Values of a surface on a grid.

    Attributes
    ----------
    x, y : the grid's axes, shapes (nx,) and (ny,).
    z : values, shape (ny, nx); NaN where the surface has none.
    levels : values of the contour lines, ascending, each a number a reader can name.
    lowest : the lowest value known, from which logarithmic levels are counted.
    logarithmic : whether the levels grow by factors.
    """

    x: Floats
    y: Floats
    z: Floats
    levels: tuple[float, ...]
    lowest: float
    logarithmic: bool

    @property
    def shade(self) -> Floats:
        """Return what colours the ground, from 0 (lowest) to 1: by the logarithm where levels are."""
        return self.scaled(self.z)

    def scaled(self, values: Any) -> Floats:
        """Return values as shares of the shown range, as the eye reads the levels."""
        low, high = self.levels[0], max(self.levels[-1], float(np.nanmax(self.z)))
        if not self.logarithmic:
            return np.clip((np.asarray(values) - low) / max(high - low, 1e-300), 0, 1)
        floor = (low - self.lowest) / 4
        with np.errstate(invalid="ignore", divide="ignore"):
            height = np.log(np.maximum(np.asarray(values) - self.lowest, floor) / floor)
        return np.clip(height / math.log((high - self.lowest) / floor), 0, 1)

    def frame(self) -> pd.DataFrame:
        """Return one row per point of the grid."""
        import pandas as pd

        x, y = np.meshgrid(self.x, self.y)
        return pd.DataFrame({"x": x.ravel(), "y": y.ravel(), "value": self.z.ravel()})


def ground(surface: Surface, points: int = 161) -> Ground:
    """Return a surface's values on a grid over its window, with levels."""
    axes = [np.linspace(low, high, points) for low, high in surface.window]
    with np.errstate(all="ignore"):
        z = np.asarray(surface.function(np.stack(np.meshgrid(*axes))), np.float64)
    return of_values(axes[0], axes[1], z, _known_lowest(surface))


def view(descents: Descents) -> Window:
    """Return the part of the window that the paths and minima take up, with room around it."""
    window = descents.surface.window
    lows, highs = (np.array(ends) for ends in zip(*window, strict=True))
    shown = [trace.path.points for trace in descents.traces]
    shown.append(np.array([m.position for m in descents.surface.minima]).reshape(-1, 2))
    shown.append(np.array([trace.start for trace in descents.traces]))
    points = np.concatenate(shown)
    points = points[((points >= lows) & (points <= highs)).all(axis=1)]
    if not len(points):
        return window
    low, high = points.min(axis=0), points.max(axis=0)
    side = np.maximum(1.36 * (high - low), 0.3 * (highs - lows))
    middle = (low + high) / 2
    left, bottom = np.maximum(middle - side / 2, lows)
    right, top = np.minimum(middle + side / 2, highs)
    return (float(left), float(right)), (float(bottom), float(top))


def fitted(descents: Descents) -> Descents:
    """Return the descents on the part of the window that the paths take up."""
    return replace(descents, surface=replace(descents.surface, window=view(descents)))


def inside_pieces(points: Floats, window: Sequence[Sequence[float]]) -> Floats:
    """Return a path cut at the rim of the view, shape (n, 2): NaN stands where a piece ends.

    Steps that cross the rim are shortened to it (Liang and Barsky 1984).
    """
    lows, highs = (np.array(ends) for ends in zip(*window, strict=True))
    start, step = points[:-1], np.diff(points, axis=0)
    with np.errstate(all="ignore"):
        to_low, to_high = (lows - start) / step, (highs - start) / step
    still = step == 0
    within = (start >= lows) & (start <= highs)
    enters = np.where(still, np.where(within, -np.inf, np.inf), np.minimum(to_low, to_high))
    leaves = np.where(still, np.where(within, np.inf, -np.inf), np.maximum(to_low, to_high))
    first = np.maximum(enters.max(axis=1), 0.0)
    last = np.minimum(leaves.min(axis=1), 1.0)
    rows: list[Floats] = []
    for i in np.flatnonzero(first < last):
        begin, end = start[i] + first[i] * step[i], start[i] + last[i] * step[i]
        if first[i] > 0 or not rows:
            rows += [np.full(2, np.nan)] * bool(rows) + [begin]
        rows.append(end)
        if last[i] < 1:
            rows.append(np.full(2, np.nan))
    return np.array(rows).reshape(-1, 2)


def _known_lowest(surface: Surface) -> float | None:
    return min((m.value for m in surface.minima), default=None)


def of_values(x: Floats, y: Floats, z: Floats, known_lowest: float | None = None) -> Ground:
    """Return the ground of values on a grid, shape (ny, nx)."""
    z = np.where(np.abs(z) <= LARGEST, z, np.nan)
    low, high = float(np.nanmin(z)), float(np.nanmax(z))
    lowest = low if known_lowest is None else min(low, known_lowest)
    near = max(float(np.nanquantile(z, 0.02)) - lowest, (high - lowest) * 1e-9, 1e-300)
    logarithmic = known_lowest is not None and (high - lowest) / near > _WIDE
    if logarithmic:
        # The first lines lie close around the minimum, inside what a fiftieth of the view shows.
        levels = [lowest + step for step in round_steps(near / 2, high - lowest)]
    else:
        levels = _even(low, high)
    return Ground(x, y, z, tuple(levels), lowest, logarithmic)


def round_steps(low: float, high: float) -> list[float]:
    """Return numbers such as 0.2, 0.5, 1, 2, 5 ... from ``low`` to ``high``, at most fourteen."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        found = [d * 10.0**k for k in decades for d in digits if low <= d * 10.0**k <= high]
        if len(found) <= _MOST_LEVELS:
            return found or [math.sqrt(low * high)]
    return found[:: math.ceil(len(found) / _MOST_LEVELS)]


def _even(low: float, high: float) -> list[float]:
    """Return about twelve evenly spaced numbers of few digits."""
    if not high > low:
        return [low, low + 1.0]
    rough = (high - low) / 12
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(m * unit for m in (1, 2, 2.5, 5, 10) if m * unit >= rough)
    count = math.floor(high / step) - math.ceil(low / step) + 1
    first = math.ceil(low / step)
    levels = [round((first + i) * step, 12) for i in range(count)]
    return levels if len(levels) > 1 else [low, high]


def level_text(value: float) -> str:
    """Return a level as it stands on its line: 0.02, 50, 2000, 1e+06."""
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def letters(
    trace: Trace, window: Sequence[Sequence[float]], most: int = 7, taken: Sequence[Any] = ()
) -> list[tuple[str, int]]:
    """Return the first steps of a path with their letters: A the start, B after step 1 ...

    A letter is left out where it would cover the one before, one of ``taken`` (points), or lie
    outside the window. Letters go on counting, so that one always means the same step.
    """
    sides = np.array([high - low for low, high in window])
    lows = np.array([low for low, _high in window])
    shown: list[tuple[str, int]] = []
    places = [(np.asarray(p) - lows) / sides for p in taken]
    for step, point in enumerate(trace.path.points[: len(LETTERS)]):
        place = (point - lows) / sides
        inside = bool(np.all((place >= 0.01) & (place <= 0.99)))
        if inside and all(np.hypot(*(place - p)) > _APART for p in places):
            shown.append((LETTERS[step], step))
            places.append(place)
        if len(shown) == most:
            break
    return shown
