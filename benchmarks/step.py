"""Milliseconds per optimizer step, beside the peers: ``python -m benchmarks.step [--json FILE]``.

Over the shapes of MNIST dense, ResNet-50 and GPT-2 small: descenso/torch against torch's loop,
foreach, fused and pytorch_optimizer; descenso/jax against optax under jit; descenso/keras against
keras.optimizers on each backend. Each framework runs in a process of its own; within it contenders
take turns. ``ratio`` is the median over turns of ours/theirs.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks._report import show, write
from benchmarks._shapes import NETWORKS, count

FRAMEWORKS = ("torch", "jax", "keras")


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the rows of one framework, measured in this process."""
    module = importlib.import_module(f"benchmarks.step_{options.framework[0]}")
    given = {"networks": options.network, "rules": options.rule}
    rows = module.rows(
        **{name: values for name, values in given.items() if values}, seconds=options.seconds
    )
    if module.__name__.endswith("torch") and not options.rule:
        rows += module.compile_rows()
        rows += module.bfloat16_rows(seconds=options.seconds)
    return rows


def in_own_process(framework: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the rows of one framework, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.step", "--framework", framework]
    command += ["--seconds", str(options.seconds)]
    for name in ("network", "rule"):
        for value in getattr(options, name) or ():
            command += [f"--{name}", value]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        subprocess.run([*command, "--json", str(file)], check=True)
        rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return rows


def main() -> None:
    """Measure, print and write the rows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--framework", choices=FRAMEWORKS, action="append")
    parser.add_argument("--network", choices=list(NETWORKS), action="append")
    parser.add_argument("--rule", action="append")
    parser.add_argument("--seconds", type=float, default=6.0, help="for each case")
    options = parser.parse_args()
    if options.framework and len(options.framework) == 1:
        rows = measure(options)
        show(rows)
    else:
        for name, shapes in NETWORKS.items():
            print(f"{name}: {count(shapes()):,} parameters in {len(shapes())} arrays")
        rows = [
            row
            for framework in options.framework or FRAMEWORKS
            for row in in_own_process(framework, options)
        ]
    write(rows, options.json)
    missed = [row["case"] for row in rows if not row["met"]]
    print(f"{len(rows) - len(missed)} of {len(rows)} targets met")


if __name__ == "__main__":
    main()
