"""Say what external runs allow to be said."""

from __future__ import annotations

import math
from collections.abc import Mapping

from descenso.language import _, ngettext
from descenso.metric_names import is_share
from descenso.study import _sentences as say
from descenso.study.cost import time_to_target
from descenso.study.external._judge import Finding, Judged
from descenso.study.statistics import noise_of_test_set
from descenso.study.verdict import FEWEST_TO_COUNT
from descenso.study.words import factor, listed


def text(found: Finding) -> str:
    """Return the verdict in the language in use."""
    return " ".join(sentence for sentence in sentences(found).values() if sentence)


def sentences(found: Finding) -> Mapping[str, str]:
    """Return the sentences of the verdict by topic."""
    judged = found.overall
    if judged.verdict.best is None:
        return {"use": say.nothing_to_take()}
    choice = _choice(found)
    other = judged.verdict.recommended != judged.verdict.best
    return {
        "take": choice if other else "",
        "use": _use(found),
        "test_set": _test_set(found),
        "ties": _ties(judged),
        "choice": "" if other else choice,
        "default": _default(found),
        "worse": say.worse(judged.verdict, "{:.3g}".format),
        "sure": _sure(judged),
        "settle": say.settle(judged.verdict, len(judged.scores), judged.resolution),
        "bias": _bias(judged),
        "sensitive": _sensitive(found),
        "target": _target(found),
        "diverged": _diverged(judged),
        "range": _range(judged),
        "caution": say.caution(min(map(len, judged.scores.values()))),
    }


def _figure(value: float) -> str:
    return f"{value:.4g}"


def _use(found: Finding) -> str:
    judged = found.overall
    best = judged.verdict.best or ""
    own, setting = judged.estimates[best], judged.chosen[best].setting if judged.chosen else ""
    name = f"{best} ({setting})" if setting else best
    where = listed([j.problem for j in found.problems if j.problem])
    opening = (
        _("On {problem}, {method} comes out first: {metric} {mean}")
        if where
        else _("{method} comes out first: {metric} {mean}")
    ).format(
        problem=where,
        method=name,
        metric=_metric(found),
        mean=_figure(own.mean),
    )
    n = len(own.values)
    if math.isnan(own.low):
        return opening + _(" (one run).")
    return opening + ngettext(
        " (95% interval {low} to {high}, {n} run).", " (95% interval {low} to {high}, {n} runs).", n
    ).format(low=_figure(own.low), high=_figure(own.high), n=n)


def _choice(found: Finding) -> str:
    """Say which of the methods that tie to take, and what the table tells to choose by."""
    judged = found.overall
    by = judged.choice.by
    if not by:
        return ""
    if by == ("mean",):
        return _(
            "How forgiving they are of the learning rate is not in the table: the best mean decides."
        )
    return _("Of {count} methods that tie take {method}: {why}.").format(
        count=len(judged.choice.among), method=judged.choice.name, why=say.why(judged.choice)
    )


def _test_set(found: Finding) -> str:
    """Say how much the size of the test part leaves open, where the table tells it."""
    judged = found.overall
    if not (judged.examples and is_share(found.metric) and judged.range.ends == (0.0, 1.0)):
        return ""
    low, high = noise_of_test_set(judged.estimates[judged.verdict.best or ""].mean, judged.examples)
    return _(
        "That is the noise of seeds; {examples} test examples alone leave it on new data between "
        "{low} and {high} (95%)."
    ).format(examples=judged.examples, low=_figure(low), high=_figure(high))


def _range(judged: Judged) -> str:
    """Say where intervals were cut, for no value lies beyond."""
    cut = sorted({
        end for e in judged.estimates.values() for end in (e.low, e.high)
        if end in judged.range.ends and end != e.mean
    })  # fmt: skip
    if not cut:
        return ""
    text = (
        _("Intervals end at {limit}, where the metric does.")
        if judged.range.known_by == "name"
        else _("Intervals end at {limit}: no value lies beyond.")
    )
    return text.format(limit=listed([_figure(end) for end in cut]))


