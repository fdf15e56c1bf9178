"""Print studies and training runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from descenso.api import Studies, Study
from descenso.cli._output import print_paragraph, print_table, write_json
from descenso.conventions import native
from descenso.language import _
from descenso.problems import Problem
from descenso.records import Run
from descenso.study import (
    MethodResult,
    MetricInfo,
    failures_in_lines,
    layout_words,
    runs_as_json,
    words,
)
from descenso.study.verdict import costs_in_words


def print_study(study: Study) -> None:
    """Print the verdict, then a line for each method."""
    metric = study.result.metric
    print_paragraph(study.verdict.text)
    print()
    headings = (
        _("method"), _("settings"), _("batch size"), _("test {metric}").format(metric=_(metric.name)),
        _("95% interval"), *([_("default")] if study.result.design.defaults else ()),
        _("diverged"), _("epochs to target"), _("seconds a run"),
    )  # fmt: skip
    print_table(headings, [_row(m, metric) for m in study.methods])
    print()
    for line in failures_in_lines(study.result.layout.get("failures", ())):
        print_paragraph(line)
    _print_code(study)
    ending = _("{seconds} s of training; study {identity}").format(
        seconds=f"{study.result.wall_seconds:.1f}", identity=study.result.identity
    )
    print_paragraph(" ".join(filter(None, [costs_in_words(study.result), ending])))


def _print_code(study: Study) -> None:
    """Print the recommendation as a line of code for each framework."""
    taken = study.result.recommended
    if taken is None:
        return
    for framework, line in native.lines(taken.rule, taken.settings).items():
        print_paragraph(f"{framework:>6}:  {line}")
    print()


def print_overview(studies: Studies) -> None:
    """Print each study's verdict, then what they say together."""
    for study in studies.studies:
        print_paragraph(study.verdict.text)
        print()
    found = studies.overview
    rows = [
        (
            name,
            f"{100 * float(found.scores[name].mean()):.1f}%",
            f"{100 * found.iqm[name].mean:.1f}%",
            f"{100 * found.iqm[name].low:.1f}% – {100 * found.iqm[name].high:.1f}%",
            f"{100 * float(found.profile[name][0]):.0f}%",
            f"{100 * float(found.profile[name][-1]):.0f}%",
        )
        for name in found.methods
    ]
    headings = (
        _("method"), _("mean of gain"), _("interquartile mean"), _("95% interval"),
        _("first to the target"), _("reach the target"),
    )  # fmt: skip
    print_table(headings, rows)
    print()
    print_paragraph(studies.text)


def _row(method: MethodResult, metric: MetricInfo) -> tuple[str, ...]:
    tuned = method.tuned
    return (
        method.name,
        words.settings(method.rule, method.settings),
        str(method.batch_size),
        words.figure(tuned.test.mean, metric),
        f"{words.figure(tuned.test.low, metric)} – {words.figure(tuned.test.high, metric)}",
        *([words.figure(method.default.test.mean, metric)] if method.default else ()),
        words.early_ends(tuned),
        _epochs(tuned.epochs_to_target),
        f"{tuned.seconds / len(tuned.curves):.2g}",
    )


def _epochs(epochs: Sequence[float]) -> str:
    """Return the median over seeds; a miss counts as infinite."""
    if not epochs:
        return "–"
    middle = median(epochs)
    return f"{middle:g}" if math.isfinite(middle) else _("not reached")


def print_layout(layout: Mapping[str, Any]) -> None:
    """Print how members were laid on the machine, and how fast they ran."""
    print()
    for sentence in layout_words.sentences(layout):
        print_paragraph(sentence)
    print_table(layout_words.headings(), layout_words.rows(layout))


def show_runs(problem: Problem, runs: Sequence[Run], json: str | None) -> None:
    """Print the learning curve of each run, or write it as JSON."""
    if json is not None:
        write_json(runs_as_json(problem, runs), json)
    if json == "-":
        return
    metric = MetricInfo(
        problem.metric.name, problem.metric.higher_is_better, problem.metric.percent, problem.target
    )
    for run in runs:
        _print_run(run, metric)


def _print_run(run: Run, metric: MetricInfo) -> None:
    curve, member = run.curve, run.member
    title = _("{method} ({settings}; batch size {batch_size}; seed {seed})").format(
        method=member.method,
        settings=words.settings(member.rule, member.settings),
        batch_size=member.batch_size,
        seed=member.seed,
    )
    losses = [math.nan, *curve.train_loss]
    rows = [
        (str(epoch), _loss(losses[epoch]), _loss(loss), words.figure(value, metric))
        for epoch, (loss, value) in enumerate(
            zip(curve.validation_loss, curve.validation_metric, strict=True)
        )
    ]
    headings = (
        _("epoch"), _("training loss"), _("validation loss"),
        _("validation {metric}").format(metric=_(metric.name)),
    )  # fmt: skip
    print_table(headings, rows, title)
    if run.error:
        print_paragraph(
            _("ended by an error at step {step}: {error}").format(
                step=curve.diverged_at, error=run.error
            )
        )
        return
    if curve.diverged:
        print_paragraph(_("diverged at step {step}").format(step=curve.diverged_at))
        return
    print_paragraph(
        _("test {metric} {value}; {steps} steps in {seconds} s").format(
            metric=_(metric.name),
            value=words.figure(curve.test_metric, metric),
            steps=curve.steps,
            seconds=f"{curve.seconds:.3g}",
        )
    )


def _loss(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.4g}"
