"""Finished studies to report on: made up, but judged by the real statistics and verdict."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from descenso import methods, rules
from descenso.records import Curve, Verdict
from descenso.study import verdict
from descenso.study._results import (
    Confirmation,
    MethodResult,
    MetricInfo,
    SearchPoint,
    StudyResult,
)
from descenso.study.design import Design
from descenso.study.statistics import estimate

EPOCHS, SEEDS, TRAIN = 20, 5, 1078
ACCURACY = MetricInfo("accuracy", higher_is_better=True, percent=True, target=0.95)
RMSE = MetricInfo("rmse", higher_is_better=False, percent=False, target=None)
#: Method -> best learning rate, final accuracy, epochs to learn, tolerance in decades.
_SHAPES = {
    "sgd": (0.02, 0.967, 1.5, 0.9),
    "batch": (3.0, 0.90, 9.0, 0.6),
    "minibatch": (0.5, 0.969, 2.0, 1.0),
    "momentum": (0.5, 0.971, 2.2, 1.0),
    "rmsprop": (0.003, 0.970, 1.6, 0.8),
    "adam": (0.005, 0.972, 1.7, 1.1),
}


def make(
    metric: MetricInfo = ACCURACY,
    seeds: int = SEEDS,
    names=methods.SIX,
    problem: str = "digits",
    crash_all: bool = False,
) -> StudyResult:
    """Return a study; its momentum loses one run to divergence, or every method all of them."""
    results = tuple(_method(name, metric, seeds, i, crash_all) for i, name in enumerate(names))
    result = StudyResult(
        identity="3f9c2a7be014",
        design=Design(problem, tuple(names), EPOCHS, 12, 2, seeds, 0),
        summary="handwritten digits, 8×8 pixels: dense network 64-32-10",
        metric=metric,
        examples={"train": TRAIN, "validation": 359, "test": 360},
        parameters=2410,
        methods=results,
        verdict=Verdict(None, (), (), ""),
        wall_seconds=48.3,
        layout={
            "engine": "jax",
            "platform": "cpu",
            "streams": 2,
            "watched": 36,
            "dtype": "float32",
            "arrangement": "members one after another",
            "failures": [],
            "programs": [
                {
                    "rule": "adam",
                    "batch_size": 32,
                    "arrangement": "one after another",
                    "compile_seconds": 6.154,
                    "microseconds_per_member_step": 2490.425,
                }
            ],
        },
        versions={"descenso": "0.1.0", "jax": "0.10.2", "python": "3.13.1"},
        started="2026-05-04T09:30:00+00:00",
    )
    found = verdict.decide(results, metric, 360)
    return verdict.with_text(dataclasses.replace(result, verdict=found))


def hostile(result: StudyResult, text: str) -> StudyResult:
    """Return the study with ``text`` in every place that a stranger's name can reach."""
    first, *rest = result.methods
    search = tuple(dataclasses.replace(point, method=text) for point in first.search)
    renamed = dataclasses.replace(first, name=text, search=search)
    found = verdict.decide((renamed, *rest), result.metric, 360)
    return verdict.with_text(
        dataclasses.replace(
            result,
            identity=text,
            design=dataclasses.replace(
                result.design, problem=text, methods=(text, *result.design.methods[1:])
            ),
            summary=text,
            metric=dataclasses.replace(result.metric, name=text),
            methods=(renamed, *rest),
            verdict=found,
            layout={text: text},
            versions={text: text},
            notes=(text,),
        )
    )


