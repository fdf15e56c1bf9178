"""How a study scales over workers: ``python -m benchmarks.scaling [--json FILE]``.

Measured here: a population on one and on two Ray workers, and what the driver spends on a chunk
(sending it, receiving its runs, storing them). From these, simulated: 10⁵ chunks on up to 1,000
workers, with one driver that can only do one thing at a time.
"""

from __future__ import annotations

import argparse
import heapq
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from descenso import problems, rules
from descenso.records import Curve, Member, Run
from descenso.store import Store
from descenso.study import executors
from descenso.study.design import Design
from descenso.study.executors._ray import MEMBERS_PER_TASK, TASKS_PER_CORE

CHUNKS = 100_000
WORKERS = (1, 2, 10, 30, 100, 300, 1000)
SECONDS_PER_CHUNK = (0.1, 1.0, 10.0)
REPEATS = 3  # the quickest counts: other work on the machine only ever slows it


def members(count: int) -> list[Member]:
    rule = rules.get("adam")
    return [Member("adam", "adam", rule.settings(lr=1e-4 * (1 + s)), 32, s) for s in range(count)]


def on_workers(cores: int, count: int, epochs: int) -> dict:
    """Train a population on digits on so many workers; the first pass compiles."""
    import ray

    problem = problems.get("digits")
    design = Design("digits", ("adam",), epochs, 1, 1, 1, 0)
    ray.init(num_cpus=cores, log_to_driver=False, include_dashboard=False)
    try:
        with executors.opener("ray")(problem, problem.make_data(0), design) as engine:
            for _ in engine.train(members(cores * 2 * MEMBERS_PER_TASK), 2):
                pass
            seconds, done = min(_timed(engine, count, epochs) for _ in range(REPEATS))
    finally:
        ray.shutdown()
    return {"workers": cores, "members": done, "epochs": epochs, "seconds": seconds,
            "members_per_second": done / seconds}  # fmt: skip


def _timed(engine, count: int, epochs: int) -> tuple[float, int]:
    began = time.perf_counter()
    done = sum(len(chunk) for chunk in engine.train(members(count), epochs))
    return time.perf_counter() - began, done


def _chunk_of_runs(checkpoint_size: int) -> list[Run]:
    values = np.linspace(1, 0, 21)
    checkpoint = {"leaf0": np.zeros(checkpoint_size, np.float32)}
    return [
        Run(m, Curve(values, values, values[1:], 0.1, 0.9), checkpoint)
        for m in members(MEMBERS_PER_TASK)
    ]


def driver_cost(tasks: int = 100, batches: int = 8) -> dict:
    """Measure what the driver spends on a chunk: on Ray (tasks that train nothing), on the store.

    The quickest of several batches, so that what else runs on the machine is left out.
    """
    import ray

    runs = _chunk_of_runs(3 * 2410)  # parameters and two moments of the digits network
    ray.init(num_cpus=1, log_to_driver=False, include_dashboard=False)
    try:
        remote = ray.remote(num_cpus=1)(lambda given: given)
        ray.get([remote.remote(runs) for _ in range(20)])
        scheduling = min(_seconds_per_task(ray, remote, runs, tasks) for _ in range(batches))
    finally:
        ray.shutdown()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "studies.db")
        store.begin("scaling", "digits", "2026-01-01T00:00:00+00:00", {"methods": []})
        storing = min(_seconds_to_store(store, runs) for _ in range(10 * batches))
        store.close()
    return {"scheduling": scheduling, "storing": storing, "tasks": tasks}


def _seconds_per_task(ray, remote, runs: list[Run], tasks: int) -> float:
    began = time.perf_counter()
    waiting = [remote.remote(runs) for _ in range(tasks)]
    while waiting:
        done, waiting = ray.wait(waiting, num_returns=1)
        ray.get(done)
    return (time.perf_counter() - began) / tasks


def _seconds_to_store(store: Store, runs: list[Run]) -> float:
    began = time.perf_counter()
    store.save_runs("scaling", runs, 1.0)
    return time.perf_counter() - began


def simulate(workers: int, chunk_seconds: float, driver_seconds: float, chunks: int) -> float:
    """Return the efficiency of so many workers, by events.

    Each worker holds up to ``TASKS_PER_CORE`` chunks and trains them in turn. The driver takes
    ``driver_seconds`` for each finished chunk, after which it sends a new one to that worker.
    Times of chunks vary by a tenth.
    """
    rng = np.random.default_rng(0)
    times = chunk_seconds * (1 + 0.1 * rng.standard_normal(chunks)).clip(0.5)
    free = [0.0] * workers  # when each worker will have trained what it holds
    events: list[tuple[float, int]] = []
    sent, driver = 0, 0.0
    for _ in range(TASKS_PER_CORE):
        for w in range(workers):
            if sent < chunks:
                free[w] += times[sent]
                heapq.heappush(events, (free[w], w))
                sent += 1
    while events:
        done, w = heapq.heappop(events)
        driver = max(driver, done) + driver_seconds
        if sent < chunks:
            free[w] = max(free[w], driver) + times[sent]
            heapq.heappush(events, (free[w], w))
            sent += 1
    return float(times.sum() / (workers * driver))


def measure(count: int, epochs: int) -> dict:
    """Measure and simulate; return everything."""
    measured = [on_workers(cores, count, epochs) for cores in (1, 2)]
    cost = driver_cost()
    each = cost["scheduling"] + cost["storing"]
    began = time.perf_counter()
    simulated = [
        {"workers": n, "chunk_seconds": t, "chunks": CHUNKS,
         "efficiency": simulate(n, t, each, CHUNKS)}
        for t in SECONDS_PER_CHUNK for n in WORKERS
    ]  # fmt: skip
    return {"measured": measured, "driver": cost, "simulated": simulated,
            "speed_up": measured[1]["members_per_second"] / measured[0]["members_per_second"],
            "simulation_seconds": time.perf_counter() - began}  # fmt: skip


def main() -> None:
    """Measure, show, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--members", type=int, default=144)
    parser.add_argument("--epochs", type=int, default=60)
    arguments = parser.parse_args()
    found = measure(arguments.members, arguments.epochs)
    for row in found["measured"]:
        print(f"{row['workers']} workers: {row['members_per_second']:.1f} members/s")
    print(f"speed-up {found['speed_up']:.2f}; the driver spends on a chunk "
          f"{1e3 * found['driver']['scheduling']:.2f} ms scheduling, "
          f"{1e3 * found['driver']['storing']:.2f} ms storing")  # fmt: skip
    for row in found["simulated"]:
        print(f"{row['workers']:5} workers, chunks of {row['chunk_seconds']:5.1f} s: "
              f"{100 * row['efficiency']:5.1f}% efficient")  # fmt: skip
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
