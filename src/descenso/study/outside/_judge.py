"""Judge runs from outside: paired by seed where seeds are shared, and else as two samples."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from descenso.errors import DataError
from descenso.language import _
from descenso.records import Comparison, Estimate, Verdict
from descenso.study.outside._at import LAST, judged_at, parse_at
from descenso.study.outside._choose import Chosen, choose
from descenso.study.outside._clean import OutsideRun, by_seed, clean
from descenso.study.outside._numbers import as_number
from descenso.study.statistics import ALPHA, chance_of_better, estimate, holm, paired_p_value

if TYPE_CHECKING:
    import pandas as pd

Scores = Mapping[str, Mapping[str, float]]  # method → seed → score


@dataclass(frozen=True)
class Judged:
    """What the runs on one problem, or on all together, allow to be said."""

    problem: str
    chosen: Mapping[str, Chosen]
    scores: Scores
    estimates: Mapping[str, Estimate]
    diverged: Mapping[str, int]
    verdict: Verdict
    runs: Mapping[str, Sequence[OutsideRun]]


@dataclass(frozen=True)
class Finding:
    """The judgement of a whole table.

    ``problems`` holds one judgement for each problem; ``overall`` is the only one, or that of all
    problems together, each scaled from its worst method (0) to its best (1).
    """

    problems: tuple[Judged, ...]
    overall: Judged
    higher_is_better: bool
    metric: str
    target: float | None
    notes: tuple[str, ...]


def judge_runs(
    table: pd.DataFrame,
    higher_is_better: bool | None = None,
    target: float | None = None,
    at: str | float = LAST,
) -> Finding:
    """Return what the runs of a table (see :func:`read_runs`) allow to be said.

    Parameters
    ----------
    at : the step that judges a run: ``last``, ``best`` (on validation where it is there) or a step.

    Raises
    ------
    DataError
        If nothing can be judged.
    """
    cleaned = clean(table)
    notes = list(cleaned.notes)
    higher = _direction(table, higher_is_better, notes)
    resolution = _resolution(table)
    runs, said = judged_at(cleaned.runs, parse_at(at), higher)
    notes.extend(said)
    problems = sorted({run.problem for run in runs})
    judged = tuple(
        _judge_problem(p, [r for r in runs if r.problem == p], higher, resolution, notes)
        for p in problems
    )
    overall = judged[0] if len(judged) == 1 else _together(judged, higher)
    return Finding(judged, overall, higher, _metric(table), target, tuple(notes))


def _judge_problem(
    problem: str, runs: Sequence[OutsideRun], higher: bool, resolution: float, notes: list[str]
) -> Judged:
    methods = sorted({run.method for run in runs})
    own = {m: [r for r in runs if r.method == m] for m in methods}
    chosen = {m: choose(own[m], higher) for m in methods}
    for c in chosen.values():
        notes.extend(c.notes)
    finite = [v for c in chosen.values() for v in c.values.values() if math.isfinite(v)]
    if not finite:
        lost = {m: len(c.values) for m, c in chosen.items()}
        return Judged(problem, chosen, {}, {}, lost, Verdict(None, (), (), ""), own)
    worst = min(finite) if higher else max(finite)
    scores = {m: _counted(c, worst) for m, c in chosen.items()}
    diverged = {m: sum(not math.isfinite(v) for v in c.values.values()) for m, c in chosen.items()}
    if any(diverged.values()):
        notes.append(
            _("A diverged run counts as it began where that is known, else as the worst run seen.")
        )
    _note_unequal(problem, scores, runs, notes)
    verdict = judge_by_seed(scores, higher, resolution)
    estimates = {m: estimate(list(s.values())) for m, s in scores.items()}
    return Judged(problem, chosen, scores, estimates, diverged, verdict, own)


def _counted(chosen: Chosen, worst: float) -> dict[str, float]:
    """Return each seed's score; a diverged run counts as it began, else as the worst run."""
    began = {run.seed: _start(run, worst) for run in chosen.runs}
    return {
        seed: value if math.isfinite(value) else began.get(seed, worst)
        for seed, value in chosen.values.items()
    }


def _start(run: OutsideRun, worst: float) -> float:
    for split in ("validation", "test"):
        curve = run.curves.get(split, {})
        if len(curve) > 1 and math.isfinite(curve[min(curve)]):
            return curve[min(curve)]
    return worst


def _note_unequal(
    problem: str, scores: Scores, runs: Sequence[OutsideRun], notes: list[str]
) -> None:
    place = f"{problem}: " if problem else ""
    if len({frozenset(s) for s in scores.values()}) > 1:
        counts = ", ".join(f"{m}: {len(s)}" for m, s in scores.items())
        notes.append(
            place
            + _(
                "Methods have different seeds ({counts}): a pair is compared on the seeds it shares, "
                "or as two samples where it shares fewer than two."
            ).format(counts=counts)
        )
    judged = [r for r in runs if r.role in ("", "tuned")]
    last = {max(r.steps(split) for split in r.curves) for r in judged}
    if len(last) > 1 and not any(r.role for r in runs):
        notes.append(
            place
            + _(
                "Runs end at different steps ({low:g} to {high:g}): budgets were not equal."
            ).format(low=min(last), high=max(last))
        )


