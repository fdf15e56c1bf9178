"""Speed of training: ``python -m benchmarks.training [--json FILE] [--case NAME ...] [--seconds S]``.

A population on our engines beside: the best loop written by hand in torch (tensors preloaded, fused
optimizer; of 1 and 2 threads, of 2 processes, and with channels last for images the best counts),
Keras's ``fit`` on TensorFlow, ``torch.func.vmap`` over the members, the tutorial's own loop, and the
bound: a matrix product of the same operations at the best rate of torch and JAX. Every contender
waits in a process of its own and all take turns, so no start or compilation is timed.

``ours`` and ``theirs`` are µs per member-step with all cores used: wall time over steps taken by
all members. Ours includes initial weights, orders of examples, validation once per epoch, and
bookkeeping; the peers only train. ``ratio`` is the speed-up theirs/ours, the median over turns, and
``target`` the least; in a row "matrix-product bound" it is the share of the bound reached, in a row
"evaluation" the share of training that validation takes, and ``target`` the most.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks._report import parse, show, write
from benchmarks._timing import interleaved
from benchmarks._training_cases import CASES, Case
from benchmarks._workers import Call, Worker, calls_of

Times = dict[str, list[float]]  # µs per member-step in each turn, by contender
LOOP, PRODUCT = "torch loop, ", "matrix product, "
TUTORIAL_TARGET = 40.0


def measure(case: Case, seconds: float) -> list[dict[str, Any]]:
    """Return the rows of a case."""
    with ExitStack() as stack:
        calls = _calls(case, stack)
        milliseconds = interleaved(
            {name: call.run for name, call in calls.items()}, seconds, least=case.turns
        )
    times = {
        name: [1e3 * turn / calls[name].steps for turn in turns]
        for name, turns in milliseconds.items()
    }
    for name, turns in times.items():
        print(f"  {case.name}: {name:42} {statistics.median(turns):11.3f} µs, {len(turns)} turns")
    return rows(case, times)


def _calls(case: Case, stack: ExitStack) -> dict[str, Call]:
    """Start a process for each contender, and return what to time, by the contender's name."""

    def started(module: str, *more: str, **environment: str) -> Worker:
        worker = Worker(f"benchmarks.{module}", case, *more, environment=environment)
        stack.callback(worker.close)
        return worker

    one, other = started("_training_torch"), started("_training_torch")
    workers = [started("_training_ours", "jax")]
    if case.torch_engine:
        workers.append(started("_training_ours", "torch"))
    if "keras" in case.others:
        quiet = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
        workers.append(started("_training_keras", **quiet))
    calls = {n: calls_of([w], n) for worker in workers for w in [worker.ready()] for n in w.steps}
    return calls | _torch_calls(one.ready(), other.ready())


def _torch_calls(one: Worker, other: Worker) -> dict[str, Call]:
    calls = {}
    for name in one.steps:
        where = PRODUCT if name.startswith("product") else LOOP if "thread" in name else ""
        words = name.removeprefix("product, ")
        calls[where + words] = calls_of([one], name)
        if words.startswith("1 thread"):
            both = words.replace("1 thread", "2 processes")
            calls[where + both] = calls_of([one, other], name)
    return calls


# ---- rows ----------------------------------------------------------------------------------------


def rows(case: Case, times: Times) -> list[dict[str, Any]]:
    """Return the rows of a case."""
    loop = _fastest(times, LOOP)
    made = [row(case.name, times, "ours", loop, case.loop)]
    if case.torch_engine:
        made.append(
            row(f"{case.name}, torch engine", times, "torch engine", loop, case.torch_engine)
        )
    for peer, words in (("keras", "Keras fit"), ("vmap", "torch.func.vmap")):
        if peer in times:
            made.append(row(f"{case.name}, {words}", times, "ours", peer, 1.0))
    if "tutorial" in times:
        name = f"{case.name}, tutorial's loop"
        made.append(row(name, times, "ours, rmsprop", "tutorial", TUTORIAL_TARGET))
    if case.bound:
        bound = _fastest(times, PRODUCT)
        made.append(row(f"{case.name}, matrix-product bound", times, "ours", bound, case.bound))
    if case.evaluation:
        made.append(evaluation_row(case, times))
    return made


def _fastest(times: Times, kind: str) -> str:
    names = [name for name in times if name.startswith(kind)]
    return min(names, key=lambda name: statistics.median(times[name]))


def row(case: str, times: Times, ours: str, peer: str, target: float) -> dict[str, Any]:
    """Return the row of a contender of ours beside a peer, which it should outrun."""
    ratios = [its / mine for mine, its in zip(times[ours], times[peer], strict=True)]
    made = _row(case, peer, times[ours], times[peer], ratios, target)
    return made | {"met": made["ratio"] >= target, "unit": "µs per member-step"}


def evaluation_row(case: Case, times: Times) -> dict[str, Any]:
    """Return the row of the share of training that validation takes."""
    ours, without = times["ours"], times["not evaluated"]
    shares = [1 - bare / whole for whole, bare in zip(ours, without, strict=True)]
    made = _row(f"{case.name}, evaluation", "not evaluated", ours, without, shares, case.evaluation)
    return made | {"met": made["ratio"] <= made["target"], "unit": "share"}


def _row(
    case: str, peer: str, ours: Sequence[float], theirs: Sequence[float],
    ratios: Sequence[float], target: float | None,
) -> dict[str, Any]:  # fmt: skip
    quarters = statistics.quantiles(ratios, n=4)
    return {
        "case": case,
        "peer": peer,
        "ours": statistics.median(ours),
        "theirs": statistics.median(theirs),
        "ratio": statistics.median(ratios),
        "target": target,
        "spread": [quarters[0], quarters[2]],
    }


def main() -> None:
    """Measure, print and write the rows."""
    options = parse(__doc__, "case", CASES, seconds=20.0)
    made = [row for name in options.chosen for row in measure(CASES[name], options.seconds)]
    print("\nours, theirs: µs per member-step on all cores; ratio: theirs/ours, or a share")
    show(made)
    write(made, options.json)
    print(f"{sum(row['met'] for row in made)} of {len(made)} targets met")


if __name__ == "__main__":
    main()
