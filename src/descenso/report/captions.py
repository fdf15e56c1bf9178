"""What each figure shows, and what is seen in it."""

from __future__ import annotations

import math

import numpy as np

from descenso.language import _, ngettext
from descenso.report import data, ranges, words
from descenso.study import StudyResult
from descenso.study.sensitivity import SHARE, tolerance
from descenso.study.words import difference, figure, listed


def caption(result: StudyResult, name: str) -> str:
    """Return what a figure shows and what is seen in it."""
    sentences = {
        "results": _results_caption,
        "differences": _differences_caption,
        "sensitivity": _sensitivity_caption,
        "curves": _curves_caption,
        "target": _target_caption,
    }[name](result)
    return " ".join(sentence for sentence in [*sentences, _left_out(result, name)] if sentence)


def _left_out(result: StudyResult, name: str) -> str:
    """Return what of a figure its axis does not show; nothing where it shows everything."""
    values = ranges.leaving(result, name)
    if not values:
        return ""
    if name in ("results", "differences"):
        return _("An arrowhead at the rim: the interval goes on beyond the axis.")
    if name == "sensitivity":
        worst = max(values) if not result.metric.higher_is_better else min(values)
        return ngettext(
            "A triangle at the rim: {count} setting ended worse than the untrained network, at "
            "{worst}.",
            "Triangles at the rim: {count} settings ended worse than the untrained network, the "
            "worst at {worst}.",
            len(values),
        ).format(count=len(values), worst=figure(worst, result.metric))
    shown, _scale = ranges.curves(result)
    worse_end = shown.low if result.metric.higher_is_better else shown.high
    return _("What is worse than {value} lies outside the axis.").format(
        value=figure(worse_end, result.metric)
    )


def _results_caption(result: StudyResult) -> list[str]:
    best = result.ranking[0]
    text = [
        _(
            "Each point is one fresh seed, judged on test: filled with the settings chosen, hollow "
            "with the method's default. The bar is the mean with its 95% interval; × is a "
            "diverged run."
        )
        if result.design.defaults
        else _(
            "Each point is one fresh seed, judged on test, with the settings chosen. The bar is the "
            "mean with its 95% interval; × is a diverged run."
        )
    ]
    if result.verdict.best is None:
        return text
    text.append(
        _("{method} has the best mean, {value}.").format(
            method=best.name, value=figure(best.tuned.test.mean, result.metric)
        )
    )
    return [*text, _gain_sentence(result)]


def _gain_sentence(result: StudyResult) -> str:
    sign = 1 if result.metric.higher_is_better else -1
    gains = [
        (sign * (m.tuned.test.mean - m.default.test.mean), m.name)
        for m in result.methods
        if m.default
    ]
    gain, name = max(gains, default=(0.0, ""))
    if gain <= 0:
        return ""
    return _("Choosing the settings matters most for {method}: {gain} over its default.").format(
        method=name, gain=difference(gain, result.metric)
    )


def _differences_caption(result: StudyResult) -> list[str]:
    if result.verdict.best is None:
        return [_("Every run of every method diverged: there is nothing to compare.")]
    if result.seeds < 2:
        return [
            _(
                "Difference in test score between {best} and each other method; further right is "
                "further behind. One seed shows no noise, so whether they differ cannot be said."
            ).format(best=result.verdict.best)
        ]
    tied = [c.other for c in result.verdict.comparisons if c.tied]
    apart = [c.other for c in result.verdict.comparisons if not c.tied]
    text = [
        _(
            "Mean difference in test score between {best} and each other method, seed by seed, "
            "with its simultaneous 95% interval (all hold together); further right is further behind."
        ).format(best=result.verdict.best)
    ]
    if apart:
        text.append(_("Filled, behind: {methods}.").format(methods=listed(apart)))
    if tied:
        text.append(
            _("Hollow, tied, the difference is within the noise: {methods}.").format(
                methods=listed(tied)
            )
        )
    return text


