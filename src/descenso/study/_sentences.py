"""The sentences of verdicts: those of one method, and those of any evidence."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from descenso.language import _, ngettext
from descenso.records import Comparison, Verdict
from descenso.study import words
from descenso.study._results import MethodResult, StudyResult
from descenso.study.cost import cost as cost_of
from descenso.study.cost import time_to_target
from descenso.study.recommendation import Choice, recommend
from descenso.study.sensitivity import tolerance
from descenso.study.statistics import seeds_to_settle

#: A run that takes more than this share of another's time is not worth calling quicker.
QUICKER = 0.8


def default(best: MethodResult, result: StudyResult) -> str:
    """Say what tuning was worth, where the default was confirmed too."""
    if best.at_default:
        return _("That is its default setting.")
    if best.default is None:
        return ""
    tuned, plain = best.tuned.test.mean, best.default.test.mean
    gain = (tuned - plain) * (1 if result.metric.higher_is_better else -1)
    template = (
        _("Its default ({settings}) reaches {mean}: tuning was worth {gain}.")
        if gain > 0
        else _("Its default ({settings}) does as well on test: {mean}.")
    )
    return template.format(
        settings=words.settings(best.rule, best.default.settings),
        mean=words.figure(plain, result.metric),
        gain=words.difference(gain, result.metric),
    )


def why(choice: Choice) -> str:
    """Say what told the method taken from the others that tie with the best."""
    if not choice.by:
        return ""
    texts = {
        "forgiveness": _("it is the most forgiving"),
        "cost": _("it is the cheapest"),
        "default": _("it is the best at its default setting"),
        "mean": _("it has the best mean"),
    }
    last = choice.by[-1]
    if choice.by[0] == "forgiveness" and last != "forgiveness":
        texts |= {
            "cost": _("of the most forgiving it is the cheapest"),
            "default": _("of the most forgiving it is the best at its default setting"),
            "mean": _("of the most forgiving it has the best mean"),
        }
    cheap = last == "forgiveness" and choice.cheap
    return texts[last] + (_(", and as cheap as any") if cheap else "")


def chosen(result: StudyResult) -> Choice:
    """Return the choice among those that tie, with what it rests on; of one seed there is none."""
    best = result.verdict.best or ""
    if result.seeds < 2:
        return Choice(best)
    return recommend(result.methods, result.metric, best, result.verdict.tied)


def left_aside(result: StudyResult) -> str:
    """Name the ties that were not chosen from."""
    aside = [name for name in result.verdict.tied if name not in chosen(result).among]
    if not aside or result.seeds < 2:
        return ""
    return ngettext(
        "{names} was not chosen from: it loses more than 5% of the gain, or diverges more often.",
        "{names} were not chosen from: they lose more than 5% of the gain, or diverge more often.",
        len(aside),
    ).format(names=words.listed(aside))


def sensitive(taken: MethodResult, result: StudyResult) -> str:
    """Say over which learning rates the method stays good, and the one with the best mean."""
    own = tolerance(taken, result.metric.higher_is_better)
    if own is None:
        return ""
    text = _(
        "On validation {name} keeps 95% of what it gains for learning rates from {low} to {high}, a "
        "factor of {factor}."
    )
    if own.low_open or own.high_open:
        text = _(
            "On validation {name} keeps 95% of what it gains for learning rates from {low} to {high} "
            "at least, a factor of {factor}."
        )
    said = text.format(
        name=taken.name,
        low=f"{own.low:.2g}",
        high=f"{own.high:.2g}",
        factor=words.factor(own.factor),
    )
    best = result.verdict.best or ""
    other = tolerance(result.method(best), result.metric.higher_is_better)
    if best == taken.name or other is None:
        return said
    return said.removesuffix(".") + _("; {name} keeps it over a factor of {factor}.").format(
        name=best, factor=words.factor(other.factor)
    )


def target(best: MethodResult, result: StudyResult) -> str:
    """Say how soon the method reaches the target, counting runs that never do."""
    found = time_to_target(best.tuned.epochs_to_target)
    if found is None or result.metric.target is None:
        return ""
    goal = words.figure(result.metric.target, result.metric)
    if not found.reached:
        return _("No run of {name} reaches {target} on validation.").format(
            name=best.name, target=goal
        )
    if math.isinf(found.median):
        return _("Only {reached} of {runs} runs of {name} reach {target} on validation.").format(
            name=best.name, reached=found.reached, runs=found.runs, target=goal
        )
    return ngettext(
        "{name} reaches {target} on validation after {epochs} epoch (median; {reached} of {runs} "
        "runs do).",
        "{name} reaches {target} on validation after {epochs} epochs (median; {reached} of {runs} "
        "runs do).",
        math.ceil(found.median),
    ).format(
        name=best.name,
        target=goal,
        epochs=f"{found.median:g}",
        reached=found.reached,
        runs=found.runs,
    )


def cost(best: MethodResult, result: StudyResult) -> str:
    """Say what a step takes in time and memory."""
    found = cost_of(best, result.parameters)
    if math.isnan(found.seconds_per_step):
        return ""
    if not found.state_arrays:
        return _("Here a step of {name} took {time}; it keeps nothing from step to step.").format(
            name=best.name, time=words.short_time(found.seconds_per_step)
        )
    return ngettext(
        "Here a step of {name} took {time}; its state is {count} number for each parameter "
        "({memory}).",
        "Here a step of {name} took {time}; its state is {count} numbers for each parameter "
        "({memory}).",
        found.state_arrays,
    ).format(
        name=best.name,
        time=words.short_time(found.seconds_per_step),
        count=found.state_arrays,
        memory=words.memory(found.state_bytes),
    )


def quickest(best: MethodResult, result: StudyResult) -> str:
    """Name the quickest of the methods that cannot be told apart."""
    level = [result.method(name) for name in (result.verdict.best or "", *result.verdict.tied)]
    first = min(level, key=_seconds_per_run)
    if _seconds_per_run(first) > QUICKER * _seconds_per_run(best):
        return ""
    return _("Of those that tie, {name} is the quickest: {own} s a run against {other} s.").format(
        name=first.name,
        own=f"{_seconds_per_run(first):.2g}",
        other=f"{_seconds_per_run(best):.2g}",
    )


def _seconds_per_run(method: MethodResult) -> float:
    return method.tuned.seconds / len(method.tuned.curves)


def diverged(methods: Sequence[MethodResult]) -> str:
    """Count the diverged runs aloud."""
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


def failed(methods: Sequence[MethodResult]) -> str:
    """Say which runs an error of the problem's own code ended: that is no divergence."""
    parts = []
    for method in methods:
        errors = [curve.error for curve in method.tuned.curves if curve.failed]
        if errors:
            parts.append(
                _("{k} of {n} of {name} ({error})").format(
                    k=len(errors), n=len(method.tuned.curves), name=method.name, error=errors[0]
                )
            )
    if not parts:
        return ""
    return _("Runs ended by an error, and count as untrained networks: {parts}.").format(
        parts=words.listed(parts)
    )


