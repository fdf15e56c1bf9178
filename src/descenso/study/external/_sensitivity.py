"""Sensitivity to the learning rate, read from the settings of external runs."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from descenso.study.external._choose import judged_value
from descenso.study.external._clean import ExternalRun
from descenso.study.external._numbers import as_number
from descenso.study.sensitivity import Tolerance, around_best

_RATE = re.compile(r"(?:^|[\s,;{(])['\"]?(?:lr|learning_rate)['\"]?\s*[=:]\s*([-+.\deE]+)")


def learning_rate(setting: str) -> float | None:
    """Return the learning rate that a setting names, or is; ``None`` where it names none."""
    match = _RATE.search(setting)
    number = as_number(match[1] if match else setting)
    return number if number is not None and math.isfinite(number) and number > 0 else None


def tolerated(
    runs: Sequence[ExternalRun], higher_is_better: bool, everyone: Sequence[ExternalRun] = ()
) -> Tolerance | None:
    """Return the good range of learning rates; zero gain is the worst run's, 1 the best rate's.

    Parameters
    ----------
    everyone : the runs of all methods on the problem, any of which may be the worst.
    """
    values: dict[float, list[float]] = defaultdict(list)
    searched = [r for r in runs if r.role == "search"] or list(runs)
    for run in searched:
        rate = learning_rate(run.setting)
        if rate is not None:
            values[rate].append(judged_value(run))
    sign = 1.0 if higher_is_better else -1.0
    finite = [v for own in values.values() for v in own if math.isfinite(v)]
    if len(values) < 3 or not finite:
        return None
    ends = [v for v in map(judged_value, everyone) if math.isfinite(v)]
    worst = min(sign * v for v in (*finite, *ends))
    means = {
        rate: float(np.mean([sign * v if math.isfinite(v) else worst for v in own])) - worst
        for rate, own in sorted(values.items())
    }
    most = max(means.values())
    return around_best([(rate, m / most) for rate, m in means.items()]) if most > 0 else None
