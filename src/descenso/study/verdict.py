"""The verdict: what the evidence allows to be said, in words and figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from descenso.language import _, ngettext
from descenso.records import Verdict
from descenso.study import words
from descenso.study._results import Design, MethodResult, MetricInfo, StudyResult
from descenso.study.statistics import compare_with_best, seeds_to_settle

#: A run that takes more than this share of another's time is not worth calling quicker.
QUICKER = 0.8


def decide(methods: Sequence[MethodResult], metric: MetricInfo, test_examples: int) -> Verdict:
    """Return the verdict on the confirmed runs, still without its text.

    Parameters
    ----------
    test_examples : a share cannot show a difference below one of them.
    """
    if all(m.tuned.diverged == len(m.tuned.scores) for m in methods):
        return Verdict(best=None, tied=(), comparisons=(), text="")
    scores = {m.name: m.tuned.scores for m in methods}
    resolution = 1 / test_examples if metric.percent else 0.0
    best, comparisons = compare_with_best(scores, metric.higher_is_better, resolution)
    tied = tuple(c.other for c in comparisons if c.tied)
    return Verdict(best, tied, comparisons, text="")


def with_text(result: StudyResult) -> StudyResult:
    """Return the result with its verdict in words, in the language in use."""
    text = " ".join(sentence for sentence in sentences(result).values() if sentence)
    return replace(result, verdict=replace(result.verdict, text=text))


def sentences(result: StudyResult) -> Mapping[str, str]:
    """Return the sentences of the verdict by topic; those with nothing to say are empty."""
    if result.verdict.best is None:
        return {"use": _all_diverged(result.design)}
    best = result.method(result.verdict.best)
    return {
        "use": _use(best, result),
        "default": _default(best, result),
        "ties": _ties(result),
        "cost": _cost(best, result),
        "settle": _settle(result),
        "worse": _worse(result),
        "diverged": _diverged(result.methods),
        "edge": _edges(result.methods),
        "caution": _caution(result.design),
    }


def _all_diverged(design: Design) -> str:
    return _(
        "On {problem}, every confirmation run of every method diverged: there is no method to "
        "recommend. Look at the learning rates that were tried, and at the data."
    ).format(problem=design.problem)


def _use(best: MethodResult, result: StudyResult) -> str:
    test, metric = best.tuned.test, result.metric
    opening = _(
        "On {problem}, train with {method} ({settings}; batch size {batch_size}): "
        "{metric} {mean} on test"
    ).format(
        problem=result.design.problem,
        method=best.name,
        settings=words.settings(best.rule, best.settings),
        batch_size=best.batch_size,
        metric=_(metric.name),
        mean=words.figure(test.mean, metric),
    )
    n = len(test.values)
    if math.isnan(test.low):
        return opening + _(" (one seed).")
    return opening + ngettext(
        " (95% interval {low} to {high}, {n} fresh seed).",
        " (95% interval {low} to {high}, {n} fresh seeds).",
        n,
    ).format(low=words.figure(test.low, metric), high=words.figure(test.high, metric), n=n)


def _ties(result: StudyResult) -> str:
    tied, n = result.verdict.tied, result.design.seeds
    if not tied:
        return _("No other method ties with it.") if result.verdict.comparisons else ""
    if n < 2:
        return _("How it compares with {names} cannot be said from one seed.").format(
            names=words.listed(tied)
        )
    return ngettext(
        "{names} ties with it: the difference is inside the noise of {n} seeds.",
        "{names} tie with it: the differences are inside the noise of {n} seeds.",
        len(tied),
    ).format(names=words.listed(tied), n=n)


def _worse(result: StudyResult) -> str:
    parts = [
        _("{name} by {difference} (p = {p})").format(
            name=c.other,
            difference=words.difference(c.difference.mean, result.metric),
            p=_p_value(c.p_value),
        )
        for c in result.verdict.comparisons
        if not c.tied
    ]
    return _("Worse: {parts}.").format(parts=words.listed(parts)) if parts else ""


def _p_value(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.2g}"


def _settle(result: StudyResult) -> str:
    """Say what it would take to separate the closest tie."""
    tied = [c for c in result.verdict.comparisons if c.tied]
    if not tied or result.design.seeds < 2:
        return ""
    closest = min(tied, key=lambda c: c.p_value)
    methods = len(result.methods)
    n = seeds_to_settle(closest.difference, methods * (methods - 1) // 2)
    if n is None or n <= result.design.seeds:
        return ""
    return _(
        "If the difference from {name} is as large as it looks, about {n} seeds would show it."
    ).format(name=closest.other, n=n)


def _default(best: MethodResult, result: StudyResult) -> str:
    tuned, default = best.tuned.test.mean, best.default.test.mean
    gain = (tuned - default) * (1 if result.metric.higher_is_better else -1)
    if best.tuned.settings == best.default.settings:
        return _("That is its default setting.")
    template = (
        _("Its default ({settings}) reaches {mean}: tuning was worth {gain}.")
        if gain > 0
        else _("Its default ({settings}) does as well on test: {mean}.")
    )
    return template.format(
        settings=words.settings(best.rule, best.default.settings),
        mean=words.figure(default, result.metric),
        gain=words.difference(gain, result.metric),
    )


def _cost(best: MethodResult, result: StudyResult) -> str:
    """Name the quickest of the methods that cannot be told apart."""
    level = [best, *(result.method(name) for name in result.verdict.tied)]
    quickest = min(level, key=_seconds_per_run)
    if _seconds_per_run(quickest) > QUICKER * _seconds_per_run(best):
        return ""
    return _("Of these, {name} is the quickest: {own} s a run against {other} s.").format(
        name=quickest.name,
        own=f"{_seconds_per_run(quickest):.2g}",
        other=f"{_seconds_per_run(best):.2g}",
    )


def _seconds_per_run(method: MethodResult) -> float:
    return method.tuned.seconds / len(method.tuned.curves)


def _diverged(methods: Sequence[MethodResult]) -> str:
    parts = [
        _("{k} of {n} of {name}").format(k=m.tuned.diverged, n=len(m.tuned.curves), name=m.name)
        for m in methods
        if m.tuned.diverged
    ]
    if not parts:
        return ""
    return _("Runs diverged, and count as untrained networks: {parts}.").format(
        parts=words.listed(parts)
    )


def _edges(methods: Sequence[MethodResult]) -> str:
    names = [m.name for m in methods if m.at_edge]
    if not names:
        return ""
    return _(
        "The best learning rate of {names} lies at the edge of those tried, even after widening: "
        "a better one may lie beyond."
    ).format(names=words.listed(names))


def _caution(design: Design) -> str:
    if design.seeds == 1:
        return _(
            "One seed shows no noise: no interval and no difference can be vouched for. "
            "Use five seeds or more."
        )
    if design.seeds < 5:
        return _(
            "With {n} seeds only differences far larger than the noise can be seen; "
            "use five seeds or more."
        ).format(n=design.seeds)
    return ""
