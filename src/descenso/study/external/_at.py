"""Choose the step at which each run is judged: the last, a given one, or its best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from descenso.errors import DataError, SettingError
from descenso.language import _, ngettext
from descenso.study.external._clean import ExternalRun

LAST, BEST = "last", "best"


def parse_at(text: str | float) -> str | float:
    """Return ``last``, ``best`` or a step.

    Raises
    ------
    SettingError
        If the text is none of these.
    """
    if text in (LAST, BEST):
        return text
    try:
        step = float(text)
    except ValueError:
        step = math.nan
    if math.isfinite(step) and step >= 0:
        return step
    raise SettingError(
        _("--at is last, best or a step such as 1000; got {text!r}").format(text=text)
    )


def judged_at(
    runs: Sequence[ExternalRun], at: str | float, higher_is_better: bool
) -> tuple[list[ExternalRun], list[str]]:
    """Return the runs, each with the step up to which it is judged, and what is to be said of it.

    Raises
    ------
    DataError
        If a run has no value up to the step.
    """
    if not any(len(curve) > 1 for run in runs for curve in run.curves.values()):
        if at == LAST:
            return list(runs), []
        raise DataError(
            _("--at {at} needs curves: each run has one value, and no column counts steps").format(
                at=at
            )
        )
    if at == LAST:
        return list(runs), [_("Each run is judged by the value at its last step (--at last).")]
    if at == BEST:
        return _at_best(runs, higher_is_better)
    return _at_step(runs, float(at))


def _at_best(runs: Sequence[ExternalRun], higher: bool) -> tuple[list[ExternalRun], list[str]]:
    made = [replace(run, until=_best_step(run, higher)) for run in runs]
    chosen = [len(r.curves.get("validation", {})) > 1 and "test" in r.curves for r in runs]
    notes = []
    if all(chosen):
        notes.append(
            _("Each run is judged on test at its step that is best on validation (--at best).")
        )
    else:
        notes.append(
            _(
                "WARNING: each run is judged at the step where the very value that judges it is best "
                "(--at best). That flatters noisy curves and frequent evaluation; --at last does not."
            )
        )
    lost = sum(not math.isfinite(r.last_of_all()) for r in runs)
    if lost:
        notes.append(
            ngettext(
                "{n} run that diverged later is judged by its best value before.",
                "{n} runs that diverged later are judged by their best values before.",
                lost,
            ).format(n=lost)
        )
    return made, notes


def _best_step(run: ExternalRun, higher: bool) -> float:
    split = "validation" if len(run.curves.get("validation", {})) > 1 else next(iter(run.curves))
    finite = {step: v for step, v in run.curves[split].items() if math.isfinite(v)}
    if not finite:
        return math.inf
    best = (max if higher else min)(finite.values())
    return min(step for step, v in finite.items() if v == best)


def _at_step(runs: Sequence[ExternalRun], at: float) -> tuple[list[ExternalRun], list[str]]:
    late = [r for r in runs if all(min(curve) > at for curve in r.curves.values())]
    if late:
        first = min(min(curve) for curve in late[0].curves.values())
        raise DataError(
            _("--at {at:g}: {method}, seed {seed}, has no value before step {first:g}").format(
                at=at, method=late[0].method, seed=late[0].seed, first=first
            )
        )
    notes = [_("Each run is judged by its last value up to step {at:g} (--at).").format(at=at)]
    short = sum(max(r.steps(split) for split in r.curves) < at for r in runs)
    if short:
        notes.append(
            ngettext(
                "{n} run ends before step {at:g}.", "{n} runs end before step {at:g}.", short
            ).format(n=short, at=at)
        )
    return [replace(run, until=at) for run in runs], notes
