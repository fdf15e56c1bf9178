"""Judge external runs: paired by seed where seeds are shared, and else as two samples."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from descenso.errors import DataError
from descenso.language import _
from descenso.metric_names import Range, higher_is_better, is_share, value_range
from descenso.records import Comparison, Estimate, Verdict
from descenso.study.external._at import LAST, judged_at, parse_at
from descenso.study.external._choose import Chosen, choose
from descenso.study.external._clean import ExternalRun, by_seed, clean
from descenso.study.external._numbers import as_number
from descenso.study.external._sensitivity import tolerated
from descenso.study.recommendation import Candidate, Choice, choose_among_ties
from descenso.study.sensitivity import Tolerance
from descenso.study.statistics import (
    ALPHA,
    chance_of_better,
    consistent_interval,
    difference_of,
    estimate,
    holm,
    least_p_value,
    smallest_step,
    uncorrected_p_value,
    welch,
)
from descenso.study.words import listed

if TYPE_CHECKING:
    import pandas as pd

_SURELY_PERCENT = 1.5
_YES, _NO = ("true", "1", "1.0", "yes", "sí", "si"), ("false", "0", "0.0", "no")
Scores = Mapping[str, Mapping[str, float]]  # method → seed → score


@dataclass(frozen=True)
class Judged:
    """What the runs on one problem, or on all together, allow to be said.

    ``scores`` and ``estimates`` leave out a method of which no value is known.
    ``resolution`` is the smallest step of the metric: as the table says, or between its scores.
    ``examples`` counts the test examples where the table says the step of a share; else it is 0.
    """

    problem: str
    chosen: Mapping[str, Chosen]
    scores: Scores
    estimates: Mapping[str, Estimate]
    diverged: Mapping[str, int]
    verdict: Verdict
    runs: Mapping[str, Sequence[ExternalRun]]
    range: Range = field(default_factory=Range)
    resolution: float = 0.0
    choice: Choice = field(default_factory=Choice)
    examples: int = 0

    def seeds(self, method: str) -> list[str]:
        """Return the seeds of a method, ranked or not."""
        return list(self.scores.get(method) or self.chosen[method].values)

    def tolerated(self, method: str, higher_is_better: bool) -> Tolerance | None:
        """Return the good range of a method's learning rates; ``None`` where too few were tried."""
        everyone = [run for own in self.runs.values() for run in own]
        return tolerated(self.runs.get(method, ()), higher_is_better, everyone)


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
    metric = _metric(table)
    higher = _direction(table, metric, higher_is_better, notes)
    resolution = _resolution(table)
    runs, said = judged_at(cleaned.runs, parse_at(at), higher)
    notes.extend(said)
    problems = sorted({run.problem for run in runs})
    judged = tuple(
        _judge_problem(p, [r for r in runs if r.problem == p], metric, higher, resolution, notes)
        for p in problems
    )
    overall = judged[0] if len(judged) == 1 else _together(judged, higher, notes)
    return Finding(judged, overall, higher, metric, target, tuple(notes))


