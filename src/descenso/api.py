"""The Python face: ``descenso.compare``, ``descenso.train`` and the study they speak of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from descenso import report
from descenso.problems import Problem
from descenso.records import Verdict
from descenso.store import Store
from descenso.study import MethodResult, ProgressFunction, StudyResult, as_json, run_study, train
from descenso.study import with_text

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects as go

__all__ = ["Study", "compare", "train"]


class Study:
    """A finished study, as :func:`compare` returns it.

    Attributes
    ----------
    result : every figure of the study, as records.
    """

    def __init__(self, result: StudyResult) -> None:
        self.result = result

    @property
    def verdict(self) -> Verdict:
        """What the evidence allows to be said; ``verdict.text`` is in the language in use."""
        return with_text(self.result).verdict

    @property
    def methods(self) -> Sequence[MethodResult]:
        """The methods compared, from best to worst."""
        return self.result.ranking

    def frame(self) -> pandas.DataFrame:
        """Return the study's table: one row per method, best first."""
        return report.frame(with_text(self.result))

    def figure(self, name: str, theme: str = "light") -> go.Figure:
        """Return a Plotly figure: ``curves``, ``sensitivity``, ``results`` or ``differences``.

        Raises
        ------
        UnknownNameError
            If there is no figure of that name.
        """
        return report.figure(with_text(self.result), name, theme=theme)

    def save(self, path: str | Path) -> Path:
        """Write the report: one HTML file that opens without a network.

        Raises
        ------
        ReportError
            If it cannot be written.
        """
        report.write(with_text(self.result), path)
        return Path(path)

    def to_json(self) -> dict[str, Any]:
        """Return the study in the versioned schema of ``descenso compare --json``."""
        return as_json(with_text(self.result))

    def __repr__(self) -> str:
        """Say the verdict."""
        return f"<Study of {self.result.design.problem}: {self.verdict.text}>"


def compare(
    problem: str | Problem,
    methods: str | Sequence[str] | None = None,
    *,
    epochs: int | None = None,
    seeds: int = 5,
    trials: int = 12,
    seed: int = 0,
    store: str | Path | Store | None = None,
    fresh: bool = False,
    on_progress: ProgressFunction | None = None,
) -> Study:
    """Compare methods on a problem, each tuned alike, and say what the evidence allows.

    Each method's learning rate is searched on validation, with the same budget for all; the
    setting found and the method's default are rerun on fresh seeds and judged on test.

    Parameters
    ----------
    problem : a problem, or its name (see :func:`descenso.problems.get`).
    methods : names (see :func:`descenso.methods.parse`); the problem's usual ones if not given.
    epochs : budget of each run in passes over the training examples; the problem's own if not
        given.
    seeds : fresh seeds that each setting is confirmed with.
    trials : learning rates each method is first tried with.
    seed : keys the split, the weights and the order of examples.
    store : where runs are kept as they are produced: a database URL or the path of an SQLite file;
        the platform's data directory if not given.
    fresh : forget what the store holds of this very study and run it anew. Otherwise a study that
        was interrupted goes on, and a finished one is returned as it is.
    on_progress : called with a :class:`descenso.study.Progress` after each chunk of work.

    Raises
    ------
    DescensoError
        If something asked for is not possible; the message says what.
    """
    return Study(
        run_study(
            problem,
            methods,
            epochs=epochs,
            seeds=seeds,
            trials=trials,
            seed=seed,
            store=store,
            fresh=fresh,
            on_progress=on_progress,
        )
    )
