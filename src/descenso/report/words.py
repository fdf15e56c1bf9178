"""What a report says in words: figures as text, captions, protocol and limits."""

from __future__ import annotations

import math
import shlex
from datetime import UTC, datetime

import numpy as np

from descenso.language import _, ngettext
from descenso.report import data
from descenso.study import verdict as _verdict
from descenso.study._results import Confirmation, MethodResult, MetricInfo, StudyResult
from descenso.study.words import difference, figure, listed

#: The figure that backs each sentence of the verdict.
_BACKING = {
    "use": "results",
    "ties": "differences",
    "worse": "differences",
    "settle": "differences",
    "default": "results",
    "cost": "table",
    "diverged": "curves",
    "edge": "sensitivity",
}


def metric(info: MetricInfo) -> str:
    """Return the metric's name in the language in use; a user's own name as it is."""
    known = {
        "accuracy": _("accuracy"),
        "mse": _("mean squared error"),
        "rmse": _("root mean squared error"),
        "r2": _("R²"),
    }
    return known.get(info.name, info.name)


def translated(text: str) -> str:
    """Return a text that was marked where it is defined; an unknown one comes back as it is."""
    return _(text) if text else ""


def interval(info: MetricInfo, low: float, high: float) -> str:
    """Return an interval of the metric; empty where there is none."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    if info.percent:
        return f"{100 * low:.1f}–{100 * high:.1f}%"
    return _("{low} to {high}").format(low=f"{low:.4g}", high=f"{high:.4g}")


def p_value(number: float) -> str:
    """Return a corrected p-value as it is printed in a paper."""
    if math.isnan(number):
        return _("no p-value: too few seeds")
    return "p < 0.001" if number < 0.001 else f"p = {number:.2g}"


def moment(iso: str) -> str:
    """Return a moment given in ISO 8601 to the minute; what is no such text comes back as it is."""
    try:
        return f"{datetime.fromisoformat(iso).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return iso


def seconds(number: float) -> str:
    """Return a duration."""
    if number >= 100:
        minutes, rest = divmod(round(number), 60)
        return f"{minutes}\u00a0min {rest:02d}\u00a0s"
    return f"{number:.3g} s" if number >= 1 else f"{1000 * number:.3g} ms"


def target_reached(confirmation: Confirmation) -> str:
    """Return how many epochs the target took, and how many runs never met it."""
    reached = [epochs for epochs in confirmation.epochs_to_target if math.isfinite(epochs)]
    runs = len(confirmation.epochs_to_target)
    if not runs:
        return "–"
    if not reached:
        return _("not reached")
    middle = float(np.median(confirmation.epochs_to_target))
    if len(reached) == runs:
        return f"{middle:g}"
    count = _("{reached} of {runs} runs").format(reached=len(reached), runs=runs)
    return f"{middle:g} ({count})" if math.isfinite(middle) else f"({count})"


def caption(result: StudyResult, name: str) -> str:
    """Return what a figure shows and what is seen in it."""
    sentences = {
        "results": _results_caption,
        "differences": _differences_caption,
        "sensitivity": _sensitivity_caption,
        "curves": _curves_caption,
    }[name](result)
    return " ".join(sentence for sentence in sentences if sentence)


def verdict(result: StudyResult) -> list[tuple[str, str]]:
    """Return each sentence of the verdict with the part of the report that backs it, if any."""
    spoken = _verdict.sentences(result).items()
    return [(sentence, _BACKING.get(topic, "")) for topic, sentence in spoken if sentence]


def protocol(result: StudyResult) -> list[str]:
    """Return what was run, in the order it was."""
    design, count = result.design, result.examples
    return [
        _(
            "{problem}: {parameters} parameters; {train} examples to train on, {validation} to "
            "choose settings by (validation), {test} to judge by (test). The split is the same "
            "for every run."
        ).format(
            problem=translated(result.summary) or design.problem,
            parameters=f"{result.parameters:,}".replace(",", "\u00a0"),
            train=count["train"],
            validation=count["validation"],
            test=count["test"],
        ),
        _(
            "Equal budget: a run of any method may see every training example {epochs} times "
            "(epochs), whatever the size of its batches. Wall time is reported beside it."
        ).format(epochs=design.epochs),
        _search_sentence(result),
        ngettext(
            "Confirmation: the setting chosen for each method, and the method's default, were "
            "rerun on {count} fresh seed that took no part in the search.",
            "Confirmation: the setting chosen for each method, and the method's default, were "
            "rerun on {count} fresh seeds that took no part in the search.",
            design.seeds,
        ).format(count=design.seeds),
        _(
            "Judgement on test, which nothing was chosen by. Runs with the same seed start from "
            "the same weights and see the examples in the same order, so methods are compared in "
            "pairs. Intervals are bootstrap 95% intervals of the mean; p-values are corrected "
            "for the number of comparisons (Holm)."
        ),
    ]


def limits(result: StudyResult) -> list[str]:
    """Return what this evidence does not allow to be said."""
    seeds = result.design.seeds
    text = []
    if seeds < 10:
        text.append(
            ngettext(
                "With {count} seed there is no interval and no test: the ranking is a single "
                "observation.",
                "With {count} seeds only large differences can be told from noise; methods called "
                "tied may yet differ.",
                seeds,
            ).format(count=seeds)
        )
    if any(m.tuned.diverged or m.default.diverged for m in result.methods):
        text.append(_("A diverged run is not left out: it is scored as the untrained network."))
    text += [_edge_sentence(method) for method in result.methods if method.at_edge]
    text.append(
        _(
            "There was one split of the data: how much the ranking owes to it, this study cannot "
            "say. It speaks of this network, these data and this budget; another budget can rank "
            "the methods otherwise."
        )
    )
    text.append(
        _(
            "Only the learning rate was searched; every other setting kept its default or the "
            "value it was given."
        )
    )
    return text


def command(result: StudyResult) -> str:
    """Return the command that runs this study again."""
    d = result.design
    return (
        f"descenso compare {shlex.quote(d.problem)} --methods {shlex.quote(','.join(d.methods))} "
        f"--epochs {d.epochs} --trials {d.trials} --seeds {d.seeds} --seed {d.seed}"
    )


def python_line(result: StudyResult) -> str:
    """Return the line of Python that runs this study again."""
    d = result.design
    return (
        f"descenso.compare({d.problem!r}, methods={list(d.methods)!r}, epochs={d.epochs}, "
        f"trials={d.trials}, seeds={d.seeds}, seed={d.seed})"
    )


def _search_sentence(result: StudyResult) -> str:
    seeds, tried = result.design.search_seeds, [len(m.search) for m in result.methods]
    stopped = sum(p.epochs < result.design.epochs for m in result.methods for p in m.search)
    tried_text = str(min(tried)) if min(tried) == max(tried) else f"{min(tried)}–{max(tried)}"
    return ngettext(
        "Search: {tried} learning rates per method, each with {count} seed, raced on validation: "
        "at every stage the worse ones are stopped early ({stopped} of {all} settings were).",
        "Search: {tried} learning rates per method, each with {count} seeds, raced on validation: "
        "at every stage the worse ones are stopped early ({stopped} of {all} settings were).",
        seeds,
    ).format(tried=tried_text, count=seeds, stopped=stopped, all=sum(tried))


def _edge_sentence(method: MethodResult) -> str:
    if method.at_edge == "low":
        text = _(
            "{method}: the best learning rate is the lowest one tried; a better one may lie below."
        )
    else:
        text = _(
            "{method}: the best learning rate is the highest one tried; a better one may lie above."
        )
    return text.format(method=method.name)


def _results_caption(result: StudyResult) -> list[str]:
    best = result.ranking[0]
    text = [
        _(
            "Each point is one fresh seed, judged on test: filled with the settings chosen, hollow "
            "with the method's default. The bar is the mean with its 95% interval; × is a "
            "diverged run."
        ),
        _("{method} has the best mean, {value}.").format(
            method=best.name, value=figure(best.tuned.test.mean, result.metric)
        ),
    ]
    sign = 1 if result.metric.higher_is_better else -1
    gains = [(sign * (m.tuned.test.mean - m.default.test.mean), m.name) for m in result.methods]
    gain, name = max(gains)
    if gain > 0:
        text.append(
            _("Choosing the settings matters most for {method}: {gain} over its default.").format(
                method=name, gain=difference(gain, result.metric)
            )
        )
    return text


def _differences_caption(result: StudyResult) -> list[str]:
    if result.verdict.best is None:
        return [_("Every run of every method diverged: there is nothing to compare.")]
    tied = [c.other for c in result.verdict.comparisons if c.tied]
    apart = [c.other for c in result.verdict.comparisons if not c.tied]
    text = [
        _(
            "Mean difference in test score between {best} and each other method, seed by seed, "
            "with its 95% interval; further right is further behind."
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
    spans = [(_tolerance(result, m), m.name) for m in result.methods]
    spans = [pair for pair in spans if pair[0] > 1]
    if len(spans) > 1:
        text.append(
            _(
                "Near its best value, {wide} tolerates learning rates that differ by a factor of "
                "{most}; {narrow}, of {least}."
            ).format(
                wide=max(spans)[1],
                most=_rounded(max(spans)[0]),
                narrow=min(spans)[1],
                least=_rounded(min(spans)[0]),
            )
        )
    return text + [_edge_sentence(m) for m in result.methods if m.at_edge]


def _rounded(number: float) -> str:
    """Return a number in two digits, without an exponent."""
    return f"{float(f'{number:.2g}'):g}"


def _tolerance(result: StudyResult, method: MethodResult) -> float:
    """Return the ratio of the largest to the smallest neighbouring rate that does nearly as well.

    Nearly: it keeps 90% of what the best one gains over the untrained network.
    """
    frame = data.sensitivity(result)
    rows = frame[frame["method"] == method.name].sort_values("lr")
    start = data.untrained(method.tuned)
    sign = 1 if result.metric.higher_is_better else -1
    gains = (sign * (rows["mean"] - start)).to_numpy()
    if not len(gains) or gains.max() <= 0:
        return 1.0
    good, at = gains >= 0.9 * gains.max(), int(gains.argmax())
    first = at - int(np.argmin(np.append(good[: at + 1][::-1], False))) + 1
    last = at + int(np.argmin(np.append(good[at:], False))) - 1
    rates = rows["lr"].to_numpy()
    return float(rates[last] / rates[first])


def _curves_caption(result: StudyResult) -> list[str]:
    frame = data.curves(result)
    last = frame[frame["epoch"] == result.design.epochs].set_index("method")["mean"]
    best, worst = last.idxmax(), last.idxmin()
    if not result.metric.higher_is_better:
        best, worst = worst, best
    runs = result.design.seeds
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
