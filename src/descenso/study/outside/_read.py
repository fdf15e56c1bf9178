"""Read runs from a table on disk: CSV, Parquet or JSON lines, in long form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from descenso.errors import DataError, SettingError, nearest
from descenso.language import _
from descenso.language import reason as reason_of

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("method", "seed", "value")
USED = ("setting", "step", "split", "problem", "role", "resolution", "higher_is_better", "metric")
#: How exports of experiment trackers name the columns, beside a prefix such as ``params.``.
_ALIASES = {
    "method": ("optimizer", "optimiser", "opt", "algorithm"),
    "seed": ("random_seed", "rng_seed"),
    "setting": ("settings", "config", "hyperparameters", "lr", "learning_rate"),
    "step": ("epoch", "_step", "iteration"),
    "split": ("part", "subset"),
    "problem": ("dataset", "task", "testproblem"),
}
_PREFIXES = ("params.", "tags.", "config.", "config/", "summary.", "metrics.")


def read_runs(path: str | Path, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Return the table with its columns named ``method``, ``seed``, ``value`` and so on.

    Cells are left as they are written. ``frame.attrs["names"]`` tells which column became which.

    Parameters
    ----------
    path : ``.csv``, ``.tsv``, ``.parquet``, ``.jsonl``, ``.ndjson`` or ``.json``.
    columns : our name → the table's.

    Raises
    ------
    DataError
        If the file cannot be read, is empty, or a needed column is missing.
    SettingError
        If ``columns`` names what is not there.
    """
    file = Path(path)
    try:
        table = _read(file)
    except OSError as error:
        raise DataError(
            _("{path} cannot be read: {reason}").format(path=file, reason=reason_of(error))
        ) from error
    except (ValueError, ImportError, UnicodeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            _("{path} is not the table its name says: {reason}").format(path=file, reason=reason)
        ) from error
    if not len(table):
        raise DataError(_("{path} holds no rows").format(path=file))
    names = _names(list(map(str, table.columns)), dict(columns or {}), file)
    table.columns = table.columns.map(str)
    found = table[list(names.values())].copy()
    found.columns = list(names)
    found.attrs["names"] = names
    return found


def _read(file: Path) -> pd.DataFrame:
    import pandas as pd

    kind = file.suffix.lower()
    if kind == ".parquet":
        return pd.read_parquet(file)
    if kind in (".jsonl", ".ndjson"):
        lines = file.read_text(encoding="utf-8-sig").splitlines()
        return _of_records([json.loads(line) for line in lines if line.strip()])
    if kind == ".json":
        return _of_records(json.loads(file.read_text(encoding="utf-8-sig")))
    # Text, so that an empty cell (missing) and "nan" (diverged) stay two things.
    return pd.read_csv(
        file, sep=_separator(file), dtype=str, keep_default_na=False, encoding="utf-8-sig"
    )


def _separator(file: Path) -> str:
    """Return what parts the names in the first line."""
    with file.open(encoding="utf-8-sig") as opened:
        first = opened.readline()
    return max(",;\t|", key=first.count)


def _of_records(records: Any) -> pd.DataFrame:
    """Return a table whose absent cells are ``None``, apart from NaN, which means diverged."""
    import pandas as pd

    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise ValueError(_("it must hold one object for each row"))
    columns = list(dict.fromkeys(name for record in records for name in record))
    rows = [[record.get(name) for name in columns] for record in records]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def _names(there: list[str], given: dict[str, str], file: Path) -> dict[str, str]:
    for ours, theirs in given.items():
        if ours not in (*NEEDED, *USED):
            raise SettingError(
                _("--columns names {ours!r}; it may name {known}").format(
                    ours=ours, known=", ".join((*NEEDED, *USED))
                )
            )
        if theirs not in there:
            close = nearest(theirs, there)
            hint = _(" Did you mean {name!r}?").format(name=close) if close else ""
            raise SettingError(
                _("{path} has no column {name!r}.").format(path=file, name=theirs) + hint
            )
    names = dict(given)
    for ours in (*NEEDED, *USED):
        if ours not in names and (found := _find(ours, there, set(names.values()))):
            names[ours] = found
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise DataError(
            _(
                "{path} has no column {missing}; it has {there}. Name it: "
                "--columns {example}=COLUMN"
            ).format(path=file, missing=", ".join(missing), there=", ".join(there),
                     example=missing[0])
        )  # fmt: skip
    return names


def _find(ours: str, there: list[str], taken: set[str]) -> str | None:
    bare = {name: _bare(name) for name in there if name not in taken}
    for wanted in (ours, *_ALIASES.get(ours, ())):
        fitting = [name for name, short in bare.items() if short == wanted]
        if fitting:
            return fitting[0]
    if ours == "value":
        metrics = [name for name in bare if name.startswith(("metrics.", "summary."))]
        return metrics[0] if len(metrics) == 1 else None
    return None


def _bare(name: str) -> str:
    short = name.strip().lower()
    for prefix in _PREFIXES:
        short = short.removeprefix(prefix)
    return short


def as_number(cell: Any) -> float | None:
    """Return the number a cell holds; ``None`` where it is empty; NaN where it is no number."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    try:
        return float(cell)
    except (TypeError, ValueError):
        return float("nan")
