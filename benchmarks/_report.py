"""Print and write the rows of a benchmark."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


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
