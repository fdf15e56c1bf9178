"""Read runs from files as trackers, frameworks and people write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from descenso.errors import DataError
from descenso.language import _
from descenso.study.external._combine import combine
from descenso.study.external._files import find_files
from descenso.study.external._numbers import (
    as_number,
    is_missing,
    notes_of,
    read_numbers,
    refuse_what_is_no_number,
)
from descenso.study.external._repeats import number_runs, settle_contradictions
from descenso.study.external._roles import (
    NEEDED,
    USED,
    Roles,
    as_text,
    assign_exact,
    assign_given,
    assign_method,
    assign_problem,
    assign_seed,
    assign_split,
    assign_value,
    fill_merged_cells,
    leave_out_sums,
    refuse_sums,
    refuse_two_names_of_one_metric,
    refuse_what_is_absent,
    texts_of,
)
from descenso.study.external._state import finished_runs
from descenso.study.external._steps import assign_steps_and_settings, text_of_settings
from descenso.study.external._tables import read_sheets

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["as_number", "read_runs"]


def read_runs(
    paths: str | Path | Sequence[str | Path], columns: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Return the rows of all runs, in columns named ``method``, ``seed``, ``value`` and so on.

    A value is a number, ``None`` where it is missing, NaN or infinite only where the file says so.
    ``frame.attrs["names"]`` tells which column became which, ``frame.attrs["notes"]`` what was
    inferred, in words.

    Parameters
    ----------
    paths : files, folders or patterns; tables (CSV and its kin, Parquet, spreadsheets), JSON and
        JSON lines as W&B, MLflow, Optuna, Ray, TensorBoard, Keras, Lightning, Hugging Face and
        people write them.
    columns : our name → the table's, several joined by ``+``; what is not named is inferred.

    Raises
    ------
    DataError
        If a file cannot be read, is empty, a needed column is missing, or rows contradict.
    SettingError
        If ``columns`` names what is not there.
    """
    named = [paths] if isinstance(paths, (str, Path)) else list(paths)
    files = find_files(named)
    frame, sheets = combine([sheet for file in files for sheet in read_sheets(file)])
    where = str(files[0]) if len(files) == 1 else " ".join(map(str, named))
    roles = Roles(frame, where, sheets[0].label if len(sheets) == 1 else files[0].parent.name)
    roles.notes += list(dict.fromkeys(note for sheet in sheets for note in sheet.notes))
    assign_given(roles, dict(columns or {}))
    _leave_out_unfinished(roles)
    _assign(roles, [name for sheet in sheets for name in sheet.metrics])
    return _long_form(roles)


def _leave_out_unfinished(roles: Roles) -> None:
    given = roles.of.pop("state", [None])[0]
    roles.frame, column, notes = finished_runs(roles.frame, given)
    roles.notes += notes
    if not len(roles.frame):
        raise DataError(_("{path}: no run is finished, by column {name!r}").format(
            path=roles.where, name=column))  # fmt: skip


def _assign(roles: Roles, metrics: Sequence[str]) -> None:
    assign_exact(roles)
    assign_split(roles)
    refuse_sums(roles)
    assign_value(roles, metrics)
    assign_method(roles)
    refuse_what_is_absent(roles)
    fill_merged_cells(roles)
    refuse_two_names_of_one_metric(roles)
    _refuse_texts(roles)
    assign_problem(roles)
    assign_seed(roles)
    leave_out_sums(roles)
    assign_steps_and_settings(roles)
    number_runs(roles)
    settle_contradictions(roles)


def _refuse_texts(roles: Roles) -> None:
    name = roles.of["value"][0]
    cells = roles.frame[name].tolist()
    numbers = read_numbers(cells)
    refuse_what_is_no_number(name, cells, numbers)
    roles.notes += notes_of(name, numbers)
    # A text that is no number counts as missing from here on.
    roles.add(name, [None if v is None else c for v, c in zip(numbers.values, cells, strict=True)])


def _long_form(roles: Roles) -> pd.DataFrame:
    import pandas as pd

    made = pd.DataFrame(
        {
            role: _joined(roles, names)
            for role, names in roles.of.items()
            if role in ("method", "seed", "problem", "split", "role")
        }
    )
    for role in ("step", "resolution", "higher_is_better", "metric"):
        if role in roles.of:
            made[role] = roles.frame[roles.of[role][0]].tolist()
    if "setting" in roles.of:
        made["setting"] = text_of_settings(roles)
    made["value"] = _numbers(roles, roles.of["value"][0])
    pieces = [_without_holes(made)]
    if roles.validation is not None:
        validation = made.assign(value=_numbers(roles, roles.validation.name), split="validation")
        pieces.append(validation[[v is not None for v in validation["value"]]])
    found = pd.concat(pieces, ignore_index=True) if len(pieces) > 1 else pieces[0]
    found.attrs["names"] = {role: " + ".join(names) for role, names in roles.of.items()}
    found.attrs["notes"] = [*_columns_note(roles), *roles.notes]
    return found


def _joined(roles: Roles, names: Sequence[str]) -> list[str | None]:
    """Return the texts of columns, joined; ``None`` where all are empty."""
    texts = [texts_of(roles.frame[name]) for name in names]
    return [" / ".join(t for t in row if t) or None for row in zip(*texts, strict=True)]


def _numbers(roles: Roles, name: str) -> Any:
    import pandas as pd

    values = read_numbers(roles.frame[name].tolist()).values
    return pd.Series(values, dtype=object)


def _without_holes(rows: pd.DataFrame) -> pd.DataFrame:
    """Leave out rows without a value where their run has others: logs write metrics in turn."""
    import pandas as pd

    known = ~rows["value"].map(is_missing).to_numpy(bool)
    if "step" not in rows or known.all():
        return rows
    names = [n for n in ("problem", "method", "setting", "seed", "role") if n in rows]
    run = rows[names].map(as_text).groupby(names, sort=False).ngroup()
    has_some = pd.Series(known).groupby(run.to_numpy()).transform("any").to_numpy()
    first = ~run.duplicated().to_numpy()
    return rows[known | (~has_some & first)].reset_index(drop=True)


def _columns_note(roles: Roles) -> list[str]:
    """Say which column was taken for what, where its name does not say it."""
    said = []
    for role in (*NEEDED, *USED):
        names = [n for n in roles.of.get(role, ()) if not n.startswith("(")]
        if names and names != [role]:
            said.append(f"{role} = {' + '.join(names)}")
        if role == "value" and roles.validation is not None:
            said.append(_("validation = {name}").format(name=roles.validation.name))
    if not said:
        return []
    return [_("Columns: {columns}.").format(columns=", ".join(said))]
