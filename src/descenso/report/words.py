"""What a report says in words: figures as text, captions, protocol and limits."""

from __future__ import annotations

import math
import shlex
from datetime import UTC, datetime

import numpy as np

from descenso import rules
from descenso.language import _, ngettext
from descenso.problems import surfaces
from descenso.study import (
    Confirmation,
    MethodResult,
    MetricInfo,
    SearchPoint,
    StudyResult,
)
from descenso.study import verdict as _verdict
from descenso.study.words import listed


def metric(info: MetricInfo) -> str:
    """Return the metric's name in the language in use; a user's own name as it is."""
    known = {
        "accuracy": _("accuracy"),
        "mse": _("mean squared error"),
        "rmse": _("root mean squared error"),
        "r2": _("R²"),
        "value": _("value"),
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


def target_reached(confirmation: Confirmation) -> tuple[str, str]:
    """Return how many epochs the target took, and how many runs met it where not all did."""
    epochs = confirmation.epochs_to_target
    reached = sum(math.isfinite(count) for count in epochs)
    if not reached:
        return (_("not reached") if epochs else "–"), ""
    middle = float(np.median(epochs))
    part = _("{reached} of {runs} runs").format(reached=reached, runs=len(epochs))
    return f"{middle:g}" if math.isfinite(middle) else "–", part if reached < len(epochs) else ""


def verdict(result: StudyResult) -> list[tuple[str, str]]:
    """Return each sentence of the verdict with the part of the report that backs it, if any."""
    spoken = _verdict.sentences(result).items()
    return [(sentence, _verdict.BACKING.get(topic, "")) for topic, sentence in spoken if sentence]


def protocol(result: StudyResult) -> list[str]:
    """Return what was run, in the order it was."""
    design, count = result.design, result.examples
    return [
        _(
            "{problem}: {parameters} parameters; {train} examples to train on, {validation} to "
            "choose settings by (validation), {test} to judge by (test)."
        ).format(
            problem=translated(result.summary) or design.problem,
            parameters=f"{result.parameters:,}".replace(",", "\u00a0"),
            train=count["train"],
            validation=count["validation"],
            test=count["test"],
        )
        + " "
        + _split_sentence(result),
        _(
            "Equal budget: a run of any method may see every training example {epochs} times "
            "(epochs), whatever the size of its batches. Wall time is reported beside it."
        ).format(epochs=design.epochs),
        _search_sentence(result),
        _confirmation_sentence(result),
        _(
            "Judgement on test, which nothing was chosen by. Runs with the same seed start from "
            "the same weights and see the examples in the same order, so methods are compared in "
            "pairs. Intervals are 95% intervals of the mean over seeds (Student's below six seeds, "
            "bootstrap from six on), at least as wide as one step of the metric allows and never "
            "beyond its range. p-values are corrected for the number of comparisons (Holm); the "
            "intervals of differences are simultaneous: all hold together at 95%."
        ),
        _(
            "Of the methods that tie with the best mean, the one to take is the most forgiving (its "
            "good learning rates span the widest factor; twice as wide counts), then the cheapest, "
            "then the one with the best default, then the one with the best mean."
        ),
    ]


def limits(result: StudyResult) -> list[str]:
    """Return what this evidence does not allow to be said."""
    seeds = result.seeds
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
    if any(c.diverged for method in result.methods for c in method.confirmations.values()):
        text.append(_("A diverged run is not left out: it is scored as the untrained network."))
    text += [edge_sentence(method) for method in result.methods if method.at_edge]
    text.append(_one_split(result))
    if not any(_second_stage(method) for method in result.methods):
        text.append(
            _(
                "Only the learning rate was searched; every other setting kept its default or the "
                "value it was given."
            )
        )
    text += _on_a_surface(result)
    if not result.design.defaults:
        text.append(
            _("The default settings were not judged: what tuning was worth cannot be said.")
        )
    return text


def _on_a_surface(result: StudyResult) -> list[str]:
    """Return what weight decay does to a descent of a surface, where a method has one."""
    if not surfaces.is_surface(result.design.problem):
        return []
    decaying = [m.name for m in result.methods if surfaces.decays(m.settings)]
    spared = [m.name for m in result.methods if m.settings.get("weight_decay") == 0.0]
    text = []
    if decaying:
        text.append(
            _("Weight decay pulls {methods} towards the origin, whatever the surface.").format(
                methods=listed(decaying)
            )
        )
    if spared:
        text.append(
            _("{methods}: no weight decay on a surface, where it would pull towards the origin.")
            .format(methods=listed(spared))
        )  # fmt: skip
    return text


def command(result: StudyResult) -> str:
    """Return the command that runs this study again."""
    words = ["descenso", "compare", result.design.problem]
    for file in _rule_files(result):
        words += ["--rules", file]
    for name, value in result.design.asked().items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        elif name == "methods":
            words += [f"--{flag}", ",".join(value)]
        else:
            for item in value if isinstance(value, list) else [value]:
                words += [f"--{flag}", str(item)]
    return shlex.join(words)


def _rule_files(result: StudyResult) -> list[str]:
    """Return the files of the rules that do not come with descenso."""
    known = {method.rule for method in result.methods if method.rule in rules.names()}
    return sorted(str(rules.get(rule).file) for rule in known if not rules.is_built_in(rule))


def python_line(result: StudyResult) -> str:
    """Return the line of Python that runs this study again."""
    options = ", ".join(f"{name}={value!r}" for name, value in result.design.asked().items())
    return f"descenso.compare({result.design.problem!r}, {options})"


def _split_sentence(result: StudyResult) -> str:
    ways = result.design.split_seeds
    if ways < 2:
        return _("The split is the same for every run.")
    return _(
        "The test part is the same for every run; the rest is split into training and validation "
        "in {ways} ways, by turns."
    ).format(ways=ways)


def _one_split(result: StudyResult) -> str:
    scope = _(
        "This study speaks of this network, these data and this budget; another budget can rank "
        "the methods otherwise."
    )
    if result.design.split_seeds > 1:
        return scope
    return (
        _("There was one split of the data: how much the ranking owes to it cannot be said.")
        + " "
        + scope
    )


def _second_stage(method: MethodResult) -> list[SearchPoint]:
    return [point for point in method.search if point.stage > 1]


def _search_sentence(result: StudyResult) -> str:
    seeds = result.design.search_seeds
    tried = [sum(point.stage == 1 for point in m.search) for m in result.methods]
    stopped = sum(p.epochs < result.design.epochs for m in result.methods for p in m.search)
    text = (
        ngettext(
            "Search: {tried} learning rates per method, with {count} seed, raced on validation: "
            "at every stage the worse ones are stopped early ({stopped} of {all} settings were).",
            "Search: {tried} learning rates per method, with up to {count} seeds, raced on "
            "validation: at every stage the worse ones are stopped early ({stopped} of {all} "
            "settings were).",
            seeds,
        )
        if result.design.race
        else ngettext(
            "Search: {tried} learning rates per method, with {count} seed, judged on validation; "
            "none was stopped early.",
            "Search: {tried} learning rates per method, with {count} seeds each, judged on "
            "validation; none was stopped early.",
            seeds,
        )
    ).format(
        tried=_span(tried),
        count=seeds,
        stopped=stopped,
        all=sum(len(m.search) for m in result.methods),
    )
    more = [len(_second_stage(m)) for m in result.methods]
    if not any(more):
        return text
    return (
        text
        + " "
        + _(
            "Then {more} settings per method around the best learning rate, which vary the other "
            "hyperparameters too."
        ).format(more=_span(more))
    )


def _confirmation_sentence(result: StudyResult) -> str:
    text = (
        ngettext(
            "Confirmation: the setting chosen for each method, and the method's default, were "
            "rerun on {count} fresh seed that took no part in the search.",
            "Confirmation: the setting chosen for each method, and the method's default, were "
            "rerun on {count} fresh seeds that took no part in the search.",
            result.seeds,
        )
        if result.design.defaults
        else ngettext(
            "Confirmation: the setting chosen for each method was rerun on {count} fresh seed that "
            "took no part in the search; its default was left out.",
            "Confirmation: the setting chosen for each method was rerun on {count} fresh seeds that "
            "took no part in the search; its default was left out.",
            result.seeds,
        )
    )
    return text.format(count=result.seeds)


def _span(counts: list[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low}–{high}"


def edge_sentence(method: MethodResult) -> str:
    """Return what there is to say of a best learning rate at the edge of those tried."""
    if method.at_edge == "low":
        text = _(
            "{method}: the best learning rate is the lowest one tried; a better one may lie below."
        )
    else:
        text = _(
            "{method}: the best learning rate is the highest one tried; a better one may lie above."
        )
    return text.format(method=method.name)
