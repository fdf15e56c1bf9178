"""Which of a method's runs judge it, when some of them may have chosen its setting."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from descenso.language import _, ngettext
from descenso.study.external._clean import ExternalRun, by_seed
from descenso.study.words import listed


@dataclass(frozen=True)
class Chosen:
    """The setting of a method, and its value for each seed that judges it.

    ``bias`` is how much better the values that chose the setting look than those that judge it;
    NaN where nothing tells.
    """

    setting: str
    values: Mapping[str, float]
    runs: tuple[ExternalRun, ...] = ()
    default: Mapping[str, float] = field(default_factory=dict)
    bias: float = math.nan
    notes: tuple[str, ...] = ()


def choose(runs: Sequence[ExternalRun], higher_is_better: bool) -> Chosen:
    """Return what judges a method, keeping apart what chose its setting."""
    tuned = [r for r in runs if r.role == "tuned"]
    if tuned:
        default = _values([r for r in runs if r.role == "default"])
        return Chosen(tuned[0].setting, _values(tuned), tuple(tuned), default)
    settings = _by_setting(runs)
    if len(settings) == 1:
        return Chosen(runs[0].setting, _values(runs), tuple(runs))
    if any("validation" in r.curves for r in runs) and any("test" in r.curves for r in runs):
        return _chosen_on_validation(runs, higher_is_better)
    counts = sorted((len({r.seed for r in group}) for group in settings.values()), reverse=True)
    if counts[0] > counts[1]:
        return _rerun(settings, higher_is_better)
    if counts[0] == 1:
        return _chosen_by_its_own_value(runs, higher_is_better)
    return _crosswise(settings, higher_is_better)


def judged_value(run: ExternalRun) -> float:
    """Return the last value on test, or on whatever split the run has."""
    return run.last("test" if "test" in run.curves else "validation")


def _values(runs: Sequence[ExternalRun]) -> dict[str, float]:
    found = {run.seed: judged_value(run) for run in runs}
    return {seed: found[seed] for seed in by_seed(found)}


def _by_setting(runs: Sequence[ExternalRun]) -> dict[str, list[ExternalRun]]:
    groups: dict[str, list[ExternalRun]] = defaultdict(list)
    for run in runs:
        groups[run.setting].append(run)
    return dict(sorted(groups.items()))


def _mean(values: Sequence[float], higher_is_better: bool) -> float:
    """Return a mean to rank by, higher being better; a diverged run puts a setting last."""
    mean = float(np.mean(values)) if len(values) else math.nan
    if not math.isfinite(mean):
        return -math.inf
    return mean if higher_is_better else -mean


def _chosen_on_validation(runs: Sequence[ExternalRun], higher: bool) -> Chosen:
    choosing = [r for r in runs if "test" not in r.curves] or list(runs)
    choosing = [r for r in choosing if "validation" in r.curves]
    testable = {r.setting for r in runs if "test" in r.curves}
    last = max(r.steps("validation") for r in choosing)
    groups = _by_setting([r for r in choosing if r.steps("validation") == last])
    groups = {s: g for s, g in groups.items() if s in testable} or groups
    best = max(groups, key=lambda s: _mean([r.last("validation") for r in groups[s]], higher))
    judging = [r for r in runs if r.setting == best and "test" in r.curves] or groups[best]
    both = {r.seed for r in groups[best]} & {r.seed for r in judging}
    note = _(
        "The setting of {method} was chosen on validation by seeds that also judge it on test."
    ).format(method=runs[0].method)
    return Chosen(best, _values(judging), tuple(judging), notes=(note,) if both else ())


def _rerun(settings: Mapping[str, list[ExternalRun]], higher: bool) -> Chosen:
    """Judge the setting with the most seeds by those that no other setting was tried with."""
    best = max(settings, key=lambda s: len({r.seed for r in settings[s]}))
    tuning = {r.seed for s, group in settings.items() if s != best for r in group}
    values = _values(settings[best])
    reruns = {seed: v for seed, v in values.items() if seed not in tuning}
    method = settings[best][0].method
    if not reruns:
        note = _("Every seed of {method} took part in choosing its setting.").format(method=method)
        return Chosen(best, values, tuple(settings[best]), notes=(note,))
    chose = [v for seed, v in values.items() if seed in tuning]
    notes: tuple[str, ...] = ()
    bias = math.nan
    if chose:
        bias = (float(np.mean(chose)) - float(np.mean(list(reruns.values())))) * (
            1 if higher else -1
        )
        notes = (
            ngettext(
                "{method} was tuned with seed {seeds}, which is left out of its judgement.",
                "{method} was tuned with seeds {seeds}, which are left out of its judgement.",
                len(chose),
            ).format(method=method, seeds=listed(by_seed(s for s in values if s in tuning))),
        )
    runs = tuple(r for r in settings[best] if r.seed in reruns)
    return Chosen(best, reruns, runs, bias=bias, notes=notes)


def _crosswise(settings: Mapping[str, list[ExternalRun]], higher: bool) -> Chosen:
    """For each seed let the other seeds choose the setting, and take this seed's value of it."""
    table = {s: _values(group) for s, group in settings.items()}
    seeds = by_seed({seed for values in table.values() for seed in values})

    def best_without(seed: str) -> str:
        able = {s: v for s, v in table.items() if seed in v} if seed else table
        return max(able, key=lambda s: _mean([v for k, v in able[s].items() if k != seed], higher))

    values = {seed: table[best_without(seed)][seed] for seed in seeds}
    overall = best_without("")
    finite = [v for v in table[overall].values() if math.isfinite(v)]
    apart = float(np.mean(finite)) - float(np.nanmean(list(values.values()))) if finite else 0.0
    note = _(
        "{method} has the same seeds for all its settings: each seed is judged with the setting "
        "that the other seeds choose."
    ).format(method=settings[overall][0].method)
    return Chosen(
        overall, values, tuple(settings[overall]), bias=apart * (1 if higher else -1), notes=(note,)
    )


def _chosen_by_its_own_value(runs: Sequence[ExternalRun], higher: bool) -> Chosen:
    best = max(runs, key=lambda r: _mean([judged_value(r)], higher))
    note = _(
        "The one value that chose the setting of {method} also judges it: it looks better than "
        "reruns would."
    ).format(method=best.method)
    return Chosen(best.setting, {best.seed: judged_value(best)}, (best,), notes=(note,))
