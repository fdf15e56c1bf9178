"""Time contenders in turn, so that what disturbs the machine disturbs all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any


def interleaved(
    contenders: Mapping[str, Callable[[], Any]],
    seconds: float = 6.0,
    least: int = 5,
    most: int = 400,
    calls: int = 1,
) -> dict[str, list[float]]:
    """Call each contender in turn until ``seconds`` are over; return milliseconds per call.

    Each is first called twice untimed; then a turn is the mean of ``calls`` calls. Turns alternate
    in direction, so that none always runs in the wake of the same other.
    """
    for call in contenders.values():
        call()
        call()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    order = list(contenders)
    began = time.perf_counter()
    for turn in range(most):
        if turn >= least and time.perf_counter() - began > seconds:
            break
        for name in order:
            start = time.perf_counter()
            for _call in range(calls):
                contenders[name]()
            times[name].append((time.perf_counter() - start) * 1e3 / calls)
        order.reverse()
    return times


def row(case: str, peer: str, times: Mapping[str, list[float]], target: float) -> dict[str, Any]:
    """Return the row of a table: ``ours`` against ``theirs``, medians in ms.

    ``ratio`` is the median over turns of ours/theirs within one turn; ``spread`` the quartiles of
    that ratio.
    """
    ratios = [a / b for a, b in zip(times["ours"], times["theirs"], strict=True)]
    quarters = statistics.quantiles(ratios, n=4)
    ratio = statistics.median(ratios)
    return {
        "case": case,
        "peer": peer,
        "ours": statistics.median(times["ours"]),
        "theirs": statistics.median(times["theirs"]),
        "ratio": ratio,
        "target": target,
        "met": ratio <= target,
        "unit": "ms per step",
        "spread": [quarters[0], quarters[2]],
    }
