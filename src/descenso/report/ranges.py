"""What part of an axis a figure shows, and what leaves it: one answer for every renderer."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from descenso.report import data
from descenso.study import MetricInfo, StudyResult

#: An error that spans this factor or more is drawn on a log scale.
_WIDE = 300.0


class Shown(NamedTuple):
    """The ends of an axis, in values."""

    low: float
    high: float

    def below(self, values: Any) -> Any:
        """Return which values lie under the axis."""
        return np.asarray(values) < self.low

    def above(self, values: Any) -> Any:
        """Return which values lie over the axis."""
        return np.asarray(values) > self.high

    def beyond(self, values: Any) -> Any:
        """Return which values the axis does not show."""
        return self.below(values) | self.above(values)

    def at_rim(self, values: Any) -> Any:
        """Return values, those beyond the axis at its rim: to be marked as such."""
        return np.clip(np.asarray(values, dtype=float), self.low, self.high)


def scale_of(metric: MetricInfo, values: Any) -> str:
    """Return ``log`` for an error whose values span orders of magnitude, else ``linear``."""
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    if metric.higher_is_better or not len(known) or known.min() <= 0:
        return "linear"
    return "log" if known.max() / known.min() >= _WIDE else "linear"


def on_scale(value: Any, scale: str) -> Any:
    """Return where a value lies on an axis of that scale, as Plotly counts it."""
    return np.log10(value) if scale == "log" else value


def off_scale(place: Any, scale: str) -> Any:
    """Return the value at a place on an axis of that scale."""
    return 10.0**place if scale == "log" else place


def curves(result: StudyResult) -> tuple[Shown, str]:
    """Return an axis on which the ends of the curves can be told apart, and its scale."""
    frame, sign = data.curves(result), 1 if result.metric.higher_is_better else -1
    scale = scale_of(result.metric, frame["mean"])
    mean = on_scale(frame["mean"], scale)
    last = mean[frame["epoch"] == frame["epoch"].max()]
    best, worst = sign * (sign * mean).max(), sign * (sign * last).min()
    start = sign * (sign * mean).min()
    floor = worst - sign * 0.3 * abs(best - start)
    floor = start if sign * (floor - start) < 0 else floor
    room = 0.04 * abs(best - floor) or 0.01
    low, high = sorted((floor - sign * room, best + sign * 1.5 * room))
    return Shown(off_scale(low, scale), off_scale(high, scale)), scale


def sensitivity(result: StudyResult) -> tuple[Shown, str]:
    """Return an axis for what the search saw, and its scale.

    Shares are shown whole. What has no bound, as an error that explodes, is shown as far as the
    untrained network; what is worse leaves the axis, and is marked at its rim.
    """
    frame = data.sensitivity(result)
    worst = float(np.mean([data.untrained(method.tuned) for method in result.methods]))
    values = np.concatenate([frame[column] for column in ("mean", "low", "high")])
    values = values[np.isfinite(values)]
    if not result.metric.percent:
        better = values >= worst if result.metric.higher_is_better else values <= worst
        values = values[better]
    if not len(values):
        values = np.array([worst])
    scale = scale_of(result.metric, values)
    low, high = (float(on_scale(end, scale)) for end in (values.min(), values.max()))
    room = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    return Shown(off_scale(low - room, scale), off_scale(high + room, scale)), scale


def scores(result: StudyResult) -> tuple[Shown, str]:
    """Return an axis for every trained, tuned score, and its scale.

    It holds the intervals and the defaults that are not far off; what leaves it is marked.
    """
    frame = data.results(result)
    scale = scale_of(result.metric, frame[frame["setting"] == "tuned"]["score"])
    trained = frame[~frame["diverged"]].assign(score=lambda f: on_scale(f["score"], scale))
    tuned = trained[trained["setting"] == "tuned"]["score"]
    tuned = tuned if len(tuned) else on_scale(frame["score"], scale)
    low, high = float(tuned.min()), float(tuned.max())
    span = (high - low) or abs(high) * 0.1 or 1.0
    ends = trained.groupby(["method", "setting"])["score"].agg(["min", "max"])
    near = ends[(ends["min"] >= low - 0.5 * span) & (ends["max"] <= high + 0.5 * span)]
    bars = frame[frame["setting"] == "tuned"]
    known = (bars[end][bars[end] > (0 if scale == "log" else -np.inf)] for end in ("low", "high"))
    lows, highs = (on_scale(ends_of, scale) for ends_of in known)
    low = min(low, *near["min"], *lows[lows >= low - span])
    high = max(high, *near["max"], *highs[highs <= high + span])
    room = 0.08 * ((high - low) or span)
    return Shown(off_scale(low - room, scale), off_scale(high + room, scale)), scale


def sides(rows: Any, shown: Shown) -> list[tuple[bool, Any]]:
    """Return the runs of one setting that the axis leaves out: (whether below it, runs) by side."""
    parts = ((True, rows[shown.below(rows["score"])]), (False, rows[shown.above(rows["score"])]))
    return [(below, part) for below, part in parts if len(part)]


def differences(frame: Any) -> Shown:
    """Return an axis with every mean and interval, but for those of methods that diverge.

    An interval may reach four times as far as the furthest mean.
    """
    if not len(frame):
        return Shown(-1.0, 1.0)
    far = max(float(frame["difference"].abs().max()), 1e-12)
    low = max(-4 * far, min(0.0, float(frame[["difference", "low"]].min().min())))
    high = min(4 * far, max(0.0, float(frame[["difference", "high"]].max().max())))
    room = 0.08 * (high - low)
    return Shown(low - room, high + room)


def leaving(result: StudyResult, name: str) -> list[float]:
    """Return the values of a figure that leave its axis; empty where it shows everything."""
    if name == "curves":
        frame, (shown, _scale) = data.curves(result), curves(result)
        values = frame[["mean", "low", "high"]].to_numpy().ravel()
    elif name == "sensitivity":
        frame, (shown, _scale) = data.sensitivity(result), sensitivity(result)
        values = frame["mean"].to_numpy()
    elif name == "results":
        frame, (shown, _scale) = data.results(result), scores(result)
        drawn = frame[frame["mean"].between(*shown)]
        values = drawn[["low", "high"]].to_numpy().ravel()
    elif name == "differences":
        frame = data.differences(result)
        shown, values = differences(frame), frame[["low", "high"]].to_numpy().ravel()
    else:
        return []
    return [float(value) for value in values[shown.beyond(values)]]
