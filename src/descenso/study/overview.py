"""Several problems together: which method does well on all of them.

Scores are made comparable problem by problem: 0 is the untrained network, 1 the mean of the method
that did best there.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from descenso.errors import BudgetError
from descenso.language import _
from descenso.records import Estimate, Verdict
from descenso.study import _json as encode
from descenso.study import _sentences as say
from descenso.study import words
from descenso.study._results import StudyResult
from descenso.study._sequential import judge
from descenso.study.recommendation import Candidate, Choice, candidate, choose_among_ties

_RESAMPLES = 2000
_BOOTSTRAP_SEED = 20211206
_LEVEL = 0.95


@dataclass(frozen=True)
class Overview:
    """What several studies say together.

    Attributes
    ----------
    problems, methods : names, in the order given.
    scores : method → array of shape (problems, seeds) of comparable scores.
    iqm : method → interquartile mean of its scores over problems and seeds, with its interval.
    profile : method → shares of runs solved, at each of ``ratios`` times the epochs that the
        quickest method took on the same problem and seed. A run that misses the target is never
        solved.
    ratios : shape (points,), from 1 up.
    verdict : the paired comparison of the scores, over all problems and seeds.
    choice : how the one to take was chosen among the methods that tie.
    """

    problems: tuple[str, ...]
    methods: tuple[str, ...]
    scores: Mapping[str, NDArray[Any]]
    iqm: Mapping[str, Estimate]
    profile: Mapping[str, NDArray[Any]]
    ratios: NDArray[Any]
    verdict: Verdict
    choice: Choice = field(default_factory=Choice)


def overview(results: Sequence[StudyResult]) -> Overview:
    """Return what studies of the same methods on several problems say together.

    Raises
    ------
    BudgetError
        If the studies do not compare the same methods, or repeat a problem.
    """
    methods = results[0].design.methods
    if any(set(r.design.methods) != set(methods) for r in results):
        raise BudgetError(_("several problems can only be judged together on the same methods"))
    names = tuple(r.design.problem for r in results)
    if len(set(names)) < len(names):
        raise BudgetError(_("a problem is named twice"))
    seeds = min(r.seeds for r in results)
    scores = {m: np.array([comparable(r, m)[:seeds] for r in results]) for m in methods}
    ratios, profile = performance_profile(results, seeds)
    lost = all(r.verdict.best is None for r in results)
    verdict = Verdict(None, (), (), "") if lost else _judged(scores)
    choice = Choice()
    if verdict.best is not None:
        choice = _chosen(verdict, results, scores)
        verdict = replace(verdict, recommended=choice.name, chosen_by=choice.by)
    iqm = {m: interquartile_mean(s) for m, s in scores.items()}
    return Overview(names, tuple(methods), scores, iqm, profile, ratios, verdict, choice)


def _judged(scores: Mapping[str, NDArray[Any]]) -> Verdict:
    return judge(
        {m: s.ravel().tolist() for m, s in scores.items()},
        higher_is_better=True,
        resolution=0.0,
        alpha=1 - _LEVEL,
        margin=None,
    )


def _chosen(
    verdict: Verdict, results: Sequence[StudyResult], scores: Mapping[str, NDArray[Any]]
) -> Choice:
    """Choose among the ties by what the problems say together."""
    best = verdict.best or ""
    if next(iter(scores.values())).size < 2:
        return Choice(best)
    own = {m: together(m, results, scores) for m in (best, *verdict.tied)}
    most = float(np.mean(scores[best]))
    own = {m: replace(c, gain=c.gain / most if most > 0 else 1.0) for m, c in own.items()}
    return choose_among_ties(own[best], [own[m] for m in verdict.tied])


def together(
    method: str, results: Sequence[StudyResult], scores: Mapping[str, NDArray[Any]]
) -> Candidate:
    """Return what several studies know of a method.

    Factors are averaged as ratios are (geometrically), a problem without one counting as 1; work
    and memory are the means over problems, and defaults are taken on the common scale.
    """
    own = [candidate(r.method(method), r.metric, r.methods) for r in results]
    factors = [c.factor or 1.0 for c in own]
    plain = [_comparable_default(r, method) for r in results]
    return Candidate(
        name=method,
        gain=float(np.mean(scores[method])),
        factor=float(np.exp(np.mean(np.log(factors)))),
        work=float(np.mean([c.work for c in own])),
        memory=float(np.mean([c.memory for c in own])),
        default=None if None in plain else float(np.mean(np.array(plain, dtype=float))),
        diverged=sum(c.diverged for c in own),
    )


def _comparable_default(result: StudyResult, method: str) -> float | None:
    found = result.method(method).default
    return None if found is None else float(np.mean(_on_common_scale(result, found.scores)))


def comparable(result: StudyResult, method: str) -> NDArray[Any]:
    """Return the method's test scores with 0 for the untrained network and 1 for the best mean."""
    return _on_common_scale(result, result.method(method).tuned.scores)


