"""A study: design, race, confirmation on fresh seeds, statistics, verdict."""

from descenso.study import words
from descenso.study._failures import failures_in_lines
from descenso.study._results import Design, MethodResult, MetricInfo, StudyResult
from descenso.study._run import run_study
from descenso.study._schema import SCHEMA, as_json, runs_as_json
from descenso.study._storage import decode_result
from descenso.study._train import train
from descenso.study._trainer import Progress, ProgressFunction
from descenso.study.verdict import with_text

__all__ = [
    "SCHEMA",
    "Design",
    "MethodResult",
    "MetricInfo",
    "Progress",
    "ProgressFunction",
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
