"""What can be trained: model, data, loss, metric and target, built in or the user's own."""

from descenso.data import Data, Split
from descenso.problems import surfaces
from descenso.problems._from_jax import from_jax
from descenso.problems._from_keras import from_keras
from descenso.problems._from_table import from_table
from descenso.problems._from_torch import from_torch
from descenso.problems._problem import (
    Metric,
    Problem,
    TrainLoss,
    Variables,
    trained,
    with_trained,
)
from descenso.problems._registry import get, names, summary
from descenso.problems._rehearsal import fingerprint, rehearse
from descenso.problems._start_jax import start_jax
from descenso.problems._table_names import table_name

__all__ = [
    "Data",
    "Metric",
    "Problem",
    "Split",
    "TrainLoss",
    "Variables",
    "fingerprint",
    "from_jax",
    "from_keras",
    "from_table",
    "from_torch",
    "get",
    "names",
    "rehearse",
    "start_jax",
    "summary",
    "surfaces",
    "table_name",
    "trained",
    "with_trained",
]
