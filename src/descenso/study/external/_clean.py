"""Make runs of the rows of a table, and note everything that was wrong with them."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from descenso.errors import DataError
from descenso.language import _, ngettext
from descenso.study.external._numbers import as_number

if TYPE_CHECKING:
    import pandas as pd

_CHOOSING = ("validation", "valid", "val", "dev")
_JUDGING = ("test", "testing", "eval", "evaluation")


@dataclass(frozen=True)
class ExternalRun:
    """One run: its value at each step, on the split that chooses and on the one that judges."""

    problem: str
    method: str
    setting: str
    role: str
    seed: str
    curves: dict[str, dict[float, float]] = field(default_factory=dict)  # split → step → value
    until: float = math.inf

    def last(self, split: str) -> float:
        """Return the value at the last step up to ``until``, or the first; NaN without values."""
        curve = self.curves.get(split, {})
        if not curve:
            return math.nan
        return curve[max((step for step in curve if step <= self.until), default=min(curve))]

    def last_of_all(self) -> float:
        """Return the last value on the split that judges."""
        curve = self.curves.get("test") or next(iter(self.curves.values()))
        return curve[max(curve)]

    def steps(self, split: str) -> float:
        """Return the last step."""
        return max(self.curves.get(split, {0.0: 0.0}))


@dataclass
class Runs:
    """All runs of a table, and what is to be said about its rows."""

    runs: list[ExternalRun]
    notes: list[str]


def clean(table: pd.DataFrame) -> Runs:
    """Return the runs of a table, whatever the order of its rows.

    Raises
    ------
    DataError
        If no row can be used, or a split is neither for choosing nor for judging nor for training.
    """
    counts: Counter[str] = Counter()
    values: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for row in table.to_dict("records"):
        _take(row, values, counts)
    if not values:
        raise DataError(_("no row of the table has a method, a seed and a value"))
    runs: dict[tuple[str, ...], ExternalRun] = {}
    for (*key, split, step), given in sorted(values.items(), key=lambda item: str(item[0])):
        problem, method, setting, role, seed = identity = tuple(map(str, key))
        run = runs.setdefault(identity, ExternalRun(problem, method, setting, role, seed))
        run.curves.setdefault(split, {})[step] = _one(given, counts)
    return Runs(list(runs.values()), [*table.attrs.get("notes", ()), *_notes(counts)])


def _take(row: dict[str, Any], values: dict[Any, list[float]], counts: Counter[str]) -> None:
    method, seed = _text(row["method"]), _text(row["seed"])
    value = as_number(row["value"])
    if not method or not seed or value is None:
        counts["missing"] += 1
        return
    split = _split(_text(row.get("split")), counts)
    if split == "train":
        return
    step = as_number(row.get("step"))
    if step is not None and not math.isfinite(step):
        counts["step"] += 1
        return
    if not math.isfinite(value):
        counts["nonfinite"] += 1
    key = (_text(row.get("problem")), method, _text(row.get("setting")), _text(row.get("role")))
    values[(*key, _seed(seed), split, step or 0.0)].append(value)


def _text(cell: Any) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    return str(cell).strip()


def _seed(text: str) -> str:
    """Return the seed as one text: ``3`` for ``3.0``."""
    number = as_number(text)
    if number is not None and math.isfinite(number) and number == int(number):
        return str(int(number))
    return text


def _split(text: str, counts: Counter[str]) -> str:
    word = text.lower()
    if word.startswith("train"):
        counts["train"] += 1
        return "train"
    if word in _CHOOSING:
        return "validation"
    if not word or word in _JUDGING:
        return "test"
    raise DataError(
        _("a split is {known}; got {text!r}").format(
            known=", ".join(("train", "validation", "test")), text=text
        )
    )


def _one(given: list[float], counts: Counter[str]) -> float:
    if len(given) == 1:
        return given[0]
    same = len({repr(v) for v in given}) == 1
    counts["duplicated" if same else "conflicting"] += len(given) - 1
    return given[0] if same else math.fsum(sorted(given)) / len(given)


def _notes(counts: Counter[str]) -> list[str]:
    said: dict[str, Callable[[int], str]] = {
        "missing": lambda n: ngettext(
            "{n} row lacks its method, seed or value, and was left out.",
            "{n} rows lack their method, seed or value, and were left out.", n),
        "step": lambda n: ngettext(
            "{n} row has a step that is no number, and was left out.",
            "{n} rows have a step that is no number, and were left out.", n),
        "nonfinite": lambda n: ngettext(
            "{n} value is not finite; its run counts as diverged where that is its last.",
            "{n} values are not finite; a run counts as diverged where that is its last.", n),
        "duplicated": lambda n: ngettext(
            "{n} row is there twice; it counts once.",
            "{n} rows repeat others; each counts once.", n),
        "conflicting": lambda n: ngettext(
            "{n} row says otherwise than another of the same run and step; their mean was taken.",
            "{n} rows say otherwise than others of the same run and step; means were taken.", n),
        "train": lambda n: ngettext(
            "{n} row is of the training split, which judges nothing.",
            "{n} rows are of the training split, which judges nothing.", n),
    }  # fmt: skip
    return [say(counts[kind]).format(n=counts[kind]) for kind, say in said.items() if counts[kind]]


def by_seed(seeds: Iterable[str]) -> list[str]:
    """Return seeds in the order of their numbers, others after them by name."""

    def order(seed: str) -> tuple[int, float, str]:
        number = as_number(seed)
        plain = number is not None and math.isfinite(number)
        return (0, float(number or 0), seed) if plain else (1, 0.0, seed)

    return sorted(seeds, key=order)
