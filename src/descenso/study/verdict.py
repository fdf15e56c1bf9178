"""The verdict: what the evidence allows to be said, in words and figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from descenso.language import _, ngettext
from descenso.records import Verdict
from descenso.study import _sentences as say
from descenso.study import words
from descenso.study._results import MethodResult, MetricInfo, StudyResult
from descenso.study._sequential import judge
from descenso.study.statistics import ALPHA, seeds_to_settle

#: The part of a report that backs each sentence of the verdict: a figure, or the table.
BACKING: Mapping[str, str] = {
    "use": "results",
    "constant": "results",
    "default": "results",
    "ties": "differences",
    "equivalent": "differences",
    "worse": "differences",
    "sure": "differences",
    "settle": "differences",
    "sensitive": "sensitivity",
    "target": "curves",
    "cost": "table",
    "quickest": "table",
    "diverged": "curves",
    "edge": "sensitivity",
}

#: Sentences that tell of this machine at that moment. They are said beside the verdict and not in
#: it: the same study has the same verdict, whenever and in however many parts it is run.
OF_THE_MOMENT = ("quickest", "cost")


def decide(
    methods: Sequence[MethodResult],
    metric: MetricInfo,
    test_examples: int,
    *,
    alpha: float = ALPHA,
    margin: float | None = None,
) -> Verdict:
    """Return the verdict on the confirmed runs, still without its text.

    Parameters
    ----------
    test_examples : a share cannot show a difference below one of them.
    alpha : level of its claims; a study that looks more than once spends 5% in parts.
    margin : a difference of the metric that does not matter.
    """
    if all(m.tuned.diverged == len(m.tuned.scores) for m in methods):
        return Verdict(best=None, tied=(), comparisons=(), text="")
    scores = {m.name: m.tuned.scores for m in methods}
    resolution = 1 / test_examples if metric.percent else 0.0
    return judge(scores, metric.higher_is_better, resolution, alpha, margin)


def with_text(result: StudyResult) -> StudyResult:
    """Return the result with its verdict in words, in the language in use."""
    text = _joined(result, of_the_moment=False)
    return replace(result, verdict=replace(result.verdict, text=text))


def costs_in_words(result: StudyResult) -> str:
    """Return what the recommended method cost on this machine, in the language in use."""
    return _joined(result, of_the_moment=True)


def _joined(result: StudyResult, of_the_moment: bool) -> str:
    return " ".join(
        sentence
        for topic, sentence in sentences(result).items()
        if sentence and (topic in OF_THE_MOMENT) == of_the_moment
    )


def sentences(result: StudyResult) -> Mapping[str, str]:
    """Return the sentences of the verdict by topic; those with nothing to say are empty.

    :data:`BACKING` names the figure behind each.
    """
    if result.verdict.best is None:
        return {"use": _all_diverged(result)}
    best = result.method(result.verdict.best)
    return {
        "use": _use(best, result),
        "constant": _constant(result),
        "default": say.default(best, result),
        "ties": _ties(result),
        "equivalent": _equivalent(result),
        "sure": _sure(result),
        "settle": _settle(result),
        "worse": _worse(result),
        "sensitive": say.sensitive(best, result),
        "target": say.target(best, result),
        "diverged": say.diverged(result.methods),
        "edge": say.edges(result.methods),
        "looks": say.looks(result),
        "caution": say.caution(result),
        "cost": say.cost(best, result),
        "quickest": say.quickest(best, result),
    }


def _all_diverged(result: StudyResult) -> str:
    return _(
        "On {problem}, every confirmation run of every method diverged: there is no method to "
        "recommend. Look at the learning rates that were tried, and at the data."
    ).format(problem=result.design.problem)


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


def _constant(result: StudyResult) -> str:
    """Say where the metric is the same in every run, so that the name in front means nothing."""
    everything = {score for m in result.methods for score in m.tuned.scores}
    if len(everything) > 1 or len(result.methods) < 2:
        return ""
    return _(
        "Every run of every method ends at that very value: this metric cannot tell them apart, "
        "and the order of the names means nothing."
    )


def _ties(result: StudyResult) -> str:
    tied = [c.other for c in result.verdict.comparisons if c.tied and not c.equivalent]
    n = result.seeds
    if not result.verdict.tied:
        return _("No other method ties with it.") if result.verdict.comparisons else ""
    if not tied:
        return ""
    if n < 2:
        return _("How it compares with {names} cannot be said from one seed.").format(
            names=words.listed(tied)
        )
    return ngettext(
        "{names} ties with it: the difference is inside the noise of {n} seeds.",
        "{names} tie with it: the differences are inside the noise of {n} seeds.",
        len(tied),
    ).format(names=words.listed(tied), n=n)


def _equivalent(result: StudyResult) -> str:
    same = [c.other for c in result.verdict.comparisons if c.equivalent and c.tied]
    if not same or result.design.margin is None:
        return ""
    return ngettext(
        "{names} is shown to be as good to within {margin}.",
        "{names} are shown to be as good to within {margin}.",
        len(same),
    ).format(names=words.listed(same), margin=words.difference(result.design.margin, result.metric))


def _worse(result: StudyResult) -> str:
    parts = [
        _("{name} by {difference} ({p})").format(
            name=c.other,
            difference=words.difference(c.difference.mean, result.metric),
            p=words.p_value(c.p_value),
        )
        for c in result.verdict.comparisons
        if not c.tied
    ]
    return _("Worse: {parts}.").format(parts=words.listed(parts)) if parts else ""


def _sure(result: StudyResult) -> str:
    """Say how often a run of the best beats a run of the method nearest to it."""
    if result.seeds < 2 or not result.verdict.comparisons or _constant(result):
        return ""
    nearest = min(result.verdict.comparisons, key=lambda c: c.difference.mean)
    if math.isnan(nearest.chance):  # a study stored before this was computed
        return ""
    return _(
        "Of two runs, one of {best} and one of {name}, the one of {best} is the better with a "
        "probability of {chance} (50% would be a coin toss)."
    ).format(best=result.verdict.best, name=nearest.other, chance=f"{100 * nearest.chance:.0f}%")


def _settle(result: StudyResult) -> str:
    """Say what it would take to separate the closest tie."""
    tied = [c for c in result.verdict.comparisons if c.tied and not c.equivalent]
    if not tied or result.seeds < 2:
        return ""
    closest = min(tied, key=lambda c: c.p_value)
    methods = len(result.methods)
    n = seeds_to_settle(closest.difference, methods * (methods - 1) // 2)
    if n is None or n <= result.seeds:
        return ""
    return _(
        "If the difference from {name} is as large as it looks, about {n} seeds would show it."
    ).format(name=closest.other, n=n)
