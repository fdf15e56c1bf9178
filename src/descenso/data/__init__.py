"""Real data sets, and what is done to all data before training: checking, splitting, scaling."""

from descenso.data._check import check_examples
from descenso.data._records import Data, Split
from descenso.data._split import split, standardise, standardise_targets
from descenso.data._tables import load_breast_cancer, load_diabetes, load_digits, load_wine

__all__ = [
    "Data",
    "Split",
    "check_examples",
    "load_breast_cancer",
    "load_diabetes",
    "load_digits",
    "load_wine",
    "split",
    "standardise",
    "standardise_targets",
]