def _method(name: str, metric: MetricInfo, seeds: int, index: int, crash_all: bool) -> MethodResult:
    method = methods.parse(name)
    batch = method.examples_per_step(TRAIN, 32)
    best, _, _, _ = _SHAPES[method.label]
    random = np.random.default_rng(index)
    rates = np.geomspace(1e-4, 1e1, 12) if method.rule != "adam" else np.geomspace(1e-5, 1.0, 12)
    chosen = int(np.abs(np.log(rates / best)).argmin())
    crash = seeds if crash_all else int(name == "momentum")
    return MethodResult(
        name=name,
        rule=method.rule,
        regime=method.regime(),
        batch_size=batch,
        tuned=_confirm(method, float(rates[chosen]), metric, seeds, random, batch, crash),
        default=_confirm(method, _default(method), metric, seeds, random, batch),
        search=tuple(
            _point(method, float(rate), metric, random, i == chosen) for i, rate in enumerate(rates)
        ),
        at_edge="high" if name == "batch" else "",
        examples=TRAIN * EPOCHS * 20,
        seconds=6.5,
    )


def _default(method) -> float:
    return float(rules.get(method.rule).settings()["lr"])


def _confirm(method, lr, metric, seeds, random, batch, crash=0) -> Confirmation:
    curves = tuple(
        _curve(method, lr, metric, random, batch, crash=i >= seeds - crash) for i in range(seeds)
    )
    scores = tuple(float(c.validation_metric[0]) if c.diverged else c.test_metric for c in curves)
    last = [float(c.validation_metric[0 if c.diverged else -1]) for c in curves]
    goal = metric.target
    return Confirmation(
        settings=rules.get(method.rule).settings(**{**method.fixed, "lr": lr}),
        seeds=tuple(range(seeds)),
        curves=curves,
        scores=scores,
        test=estimate(scores),
        validation=estimate(last),
        diverged=sum(c.diverged for c in curves),
        epochs_to_target=()
        if goal is None
        else tuple(c.first_epoch_reaching(goal, metric.higher_is_better) for c in curves),
        seconds=0.4 * seeds,
    )


def _curve(method, lr, metric, random, batch, crash=0) -> Curve:
    epoch = np.arange(EPOCHS + 1)
    _, _, pace, _ = _SHAPES[method.label]
    share = _reached(method, lr) * (1 - np.exp(-epoch / pace)) + random.normal(0, 0.004, EPOCHS + 1)
    values = _as_metric(np.clip(share, 0.0, 1.0), metric)
    steps = math.ceil(TRAIN / batch)
    loss = 2.3 * (1 - 0.95 * np.clip(share, 0, 1))
    if crash:
        values[4:], loss[4:] = np.nan, np.nan
    return Curve(
        validation_loss=loss,
        validation_metric=values,
        train_loss=loss[1:],
        test_loss=float(loss[-1]),
        test_metric=float(values[-1] * (1 + random.normal(0, 0.004))),
        steps=steps * EPOCHS,
        diverged_at=3 * steps + 5 if crash else None,
        seconds=0.4,
    )


def _reached(method, lr) -> float:
    """Return which share of the way from untrained to perfect a learning rate comes."""
    best, top, _, width = _SHAPES[method.label]
    return top * math.exp(-0.5 * (math.log10(lr / best) / width) ** 4)


def _as_metric(share, metric: MetricInfo):
    if metric.name == "mse":
        return 5.0 * 10.0 ** (-6 * share**8)  # spans orders of magnitude
    return 0.1 + 0.9 * share if metric.percent else 77.0 - 24.0 * share


def _point(method, lr, metric, random, chosen) -> SearchPoint:
    best, _, _, width = _SHAPES[method.label]
    away = math.log10(lr / best)
    share = _reached(method, lr)
    values = [float(_as_metric(share + random.normal(0, 0.006), metric)) for _ in range(2)]
    if away > 2 * width:
        values[0] = math.nan
    if away > 2.6 * width:
        values[1] = math.nan
    full = abs(away) < width
    return SearchPoint(
        method=method.label,
        settings=rules.get(method.rule).settings(lr=lr),
        epochs=EPOCHS if full or chosen else 5,
        values=tuple(values),
        losses=tuple(2.3 * (1 - share) for _ in range(2)),
        chosen=chosen,
    )
