"""External runs, which descenso did not train, judged by the statistics that judge its own."""

from descenso.study.external._json import as_json
from descenso.study.external._judge import Finding, judge_runs
from descenso.study.external._read import read_runs

__all__ = ["Finding", "as_json", "judge_runs", "read_runs"]
