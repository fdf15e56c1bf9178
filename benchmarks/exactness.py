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
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conformance import _grid

from benchmarks._report import write
from descenso import rules

Runner = Callable[[str, dict[str, Any]], dict[str, Any]]
BACKENDS = ("tensorflow", "jax", "torch")
PATHS: dict[str, dict[str, bool]] = {
    "torch, kernel": {"compile": True},
    "torch, lists": {"foreach": True},
    "torch, plain": {"compile": False},
}


def worst_of(run: Runner) -> dict[str, float]:
    """Return the largest difference for each rule."""
    found: dict[str, float] = {}
    for name, given in _grid.cases():
        difference = _grid.worst(run(name, given), _grid.reference(name, given))
        found[name] = max(found.get(name, 0.0), difference)
    return found


def here() -> dict[str, dict[str, float]]:
    """Return :func:`worst_of` of each binding that this process can run together."""
    from tests.conformance.test_bindings import run_jax, run_numpy, run_torch

    bindings: dict[str, Runner] = {"numpy": run_numpy, "jax": run_jax}
    for label, path in PATHS.items():
        bindings[label] = lambda name, given, path=path: run_torch(name, {**given, **path})
    return {label: worst_of(run) for label, run in bindings.items()}


def in_keras(backend: str) -> dict[str, float]:
    """Return :func:`worst_of` on one backend of Keras, which needs a process of its own."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.exactness", "--keras"],
        stdout=subprocess.PIPE, text=True, check=True, env=environment,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _this_keras() -> dict[str, float]:
    from tests.keras._suite_exactness import run

    import descenso.keras

    def run_keras(name: str, given: dict[str, Any]) -> dict[str, Any]:
        made = getattr(descenso.keras, rules.class_name(rules.get(name)))
        ended: dict[str, Any] = run(lambda: made(**given))
        return ended

    return worst_of(run_keras)


def show(table: dict[str, dict[str, float]]) -> None:
    """Print the table as Markdown: a line for each rule, a column for each binding."""
    print(f"| rule | {' | '.join(table)} |")
    print("|---" * (len(table) + 1) + "|")
    for name in rules.names():
        print(f"| {name} | {' | '.join(f'{column[name]:.1e}' for column in table.values())} |")


def rows(table: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    """Return a row for each rule and binding."""
    return [
        {
            "case": f"{binding} {name}", "peer": "the rule on NumPy", "unit": "parameter units",
            "ours": difference, "theirs": _grid.TOLERANCE, "ratio": difference / _grid.TOLERANCE,
            "target": 1.0, "met": difference <= _grid.TOLERANCE,
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
        print(json.dumps(_this_keras()))
        return
    table = here() | {f"keras/{backend}": in_keras(backend) for backend in BACKENDS}
    show(table)
    made = rows(table)
    write(made, options.json)
    print(f"{sum(row['met'] for row in made)} of {len(made)} within {_grid.TOLERANCE:g}")


if __name__ == "__main__":
    main()