def _sensitivity_caption(result: StudyResult) -> list[str]:
    text = [
        _(
            "Each point is one learning rate as the search saw it on validation; the band reaches "
            "from its worst to its best seed. The ringed point was chosen. Hollow points were "
            "stopped early by the race, after fewer epochs; × marks settings with a diverged run."
        )
    ]
    found = {m.name: tolerance(m, result.metric.higher_is_better) for m in result.methods}
    factors = {name: range_.factor for name, range_ in found.items() if range_ is not None}
    if len(factors) > 1:
        wide, narrow = max(factors, key=factors.__getitem__), min(factors, key=factors.__getitem__)
        text.append(
            _(
                "The learning rates that keep {share} of the best gain span a factor of {most} "
                "with {wide}, of {least} with {narrow}."
            ).format(
                share=f"{SHARE:.0%}",
                wide=wide,
                most=_rounded(factors[wide]),
                narrow=narrow,
                least=_rounded(factors[narrow]),
            )
        )
    return text + [words.edge_sentence(m) for m in result.methods if m.at_edge]


def _rounded(number: float) -> str:
    """Return a number in two digits, without an exponent."""
    return f"{float(f'{number:.2g}'):g}"


def _curves_caption(result: StudyResult) -> list[str]:
    frame = data.curves(result)
    last = frame[frame["epoch"] == result.design.epochs].set_index("method")["mean"]
    best, worst = last.idxmax(), last.idxmin()
    if not result.metric.higher_is_better:
        best, worst = worst, best
    runs = result.seeds
    text = [
        ngettext(
            "Validation after each epoch with the settings chosen: {count} run with a fresh seed.",
            "Validation after each epoch with the settings chosen: the line is the mean of {count} "
            "runs with fresh seeds, the band reaches from the worst to the best run.",
            runs,
        ).format(count=runs)
    ]
    if best != worst:
        text.append(
            _("{best} ends best, at {high}; {worst} ends worst, at {low}.").format(
                best=best,
                high=figure(last[best], result.metric),
                worst=worst,
                low=figure(last[worst], result.metric),
            )
        )
    return [*text, *_target_sentences(result), _diverged_sentence(result)]


def _target_caption(result: StudyResult) -> list[str]:
    if result.metric.target is None:
        return [_("The study has no target.")]
    text = _(
        "Share of the runs with fresh seeds whose validation had reached {goal} by each epoch, "
        "with the settings chosen: further left is sooner, further up is surer."
    ).format(goal=figure(result.metric.target, result.metric))
    never = [m.name for m in result.methods if not np.isfinite(m.tuned.epochs_to_target).any()]
    if not never:
        return [text]
    return [text, _("No run of {methods} reaches it.").format(methods=listed(never))]


def _target_sentences(result: StudyResult) -> list[str]:
    if result.metric.target is None:
        return []
    goal = figure(result.metric.target, result.metric)
    median = {m.name: float(np.median(m.tuned.epochs_to_target)) for m in result.methods}
    reached = {name: epochs for name, epochs in median.items() if math.isfinite(epochs)}
    if not reached:
        return [_("No method reaches the target of {goal} in most of its runs.").format(goal=goal)]
    first = min(reached.values())
    names = listed([name for name, epochs in reached.items() if epochs == first])
    text = [
        ngettext(
            "The target of {goal} is reached first by {methods}, after {epochs} epoch.",
            "The target of {goal} is reached first by {methods}, after {epochs} epochs.",
            math.ceil(first),
        ).format(goal=goal, methods=names, epochs=f"{first:g}")
    ]
    missed = [name for name in median if name not in reached]
    if missed:
        text.append(
            _("Within the budget most runs of {methods} do not reach it.").format(
                methods=listed(missed)
            )
        )
    return text


def _diverged_sentence(result: StudyResult) -> str:
    count = sum(method.tuned.diverged for method in result.methods)
    if not count:
        return ""
    return ngettext(
        "{count} run diverged; from there on it counts as the untrained network.",
        "{count} runs diverged; from there on they count as the untrained network.",
        count,
    ).format(count=count)
