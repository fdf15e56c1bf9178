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
from descenso.study.recommendation import recommend
from descenso.study.statistics import ALPHA, noise_of_test_set, shows_spread

#: The part of a report that backs each sentence of the verdict: a figure, or the table.
BACKING: Mapping[str, str] = {
    "use": "results",
    "constant": "results",
    "default": "results",
    "ties": "differences",
    "equivalent": "differences",
    "left_aside": "table",
    "alike": "results",
    "range": "results",
    "test_set": "results",
    "worse": "differences",
    "sure": "differences",
    "settle": "differences",
    "sensitive": "sensitivity",
    "target": "curves",
    "cost": "table",
    "quickest": "table",
    "diverged": "curves",
    "failed": "table",
    "edge": "sensitivity",
}

#: Sentences that tell of this machine at that moment. They are said beside the verdict and not in
#: it: the same study has the same verdict, whenever and in however many parts it is run.
#: Of fewer runs of each method, the share of pairs that one wins says nothing.
FEWEST_TO_COUNT = 5
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
    if all(m.tuned.ended == len(m.tuned.scores) for m in methods):
        return Verdict(best=None, tied=(), comparisons=(), text="")
    scores = {m.name: m.tuned.scores for m in methods}
    resolution = 1 / test_examples if metric.percent else 0.0
    within = metric.range_of(v for own in scores.values() for v in own).of_differences
    verdict = judge(scores, metric.higher_is_better, resolution, alpha, margin, within)
    best = verdict.best or ""
    if len(methods[0].tuned.scores) < 2:  # one seed tells no tie from a difference
        return replace(verdict, recommended=best)
    choice = recommend(methods, metric, best, verdict.tied)
    return replace(verdict, recommended=choice.name, chosen_by=choice.by)


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
    taken = result.recommended
    if taken is None:
        return {"use": _all_diverged(result), "failed": say.failed(result.methods)}
    return {
        "use": _use(taken, result),
        "alike": _alike(taken, result),
        "test_set": _test_set(taken, result),
        "constant": _constant(result),
        "default": say.default(taken, result),
        "ties": _ties(result),
        "sensitive": say.sensitive(taken, result),
        "left_aside": say.left_aside(result),
        "equivalent": _equivalent(result),
        "sure": _sure(result),
        "settle": say.settle(result.verdict, len(result.methods), result.resolution),
        "worse": say.worse(result.verdict, lambda gap: words.difference(gap, result.metric)),
        "target": say.target(taken, result),
        "diverged": say.diverged(result.methods),
        "failed": say.failed(result.methods),
        "edge": say.edges(result.methods),
        "looks": say.looks(result),
        "range": _range(result),
        "caution": say.caution(result.seeds),
        "cost": say.cost(taken, result),
        "quickest": say.quickest(taken, result),
    }


def _all_diverged(result: StudyResult) -> str:
    return _(
        "On {problem}, every confirmation run of every method diverged: there is no method to "
        "recommend. Look at the learning rates that were tried, and at the data."
    ).format(problem=result.design.problem)


def _use(taken: MethodResult, result: StudyResult) -> str:
    test, metric, choice = taken.tuned.test, result.metric, say.chosen(result)
    facts = {
        "problem": result.design.problem,
        "method": taken.name,
        "settings": words.settings(taken.rule, taken.settings),
        "batch_size": taken.batch_size,
        "metric": _(metric.name),
        "mean": words.figure(test.mean, metric),
    }
    if choice.by:
        opening = _(
            "On {problem}, {count} methods tie. Take {method} ({settings}; batch size "
            "{batch_size}): {why}. It reaches {metric} {mean} on test"
        ).format(**facts, count=len(choice.among), why=say.why(choice))
    else:
        opening = _(
            "On {problem}, train with {method} ({settings}; batch size {batch_size}): "
            "{metric} {mean} on test"
        ).format(**facts)
    n = len(test.values)
    if math.isnan(test.low):
        return opening + _(" (one seed).")
    return opening + ngettext(
        " (95% interval {low} to {high}, {n} fresh seed).",
        " (95% interval {low} to {high}, {n} fresh seeds).",
        n,
    ).format(low=words.figure(test.low, metric), high=words.figure(test.high, metric), n=n)


def _alike(taken: MethodResult, result: StudyResult) -> str:
    """Say what the interval is made of where all seeds score alike."""
    scores = taken.tuned.scores
    if len(scores) < 2 or shows_spread(scores, 0.0):
        return ""
    if not result.resolution:
        return _("All its seeds score alike: they show no noise to make an interval of.")
    return _(
        "All its seeds score alike: its interval is that of one test example ({step})."
    ).format(step=words.difference(result.resolution, result.metric))


def _range(result: StudyResult) -> str:
    """Say where intervals were cut, for no value lies beyond."""
    ends = result.range
    cut = {
        end
        for m in result.methods
        for end, mean in (
            (m.tuned.test.low, m.tuned.test.mean),
            (m.tuned.test.high, m.tuned.test.mean),
        )
        if end in ends.ends and end != mean
    }
    if not cut:
        return ""
    return _("Intervals end at {limit}, where the metric does.").format(
        limit=words.listed([words.figure(end, result.metric) for end in sorted(cut)])
    )


def _test_set(taken: MethodResult, result: StudyResult) -> str:
    """Say how much of the metric the size of the test part leaves open, however many seeds."""
    if not result.metric.percent or result.metric.name != "accuracy":
        return ""
    examples = result.examples["test"]
    low, high = noise_of_test_set(taken.tuned.test.mean, examples)
    return _(
        "That is the noise of seeds; {examples} test examples alone leave its accuracy on new data "
        "between {low} and {high} (95%)."
    ).format(
        examples=examples,
        low=words.figure(low, result.metric),
        high=words.figure(high, result.metric),
    )


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
    best, taken = result.verdict.best or "", result.verdict.recommended
    if not result.verdict.tied:
        return _("No other method ties with it.") if result.verdict.comparisons else ""
    if not tied:
        return ""
    if taken != best:
        return ngettext(
            "{best} has the best mean, {mean}; {names} ties with it: the difference is inside "
            "the noise of {n} seeds.",
            "{best} has the best mean, {mean}; {names} tie with it: the differences are inside "
            "the noise of {n} seeds.",
            len(tied),
        ).format(
            best=best,
            mean=words.figure(result.method(best).tuned.test.mean, result.metric),
            names=words.listed(tied),
            n=n,
        )
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


def _sure(result: StudyResult) -> str:
    """Say how often a run of the best beats one of the method taken, or of the one nearest to it."""
    if result.seeds < FEWEST_TO_COUNT or not result.verdict.comparisons or _constant(result):
        return ""
    nearest = min(
        result.verdict.comparisons,
        key=lambda c: (c.other != result.verdict.recommended, c.difference.mean),
    )
    if math.isnan(nearest.chance):  # a study stored before this was computed
        return ""
    return say.beats(result.verdict, nearest)
