"""Draw every picture of the documents again: ``make images`` or ``python tools/images.py [NAME ...]``.

What is measured anew is measured here; what takes a quiet machine for an hour is drawn from the
table that the documents publish.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "images"
sys.path.insert(0, str(ROOT))


def digits_sensitivity(path: Path) -> None:
    """Compare the six methods on digits, anew, and draw how the learning rate matters."""
    import descenso
    from descenso.report import pictures

    with tempfile.TemporaryDirectory() as folder:
        study = descenso.compare("digits", store=Path(folder) / "runs.db")
    pictures.save_figure(study.result, "sensitivity", path)


def ravine_paths(path: Path) -> None:
    """Draw what ``descenso path ravine`` draws."""
    from descenso import paths
    from descenso.methods import parse_list
    from descenso.report import pictures

    methods = parse_list("gradient_descent,momentum,rmsprop,adam")
    pictures.save_paths(paths.descend(paths.get("ravine"), methods), path)


def momentum_map(path: Path) -> None:
    """Draw what ``descenso path ravine --methods momentum --map beta`` draws."""
    from descenso import paths
    from descenso.methods import parse
    from descenso.report import pictures

    pictures.save_map(paths.settings_map(paths.get("ravine"), parse("momentum")), path)


def growth(path: Path) -> None:
    """Draw the published tables of how cost grows."""
    from benchmarks.growth import SWEEPS, draw

    draw({sweep: published_growth(sweep) for sweep in SWEEPS}, path)


def published_growth(sweep: str) -> list[dict[str, Any]]:
    """Return the rows of a table of docs/results/2026-11-25-growth.md: value, seconds, compile_seconds."""
    text = (ROOT / "docs" / "results" / "2026-11-25-growth.md").read_text(encoding="utf-8")
    table = re.search(rf"^\| {sweep} \(.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.M)
    if table is None:
        raise SystemExit(f"docs/results/2026-11-25-growth.md has no table of {sweep}")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[1].splitlines()]
    return [
        {
            "value": int(value.replace(",", "")),
            "seconds": float(seconds),
            "compile_seconds": float(compiled),
        }
        for value, seconds, _spread, _each, compiled in rows
    ]


#: What draws each file of docs/images.
PICTURES: dict[str, Callable[[Path], None]] = {
    "digits-sensitivity.png": digits_sensitivity,
    "growth.png": growth,
    "momentum-map.png": momentum_map,
    "ravine-paths.png": ravine_paths,
}


def main(names: list[str]) -> None:
    """Draw the pictures named, or all."""
    from descenso import language

    language.use("en")
    if unknown := set(names) - set(PICTURES):
        raise SystemExit(f"no such picture: {', '.join(sorted(unknown))}; there are {[*PICTURES]}")
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in names or PICTURES:
        PICTURES[name](TARGET / name)
        print(TARGET / name)


if __name__ == "__main__":
    main(sys.argv[1:])
