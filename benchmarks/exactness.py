"""How far each binding ends from the rule: ``python -m benchmarks.exactness [--json FILE]``.

100 float64 steps on random gradients, over the grid of settings that the tests use (the defaults,
each setting moved alone, all together; ε = 0.3 so that its place shows), against the bare rule on
NumPy arrays. A row is a rule in a binding; ``ours`` is the largest difference of a parameter over the
grid, ``theirs`` what is allowed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks._report import write
from descenso import rules
from descenso.testing import check_rule, conformance

BACKENDS = ("tensorflow", "jax", "torch")
Column = dict[str, float]


def here(frameworks: tuple[str, ...] = ("numpy", "jax", "torch")) -> dict[str, Column]:
    """Return the largest difference of each rule on each path of these frameworks."""
    found: dict[str, Column] = {}
    for name in rules.names():
        for path, difference in check_rule(name, frameworks).items():
            found.setdefault(path, {})[name] = difference
    return found


def in_keras(backend: str) -> Column:
    """Return the same on one backend of Keras, which needs a process of its own."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.exactness", "--keras"],
        stdout=subprocess.PIPE, text=True, check=True, env=environment,
    )  # fmt: skip
    found: Column = json.loads(done.stdout.splitlines()[-1])
    return found


def show(table: dict[str, Column]) -> None:
    """Print the table as Markdown: a line for each rule, a column for each binding."""
    print(f"| rule | {' | '.join(table)} |")
    print("|---" * (len(table) + 1) + "|")
    for name in rules.names():
        print(f"| {name} | {' | '.join(f'{column[name]:.1e}' for column in table.values())} |")


def rows(table: dict[str, Column]) -> list[dict[str, Any]]:
    """Return a row for each rule and binding."""
    return [
        {
            "case": f"{binding} {name}", "peer": "the rule on NumPy", "unit": "parameter units",
            "ours": difference, "theirs": conformance.TOLERANCE,
            "ratio": difference / conformance.TOLERANCE,
            "target": 1.0, "met": difference <= conformance.TOLERANCE,
        }
        for binding, column in table.items()
        for name, difference in column.items()
    ]  # fmt: skip


def main() -> None:
    """Print the table and write its rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--keras", action="store_true", help="this process's Keras alone, as JSON")
    options = parser.parse_args()
    if options.keras:
        print(json.dumps(here(("keras",))["keras"]))
        return
    table = here() | {f"keras/{backend}": in_keras(backend) for backend in BACKENDS}
    show(table)
    made = rows(table)
    write(made, options.json)
    print(f"{sum(row['met'] for row in made)} of {len(made)} within {conformance.TOLERANCE:g}")


if __name__ == "__main__":
    main()
