"""Make tables of the JSON that trackers, frameworks and people write."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from descenso.language import _

if TYPE_CHECKING:
    import pandas as pd

Tables = list[tuple[str, "pd.DataFrame"]]  # the label of the run or method, and its rows


def tables_of(parsed: Any) -> Tables:
    """Return the tables in parsed JSON, each with the label it stands under.

    A list of objects is a table; so are an object of columns (a history of Keras, pandas' own
    forms) and the log of a Hugging Face trainer. An object of such objects is one table for each.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    if isinstance(parsed, list) and parsed and all(isinstance(r, Mapping) for r in parsed):
        return [("", of_records(parsed))]
    if isinstance(parsed, Mapping) and parsed:
        return _of_object(parsed)
    if isinstance(parsed, list) and not parsed:
        return [("", of_records([]))]
    raise ValueError(_("it must hold one object for each row"))


def _of_object(parsed: Mapping[str, Any]) -> Tables:
    if isinstance(parsed.get("log_history"), list):
        return [("", of_records(parsed["log_history"]))]
    if isinstance(parsed.get("history"), Mapping) and _is_columns(parsed["history"]):
        return [("", _of_columns(parsed["history"]))]
    if isinstance(parsed.get("columns"), list) and isinstance(parsed.get("data"), list):
        names = [str(c) for c in parsed["columns"]]
        return [("", of_records([dict(zip(names, row, strict=False)) for row in parsed["data"]]))]
    for key in ("data", "runs", "results", "trials", "rows"):
        if _is_records(parsed.get(key)):
            return [("", of_records(parsed[key]))]
    if _is_columns(parsed):
        return _of_lists(parsed)
    if _is_indexed(parsed):
        return [("", _of_columns({k: list(v.values()) for k, v in parsed.items()}))]
    nested = {k: v for k, v in parsed.items() if isinstance(v, (Mapping, list)) and v}
    if nested and len(nested) == len(parsed):
        return _of_named(nested)
    return [("", of_records([parsed]))]


def _of_named(parsed: Mapping[str, Any]) -> Tables:
    """Return the tables of ``{name: history}``, at any depth; names are joined by a slash."""
    if all(isinstance(v, Mapping) and not _has_tables(v) for v in parsed.values()):
        return [("", of_records([{"run": name, **record} for name, record in parsed.items()]))]
    found: Tables = []
    for name, inner in parsed.items():
        found += [(f"{name}/{label}".rstrip("/"), frame) for label, frame in tables_of(inner)]
    return found


def _has_tables(record: Mapping[str, Any]) -> bool:
    return any(isinstance(v, list) for v in record.values()) or all(
        isinstance(v, Mapping) for v in record.values()
    )


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(r, Mapping) for r in value)


def _is_columns(value: Mapping[str, Any]) -> bool:
    return bool(value) and all(
        isinstance(v, list) and v and not any(isinstance(c, (list, Mapping)) for c in v)
        for v in value.values()
    )


def _is_indexed(value: Mapping[str, Any]) -> bool:
    """Whether each column is an object of row numbers, as pandas writes it."""
    keys = [tuple(v) for v in value.values() if isinstance(v, Mapping)]
    return len(keys) == len(value) and len(set(keys)) == 1 and all(k.isdigit() for k in keys[0])


def _of_lists(parsed: Mapping[str, list[Any]]) -> Tables:
    """Tell a history, a list for each metric, from a list of results for each method."""
    if len({len(v) for v in parsed.values()}) > 1 or not any(map(_is_measured, parsed)):
        rows = [{"method": name, "value": cell} for name, cells in parsed.items() for cell in cells]
        return [("", of_records(rows))]
    return [("", _of_columns(parsed))]


_MEASURED = re.compile(
    r"(?i)(?:^|[_/.\W])(?:loss|val|train|test|eval|acc|accuracy|error|auc|mse|mae|rmse|f1|score|epoch|step|value"
    r"|precision|recall|reward|return|lr|metric|seed|method)(?:$|[_/.\W\d])"
)


def _is_measured(name: str) -> bool:
    return bool(_MEASURED.search(name))


def _of_columns(columns: Mapping[str, Any]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({str(n): pd.Series(list(c), dtype=object) for n, c in columns.items()})


def of_records(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a table whose absent cells are ``None``, apart from NaN, which means diverged."""
    import pandas as pd

    flat = [flatten(record) for record in records]
    columns = list(dict.fromkeys(name for record in flat for name in record))
    rows = [[record.get(name) for name in columns] for record in flat]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def flatten(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a nested record as one level, names joined by points; W&B's ``value`` is unwrapped."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            inner = set(value) - {"desc"}
            if inner == {"value"}:
                value = value["value"]
            else:
                flat.update(flatten(value, f"{name}."))
                continue
        flat[name] = value
    return flat


def mapping_in(cell: Any) -> Mapping[str, Any] | None:
    """Return the mapping a cell holds, as JSON or as Python prints it; ``None`` where none."""
    if isinstance(cell, Mapping):
        return cell
    if not isinstance(cell, str) or not cell.strip().startswith("{"):
        return None
    text = cell.strip()
    for read in (json.loads, _of_python):
        try:
            found = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, Mapping):
            return found
    return None


_BARE = re.compile(r"(?<=[\s:,\[(])(-?)(nan|inf|NaN|Infinity|Inf)(?=\s*[,}\])])")
_CALL = re.compile(
    r"\b(?:np\.|numpy\.|jnp\.|torch\.)?(?:float\d*|int\d+|tensor|array)\(([^(),]+)(?:,[^()]*)?\)"
)


def _of_python(text: str) -> Any:
    """Read the literal that Python prints; names for nan and infinity become texts."""
    plain = _BARE.sub(r"'\1\2'", _CALL.sub(r"\1", text))
    return ast.literal_eval(plain)