def _on_common_scale(result: StudyResult, given: Sequence[float]) -> NDArray[Any]:
    start = np.mean([c.validation_metric[0] for m in result.methods for c in m.tuned.curves])
    best = result.ranking[0].tuned.test.mean
    scores = np.asarray(given)
    if not math.isfinite(best - start) or best == start:
        return np.zeros(len(scores))  # nothing was learnt by any method
    gain: NDArray[Any] = (scores - start) / (best - start)
    return gain


def interquartile_mean(scores: NDArray[Any]) -> Estimate:
    """Return the mean of the middle half of all scores, with its 95% bootstrap interval.

    Seeds are resampled within each problem: the problems are taken as they are, not as a sample.
    Source: Agarwal et al. (2021), Deep Reinforcement Learning at the Edge of the Statistical
    Precipice, section 4.

    Parameters
    ----------
    scores : shape (problems, seeds).
    """
    mean = float(stats.trim_mean(scores, 0.25, axis=None))
    values = tuple(float(v) for v in scores.ravel())
    if scores.shape[1] < 2:
        return Estimate(mean, math.nan, math.nan, values)
    generator = np.random.default_rng(_BOOTSTRAP_SEED)
    picked = generator.integers(0, scores.shape[1], (_RESAMPLES, *scores.shape))
    rows = np.arange(scores.shape[0])[None, :, None]
    resampled = scores[rows, picked].reshape(_RESAMPLES, -1)
    means = stats.trim_mean(resampled, 0.25, axis=1)
    low, high = np.quantile(means, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Estimate(mean, float(low), float(high), values)


def performance_profile(
    results: Sequence[StudyResult], seeds: int
) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """Return ratios, and for each method the share of runs solved within each of them.

    A run of a method is set against the quickest method on the same problem and seed. Source:
    Dolan & Moré (2002), Benchmarking optimization software with performance profiles.
    """
    methods = results[0].design.methods
    ratios: dict[str, list[float]] = {m: [] for m in methods}
    for result in results:
        if result.metric.target is None:
            continue
        times = {m: result.method(m).tuned.epochs_to_target[:seeds] for m in methods}
        for seed in range(seeds):
            quickest = max(1.0, min(times[m][seed] for m in methods))
            for m in methods:
                reached = math.isfinite(times[m][seed])
                ratios[m].append(max(1.0, times[m][seed]) / quickest if reached else math.inf)
    finite = sorted({r for r in itertools.chain(*ratios.values()) if math.isfinite(r)} | {1.0})
    at = np.array(finite)
    shares = {
        m: np.array([np.mean(np.asarray(own) <= r) if own else math.nan for r in at])
        for m, own in ratios.items()
    }
    return at, shares


def in_words(found: Overview) -> str:
    """Return the verdict over all problems, in the language in use."""
    best = found.verdict.best
    if best is None:
        return say.nothing_to_take()
    mean = f"{100 * float(np.mean(found.scores[best])):.1f}%"
    problems, taken = words.listed(found.problems), found.verdict.recommended
    parts = []
    if found.choice.by:
        parts.append(
            _("Over {problems}, {count} methods tie. Take {method}: {why}.").format(
                problems=problems,
                count=len(found.choice.among),
                method=taken,
                why=say.why(found.choice),
            )
        )
        text = _(
            "{method} has the highest mean: {score} of what the best method of each problem gains."
        )
    else:
        text = _(
            "Over {problems}, {method} has the highest mean: {score} of what the best method of "
            "each problem gains."
        )
    parts.append(text.format(problems=problems, method=best, score=mean))
    if found.verdict.tied:
        parts.append(
            _("Inside the noise of it: {names}.").format(names=words.listed(found.verdict.tied))
        )
    parts.append(say.worse(found.verdict, _points, named=False))
    return " ".join(filter(None, parts))


def _points(gain: float) -> str:
    return _("{value} points").format(value=f"{100 * gain:.1f}")


def as_json(found: Overview) -> dict[str, Any]:
    """Return the overview as JSON-ready values."""
    return {
        "problems": list(found.problems),
        "methods": [
            {
                "name": m,
                "mean": float(np.mean(found.scores[m])),
                "interquartile_mean": found.iqm[m].mean,
                "low": encode.number(found.iqm[m].low),
                "high": encode.number(found.iqm[m].high),
                "performance_profile": [
                    {"ratio": float(r), "solved": encode.number(float(s))}
                    for r, s in zip(found.ratios, found.profile[m], strict=True)
                ],
            }
            for m in found.methods
        ],
        "verdict": {
            "text": in_words(found),
            **encode.verdict(found.verdict),
        },
    }
