"""Find what counts the steps of a curve, and which rates are settings and not a schedule's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.errors import DataError
from descenso.language import _
from descenso.study.external import _columns as columns
from descenso.study.external._columns import KNOWN, bare, leaf
from descenso.study.external._combine import FILE
from descenso.study.external._numbers import as_number, is_missing
from descenso.study.external._roles import Roles, as_text, codes_of, texts_of

if TYPE_CHECKING:
    import pandas as pd

#: Names of steps that may also hold how many a run took in all.
_TOTALS = frozenset(
    columns.listed_words(
        "epochs steps iterations iters rounds updates evaluations samples total_steps num_steps n_iter "
        "nfev evals tokens examples episodes num_epochs n_epochs"
    )
)
_MANY = 8  # rows of a method that rise all together are a curve
RUN = ("problem", "method", "seed", "split", "role")


def assign_steps_and_settings(roles: Roles) -> None:
    """Assign the column of steps and those of settings; each tells which the other is."""
    rows = _rows_with_values(roles)
    settings = [c for c in _may_be_settings(roles) if any(as_text(x) for x in rows[c].unique())]
    rates = [c for c in settings if leaf(c) in columns.SCHEDULED and not columns.of_settings(c)]
    chosen = [codes_of(rows[c]) for c in settings if c not in rates]
    apart = _joined(roles.groups(RUN, rows), chosen)
    whole = _joined(apart, [codes_of(rows[c]) for c in rates])
    given = roles.of.get("step", [None])[0]
    step = given or _named_counter(roles, rows, apart, settings)
    if step and _is_curve(apart) and _is_counting(_numbers(rows, step), apart):
        settings = [c for c in settings if c not in rates or not _is_scheduled(rows, c, apart)]
    elif not given:
        step = _counting(roles, rows, whole, settings)
    if step is not None:
        roles.of["step"] = [step]
    if "setting" not in roles.of:
        _assign_settings(roles, settings)


def _rows_with_values(roles: Roles) -> pd.DataFrame:
    judged = roles.frame[roles.of["value"][0]].map(is_missing)
    return roles.frame[~judged].reset_index(drop=True)


def _is_curve(groups: Any) -> bool:
    return bool(len(groups)) and int(np.bincount(groups).max()) > 1


def _joined(groups: Any, codes: Sequence[Any]) -> Any:
    import pandas as pd

    return (
        pd.DataFrame(dict(enumerate([groups, *codes])))
        .groupby(list(range(len(codes) + 1)), sort=False)
        .ngroup()
        .to_numpy()
    )


def _numbers(rows: pd.DataFrame, name: str) -> Any:
    known: dict[Any, float] = {}
    values = []
    for cell in rows[name].tolist():
        if cell not in known:
            number = as_number(cell)
            known[cell] = math.nan if number is None else number
        values.append(known[cell])
    return np.array(values, float)


def _named_counter(
    roles: Roles, rows: pd.DataFrame, groups: Any, without: Sequence[str]
) -> str | None:
    """Return the column that counts inside each run and is named so."""
    for name in roles.named(KNOWN["step"]):
        values = _numbers(rows, name)
        if name in without or _looks_like_batch_sizes(name, values):
            continue
        if _is_counting(values, groups):
            if leaf(name) in _TOTALS:
                _refuse_doubtful(roles, name, values, groups)
            return name
    return None


def _counting(roles: Roles, rows: pd.DataFrame, groups: Any, settings: Sequence[str]) -> str | None:
    """Return the column that counts inside each run: by its name and by how it behaves."""
    named = [c for c in roles.named(KNOWN["step"]) if c not in settings]
    able = [(c, v) for c in named if np.isfinite(v := _numbers(rows, c)).mean() > 0.5]
    able = [(c, v) for c, v in able if not _looks_like_batch_sizes(c, v)]
    if not _is_curve(groups):
        return able[0][0] if able else None
    counting = _named_counter(roles, rows, groups, settings)
    if counting:
        return counting
    unnamed = [
        c
        for c in roles.unused()
        if c not in settings
        and leaf(c) not in (*KNOWN["seed"], *KNOWN["id"])
        and (bare(c) == "index" or not columns.is_bookkeeping(c))
        and _counts_up(values := _numbers(rows, c), groups)
        and not (bare(c) == "index" and _numbers_all_rows(values, groups))
    ]
    if unnamed:
        if bare(unnamed[0]) == "index" and FILE not in rows:
            _refuse_doubtful_index(roles, rows, groups)
        roles.notes.append(
            _("{name!r} is taken for the step: it counts up inside every run.").format(
                name=unnamed[0]
            )
        )
        return unnamed[0]
    clocks = [c for c in roles.named(KNOWN["clock"]) if _is_counting(_numbers(rows, c), groups)]
    if clocks:
        _refuse_doubtful(roles, clocks[0], _numbers(rows, clocks[0]), groups)
        return clocks[0]
    resumed = [c for c, v in able if _is_resumed(v, groups)]
    return resumed[0] if resumed else None


def _numbers_all_rows(values: Any, groups: Any) -> bool:
    """Whether an index goes on from one run to the next: it counts the rows of the table."""
    return len(np.unique(groups)) > 1 and len(np.unique(values)) == len(values)


def _refuse_doubtful(roles: Roles, name: str, values: Any, groups: Any) -> None:
    """Refuse to take what few single runs may have spent for the steps of a curve.

    Raises
    ------
    DataError
        If no column is a seed, each method has few rows, and hardly a number occurs in two methods.
    """
    if "seed" in roles.of or len(np.unique(groups)) < 2:
        return
    numbers, counts = np.unique(values, return_counts=True)
    if int(np.bincount(groups).max()) < _MANY and (counts > 1).sum() * 2 < len(numbers):
        raise DataError(
            _(
                "{path}: does {name!r} count the steps of one run of each method, or is it what "
                "single runs took? Say it: --columns step={name}, or name the column of seeds: "
                "--columns seed=COLUMN"
            ).format(path=roles.where, name=name)
        )


def _refuse_doubtful_index(roles: Roles, rows: pd.DataFrame, groups: Any) -> None:
    """Refuse to take an index that starts over for each method for steps, where no curve is seen.

    Raises
    ------
    DataError
        If no column is a seed, each method has few rows, and their values go up and down.
    """
    values = _numbers(rows, roles.of["value"][0])
    own = [values[groups == group] for group in np.unique(groups)]
    steady = all(bool((np.diff(v) >= 0).all() or (np.diff(v) <= 0).all()) for v in own)
    if "seed" in roles.of or len(own) < 2 or max(map(len, own)) >= _MANY or steady:
        return
    raise DataError(
        _(
            "{path}: are the rows of a method one run, which its index counts, or single runs? Say it: "
            "--columns step=index or --columns seed=index"
        ).format(path=roles.where)
    )


def _looks_like_batch_sizes(name: str, values: Any) -> bool:
    if leaf(name) not in ("batch", "samples", "epochs", "steps", "rounds", "iterations", "iters"):
        return False
    different = np.unique(values[np.isfinite(values)])
    return bool(len(different) < 8 and (different > 1).all() and len(different) > 1 and (
        np.log2(different) % 1 == 0
    ).all())  # fmt: skip


def _is_counting(values: Any, groups: Any) -> bool:
    """Whether no run has a number twice, and some run has several."""
    known = np.isfinite(values)
    pairs = np.stack([groups[known], values[known]])
    different = np.unique(pairs, axis=1).shape[1]
    return bool(known.mean() > 0.5) and different == int(known.sum()) and _is_curve(groups[known])


def _counts_up(values: Any, groups: Any) -> bool:
    """Whether whole numbers rise from row to row of each run, from where other runs begin too."""
    if not np.isfinite(values).all() or not (values == np.floor(values)).all():
        return False
    firsts = []
    for group in np.unique(groups):
        own = values[groups == group]
        if len(own) > 1 and not (np.diff(own) > 0).all():
            return False
        firsts.append(own[0])
    several = int(np.bincount(groups).max()) > 2
    most = max(firsts.count(f) for f in set(firsts))
    return several and bool(most * 2 >= len(firsts))


def _is_resumed(values: Any, groups: Any) -> bool:
    """Whether each run counts up, save that it goes back to a later step than its first and goes on."""
    for group in np.unique(groups):
        own = values[groups == group]
        back = np.flatnonzero(np.diff(own) <= 0) + 1
        if any(own[i] <= own[0] or own[i:].max() < own[:i].max() for i in back):
            return False
        if len(back) * 4 > len(own):
            return False
    return _is_curve(groups)


def _is_scheduled(rows: pd.DataFrame, name: str, groups: Any) -> bool:
    """Whether a rate changes inside runs that count steps: a schedule set it, it sets no run apart."""
    pairs = np.unique(np.stack([groups, codes_of(rows[name])]), axis=1)
    return bool(pairs.shape[1] > len(np.unique(groups)))


def _may_be_settings(roles: Roles) -> list[str]:
    """Return the columns that hold what was chosen for a run."""
    if "setting" in roles.of:
        return []
    exact = [c for c in roles.named(KNOWN["setting"]) if roles.levels(c)]
    if exact:
        return exact[:1]
    return [
        c
        for c in roles.unused()
        if columns.is_hyperparameter(c)
        and not columns.is_bookkeeping(c)
        and leaf(c) not in (*KNOWN["seed"], *KNOWN["step"], *KNOWN["id"], *KNOWN["run"])
        and roles.levels(c)
    ]


def _assign_settings(roles: Roles, found: Sequence[str]) -> None:
    """Assign the settings that differ between runs of a method; one for each run is a name."""
    runs = roles.groups(("problem", "method", "seed"))
    methods = roles.groups(("problem", "method"))
    kept = []
    for name in found:
        codes = codes_of(roles.frame[name])
        varies = np.unique(np.stack([methods, codes]), axis=1).shape[1] > len(np.unique(methods))
        texts = not all(as_number(level) is not None for level in roles.levels(name))
        exact = bare(name) in KNOWN["setting"]
        if texts and varies and not exact and _names_each_run(runs, methods, codes):
            roles.notes.append(
                _("{name!r} differs for every run and is no setting.").format(name=name)
            )
        elif varies or exact or leaf(name) in ("lr", "learning_rate"):
            kept.append(name)
    if kept:
        roles.of["setting"] = kept


def _names_each_run(runs: Any, methods: Any, codes: Any) -> bool:
    different = np.unique(np.stack([methods, codes]), axis=1).shape[1]
    count = len(np.unique(np.stack([methods, runs]), axis=1).T)
    return bool(different >= count > 2)


def text_of_settings(roles: Roles) -> list[str]:
    """Return the settings of each row as one text: ``lr=0.1, momentum=0.9``."""
    names = roles.of.get("setting", [])
    if not names:
        return [""] * len(roles.frame)
    if len(names) == 1 and not columns.is_hyperparameter(names[0]):
        return texts_of(roles.frame[names[0]])
    parts = [_short(roles, name) for name in names]
    return [
        ", ".join(f"{leaf(n)}={t}" for n, t in zip(names, row, strict=True) if t)
        for row in zip(*parts, strict=True)
    ]


def _short(roles: Roles, name: str) -> list[str]:
    """Return the settings of a column with four figures, where these tell all of them apart."""
    short: dict[str, str] = {}
    for level in roles.levels(name):
        number = as_number(level)
        short[level] = level if number is None else f"{number:.4g}"
    if len(set(short.values())) < len(short):
        short = {level: level for level in short}
    return [short.get(text, "") for text in texts_of(roles.frame[name])]
