"""Real data sets, and what is done to all data before training: checking, splitting, scaling."""

from descenso.data._check import check_examples
from descenso.data._idx import read_idx
from descenso.data._images import (
    load_cifar10,
    load_fashion_mnist,
    load_mnist,
    read_cifar10,
    read_mnist,
)
from descenso.data._records import Data, Split, TrainTest
from descenso.data._split import split, standardise, standardise_targets
from descenso.data._tables import load_breast_cancer, load_diabetes, load_digits, load_wine

__all__ = [
    "Data",
    "Split",
    "TrainTest",
    "check_examples",
    "load_breast_cancer",
    "load_cifar10",
    "load_diabetes",
    "load_digits",
    "load_fashion_mnist",
    "load_mnist",
    "load_wine",
    "read_cifar10",
    "read_idx",
    "read_mnist",
    "split",
    "standardise",
    "standardise_targets",
]
