"""`docs/json.md` describes all that is written, and nothing else, with the right types."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

from descenso import api, language
from descenso.problems import get
from descenso.study import SCHEMA, runs_as_json

PAGE = Path(__file__).parents[2] / "docs" / "json.md"
_ROW = re.compile(r"^\| `([^`]+)` \| ([a-z ]+) \| (.+) \|$", re.MULTILINE)
#: Objects whose keys are data: the page writes their keys as ``*``.
_MAPS = ("settings", "examples", "versions", "code")


def _documented() -> dict[str, set[str]]:
    return {path: set(kinds.split(" or ")) for path, kinds, _ in _ROW.findall(PAGE.read_text())}


def _as_at_the_default(documented: dict[str, set[str]]) -> dict[str, set[str]]:
    """Spell out the fields that the page describes once for the chosen and the default setting."""
    shared = re.compile(
        r"^methods\[\]\.(settings|test|validation|diverged|failed|time_to_target)\b"
    )
    more = {
        path.replace("methods[].", "methods[].default."): kinds
        for path, kinds in documented.items()
        if shared.match(path)
    }
    return documented | more


def _kind(value) -> str:
    if value is None:
        return "null"
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object"}
    return kinds[type(value)]


def _walk(value, path, found) -> None:
    if isinstance(value, list):
        for item in value:
            _walk(item, f"{path}[]", found)
    elif isinstance(value, dict):
        found[path].add("object")
        for key, item in value.items():
            inside_map = path.rpartition(".")[2] in _MAPS
            _walk(item, f"{path}.{'*' if inside_map else key}".lstrip("."), found)
    else:
        found[path].add(_kind(value))


def _fields(value) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    _walk(value, "", found)
    return found


def _strictly(value):
    return json.loads(json.dumps(value, allow_nan=False))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    language.use("en")
    store = tmp_path_factory.mktemp("schema") / "x.db"
    budget = {"epochs": 3, "trials": 3, "seeds": 3, "store": store}
    study = api.compare("wine", "adam,momentum,rmsprop(centered=true)", **budget).to_json()
    plain = api.compare("wine", "adam", **budget, defaults=False).to_json()
    wild = "gradient_descent(lr=1e30)@all"
    alone = api.compare("line", [wild], **budget | {"seeds": 1}).to_json()
    runs = api.train("line", wild, epochs=3) + api.train("line", "adam@all", epochs=3)
    return [_strictly(v) for v in (study, plain, alone, runs_as_json(get("line"), runs))]


@pytest.mark.slow
def test_the_version_on_the_page_is_the_one_written(written):
    assert f"**{SCHEMA}**" in PAGE.read_text()
    assert all(value["schema"] == SCHEMA for value in written)


def test_every_field_written_is_on_the_page_with_its_type(written):
    documented = _as_at_the_default(_documented())
    for value in written:
        for path, kinds in _fields(value).items():
            if kinds == {"object"} and any(p.startswith(f"{path}.") for p in documented):
                continue  # an object that the page describes by its fields
            if path == "":
                continue
            assert path in documented, path
            # A whole number is a number too.
            assert kinds <= documented[path] | (
                {"integer"} if "number" in documented[path] else set()
            ), path


def test_every_field_on_the_page_is_written(written):
    found = set().union(*(_fields(value) for value in written))
    may_be_empty = {"design.space[]"}
    assert set(_documented()) - found <= may_be_empty


def test_every_type_on_the_page_is_one_of_json():
    assert set().union(*_documented().values()) <= {
        "integer",
        "number",
        "string",
        "boolean",
        "object",
        "null",
    }
