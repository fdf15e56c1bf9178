"""The command line of a benchmark; print and write its rows."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def parse(
    description: str | None, kind: str, names: Iterable[str], seconds: float
) -> argparse.Namespace:
    """Read the command line: ``json``, ``chosen`` (names after ``--kind``) and ``seconds``."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = list(names)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument(f"--{kind}", nargs="+", choices=names, default=names, metavar="NAME",
                        dest="chosen", help="measure these alone: " + "; ".join(names))  # fmt: skip
    parser.add_argument("--seconds", type=float, default=seconds, help="for each, at least")
    return parser.parse_args()


def show(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print a line for each row: ours, the best peer's, their ratio with its quartiles, the target."""
    print(
        f"{'case':48} {'peer':24} {'ours':>10} {'theirs':>10} {'ratio':>7}  quartiles      target"
    )
    for row in rows:
        low, high = row["spread"]
        met = "met" if row["met"] else "NOT MET"
        print(
            f"{row['case']:48} {row['peer']:24} {row['ours']:10.4g} {row['theirs']:10.4g} "
            f"{row['ratio']:7.3f}  {low:.3f}-{high:.3f}  {row['target']:6.3g} {met}"
        )


def write(rows: Iterable[Mapping[str, Any]], path: Path | None) -> None:
    """Write the rows as JSON, if a path is given."""
    if path:
        path.write_text(json.dumps(list(rows), indent=1) + "\n", encoding="utf-8")
