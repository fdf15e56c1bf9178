"""The studies that the tests of the report look at."""

from __future__ import annotations

import pytest
from tests.report.studies import RMSE, make

from descenso import language


@pytest.fixture(autouse=True)
def _in_english():
    language.use("en")


@pytest.fixture(scope="session")
def study():
    """Six methods on a classification problem: a diverged run, an edge, an unmet target."""
    language.use("en")
    return make()


@pytest.fixture(scope="session")
def regression():
    """The same methods on a regression problem whose metric is better when lower."""
    language.use("en")
    return make(metric=RMSE, problem="diabetes")


@pytest.fixture(scope="session")
def all_diverged():
    """A study in which no run of any method survived."""
    language.use("en")
    return make(crash_all=True)
