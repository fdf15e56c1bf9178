"""Hand a stored study over to other tools: CSV, Parquet, MLflow, TensorBoard."""

from descenso.study.export._frame import long_form, summary
from descenso.study.export._write import export

__all__ = ["export", "long_form", "summary"]
