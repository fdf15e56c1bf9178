"""Tell rows apart: what numbers the runs where no seed does, and what to do with rows that contradict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.errors import DataError
from descenso.language import _, ngettext
from descenso.study.external import _columns as columns
from descenso.study.external._columns import KNOWN, leaf
from descenso.study.external._combine import FILE
from descenso.study.external._numbers import as_number, is_missing
from descenso.study.external._roles import Roles, as_text, codes_of, texts_of
from descenso.study.external._steps import _is_resumed, _joined, _numbers

if TYPE_CHECKING:
    import pandas as pd

_KEY = ("problem", "method", "setting", "seed", "split", "role")
_TREND = 0.9  # a rank correlation of values with their rows that runs of chance hardly have
_FEWEST = 8


def number_runs(roles: Roles) -> None:
    """Number the runs of each method where no column is a seed.

    Raises
    ------
    DataError
        If rows without a seed may be of one curve, or of several that nothing separates.
    """
    if "seed" in roles.of:
        return
    groups = roles.groups(_KEY)
    if "step" in roles.of:
        numbers = _by_restarts(roles, groups)
    elif np.bincount(groups).max() > 1:
        numbers = _by_rows(roles, groups)
    else:
        numbers = np.ones(len(groups), int)
        roles.notes.append(_("No column is a seed: each method has one run at each setting."))
    several = numbers.max() > 1
    methods = texts_of(roles.frame[roles.of["method"][0]])
    # Runs of one number are no pairs: methods are named with it, so that none is shared.
    texts = [f"{m} {k}" if several else str(k) for m, k in zip(methods, numbers, strict=True)]
    roles.add("(seed)", texts)
    roles.of["seed"] = ["(seed)"]


def _by_rows(roles: Roles, groups: Any) -> Any:
    values = _numbers(roles.frame, roles.of["value"][0])
    trends = [_trend(values[groups == g]) for g in np.unique(groups)]
    if trends and min(trends) > _TREND:
        raise DataError(
            _(
                "no column is a seed or counts steps, and values rise or fall with the rows: are the "
                "rows of a curve or of single runs? Name the column: --columns step=COLUMN or "
                "--columns seed=COLUMN"
            )
        )
    roles.notes.append(
        _(
            "No column is a seed: each row is taken for a run of its own, and methods are compared "
            "as independent samples."
        )
    )
    return _counts_within(groups)


def _trend(values: Any) -> float:
    from scipy import stats

    known = values[np.isfinite(values)]
    if len(known) < _FEWEST or np.ptp(known) == 0:
        return 0.0
    return abs(float(stats.spearmanr(np.arange(len(known)), known).statistic))


def _counts_within(groups: Any) -> Any:
    import pandas as pd

    return pd.Series(groups).groupby(groups).cumcount().to_numpy() + 1


def _by_restarts(roles: Roles, groups: Any) -> Any:
    """Number runs that follow one another: a run begins where the steps start over."""
    steps = _numbers(roles.frame, roles.of["step"][0])
    numbers = np.ones(len(groups), int)
    restarts = 0
    for group in np.unique(groups):
        rows = np.flatnonzero((groups == group) & np.isfinite(steps))
        own = steps[rows]
        starts = np.diff(own) <= 0
        if starts.any() and (own[1:][starts] != own[0]).any():
            raise DataError(
                _(
                    "column {name!r} has steps more than once for one method, and no column is a "
                    "seed: name what tells the runs apart: --columns seed=COLUMN"
                ).format(name=roles.of["step"][0])
            )
        numbers[rows] = 1 + np.concatenate([[0], np.cumsum(starts)])
        restarts += int(starts.sum())
    roles.notes.append(
        _(
            "No column is a seed: a run is taken to begin where {name!r} starts over, and methods "
            "are compared as independent samples."
        ).format(name=roles.of["step"][0])
        if restarts
        else _("No column is a seed: each method has one run at each setting.")
    )
    return numbers


def settle_contradictions(roles: Roles) -> None:
    """Keep the later rows of resumed runs; refuse rows of one run that contradict otherwise.

    Raises
    ------
    DataError
        Naming a run, its values, and the columns that tell its rows apart, if any does.
    """
    rows = roles.frame[~roles.frame[roles.of["value"][0]].map(is_missing)]
    keys = roles.groups((*_KEY, "step"), rows)
    values = _value_texts(rows[roles.of["value"][0]])
    clashing = _clashing(keys, values)
    if not clashing.any():
        return
    if "step" in roles.of:
        steps = _numbers(rows, roles.of["step"][0])
        if _is_resumed(steps, roles.groups(_KEY, rows)):
            _keep_later(roles, rows, keys)
            return
    raise _contradiction(roles, rows, keys, values, clashing)


def _value_texts(cells: pd.Series) -> list[str]:
    known = {cell: as_text(cell) or str(cell) for cell in cells.unique()}
    return [known.get(cell, "nan") for cell in cells]


def _clashing(keys: Any, values: list[str]) -> Any:
    """Return which rows share a key with a row of another value."""
    import pandas as pd

    table = pd.DataFrame({"key": keys, "value": values})
    return (table.groupby("key")["value"].transform("nunique") > 1).to_numpy()


def _keep_later(roles: Roles, rows: pd.DataFrame, keys: Any) -> None:
    import pandas as pd

    earlier = pd.Series(keys, index=rows.index).duplicated(keep="last")
    n = int(earlier.sum())
    roles.frame = roles.frame.drop(index=rows.index[earlier]).reset_index(drop=True)
    roles.notes.append(
        ngettext(
            "Runs were resumed: of {n} step that is there twice the later row counts.",
            "Runs were resumed: of {n} steps that are there twice the later rows count.",
            n,
        ).format(n=n)
    )


def _contradiction(
    roles: Roles, rows: pd.DataFrame, keys: Any, values: list[str], clashing: Any
) -> DataError:
    place = int(np.flatnonzero(clashing)[0])
    same = [v for v, k in zip(values, keys, strict=True) if k == keys[place]]
    run = ", ".join(
        f"{role} {' '.join(as_text(rows.iloc[place][n]) for n in roles.of[role])}"
        for role in ("problem", "method", "seed", "step")
        if role in roles.of
    )
    n = int(clashing.sum())
    first = ngettext(
        "{n} row contradicts another of its run: {run} has the values {values}.",
        "{n} rows contradict others of their run: {run} has the values {values}.",
        n,
    ).format(n=n, run=run, values=", ".join(dict.fromkeys(same[:8])))
    apart = _telling_apart(roles, rows[clashing], keys[clashing], np.array(values)[clashing])
    if not apart:
        return DataError(
            f"{first} "
            + _(
                "No column tells them apart. Give each run a seed of its own, or name the column "
                "that counts: --columns step=COLUMN"
            )
        )
    name = apart[0]
    shown = _("file") if name == FILE else name
    return DataError(
        f"{first} "
        + _(
            "Column {name!r} tells them apart; say what it is: --columns problem={name} (methods are "
            "compared within it), setting={name} (each method was tuned over it), seed={name} (it "
            "numbers repetitions) or step={name} (it counts inside a run)."
        ).format(name=shown)
    )


def _telling_apart(roles: Roles, rows: pd.DataFrame, keys: Any, values: Any) -> list[str]:
    """Return unused columns by which no two rows contradict, what names best first."""

    found = []
    for name in roles.unused():
        cells = codes_of(rows[name])
        if not _clashing(_joined(keys, [cells]), list(values)).any():
            found.append(name)

    def rank(name: str) -> tuple[bool, bool, bool]:
        decimals = any(
            (v := as_number(c)) is not None and v != v // 1 for c in roles.levels(name)[:50]
        )
        return (
            columns.is_bookkeeping(name) or leaf(name) in KNOWN["clock"],
            decimals,
            name == FILE,
        )

    return sorted((c for c in found if not rank(c)[1]), key=rank)
