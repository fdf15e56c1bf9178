"""Where the time of ``descenso compare digits`` goes: ``python -m benchmarks.study [--json FILE]``.

The study of the demo (six methods, twelve learning rates each and the default, raced; five
confirmation seeds; twenty epochs) is run in fresh processes with an empty compilation cache (cold)
and with a filled one (warm), and every part of it is timed from inside.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TARGET_SECONDS = 60.0  # cold, compilation included, on two cores

_INSIDE = '''
import json, sys, time
start = time.perf_counter()
spent, nested = {}, []

def timed(owner, name, label):
    """Time a method, less the time of timed methods that it calls."""
    inner = getattr(owner, name)
    def outer(*args, **kwargs):
        began = time.perf_counter()
        nested.append(0.0)
        try:
            return inner(*args, **kwargs)
        finally:
            whole = time.perf_counter() - began
            spent[label] = spent.get(label, 0.0) + whole - nested.pop()
            if nested:
                nested[-1] += whole
    setattr(owner, name, outer)

from descenso import api
from descenso.engine.jax.arguments import Arguments
from descenso.engine.jax.initial_states import InitialStates
from descenso.engine.jax.programs import Programs
from descenso.store import Store
from descenso.study import _run
spent["imports"] = time.perf_counter() - start
timed(Programs, "of", "compilation")
timed(Arguments, "of", "laying out arguments")
timed(InitialStates, "prepare", "initial weights")
timed(Store, "save_runs", "store")
timed(Store, "runs", "store")
timed(_run, "decide", "statistics")
study = api.compare("digits", store=sys.argv[1])
spent["training"] = sum(m.seconds for m in study.methods)
began = time.perf_counter()
study.save(sys.argv[2])
spent["report"] = time.perf_counter() - began
spent["the rest"] = time.perf_counter() - start - sum(spent.values())
members = sum(len(p.values) for m in study.methods for p in m.search)
members += sum(len(m.tuned.curves) + len(m.default.curves) for m in study.methods)
examples = sum(m.examples for m in study.methods)
print(json.dumps({"spent": spent, "members": members, "examples": examples}))
'''


def run_once(cache: Path) -> dict:
    """Run the study in a fresh process that keeps its compiled programs in ``cache``."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "JAX_COMPILATION_CACHE_DIR": str(cache)}
        places = [f"{folder}/studies.db", f"{folder}/report.html"]
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", _INSIDE, *places],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        seconds = time.perf_counter() - began
    return {**json.loads(done.stdout.splitlines()[-1]), "process": seconds}


def measure(repeats: int) -> list[dict]:
    """Return one row for the cold study and one for the warm one."""
    rows = []
    with tempfile.TemporaryDirectory() as shared:
        run_once(Path(shared))  # fills the cache
        results: dict[str, list[dict]] = {"cold": [], "warm": []}
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as empty:
                results["cold"].append(run_once(Path(empty)))
            results["warm"].append(run_once(Path(shared)))
    for case, runs in results.items():
        seconds = [run["process"] for run in runs]
        middle = sorted(runs, key=lambda run: run["process"])[len(runs) // 2]
        rows.append(
            {
                "case": f"descenso compare digits, {case}",
                "peer": f"{TARGET_SECONDS:g} s",
                "ours": statistics.median(seconds),
                "theirs": TARGET_SECONDS,
                "ratio": statistics.median(seconds) / TARGET_SECONDS,
                "target": 1.0,
                "met": statistics.median(seconds) <= TARGET_SECONDS,
                "unit": "s",
                "spread": [min(seconds), max(seconds)],
                "members": middle["members"],
                "examples": middle["examples"],
                "spent": middle["spent"],
            }
        )
    return rows


def show(rows: list[dict]) -> None:
    """Print the rows."""
    for row in rows:
        low, high = row["spread"]
        print(f"{row['case']}: {row['ours']:.1f} s ({low:.1f} to {high:.1f}), ", end="")
        print(f"{row['members']} members, {row['examples']:,} examples")
        for part, seconds in sorted(row["spent"].items(), key=lambda item: -item[1]):
            print(f"  {seconds:7.2f} s  {part}")


def main() -> None:
    """Measure, show, and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    rows = measure(arguments.repeats)
    show(rows)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
