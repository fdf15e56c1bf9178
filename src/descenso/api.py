"""The Python face: ``descenso.compare``, ``descenso.train`` and the study they speak of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from descenso import report
from descenso.methods import SIX
from descenso.problems import Problem
from descenso.records import Verdict
from descenso.store import Store
from descenso.study import (
    SCHEMA,
    MethodResult,
    Options,
    ProgressFunction,
    StudyResult,
    as_json,
    overview,
    run_study,
    train,
    with_text,
)
from descenso.study.design import with_options
from descenso.study.overview import Overview

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects as go

__all__ = ["Studies", "Study", "compare", "compare_all", "train"]


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


class Studies:
    """Finished studies of the same methods on several problems, as :func:`compare_all` returns them.

    Attributes
    ----------
    studies : one for each problem, in the order given.
    """

    def __init__(self, studies: Sequence[Study]) -> None:
        self.studies = tuple(studies)

    @cached_property
    def overview(self) -> Overview:
        """What they say together: comparable scores, interquartile means, performance profiles."""
        return overview.overview([study.result for study in self.studies])

    @property
    def text(self) -> str:
        """The verdict over all problems, in the language in use."""
        return overview.in_words(self.overview)

    def frame(self) -> pandas.DataFrame:
        """Return a row per method, problem and seed: the gain of each run, and its method's means."""
        from descenso.report import together

        return together.gains(self.overview)

    def figure(self, name: str, theme: str = "light") -> go.Figure:
        """Return a Plotly figure: ``profile`` (performance profiles) or ``gains``.

        Raises
        ------
        UnknownNameError
            If there is no figure of that name, or no problem has a target to draw profiles of.
        """
        from descenso.report import together

        return together.figure(self.overview, name, theme)

    def save(self, path: str | Path) -> Path:
        """Write what they say together, and beside it the report of each study.

        The page is one HTML file that opens without a network; the reports carry its name and that
        of their problem, and are linked to.

        Raises
        ------
        ReportError
            If they cannot be written.
        """
        from descenso.report import together

        target = Path(path)
        places = self.report_places(target)
        for study, place in zip(self.studies, places, strict=True):
            study.save(place)
        results = [with_text(study.result) for study in self.studies]
        links = {r.design.problem: p.name for r, p in zip(results, places, strict=True)}
        together.write(results, target, links)
        return target

    def report_places(self, path: Path) -> list[Path]:
        """Return where :meth:`save` writes the report of each study."""
        names = (
            re.sub(r"[^\w.-]+", "-", s.result.design.problem).strip("-.") for s in self.studies
        )
        return [path.with_name(f"{path.stem}-{name}{path.suffix}") for name in names]

    def to_json(self) -> dict[str, Any]:
        """Return all studies and the overview as JSON-ready values."""
        return {
            "schema": SCHEMA,
            "studies": [study.to_json() for study in self.studies],
            "overview": overview.as_json(self.overview),
        }


def compare_all(
    problems: Sequence[str | Problem],
    methods: str | Sequence[str] | None = None,
    **options: Any,
) -> Studies:
    """Compare the same methods on several problems, and say what holds over all of them.

    Parameters
    ----------
    problems : problems or their names.
    methods : as in :func:`compare`; the six of the command line if not given.
    options : the other parameters of :func:`compare`, the same for every problem.

    Raises
    ------
    DescensoError
        If something asked for is not possible; the message says what.
    """
    chosen = SIX if methods is None else methods
    return Studies([compare(problem, chosen, **options) for problem in problems])


@with_options
def compare(
    problem: str | Problem,
    methods: str | Sequence[str] | None = None,
    *,
    store: str | Path | Store | None = None,
    executor: str = "local",
    fresh: bool = False,
    on_progress: ProgressFunction | None = None,
    **options: Unpack[Options],
) -> Study:
    """Compare methods on a problem, each tuned alike, and say what the evidence allows.

    Each method's learning rate is searched on validation, with the same budget for all; the
    setting found and, unless ``defaults`` is false, the method's default are rerun on fresh seeds
    and judged on test.

    Parameters
    ----------
    problem : a problem, or its name (see :func:`descenso.problems.get`).
    methods : names (see :func:`descenso.methods.parse`); the problem's usual ones if not given.
    store : where runs are kept as they are produced: a database URL or the path of an SQLite file;
        the platform's data directory if not given.
    executor : where members are trained: ``local``, ``ray`` or ``ray:address``. The result is the
        same.
    fresh : forget what the store holds of this very study and run it anew. Otherwise a study that
        was interrupted goes on, and a finished one is returned as it is.
    on_progress : called with a :class:`descenso.study.Progress` after each chunk of work.
    options : what is asked of the study, as :class:`descenso.study.Options` lists it.

    Raises
    ------
    DescensoError
        If something asked for is not possible; the message says what.
    """
    return Study(
        run_study(
            problem,
            methods,
            store=store,
            executor=executor,
            fresh=fresh,
            on_progress=on_progress,
            **options,
        )
    )
