"""The tables that come inside scikit-learn: real data that needs no download."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from descenso.data._records import Split


def load_digits() -> Split:
    """Return 1,797 handwritten digits: 64 pixels of 0 to 16 each, labels 0 to 9."""
    return _classes("load_digits")


def load_breast_cancer() -> Split:
    """Return 569 tumours: 30 measures of cell nuclei, labels 0 (malignant) and 1 (benign)."""
    return _classes("load_breast_cancer")


def load_wine() -> Split:
    """Return 178 wines: 13 chemical measures, labels 0 to 2 for the cultivar."""
    return _classes("load_wine")


def load_diabetes() -> Split:
    """Return 442 patients: 10 measures, and the disease's progression after a year (25 to 346).

    Targets have shape (442, 1).
    """
    table = _table("load_diabetes")
    return Split(table.data.astype(np.float32), table.target.astype(np.float32)[:, None])


def _classes(loader: str) -> Split:
    table = _table(loader)
    return Split(table.data.astype(np.float32), table.target.astype(np.int32))


def _table(loader: str) -> Any:
    # scikit-learn takes a second to import, so only when a table is asked for.
    return getattr(importlib.import_module("sklearn.datasets"), loader)()