def _judge_problem(
    problem: str,
    runs: Sequence[ExternalRun],
    metric: str,
    higher: bool,
    resolution: float,
    notes: list[str],
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
    unranked = [m for m, c in chosen.items() if not _has_value(c)]
    if unranked:
        notes.append(
            _("Every run of {methods} diverged: no value ranks it, and it is no choice.").format(
                methods=listed(unranked)
            )
        )
    _refuse_mixed_units(metric, chosen)
    scores = {m: _counted(c, worst) for m, c in chosen.items() if m not in unranked}
    diverged = {m: sum(not math.isfinite(v) for v in c.values.values()) for m, c in chosen.items()}
    if any(n for m, n in diverged.items() if m not in unranked):
        notes.append(
            _("A diverged run counts as it began where that is known, else as the worst run seen.")
        )
    _note_unequal(problem, scores, runs, notes)
    everything = [v for own_scores in scores.values() for v in own_scores.values()]
    examples = round(1 / resolution) if 0 < resolution < 1 else 0
    resolution = resolution or smallest_step(everything)
    ends = value_range(metric, everything)
    verdict = judge_by_seed(scores, higher, resolution, ends.of_differences)
    estimates = {m: estimate(list(s.values()), ends.ends, resolution) for m, s in scores.items()}
    judged = Judged(
        problem,
        chosen,
        scores,
        estimates,
        diverged,
        verdict,
        own,
        ends,
        resolution,
        examples=examples,
    )
    return _with_choice(judged, [judged], higher)


def _has_value(chosen: Chosen) -> bool:
    """Whether a run of a method ended with a value, or is known to have begun with one."""
    ends = chosen.values.values()
    return any(map(math.isfinite, (*ends, *(_start(run, math.nan) for run in chosen.runs))))


def _refuse_mixed_units(metric: str, chosen: Mapping[str, Chosen]) -> None:
    """Refuse shares of one method beside percents of another.

    Raises
    ------
    DataError
        Naming one method of each.
    """
    if not is_share(metric):
        return
    known = {m: [abs(v) for v in c.values.values() if math.isfinite(v)] for m, c in chosen.items()}
    shares = [m for m, own in known.items() if own and max(own) <= 1]
    percents = [m for m, own in known.items() if own and min(own) > _SURELY_PERCENT]
    if shares and percents:
        raise DataError(
            _(
                "{metric!r} of {share} lies in 0 to 1 and that of {percent} in 0 to 100: write all "
                "as shares or all as percents"
            ).format(metric=metric, share=shares[0], percent=percents[0])
        )


def _with_choice(judged: Judged, problems: Sequence[Judged], higher: bool) -> Judged:
    """Return the judgement with the method to take, chosen by what all problems tell of each."""
    verdict = judged.verdict
    best = verdict.best
    if best is None:
        return judged
    known = [c.other for c in verdict.comparisons if c.tied and not math.isnan(c.p_value)]
    own = {m: candidate(m, problems, higher) for m in (best, *known)}
    choice = choose_among_ties(own[best], [own[m] for m in known])
    verdict = replace(verdict, recommended=choice.name, chosen_by=choice.by)
    return replace(judged, verdict=verdict, choice=choice)


def candidate(method: str, problems: Sequence[Judged], higher: bool) -> Candidate:
    """Return what a table of runs knows of a method; what a run costs it does not tell."""
    factors = [j.tolerated(method, higher) for j in problems]
    gains = [_gain(method, j, higher) for j in problems]
    plain = [v for j in problems for v in j.chosen[method].default.values() if math.isfinite(v)]
    return Candidate(
        name=method,
        gain=float(np.mean(gains)),
        factor=float(np.exp(np.mean([math.log(f.factor) if f else 0.0 for f in factors])))
        if any(factors)
        else None,
        default=float(np.mean(plain)) * (1 if higher else -1)
        if plain and len(problems) == 1
        else None,
        diverged=sum(j.diverged[method] for j in problems),
    )


def _gain(method: str, judged: Judged, higher: bool) -> float:
    """Return a mean on a scale where 0 is the worst value of any run and 1 the best mean.

    Runs of one setting and without a curve do not tell what no training reaches: all count as 1.
    """
    sign = 1.0 if higher else -1.0
    everyone = [run for own in judged.runs.values() for run in own]
    if all(len({r.setting for r in own}) == 1 for own in judged.runs.values()) and all(
        len(curve) == 1 for run in everyone for curve in run.curves.values()
    ):
        return 1.0
    seen = [v for r in everyone for c in r.curves.values() for v in c.values() if math.isfinite(v)]
    worst = min(sign * v for v in seen)
    most = max(sign * e.mean for e in judged.estimates.values()) - worst
    return (sign * judged.estimates[method].mean - worst) / most if most > 0 else 1.0


def _counted(chosen: Chosen, worst: float) -> dict[str, float]:
    """Return each seed's score; a diverged run counts as it began, else as the worst run."""
    began = {run.seed: _start(run, worst) for run in chosen.runs}
    return {
        seed: value if math.isfinite(value) else began.get(seed, worst)
        for seed, value in chosen.values.items()
    }


def _start(run: ExternalRun, worst: float) -> float:
    for split in ("validation", "test"):
        curve = run.curves.get(split, {})
        if len(curve) > 1 and math.isfinite(curve[min(curve)]):
            return curve[min(curve)]
    return worst


def _note_unequal(
    problem: str, scores: Scores, runs: Sequence[ExternalRun], notes: list[str]
) -> None:
    place = f"{problem}: " if problem else ""
    seeds = [set(s) for s in scores.values()]
    apart = all(a.isdisjoint(b) for a, b in itertools.combinations(seeds, 2))  # said when read
    if len({frozenset(s) for s in seeds}) > 1 and not apart:
        counts = ", ".join(f"{m}: {len(s)}" for m, s in scores.items())
        notes.append(
            place
            + _(
                "Methods have different seeds ({counts}): a pair that shares all is compared seed by "
                "seed, others as two samples."
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


def judge_by_seed(
    scores: Scores,
    higher: bool,
    resolution: float = 0.0,
    within: tuple[float, float] = (-math.inf, math.inf),
) -> Verdict:
    """Return the verdict on scores by seed; each pair is compared on the seeds it shares.

    Parameters
    ----------
    resolution : the smallest step of the metric; the smallest between the scores where it is 0.
    within : where a difference of two scores can lie.
    """
    resolution = resolution or smallest_step([v for own in scores.values() for v in own.values()])
    sign = 1.0 if higher else -1.0
    names = sorted(scores, key=lambda m: -sign * float(np.mean(list(scores[m].values()))))
    pairs = list(itertools.combinations(names, 2))
    raw = [_p_value(scores[a], scores[b], resolution, len(pairs)) for a, b in pairs]
    least = [_least(scores[a], scores[b], resolution) for a, b in pairs]
    corrected = dict(zip(pairs, map(float, np.maximum(holm(raw), least)), strict=True))
    best = names[0]
    comparisons = []
    for other in names[1:]:
        p = corrected[best, other]
        chance = chance_of_better(list(scores[best].values()), list(scores[other].values()), higher)
        own, theirs = ({k: sign * v for k, v in scores[m].items()} for m in (best, other))
        difference = _difference(own, theirs, len(pairs), resolution, within)
        difference = consistent_interval(difference, not p < ALPHA)
        comparisons.append(Comparison(other, difference, p, not p < ALPHA, chance=chance))
    tied = tuple(c.other for c in comparisons if c.tied)
    return Verdict(best, tied, tuple(comparisons), text="")


def _is_paired(a: Mapping[str, float], b: Mapping[str, float]) -> bool:
    """Whether two methods have the same seeds: a test on part of them may contradict the means."""
    return len(a) >= 2 and set(a) == set(b)


def _p_value(a: Mapping[str, float], b: Mapping[str, float], resolution: float, n: int) -> float:
    first, second = _set_against(a, b)
    if _is_paired(a, b):
        return uncorrected_p_value(first, second, resolution, n)
    return welch(first, second, resolution)[0]


def _least(a: Mapping[str, float], b: Mapping[str, float], resolution: float) -> float:
    return least_p_value(*_set_against(a, b), resolution, paired=_is_paired(a, b))


def _set_against(a: Mapping[str, float], b: Mapping[str, float]) -> tuple[list[float], list[float]]:
    """Return the scores of two methods, in the order of the seeds where they are paired."""
    if _is_paired(a, b):
        return [a[s] for s in by_seed(set(a))], [b[s] for s in by_seed(set(a))]
    return list(a.values()), list(b.values())


def _difference(
    a: Mapping[str, float],
    b: Mapping[str, float],
    family: int,
    resolution: float,
    within: tuple[float, float],
) -> Estimate:
    first, second = _set_against(a, b)
    if _is_paired(a, b):
        return difference_of(first, second, family=family, resolution=resolution, within=within)
    mean = float(np.mean(first)) - float(np.mean(second))
    _p, low, high = welch(first, second, resolution, ALPHA / max(1, family))
    if not math.isnan(low):
        low, high = max(low, within[0]), min(high, within[1])
    return Estimate(mean, low, high, (mean,))


def _together(judged: Sequence[Judged], higher: bool, notes: list[str]) -> Judged:
    """Judge the methods that are there on every problem, on scores scaled problem by problem."""
    common = sorted(set.intersection(*(set(j.scores) for j in judged)))
    if not common:
        raise DataError(_("no method has runs on every problem: judge the problems one by one"))
    everyone = sorted({m for j in judged for m in j.scores})
    absent = {m: [j.problem for j in judged if m not in j.scores] for m in everyone}
    if len(common) == 1 < len(everyone):
        raise DataError(
            _(
                "only {method} has runs on every problem: there is nothing to compare it with; judge "
                "the problems one by one"
            ).format(method=common[0])
        )
    for m, where in absent.items():
        if where:
            notes.append(
                _("{method} has no runs on {problems}: it is left out over all problems.").format(
                    method=m, problems=listed(where)
                )
            )
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
    return _with_choice(Judged("", {}, scores, estimates, diverged, verdict, {}), judged, higher)


def _direction(table: pd.DataFrame, metric: str, given: bool | None, notes: list[str]) -> bool:
    """Return whether higher is better: as asked for, as the table says, or by the metric's name.

    Raises
    ------
    DataError
        If none of them says it, for a guess would recommend the worst method half of the time.
    """
    if given is not None:
        return given
    if "higher_is_better" in table.columns:
        words = {str(v).strip().lower() for v in table["higher_is_better"]} - {"", "nan", "none"}
        said = {w in _YES for w in words}
        if words <= {*_YES, *_NO} and len(said) == 1:
            return said.pop()
    name = metric or str(table.attrs.get("names", {}).get("value", "value"))
    found = higher_is_better(name)
    if found is None:
        raise DataError(
            _(
                "the name {name!r} does not say which values are the better ones: add "
                "--higher-is-better or --lower-is-better (in Python higher_is_better=True or False)"
            ).format(name=name)
        )
    notes.append(
        (
            _("Higher is better: inferred from the name {name!r}.")
            if found
            else _("Lower is better: inferred from the name {name!r}.")
        ).format(name=name)
    )
    return found


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