def edges(methods: Sequence[MethodResult]) -> str:
    """Name the methods whose best learning rate was the last one tried."""
    names = [m.name for m in methods if m.at_edge]
    if not names:
        return ""
    return _(
        "The best learning rate of {names} lies at the edge of those tried, even after widening: "
        "a better one may lie beyond."
    ).format(names=words.listed(names))


def looks(result: StudyResult) -> str:
    """Say how many seeds it took until the study was decided, or that it was not."""
    if not result.design.until_decided or not result.looks:
        return ""
    last = result.looks[-1]
    text = (
        _("Seeds were added until this was decided: {n} of at most {most}.")
        if last.decided
        else _("It was not decided with {n} seeds, the most that were asked for.")
    )
    return text.format(n=last.seeds, most=result.design.most_seeds)


def caution(seeds: int) -> str:
    """Warn where there are too few seeds."""
    if seeds == 1:
        return _(
            "One seed shows no noise: no interval and no difference can be vouched for. "
            "Use five seeds or more."
        )
    if seeds < 5:
        return _(
            "With {n} seeds only differences far larger than the noise can be seen; "
            "use five seeds or more."
        ).format(n=seeds)
    return ""


# ---- of a verdict, whatever evidence it rests on ----------------------------------------------


def nothing_to_take() -> str:
    """Say that no method is left to recommend."""
    return _("Every run of every method diverged: there is no method to recommend.")


def worse(verdict: Verdict, show: Callable[[float], str], named: bool = True) -> str:
    """Say which methods are worse than the best, and by how much.

    ``show`` writes a difference; ``named`` names the best where another method is recommended.
    """
    parts = [
        _("{name} by {difference} ({p})").format(
            name=c.other, difference=show(c.difference.mean), p=words.p_value(c.p_value)
        )
        for c in verdict.comparisons
        if not c.tied
    ]
    if not parts:
        return ""
    if named and verdict.best != verdict.recommended:
        return _("Worse than {best}: {parts}.").format(best=verdict.best, parts=words.listed(parts))
    return _("Worse: {parts}.").format(parts=words.listed(parts))


def beats(verdict: Verdict, other: Comparison) -> str:
    """Say how often a run of the best beats one of another method."""
    return _(
        "A run of {best} beats a run of {name} {chance} of the time (a coin toss: 50%)."
    ).format(best=verdict.best, name=other.other, chance=f"{100 * other.chance:.0f}%")


def settle(verdict: Verdict, methods: int, resolution: float) -> str:
    """Say what it would take to separate the closest tie among so many methods."""
    tied = [
        c
        for c in verdict.comparisons
        if c.tied and not c.equivalent and len(c.difference.values) > 1
    ]
    if not tied:
        return ""
    closest = min(tied, key=lambda c: c.p_value)
    pairs = methods * (methods - 1) // 2
    n = seeds_to_settle(closest.difference, pairs, resolution=resolution)
    if n is None or n <= len(closest.difference.values):
        return ""
    if verdict.best != verdict.recommended:
        return _(
            "If {best} is as far ahead of {name} as it looks, about {n} seeds would show it."
        ).format(best=verdict.best, name=closest.other, n=n)
    return _(
        "If the difference from {name} is as large as it looks, about {n} seeds would show it."
    ).format(name=closest.other, n=n)
