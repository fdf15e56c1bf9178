"""Put the tables of several files into one, with what the names of files and folders say."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from descenso.data.figures import COMMA
from descenso.errors import DataError
from descenso.language import _
from descenso.study.external._columns import bare
from descenso.study.external._files import SETTINGS
from descenso.study.external._metric import VALIDATION, describe, results
from descenso.study.external._numbers import as_number, decimal_sign
from descenso.study.external._records import flatten, mapping_in
from descenso.study.external._tables import Sheet
from descenso.study.external._wide import in_long_form

if TYPE_CHECKING:
    import pandas as pd

FILE = "(file)"  # the column that names the file, or the run within it, that a row is of
_GENERIC = re.compile(
    r"(?i)(?:metrics?|progress|results?|history|training(?:_log)?|train|log|logs|trainer_state|output|monitor"
    r"|scores?|summary|lightning_logs|csv_logs|csvlogger|checkpoint-\d+|runs?|data|\.|tb|tensorboard|evaluations?|files)"
)
_TAGGED = re.compile(r"(?:run[-_.])?(?P<run>.*?)[-_.]?tag[-_.](?P<tag>.+)")
_TENSORBOARD = {"wall_time", "step", "value"}


def combine(sheets: Sequence[Sheet]) -> tuple[pd.DataFrame, list[Sheet]]:
    """Return one table of all rows, and the tables as they were understood.

    The column ``(file)`` names the file of a row where there are several.
    """
    import pandas as pd

    several = len({sheet.file for sheet in sheets}) > 1
    root = Path(os.path.commonpath([s.file.parent for s in sheets])) if several else None
    made = [_understood(sheet, root) for sheet in sheets]
    frames = []
    for sheet in made:
        frame = sheet.frame.astype(object).reset_index(drop=True)
        if len(made) > 1:
            frame[FILE] = sheet.label
        frames.append(frame)
    columns = list(dict.fromkeys(c for frame in frames for c in frame.columns))
    # An absent column holds None, which is missing; NaN would be a divergence.
    data: dict[str, list[Any]] = {c: [] for c in columns}
    for frame in frames:
        for c in columns:
            data[c] += frame[c].tolist() if c in frame.columns else [None] * len(frame)
    data = {c: [_scalar(cell) for cell in cells] for c, cells in data.items()}
    return pd.DataFrame({c: pd.Series(v, dtype=object) for c, v in data.items()}), made


def _understood(sheet: Sheet, root: Path | None) -> Sheet:
    _open_mappings(sheet)
    _write_points(sheet)
    _number_rows(sheet)
    label = "/".join(filter(None, (_label(sheet.file, root), sheet.label)))
    sheet.label = label or sheet.file.stem
    _name_scalar(sheet)
    sheet = in_long_form(sheet)
    _add_settings(sheet)
    return sheet


def _label(file: Path, root: Path | None) -> str:
    if root is None:
        return ""
    stem = file.name.split(".")[0] if file.name.startswith("events") else file.stem
    parts = [*file.parent.relative_to(root).parts, stem]
    return "/".join(p for p in parts if not _GENERIC.fullmatch(p))


def _open_mappings(sheet: Sheet) -> None:
    """Give each key of cells that hold a mapping a column: ``config.lr`` of ``{'lr': 0.1}``."""
    for name in list(sheet.frame.columns):
        cells = sheet.frame[name].tolist()
        first = next((c for c in cells if c not in (None, "")), None)
        if mapping_in(first) is None:
            continue
        opened = [flatten(found, f"{name}.") if (found := mapping_in(c)) else {} for c in cells]
        unread = sum(
            1 for c, o in zip(cells, opened, strict=True) if not o and str(c or "").strip(" {}")
        )
        if unread:
            raise DataError(
                _("{path}: column {name!r} holds mappings, {n} of which cannot be read").format(
                    path=sheet.file, name=name, n=unread
                )
            )
        keys = list(dict.fromkeys(k for o in opened for k in o))
        place = sheet.frame.columns.get_loc(name)
        sheet.frame = sheet.frame.drop(columns=name)
        for offset, key in enumerate(keys):
            sheet.frame.insert(place + offset, key, [o.get(key) for o in opened], True)


def _write_points(sheet: Sheet) -> None:
    """Write decimal points for decimal commas, so that every cell is read alike from here on."""
    columns = [sheet.frame[name].tolist() for name in sheet.frame.columns]
    if decimal_sign(columns, sheet.delimiter) != COMMA:
        return

    def point(cell: Any) -> Any:
        if not isinstance(cell, str) or "," not in cell:
            return cell
        number = as_number(cell.rstrip("% "), COMMA)
        return cell if number is None else f"{number!r}{'%' if cell.rstrip().endswith('%') else ''}"

    sheet.frame = sheet.frame.map(point)
    sheet.notes.append(
        _("{file}: commas are taken for decimal signs.").format(file=sheet.file.name)
    )


def _number_rows(sheet: Sheet) -> None:
    """Name the unnamed index of pandas, and number the epochs of a history that does not."""
    for name in list(sheet.frame.columns):
        if not str(name) or re.fullmatch(r"Unnamed: \d+", str(name)):
            sheet.frame = sheet.frame.rename(columns={name: "index"})
            return
    metrics = [describe(str(name)) for name in sheet.frame.columns]
    bases = {m.base for m in metrics if not m.split}
    history = any(m.split == VALIDATION and m.base in bases for m in metrics) or "loss" in bases
    if history and len(sheet.frame) > 1 and len(results(sheet.frame, ())) == len(metrics):
        sheet.frame["epoch"] = range(len(sheet.frame))
        sheet.notes.append(_("Rows of a history without a step are taken for epochs."))


def _name_scalar(sheet: Sheet) -> None:
    """Give the ``Value`` column of a TensorBoard CSV the name of its scalar."""
    names = {bare(str(n)): n for n in sheet.frame.columns}
    if set(names) != _TENSORBOARD:
        return
    tagged = _TAGGED.fullmatch(sheet.file.stem)
    metric = tagged["tag"] if tagged else "value"
    if tagged:
        folder, _slash, _name = sheet.label.rpartition("/")
        sheet.label = "/".join(filter(None, (folder, tagged["run"]))) or sheet.label
    sheet.kind = "tensorboard"
    sheet.metrics = (metric,)
    sheet.frame = sheet.frame.drop(columns=names["wall_time"]).rename(
        columns={names["value"]: metric}
    )


def _add_settings(sheet: Sheet) -> None:
    """Take the configuration that lies beside a run: ``params.json``, ``hparams.yaml``, ..."""
    if any(str(c).startswith(("config/", "params.", "config.")) for c in sheet.frame.columns):
        return
    found = _settings_file(sheet.file)
    if found is None:
        return
    values = {k: v for k, v in _parsed_settings(found).items() if _is_scalar(v)}
    there = {bare(str(c)) for c in sheet.frame.columns}
    added = {f"config.{k}": v for k, v in values.items() if bare(k) not in there}
    if not added:
        return
    for name, value in added.items():
        sheet.frame[name] = [value] * len(sheet.frame)
    sheet.notes.append(
        _("Settings of runs are read from {name} beside them.").format(name=found.name)
    )


def _settings_file(file: Path) -> Path | None:
    if _GENERIC.fullmatch(file.stem) is None:
        return None  # a file of its own name is not the one record of its folder
    for folder in (file.parent, file.parent / ".hydra"):
        for name in SETTINGS:
            if (folder / name).is_file() and folder / name != file:
                return folder / name
    return None


def _parsed_settings(file: Path) -> dict[str, Any]:
    text = file.read_text(encoding="utf-8-sig", errors="replace")
    try:
        parsed = json.loads(text) if file.suffix == ".json" else _of_yaml(text)
    except ValueError:
        return {}
    return flatten(parsed) if isinstance(parsed, dict) else {}


def _of_yaml(text: str) -> dict[str, Any]:
    """Return the scalars at the top and one level below: all that configurations of runs need."""
    found: dict[str, Any] = {}
    above = ""
    for line in text.splitlines():
        match = re.fullmatch(
            r"(?P<indent> *)(?P<key>[\w.-]+):\s*(?P<value>[^#]*?)\s*(?:#.*)?", line
        )
        if not match:
            continue
        indent, key, value = len(match["indent"]), match["key"], match["value"].strip("'\"")
        if indent == 0:
            above = key
        name = key if indent == 0 else f"{above}.{key}"
        if value and not value.startswith(("!", "&", "{", "[", "|", ">")) and indent <= 4:
            found[name.removesuffix(".value")] = value
    return found


def _scalar(cell: Any) -> Any:
    """Return a list or another container as its text, so that cells can be compared."""
    container = isinstance(cell, (list, tuple, set, dict)) or bool(getattr(cell, "ndim", False))
    return str(cell) if container else cell


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (str, int, float, bool)) and len(str(value)) < 200