def _metric(found: Finding) -> str:
    if len(found.problems) > 1:
        return _("share of the gap")
    return _(found.metric) if found.metric else _("mean")


def _default(found: Finding) -> str:
    judged = found.overall
    taken = judged.verdict.recommended or ""
    chosen = judged.chosen.get(taken)
    values = [v for v in chosen.default.values() if math.isfinite(v)] if chosen else []
    if not values:
        return ""
    return _("With its default setting {method} reaches {mean}.").format(
        method=taken, mean=_figure(math.fsum(values) / len(values))
    )


def _ties(judged: Judged) -> str:
    tied = judged.verdict.tied
    if not tied:
        return _("No other method ties with it.") if judged.verdict.comparisons else ""
    unknown = [c.other for c in judged.verdict.comparisons if c.tied and math.isnan(c.p_value)]
    known = [name for name in tied if name not in unknown]
    parts = []
    if known:
        parts.append(
            ngettext(
                "{names} ties with it: the difference is inside the noise.",
                "{names} tie with it: the differences are inside the noise.",
                len(known),
            ).format(names=listed(known))
        )
    if unknown:
        parts.append(
            _("How it compares with {names} cannot be said from so few runs.").format(
                names=listed(unknown)
            )
        )
    return " ".join(parts)


def _sure(judged: Judged) -> str:
    able = [c for c in judged.verdict.comparisons if len(judged.scores[c.other]) >= FEWEST_TO_COUNT]
    if not able or len(judged.scores[judged.verdict.best or ""]) < FEWEST_TO_COUNT:
        return ""
    nearest = min(able, key=lambda c: c.difference.mean)
    if not nearest.difference.mean:
        return ""
    return say.beats(judged.verdict, nearest)


def _bias(judged: Judged) -> str:
    known = {m: c.bias for m, c in judged.chosen.items() if math.isfinite(c.bias)}
    if not known:
        return ""
    better = sum(bias > 0 for bias in known.values())
    mean = math.fsum(known.values()) / len(known)
    return ngettext(
        "The values that chose a setting beat those that judge it for {better} of {n} method, by "
        "{mean} on average.",
        "The values that chose a setting beat those that judge it for {better} of {n} methods, by "
        "{mean} on average.",
        len(known),
    ).format(better=better, n=len(known), mean=f"{mean:.3g}")


def _sensitive(found: Finding) -> str:
    taken = found.overall.verdict.recommended or ""
    own = found.overall.tolerated(taken, found.higher_is_better)
    if own is None:
        return ""
    return _(
        "The learning rate of {method} stays good from {low} to {high}, a factor of {factor}."
    ).format(method=taken, low=f"{own.low:.2g}", high=f"{own.high:.2g}", factor=factor(own.factor))


def epochs_to_target(found: Finding, method: str) -> tuple[float, ...]:
    """Return for each judged run the first step that meets the target; infinite where none does."""
    chosen = found.overall.chosen.get(method)
    if found.target is None or chosen is None:
        return ()
    sign = 1 if found.higher_is_better else -1
    times = []
    for run in chosen.runs:
        curve = max(run.curves.values(), key=len)
        met = [step for step, v in curve.items() if sign * (v - found.target) >= 0]
        times.append(min(met, default=math.inf))
    return tuple(times)


def _target(found: Finding) -> str:
    taken = found.overall.verdict.recommended or ""
    time = time_to_target(epochs_to_target(found, taken))
    if time is None or found.target is None:
        return ""
    median = f"{time.median:g}" if math.isfinite(time.median) else _("never")
    return _(
        "{method} reaches {target} at step {median} (median; {reached} of {runs} runs do)."
    ).format(
        method=taken,
        target=_figure(found.target),
        median=median,
        reached=time.reached,
        runs=time.runs,
    )


def _diverged(judged: Judged) -> str:
    parts = [
        _("{k} of {n} of {name}").format(k=k, n=len(judged.seeds(m)), name=m)
        for m, k in judged.diverged.items()
        if k
    ]
    return _("Runs diverged: {parts}.").format(parts=listed(parts)) if parts else ""
