"""Which of the methods that tie to take.

The highest mean among methods that cannot be told apart is luck of the seeds. What is known better
decides, in this order: how forgiving a method is of its learning rate, what it costs, how well it
does at its default setting, and only then the mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from descenso import rules
from descenso.study._results import MethodResult, MetricInfo
from descenso.study.sensitivity import SHARE, tolerance

#: A method is more forgiving where its good range of learning rates is this many times as wide.
MORE_FORGIVING = 2.0
#: A method is dearer where its epoch takes more than this many times the work.
DEARER = 1.25


@dataclass(frozen=True)
class Candidate:
    """What is known of a method that may be recommended; ``None`` where nothing is.

    Attributes
    ----------
    gain : its mean on a scale where 0 is no training and 1 the mean of the best.
    factor : how many times the lowest good learning rate the highest is.
    work : numbers computed per parameter and example: one for the gradient, and the rule's share.
    memory : numbers that the rule keeps for each parameter.
    default : score of its default setting, higher being better.
    diverged : how many of its judged runs diverged.
    """

    name: str
    gain: float = 1.0
    factor: float | None = None
    work: float | None = None
    memory: float | None = None
    default: float | None = None
    diverged: int = 0


@dataclass(frozen=True)
class Choice:
    """The method to take, and what told it from the others.

    Attributes
    ----------
    by : the criteria that left some methods out, in order.
    among : the methods that the rule chose from.
    cheap : whether none of them costs less, as far as is known.
    """

    name: str = ""
    by: tuple[str, ...] = ()
    among: tuple[str, ...] = ()
    cheap: bool = False


def choose_among_ties(best: Candidate, tied: Sequence[Candidate]) -> Choice:
    """Return the method to take of the best and those that tie with it.

    A tie is taken only where it keeps 95% of what the best gains and no more of its runs diverged:
    few seeds can leave a poor method untold from a good one. Where nothing is known of how
    forgiving a method is, only its own learning rate is known to be good.
    """
    able = [c for c in tied if c.gain >= SHARE and c.diverged <= best.diverged]
    everyone = left = [best, *able]
    by = []
    for criterion, narrow in _CRITERIA.items():
        kept = narrow(left)
        if len(kept) < len(left):
            by.append(criterion)
        left = kept
    chosen = left[0]
    return Choice(chosen.name, tuple(by), tuple(c.name for c in everyone),
                  chosen in _cheapest(everyone) and chosen.memory is not None)  # fmt: skip


def _most_forgiving(left: list[Candidate]) -> list[Candidate]:
    most = max(c.factor or 1.0 for c in left)
    return [c for c in left if (c.factor or 1.0) * MORE_FORGIVING > most]


def _cheapest(left: list[Candidate]) -> list[Candidate]:
    least = min(_or_infinite(c.work) for c in left)
    quick = [c for c in left if _or_infinite(c.work) <= DEARER * least]
    small = min(_or_infinite(c.memory) for c in quick)
    return [c for c in quick if _or_infinite(c.memory) <= small]


def _best_default(left: list[Candidate]) -> list[Candidate]:
    most = max(-math.inf if c.default is None else c.default for c in left)
    return [c for c in left if (-math.inf if c.default is None else c.default) >= most]


def _best_mean(left: list[Candidate]) -> list[Candidate]:
    return [max(left, key=lambda c: c.gain)]


def _or_infinite(value: float | None) -> float:
    return math.inf if value is None else value


_CRITERIA: Mapping[str, Callable[[list[Candidate]], list[Candidate]]] = {
    "forgiveness": _most_forgiving,
    "cost": _cheapest,
    "default": _best_default,
    "mean": _best_mean,
}


def recommend(
    methods: Sequence[MethodResult], metric: MetricInfo, best: str, tied: Sequence[str]
) -> Choice:
    """Return which of the methods of a study to take, given its best and those that tie with it."""
    own = {m.name: candidate(m, metric, methods) for m in methods}
    return choose_among_ties(own[best], [own[name] for name in tied])


def candidate(
    method: MethodResult, metric: MetricInfo, methods: Sequence[MethodResult]
) -> Candidate:
    """Return what a study knows of a method."""
    sign = 1.0 if metric.higher_is_better else -1.0
    good = tolerance(method, metric.higher_is_better)
    arrays = len(rules.get(method.rule).state_names(method.settings))
    return Candidate(
        name=method.name,
        gain=_gain(method, methods, sign),
        factor=good.factor if good else None,
        work=1 + (1 + arrays) / method.batch_size,
        memory=arrays,
        default=sign * method.default.test.mean if method.default else None,
        diverged=method.tuned.ended,
    )


def _gain(method: MethodResult, methods: Sequence[MethodResult], sign: float) -> float:
    curves = [c for m in methods for c in m.tuned.curves]
    start = sum(float(c.validation_metric[0]) for c in curves) / len(curves)
    most = max(sign * (m.tuned.test.mean - start) for m in methods)
    own = sign * (method.tuned.test.mean - start)
    return own / most if most > 0 and math.isfinite(most) else 1.0
