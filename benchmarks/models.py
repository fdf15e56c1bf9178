"""Models of the user's own: ``python -m benchmarks.models [--json FILE] [--model NAME ...]``.

Small Keras models of many kinds on generated data, trained with Adam at batch size 32: a population
of four on our engine beside Keras's ``fit`` of one on TensorFlow, in turns, each in a process of its
own. ``ours`` and ``theirs`` are µs per member-step with all cores used; ours validates after each
epoch, ``fit`` does not. ``ratio`` is the speed-up theirs/ours, the median over turns.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any

from benchmarks._report import parse, show, write
from benchmarks._timing import interleaved
from benchmarks._workers import Worker, calls_of
from benchmarks.training import row

SIDES = {"ours": "jax", "fit": "tensorflow"}  # who trains → Keras's backend


def measure(model: str, seconds: float) -> dict[str, Any]:
    """Return the row of a model."""
    calls = {}
    with ExitStack() as stack:
        for who, backend in SIDES.items():
            quiet = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
            worker = Worker("benchmarks._models", model, who, environment=quiet)
            stack.callback(worker.close)
            calls[who] = calls_of([worker.ready()], who)
        turns = interleaved({who: call.run for who, call in calls.items()}, seconds, least=3)
    times = {who: [1e3 * t / calls[who].steps for t in turns[who]] for who in SIDES}
    return row(model, times, "ours", "fit", 1.0) | {"peer": "Keras fit on TensorFlow"}


def main() -> None:
    """Measure, print and write the rows."""
    os.environ.setdefault("KERAS_BACKEND", "jax")  # here only the names of the models are read
    from benchmarks._models import MODELS

    options = parse(__doc__, "model", MODELS, seconds=8.0)
    rows = [measure(name, options.seconds) for name in options.chosen]
    show(rows)
    write(rows, options.json)
    print(f"{sum(row['met'] for row in rows)} of {len(rows)} faster than fit")


if __name__ == "__main__":
    main()
