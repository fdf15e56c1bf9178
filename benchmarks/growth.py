"""How the cost of training grows: ``python -m benchmarks.growth [--json FILE] [--figure FILE]``.

Dense networks on generated data, trained by Adam on the JAX engine, on all cores: wall time against
the number of members, of parameters and of examples. Each point is first trained once, which also
compiles, and then some times with new seeds; the time told is the median of the latter, and what
the first took longer is told apart as compilation (nothing is taken from a cache on disk).
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "0"  # every compilation is to be seen

import numpy as np

from benchmarks._report import write
from descenso import rules
from descenso.data import Data, Split
from descenso.engine import Engine, open_engine
from descenso.problems import Problem
from descenso.problems._figures import ACCURACY, cross_entropy
from descenso.problems._networks import dense_apply, dense_init
from descenso.records import Member

COLUMNS, CLASSES, BATCH = 64, 10, 32
SEEDS = 5  # that the members of one point share
REPEATS = 5
ENOUGH_SECONDS = 8.0  # after which a point is not repeated again; it is trained thrice at least


@dataclass(frozen=True)
class Point:
    """What is trained at one point of a sweep.

    Attributes
    ----------
    value : of what the sweep varies.
    """

    value: int
    members: int
    hidden: tuple[int, ...]
    examples: int
    epochs: int


def over_members() -> list[Point]:
    return [Point(n, n, (32,), 1024, 20) for n in (1, 3, 10, 30, 100, 300, 1000)]


def over_parameters() -> list[Point]:
    widths = [_width(10**power) for power in (3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7)]
    return [Point(_parameters((w, w)), 2, (w, w), 1024, 3) for w in widths]


def over_examples() -> list[Point]:
    sizes = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
    return [Point(n, 2, (32,), n, 3) for n in sizes]


SWEEPS: dict[str, Callable[[], list[Point]]] = {
    "members": over_members,
    "parameters": over_parameters,
    "examples": over_examples,
}


def _sizes(hidden: Sequence[int]) -> tuple[int, ...]:
    return (COLUMNS, *hidden, CLASSES)


def _parameters(hidden: Sequence[int]) -> int:
    sizes = _sizes(hidden)
    return sum((a + 1) * b for a, b in pairwise(sizes))


def _width(parameters: float) -> int:
    """Return the width of two hidden layers that together give about so many parameters."""
    rest = COLUMNS + CLASSES + 2
    return round(((rest**2 + 4 * parameters) ** 0.5 - rest) / 2)


def _problem(point: Point) -> Problem:
    return Problem(
        name="growth",
        summary="",
        make_data=lambda split_seed: _examples(point.examples),
        init=dense_init(_sizes(point.hidden)),
        apply=dense_apply,
        loss=cross_entropy,
        metric=ACCURACY,
        batch_size=BATCH,
        epochs=point.epochs,
    )


def _examples(count: int) -> Data:
    """Return classes that a linear map tells apart; a fixed thousand to validate and to test."""
    rng = np.random.default_rng(0)
    teacher = rng.normal(size=(COLUMNS, CLASSES)).astype(np.float32)

    def part(size: int) -> Split:
        inputs = rng.standard_normal((size, COLUMNS), np.float32)
        return Split(inputs, (inputs @ teacher).argmax(1).astype(np.int32))

    return Data(part(count), part(1000), part(1000))


def _members(count: int, first_seed: int) -> list[Member]:
    rule = rules.get("adam")
    rates = np.geomspace(1e-5, 1e-4, -(-count // SEEDS))
    return [
        Member("adam", "adam", rule.settings(lr=float(rates[i // SEEDS])), BATCH, first_seed + i % SEEDS)
        for i in range(count)
    ]  # fmt: skip


def _seconds(engine: Engine, point: Point, first_seed: int) -> float:
    began = time.perf_counter()
    last = {}
    for runs in engine.train(_members(point.members, first_seed), point.epochs):
        last.update({run.member.key: run.curve for run in runs})
    seconds = time.perf_counter() - began
    steps = sum(curve.steps for curve in last.values())
    expected = point.members * point.epochs * (point.examples // BATCH)
    if steps != expected:
        raise RuntimeError(f"{steps} steps were taken, not {expected}: a member diverged")
    return seconds


def measure(sweep: str, point: Point) -> dict[str, Any]:
    """Train at a point, and return its row."""
    problem = _problem(point)
    engine = open_engine(problem, problem.make_data(0), 0)
    first = _seconds(engine, point, 0)
    times: list[float] = []
    while len(times) < REPEATS and (len(times) < 3 or sum(times) < ENOUGH_SECONDS):
        times.append(_seconds(engine, point, 1000 * (1 + len(times))))
    seconds = statistics.median(times)
    steps = point.members * point.epochs * (point.examples // BATCH)
    return {
        "case": sweep,
        "value": point.value,
        "members": point.members,
        "parameters": engine.parameters(),
        "examples": point.examples,
        "epochs": point.epochs,
        "seconds": seconds,
        "spread": [min(times), max(times)],
        "compile_seconds": max(0.0, first - seconds),
        "microseconds_per_member_step": 1e6 * seconds / steps,
    }


def slope(rows: Sequence[dict[str, Any]]) -> float:
    """Return the slope of log seconds over log value, by least squares."""
    values = np.log([row["value"] for row in rows])
    return float(np.polyfit(values, np.log([row["seconds"] for row in rows]), 1)[0])


def upper(rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """Return the points of the upper half of a sweep, where fixed costs weigh less."""
    return rows[len(rows) // 2 :]


def show(sweep: str, rows: Sequence[dict[str, Any]]) -> None:
    """Print a sweep with its slopes."""
    print(f"\n{sweep:>12} {'seconds':>10}  {'least - most':>19} {'µs a member-step':>17} "
          f"{'compilation s':>14}")  # fmt: skip
    for row in rows:
        low, high = row["spread"]
        print(
            f"{row['value']:12,} {row['seconds']:10.4f}  {low:8.4f} - {high:8.4f} "
            f"{row['microseconds_per_member_step']:17.2f} {row['compile_seconds']:14.2f}"
        )
    print(f"slope {slope(rows):.2f} over all, {slope(upper(rows)):.2f} over the upper half")


def draw(table: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Draw every sweep, with the line through its upper half."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.9), layout="constrained")
    axes = figure.subplots(1, len(table), sharey=True, squeeze=False)[0]
    for place, (sweep, rows) in zip(axes, table.items(), strict=True):
        _draw_sweep(place, sweep, rows)
    axes[0].set_ylabel("seconds")
    axes[0].legend(frameon=False, loc="upper left", fontsize=9)
    figure.savefig(path, dpi=160)


def _draw_sweep(place: Any, sweep: str, rows: Sequence[dict[str, Any]]) -> None:
    values = [row["value"] for row in rows]
    seconds = [row["seconds"] for row in rows]
    steep = slope(upper(rows))
    last = np.log([row["value"] for row in upper(rows)])
    height = np.mean(np.log([row["seconds"] for row in upper(rows)])) - steep * last.mean()
    ends = np.array([upper(rows)[0]["value"] / 2, values[-1] * 1.3])
    line = np.exp(height + steep * np.log(ends))
    compiled = [row["compile_seconds"] for row in rows]
    place.loglog(values, seconds, "o-", color="#1f5fa8", ms=5, lw=1.6, label="training")
    place.loglog(ends, line, color="#b0b7c3", lw=4, zorder=1, label="fit to the upper half")
    place.loglog(values, compiled, "^:", color="#c2571a", ms=5, lw=1.2, label="compilation, once")
    place.set_xlabel(sweep)
    place.set_title(f"slope {steep:.2f} in the upper half", fontsize=11)
    place.grid(alpha=0.25)
    place.spines[["top", "right"]].set_visible(False)


def main() -> None:
    """Measure, show, draw, and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--figure", type=Path, help="draw them into this file")
    parser.add_argument("--only", choices=SWEEPS, action="append", help="measure this alone")
    arguments = parser.parse_args()
    measure("warming up", over_members()[0])  # what JAX does once in a process is no compilation
    table = {}
    for sweep in arguments.only or SWEEPS:
        table[sweep] = [measure(sweep, point) for point in SWEEPS[sweep]()]
        show(sweep, table[sweep])
    write([row for rows in table.values() for row in rows], arguments.json)
    if arguments.figure:
        draw(table, arguments.figure)


if __name__ == "__main__":
    main()
