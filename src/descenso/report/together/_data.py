"""The data of each figure over several problems, as tidy frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from descenso.study.overview import Overview

if TYPE_CHECKING:
    import pandas as pd


def profile(found: Overview) -> pd.DataFrame:
    """Return a row per method and ratio.

    Columns: ``method``; ``ratio``, the epochs to the target over those of the quickest method on
    the same problem and seed; ``solved``, the share of runs that took no longer, 0 to 1. No row
    where no problem has a target.
    """
    import pandas as pd

    frames = [
        pd.DataFrame({"method": name, "ratio": found.ratios, "solved": found.profile[name]})
        for name in found.methods
    ]
    return pd.concat(frames, ignore_index=True).dropna(subset="solved")


def gains(found: Overview) -> pd.DataFrame:
    """Return a row per method, problem and seed, in order of the method's mean, best first.

    Columns: ``method``, ``problem``, ``seed`` (counted from 0); ``gain``, the run's share of what
    the best method of the problem gains over the untrained network; ``mean``; and ``iqm``,
    ``low``, ``high`` of the interquartile mean, which all runs of a method share.
    """
    import pandas as pd

    frames = []
    for name in ranking(found):
        scores, middle = found.scores[name], found.iqm[name]
        problem, seed = np.indices(scores.shape)
        frames.append(
            pd.DataFrame(
                {
                    "method": name,
                    "problem": np.array(found.problems)[problem.ravel()],
                    "seed": seed.ravel(),
                    "gain": scores.ravel(),
                    "mean": float(scores.mean()),
                    "iqm": middle.mean,
                    "low": middle.low,
                    "high": middle.high,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def ranking(found: Overview) -> list[str]:
    """Return the methods from best to worst mean gain."""
    return sorted(found.methods, key=lambda name: -float(found.scores[name].mean()))


def shown_gains(found: Overview) -> tuple[float, float]:
    """Return a range of gains that shows the middle of every method, and most of the runs."""
    everything = np.concatenate([scores.ravel() for scores in found.scores.values()])
    middles = [found.iqm[name].mean for name in found.methods]
    low = min(float(np.quantile(everything, 0.1)), *middles, 0.9)
    high = max(float(everything.max()), 1.0)
    room = 0.05 * (high - low)
    return low - room, high + room
