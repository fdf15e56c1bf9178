"""Turn tables with a column for each run, method, seed or metric into one with a row for each."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from descenso.language import _
from descenso.study.external._columns import KNOWN, bare, listed_words
from descenso.study.external._names import read_names
from descenso.study.external._numbers import as_number, is_missing
from descenso.study.external._records import of_records
from descenso.study.external._tables import Sheet

if TYPE_CHECKING:
    import pandas as pd

RUN = "run"  # the column that names runs, once each has rows of its own
_CHART = re.compile(r"(?P<run>.+) - (?P<metric>\S.*?)(?P<end>__MIN|__MAX)?")
_SEEDS = re.compile(r"(?i)(?:(?:seed|run|fold|rep|repeat|trial|s|r)[-_ .]?)?(\d+)")
_NAMED = ("metric", "metric_name", "key", "tag", "measure", "variable")
_OPTIMIZERS = frozenset(
    listed_words(
        "adam adamw sgd sgdm gd momentum nesterov nag rmsprop adagrad adadelta adamax nadam "
        "nadamw radam lion lamb lars muon shampoo soap sophia adafactor ftrl lbfgs amsgrad "
        "adabelief yogi rprop asgd sam ranger prodigy adan novograd batch minibatch signsgd "
        "dadapt schedulefree kfac psgd galore came adopt baseline ours"
    )
)


def in_long_form(sheet: Sheet) -> Sheet:
    """Return a table with a row for each run (and step); a table in long form as it is."""
    for turn in (_chart, _columns_of_seeds, _columns_of_methods, _rows_of_metrics):
        made = turn(sheet)
        if made is not None:
            return made
    return sheet


def _made(sheet: Sheet, frame: pd.DataFrame, kind: str, note: str, **more: Any) -> Sheet:
    return Sheet(
        frame, sheet.file, sheet.label, sheet.delimiter, kind, notes=[*sheet.notes, note], **more
    )


def _chart(sheet: Sheet) -> Sheet | None:
    """Read a chart of W&B: ``name - metric`` with ``__MIN`` and ``__MAX`` beside it."""
    import pandas as pd

    matches = {name: _CHART.fullmatch(name) for name in map(str, sheet.frame.columns)}
    fitting = {name: m for name, m in matches.items() if m}
    others = [name for name, m in matches.items() if not m]
    if not fitting or len(others) > 4 or any(bare(n) in KNOWN["method"] for n in others):
        return None
    metrics = {m["metric"] for m in fitting.values() if not m["end"]}
    curves = {n: m for n, m in fitting.items() if not m["end"] and m["metric"] not in ("_step",)}
    if not curves:
        return None
    pieces = []
    for name, match in curves.items():
        frame = sheet.frame[others].copy()
        frame[RUN], frame[match["metric"]] = match["run"], sheet.frame[name]
        logged = ~sheet.frame[name].map(is_missing).to_numpy(bool)
        pieces.append(frame[logged] if logged.any() else frame.head(1))
    long = pd.concat(pieces, ignore_index=True)
    note = _("{file}: a chart of W&B, {n} curves, each of one run.").format(
        file=sheet.file.name, n=len(curves)
    )
    made = _made(sheet, long, "wandb chart", note, metrics=tuple(sorted(metrics)))
    if _is_aggregated(sheet.frame, list(curves)):
        made.notes.append(
            _(
                "The curves of the chart differ from their __MIN and __MAX: where runs are grouped a "
                "curve is a mean of several runs, which cannot be judged; export them ungrouped."
            )
        )
    return made


def _is_aggregated(frame: pd.DataFrame, curves: list[str]) -> bool:
    """Whether most values of most curves lie apart from their least and greatest."""
    apart = 0
    for name in curves:
        ends = [f"{name}__MIN", f"{name}__MAX"]
        if not all(end in frame.columns for end in ends):
            continue
        cells = frame[[name, *ends]]
        rows = [[as_number(c) for c in row] for row in cells.itertuples(index=False)]
        known = [row for row in rows if None not in row]
        apart += sum(len(set(row)) > 1 for row in known) * 2 > len(known) > 0
    return apart * 2 > len(curves)


def _melted(sheet: Sheet, columns: list[str], name: str, value: str) -> pd.DataFrame:
    import pandas as pd

    others = [c for c in sheet.frame.columns if c not in columns]
    pieces = []
    for column in columns:
        frame = sheet.frame[others].copy()
        frame[name], frame[value] = column, sheet.frame[column]
        pieces.append(frame)
    return pd.concat(pieces, ignore_index=True)


def _columns_of_seeds(sheet: Sheet) -> Sheet | None:
    """Read a row for each method with a column for each seed."""
    names = [str(c) for c in sheet.frame.columns]
    seeds = {n: m[1] for n in names if (m := _SEEDS.fullmatch(n))}
    if len(seeds) < 2 or len(seeds) + 3 < len(names) or not _has(names, "method"):
        return None
    if _has(names, "seed", seeds) or _has(names, "value", seeds):
        return None
    long = _melted(sheet, list(seeds), "seed", "value")
    long["seed"] = long["seed"].map(seeds)
    note = _("{file}: a column for each seed ({columns}).").format(
        file=sheet.file.name, columns=_few(list(seeds))
    )
    return _made(sheet, long, "wide", note)


def _has(names: list[str], role: str, without: Any = ()) -> bool:
    return any(bare(n) in KNOWN[role] for n in names if n not in without)


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def _columns_of_methods(sheet: Sheet) -> Sheet | None:
    """Read a row for each seed or step with a column for each method or run."""
    names = [str(c) for c in sheet.frame.columns]
    if _has(names, "method") or _has(names, "value"):
        return None
    runs = [n for n in names if _names_an_optimizer(n) and not _is_setting(n)]
    if len(runs) < 2 or len(names) - len(runs) > 3:
        return None
    if not all(as_number(c) is not None or is_missing(c) for n in runs for c in sheet.frame[n][:5]):
        return None
    long = _melted(sheet, runs, RUN, "value")
    read = dict(zip(runs, read_names(runs), strict=True))
    if not all(own.seed for own in read.values()) and _has(names, "seed"):
        long = long.rename(columns={RUN: "method"})
    note = _("{file}: a column for each run or method ({columns}).").format(
        file=sheet.file.name, columns=_few(runs)
    )
    return _made(sheet, long, "wide", note)


def _names_an_optimizer(name: str) -> bool:
    return any(w.rstrip("0123456789") in _OPTIMIZERS for w in re.split(r"[\W_]+", name.lower()))


def _is_setting(name: str) -> bool:
    return any(w in KNOWN["hyperparameter"] for w in re.split(r"[\W_]+", name.lower()))


def _rows_of_metrics(sheet: Sheet) -> Sheet | None:
    """Read a row for each metric of a run: a column names the metric, another holds its value."""
    names = {bare(n): n for n in map(str, sheet.frame.columns)}
    value = next((names[n] for n in ("value", "values", "score") if n in names), None)
    named = next((names[n] for n in _NAMED if n in names), None)
    if value is None or named is None:
        return None
    metrics = [str(m) for m in dict.fromkeys(sheet.frame[named]) if not is_missing(m)]
    if len(metrics) < 2:
        if bare(named) != "metric" and metrics:  # the one metric gives the values their name
            sheet.frame = sheet.frame.drop(columns=named).rename(columns={value: metrics[0]})
        return None
    others = [c for c in sheet.frame.columns if c not in (named, value)]
    others = [c for c in others if bare(c) not in ("timestamp", "wall time", "wall_time", "time")]
    rows: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for record in sheet.frame.to_dict("records"):
        key, metric = tuple(str(record[c]) for c in others), str(record[named])
        row = next((r for r in rows[key] if metric not in r), None)
        if row is None:
            row = {c: record[c] for c in others}
            rows[key].append(row)
        row[metric] = record[value]
    long = of_records([r for group in rows.values() for r in group])
    note = _("{file}: a row for each metric ({metrics}).").format(
        file=sheet.file.name, metrics=_few(metrics)
    )
    return _made(sheet, long, "metrics", note, metrics=tuple(metrics))
