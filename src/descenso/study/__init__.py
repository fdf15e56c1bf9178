"""A study: design, race, confirmation on fresh seeds, statistics, verdict.

Public names are loaded when first used: what is asked of a study is known without what runs it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from descenso.study import words
    from descenso.study._failures import failures_in_lines
    from descenso.study._results import (
        Confirmation,
        MethodResult,
        MetricInfo,
        SearchPoint,
        StudyResult,
    )
    from descenso.study._run import run_study
    from descenso.study._schema import SCHEMA, as_json, runs_as_json
    from descenso.study._storage import decode_result
    from descenso.study._train import train
    from descenso.study._trainer import Progress, ProgressFunction
    from descenso.study.design import Design, Options
    from descenso.study.verdict import with_text

# Public name -> the module of this package that defines it.
_PUBLIC = {
    "SCHEMA": "_schema",
    "Confirmation": "_results",
    "Design": "design",
    "MethodResult": "_results",
    "MetricInfo": "_results",
    "Options": "design",
    "Progress": "_trainer",
    "ProgressFunction": "_trainer",
    "SearchPoint": "_results",
    "StudyResult": "_results",
    "as_json": "_schema",
    "decode_result": "_storage",
    "failures_in_lines": "_failures",
    "run_study": "_run",
    "runs_as_json": "_schema",
    "train": "_train",
    "with_text": "verdict",
}

__all__ = [
    "SCHEMA",
    "Confirmation",
    "Design",
    "MethodResult",
    "MetricInfo",
    "Options",
    "Progress",
    "ProgressFunction",
    "SearchPoint",
    "StudyResult",
    "as_json",
    "decode_result",
    "failures_in_lines",
    "run_study",
    "runs_as_json",
    "train",
    "with_text",
    "words",
]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    if name == "words":
        return importlib.import_module(f"{__name__}.words")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
