"""A whole study against one ordinary run: ``python -m benchmarks.headline [--json FILE]``.

Ours: all six methods of the tutorial compared on MNIST dense (784-128-10), from the command line to
the verdict: eleven learning rates each (ten and the default), raced on one search seed, then
five fresh seeds of five epochs of the setting found. The reruns of each method's default setting,
which tell what tuning was worth and take no part in the comparison, are left out (``--no-defaults``).
Theirs: ONE run of five epochs as the tutorial's PyTorch listing of RMSprop trains, whose
``DataLoader`` transforms each image. ``ratio`` is ours/theirs in wall seconds, import and compilation
included; the study runs cold (nothing compiled before) and warm.

The per-example method takes part with the same budget as all others: five epochs, 250,000 steps a
run. Its own batch size makes it the costliest part of the study, so the budget of the search is kept
small for all methods alike (one seed for each setting), and never for it alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks._report import write
from benchmarks._tutorial import tutorials_epoch
from descenso import data

EPOCHS, SEEDS, SEARCH_SEEDS, RATES = 5, 5, 1, 10


def study(cache: Path) -> tuple[float, dict[str, Any]]:
    """Run the study in a fresh process; return wall seconds and what it wrote."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "study.json"
        command = [
            str(Path(sys.executable).with_name("descenso")), "compare", "mnist-dense",
            "--epochs", EPOCHS, "--seeds", SEEDS, "--search-seeds", SEARCH_SEEDS,
            "--trials", RATES, "--no-defaults",
            "--store", f"{folder}/studies.db", "--json", written,
        ]  # fmt: skip
        environment = {**os.environ, "JAX_COMPILATION_CACHE_DIR": str(cache)}
        began = time.perf_counter()
        subprocess.run([str(c) for c in command], check=True, env=environment)
        return time.perf_counter() - began, json.loads(written.read_text())


def tutorial() -> float:
    """Train once as the tutorial does; return wall seconds."""
    train = data.load_mnist().train
    began = time.perf_counter()
    train_epoch = tutorials_epoch(train.inputs, train.targets)
    losses = [train_epoch() for _ in range(EPOCHS)]
    seconds = time.perf_counter() - began
    print(f"the tutorial's run: {seconds:.1f} s, training loss {losses[-1]:.4f}", flush=True)
    return seconds


def row(case: str, ours: list[float], theirs: list[float]) -> dict[str, Any]:
    """Return the row of a table; with few turns, ``spread`` is the least and the greatest ratio."""
    ratios = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    ratio = ratios[len(ratios) // 2]
    return {
        "case": case,
        "peer": "one run of the tutorial's RMSprop listing",
        "ours": sorted(ours)[len(ours) // 2],
        "theirs": sorted(theirs)[len(theirs) // 2],
        "ratio": ratio,
        "target": 1.0,
        "met": ratio <= 1.0,
        "unit": "s",
        "spread": [ratios[0], ratios[-1]],
    }


def show_parts(found: dict[str, Any]) -> None:
    """Print the verdict and where the time went."""
    print(found["verdict"]["text"])
    for method in found["methods"]:
        print(f"  {method['name']:10} {method['wall_seconds']:7.1f} s of streams")
    for program in found["layout"]["programs"]:
        print(
            f"  {program['rule']:18} batch {program['batch_size']:6} "
            f"compiled in {program['compile_seconds']:5.2f} s, "
            f"{program['microseconds_per_member_step'] or 0:9.2f} µs a step on one stream"
        )


def main() -> None:
    """Measure, show, and write the rows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--turns", type=int, default=3, help="of study and run, in turn")
    options = parser.parse_args()
    cold: list[float] = []
    warm: list[float] = []
    theirs: list[float] = []
    with tempfile.TemporaryDirectory() as kept:
        for _turn in range(options.turns):
            with tempfile.TemporaryDirectory() as empty:
                seconds, found = study(Path(empty))
            cold.append(seconds)
            show_parts(found)
            theirs.append(tutorial())
            warm.append(study(Path(kept))[0])
            print(f"cold {cold[-1]:.1f} s, warm {warm[-1]:.1f} s, one run {theirs[-1]:.1f} s")
    # The first of the warm ones filled the cache.
    rows = [row("headline, cold", cold, theirs)]
    if options.turns > 1:
        rows.append(row("headline, warm", warm[1:], theirs[1:]))
    for r in rows:
        low, high = r["spread"]
        print(
            f"{r['case']}: {r['ours']:.1f} s against {r['theirs']:.1f} s, "
            f"ratio {r['ratio']:.2f} ({low:.2f} to {high:.2f}): {'met' if r['met'] else 'NOT MET'}"
        )
    write(rows, options.json)


if __name__ == "__main__":
    main()
