"""Judge runs that descenso did not train, by the statistics that judge its own."""

from descenso.study.outside._json import as_json
from descenso.study.outside._judge import Finding, judge_runs
from descenso.study.outside._read import read_runs

__all__ = ["Finding", "as_json", "judge_runs", "read_runs"]