def judge_by_seed(scores: Scores, higher: bool, resolution: float = 0.0) -> Verdict:
    """Return the verdict on scores by seed; each pair is compared on the seeds it shares."""
    sign = 1.0 if higher else -1.0
    names = sorted(scores, key=lambda m: -sign * float(np.mean(list(scores[m].values()))))
    pairs = list(itertools.combinations(names, 2))
    raw = [_p_value(scores[a], scores[b], resolution, len(pairs)) for a, b in pairs]
    corrected = dict(zip(pairs, holm(raw), strict=True))
    best = names[0]
    comparisons = []
    for other in names[1:]:
        p = corrected[best, other]
        chance = chance_of_better(list(scores[best].values()), list(scores[other].values()), higher)
        difference = _difference(scores[best], scores[other], sign)
        comparisons.append(Comparison(other, difference, p, not p < ALPHA, chance=chance))
    tied = tuple(c.other for c in comparisons if c.tied)
    return Verdict(best, tied, tuple(comparisons), text="")


def _shared(a: Mapping[str, float], b: Mapping[str, float]) -> list[str]:
    return by_seed(set(a) & set(b))


def _p_value(a: Mapping[str, float], b: Mapping[str, float], resolution: float, n: int) -> float:
    seeds = _shared(a, b)
    if len(seeds) >= 2:
        return paired_p_value([a[s] for s in seeds], [b[s] for s in seeds], resolution, n)
    first, second = list(a.values()), list(b.values())
    if len(first) < 2 or len(second) < 2:
        return math.nan
    if np.ptp(first) == 0 and np.ptp(second) == 0:
        return 1.0 if first[0] == second[0] else math.nan  # no spread: nothing to test by
    return float(stats.ttest_ind(first, second, equal_var=False).pvalue)


def _difference(a: Mapping[str, float], b: Mapping[str, float], sign: float) -> Estimate:
    seeds = _shared(a, b)
    if len(seeds) >= 2:
        return estimate([sign * (a[s] - b[s]) for s in seeds])
    mean = sign * (float(np.mean(list(a.values()))) - float(np.mean(list(b.values()))))
    if min(len(a), len(b)) < 2:
        return Estimate(mean, math.nan, math.nan, (mean,))
    interval = stats.ttest_ind(
        list(a.values()), list(b.values()), equal_var=False
    ).confidence_interval()
    low, high = sorted((sign * float(interval.low), sign * float(interval.high)))
    return Estimate(mean, low, high, (mean,))


def _together(judged: Sequence[Judged], higher: bool) -> Judged:
    """Judge the methods that are there on every problem, on scores scaled problem by problem."""
    common = sorted(set.intersection(*(set(j.scores) for j in judged)))
    if not common:
        raise DataError(_("no method has runs on every problem: judge the problems one by one"))
    scores: dict[str, dict[str, float]] = {m: {} for m in common}
    for j in judged:
        means = [j.estimates[m].mean for m in common]
        low, high = (min(means), max(means)) if higher else (max(means), min(means))
        for m in common:
            for seed, value in j.scores[m].items():
                scaled = (value - low) / (high - low) if high != low else 0.0
                scores[m][f"{j.problem}/{seed}"] = scaled
    verdict = judge_by_seed(scores, higher=True)
    estimates = {m: estimate(list(s.values())) for m, s in scores.items()}
    diverged = {m: sum(j.diverged[m] for j in judged) for m in common}
    return Judged("", {}, scores, estimates, diverged, verdict, {})


def _direction(table: pd.DataFrame, given: bool | None, notes: list[str]) -> bool:
    if given is not None:
        return given
    if "higher_is_better" in table.columns:
        words = {str(v).strip().lower() for v in table["higher_is_better"]}
        if len(words) == 1:
            return words.pop() in ("true", "1", "1.0", "yes")
    name = str(table.attrs.get("names", {}).get("value", "")).lower()
    lower = any(word in name for word in ("loss", "err", "mse", "mae", "perplexity", "time"))
    known = any(word in name for word in ("acc", "auc", "f1", "r2", "score", "reward", "bleu"))
    if lower or known:
        return not lower
    notes.append(
        _("Higher values were taken to be the better ones; --lower-is-better says otherwise.")
    )
    return True


def _resolution(table: pd.DataFrame) -> float:
    """Return the smallest difference the metric can show, where the table says it."""
    if "resolution" not in table.columns:
        return 0.0
    found = [as_number(v) for v in table["resolution"]]
    return max((v for v in found if v is not None and math.isfinite(v)), default=0.0)


def _metric(table: pd.DataFrame) -> str:
    if "metric" in table.columns:
        names = {str(v) for v in table["metric"] if str(v).strip()}
        if len(names) == 1:
            return names.pop()
    name = str(table.attrs.get("names", {}).get("value", "value"))
    return "" if name == "value" else name
