"""Speed on a GPU: ``python -m benchmarks.accelerator [--json FILE] [--case NAME ...] [--seconds S]``.

Both engines, with as many members as a race has, beside torch by hand with all tensors on the GPU:
a loop with fused optimizer, the same recorded as a CUDA graph, ``torch.func.vmap`` over as many
members, and that recorded too. Every contender waits in a process of its own and all take turns.

``ours`` and ``theirs`` are µs per member-step: wall time over steps taken by all members. Ours
includes initial weights, orders of examples, validation once per epoch, and bookkeeping; the peers
only train. ``ratio`` is the speed-up theirs/ours, the median over turns. torch rounds the factors
of convolutions to ten bits on a GPU, and so does our torch engine, which leaves that as it is; our
JAX engine does not, and "ours, 10 bits" is the same where the user has told JAX to.
"""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from benchmarks import training
from benchmarks._report import parse, show, write
from benchmarks._timing import interleaved
from benchmarks._training_cases import CASES, Case
from benchmarks._workers import Call, Worker, calls_of

MEMBERS = 64
#: Epochs of our population and steps of a peer in a turn.
SIZES = {
    "digits": (20, 2000),
    "digits, batch 1": (2, 2000),
    "mnist-dense": (1, 1000),
    "mnist-cnn": (2, 300),
    "cifar10-cnn": (2, 300),
}
_TEN_BITS = {"JAX_DEFAULT_MATMUL_PRECISION": "tensorfloat32"}


def case_of(name: str) -> Case:
    """Return a case of the training benchmark as it is run on a GPU."""
    epochs, steps = SIZES[name]
    return replace(
        CASES[name], members=MEMBERS, epochs=epochs, steps=steps,
        evaluation=None, bound=None, others=(),
    )  # fmt: skip


def measure(case: Case, seconds: float) -> list[dict[str, Any]]:
    """Return the rows of a case."""
    with ExitStack() as stack:
        calls = _calls(case, stack)
        milliseconds = interleaved({n: call.run for n, call in calls.items()}, seconds, least=3)
    times = {n: [1e3 * turn / calls[n].steps for turn in milliseconds[n]] for n in calls}
    for name, turns in times.items():
        print(f"  {case.name}: {name:20} {statistics.median(turns):11.3f} µs, {len(turns)} turns")
    made = []
    for ours in ("ours", "ours, 10 bits", "torch engine"):
        for kind, words in (("loop", "torch by hand"), ("vmap", "torch.func.vmap")):
            peer = min((n for n in times if n.startswith(kind)), key=lambda n: sum(times[n]))
            made.append(training.row(f"{case.name}, {ours}, {words}", times, ours, peer, 1.0))
    return made


def _calls(case: Case, stack: ExitStack) -> dict[str, Call]:
    """Start a process for each contender, and return what to time, by the contender's name."""

    def started(module: str, *more: str, **environment: str) -> Worker:
        worker = Worker(f"benchmarks.{module}", case, *more, environment=environment)
        stack.callback(worker.close)
        return worker

    workers = {
        "ours": started("_training_ours", "jax"),
        "ours, 10 bits": started("_training_ours", "jax", **_TEN_BITS),
        "torch engine": started("_training_ours", "torch"),
        "": started("_accelerator_torch"),
    }
    return {
        name or told: calls_of([worker], told)
        for name, worker in workers.items()
        for told in worker.ready().steps
    }


def main() -> None:
    """Measure, print and write the rows."""
    options = parse(__doc__, "case", SIZES, seconds=10.0)
    made = [row for name in options.chosen for row in measure(case_of(name), options.seconds)]
    print("\nours, theirs: µs per member-step; ratio: theirs/ours")
    show(made)
    write(made, options.json)


if __name__ == "__main__":
    main()
