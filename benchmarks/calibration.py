"""Whether verdicts keep their word: ``python -m benchmarks.calibration [--json FILE] [--studies N]``.

Nothing is trained. Scores of methods and seeds are drawn from known laws, and judged by the very
functions that judge a study. Methods that are truly equal must be called different in at most 5% of
studies; a difference of two standard deviations must be found with ten seeds in at least 95%.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
from scipy import stats

from descenso.records import Estimate
from descenso.study import _sequential as sequential
from descenso.study import statistics
from descenso.study.statistics import ALPHA, compare_with_best, corrected_p_values, estimate

TEST_EXAMPLES = 36  # of the coarse metric, as on wine
SEEDS = (2, 3, 5, 10, 20)
NAMES = "abcdef"
Law = Callable[[np.random.Generator, int, int], np.ndarray]


def _coarse(rng, methods, seeds):
    """Draw the accuracy of a classifier on few test examples."""
    skill = 0.95 + 0.01 * rng.normal(size=seeds)
    return rng.binomial(TEST_EXAMPLES, np.clip(skill, 0, 1), (methods, seeds)) / TEST_EXAMPLES


def _diverging(rng, methods, seeds):
    """Let one run in ten fall to the untrained network."""
    return rng.normal(size=(methods, seeds)) - 30 * (rng.random((methods, seeds)) < 0.1)


LAWS: dict[str, Law] = {
    "normal": lambda rng, m, n: rng.normal(size=(m, n)),
    "paired normal": lambda rng, m, n: rng.normal(size=(1, n)) + rng.normal(size=(m, n)),
    "heavy tails (Student, 3)": lambda rng, m, n: rng.standard_t(3, (m, n)),
    "skewed (lognormal)": lambda rng, m, n: rng.lognormal(size=(m, n)),
    "coarse (36 test examples)": _coarse,
    "one run in ten diverges": _diverging,
}


def claims(scores: np.ndarray, resolution: float = 0.0, alpha: float = ALPHA) -> tuple[int, set]:
    """Return the method with the best mean, and those that a verdict would call worse than it."""
    named = dict(zip(NAMES, scores, strict=False))
    p = corrected_p_values(named, resolution, alpha)
    best = max(named, key=lambda name: float(np.mean(named[name])))
    worse = {n for n in named if n != best and p[frozenset((best, n))] < alpha}
    return NAMES.index(best), worse


def false_claims(law: str, methods: int, seeds: int, studies: int, rng) -> int:
    """Count studies that call truly equal methods different."""
    resolution = 1 / TEST_EXAMPLES if law.startswith("coarse") else 0.0
    drawn = (LAWS[law](rng, methods, seeds) for _ in range(studies))
    return sum(bool(claims(scores, resolution)[1]) for scores in drawn)


def found(methods: int, seeds: int, paired: bool, studies: int, rng) -> int:
    """Count studies that find the one better method better than a given other.

    The gap is two standard deviations: of a method's scores, or, where ``paired``, of the
    differences between methods seed by seed.
    """
    count = 0
    for _ in range(studies):
        scores = rng.normal(size=(methods, seeds)) / (np.sqrt(2) if paired else 1)
        scores[0] += 2
        best, worse = claims(scores)
        count += best == 0 and NAMES[methods - 1] in worse
    return count


def covered(seeds: int, law: str, studies: int, rng) -> int:
    """Count intervals that hold the true mean."""
    draw, mean = {
        "normal": (lambda n: rng.normal(size=n), 0.0),
        "heavy tails (Student, 3)": (lambda n: rng.standard_t(3, n), 0.0),
        "skewed (lognormal)": (lambda n: rng.lognormal(sigma=0.5, size=n), np.exp(0.125)),
    }[law]
    intervals = (estimate(list(draw(seeds))) for _ in range(studies))
    return sum(e.low <= mean <= e.high for e in intervals)


def covered_together(methods: int, seeds: int, studies: int, rng) -> int:
    """Count studies in which every interval of a difference from the best holds the true one."""
    gaps = np.linspace(0.0, 1.0, methods)
    hits = 0
    for _ in range(studies):
        scores = rng.normal(size=(1, seeds)) + rng.normal(size=(methods, seeds)) - gaps[:, None]
        named = dict(zip(NAMES, scores.tolist(), strict=False))
        truth = dict(zip(NAMES, -gaps, strict=False))
        best, comparisons = compare_with_best(named, True)
        hits += all(c.difference.low <= truth[best] - truth[c.other] <= c.difference.high
                    for c in comparisons)  # fmt: skip
    return hits


def _judged(named, alpha, margin):
    """Judge as a study does, without the intervals, which take a thousand times as long."""
    plain = lambda values, *_: Estimate(float(np.mean(values)), 0.0, 0.0, tuple(values))  # noqa: E731
    with mock.patch.object(statistics, "estimate", plain):
        return sequential.judge(named, True, 0.0, alpha, margin)


def sequential_errors(gap: float, margin: float, studies: int, rng) -> dict[str, float]:
    """Run studies of three methods, the last worse by ``gap``, until decided; count what they claim."""
    looks = sequential.looks(5, 40)
    alpha = sequential.level(len(looks))
    false_worse = false_equal = 0
    decided, spent = 0, []
    for _ in range(studies):
        scores = rng.normal(size=(3, looks[-1])) + rng.normal(size=(1, looks[-1]))
        scores[2] -= gap
        for n in looks:
            named = dict(zip("abc", scores[:, :n].tolist(), strict=True))
            verdict = _judged(named, alpha, margin)
            if sequential.decided(verdict):
                break
        decided += sequential.decided(verdict)
        spent.append(n)
        truth = {"a": 0.0, "b": 0.0, "c": -gap}
        for c in verdict.comparisons:
            apart = truth[verdict.best] - truth[c.other]
            false_worse += (not c.tied) and apart <= 0
            false_equal += bool(c.equivalent) and c.tied and abs(apart) >= margin
    return {"worse": false_worse / studies, "equal": false_equal / studies,
            "decided": decided / studies, "seeds": float(np.mean(spent))}  # fmt: skip


def measure(studies: int, seed: int = 0) -> list[dict]:
    """Return one row for each law, number of methods and number of seeds."""
    rng = np.random.default_rng(seed)
    rows = []
    for law in LAWS:
        for methods in (2, 6):
            for n in SEEDS:
                rows.append(_row(f"equal methods, {law}", methods, n, studies,
                                 false_claims(law, methods, n, studies, rng), at_most=ALPHA))  # fmt: skip
    for paired in (False, True):
        what = "of the paired differences" if paired else "of the scores"
        for methods in (2, 3, 6):
            for n in (5, 10):
                hits = found(methods, n, paired, studies, rng)
                rows.append(_row(f"gap of two deviations {what}", methods, n, studies, hits,
                                 at_least=0.95 if n == 10 else None))  # fmt: skip
    few = max(200, studies // 8)
    for law in ("normal", "heavy tails (Student, 3)", "skewed (lognormal)"):
        for n in SEEDS:
            rows.append(_row(f"interval covers, {law}", 1, n, few, covered(n, law, few, rng)))
    for methods in (2, 6):
        for n in (3, 5, 10):
            held = covered_together(methods, n, few, rng)
            rows.append(_row("all differences from the best are covered", methods, n, few, held,
                             at_least=1 - ALPHA))  # fmt: skip
    return rows


def _row(case, methods, seeds, studies, hits, at_most=None, at_least=None) -> dict:
    share = hits / studies
    # A bound counts as met unless the count is further off than chance alone explains (1 in 1000).
    met = None
    if at_most is not None:
        met = bool(hits <= stats.binom.ppf(0.999, studies, at_most))
    if at_least is not None:
        met = bool(hits >= stats.binom.ppf(0.001, studies, at_least))
    return {"case": case, "methods": methods, "seeds": seeds, "studies": studies, "share": share,
            "at_most": at_most, "at_least": at_least, "met": met}  # fmt: skip


def measure_stopping(studies: int, seed: int = 1) -> list[dict]:
    """Return what studies that add seeds until they are decided claim wrongly."""
    rng = np.random.default_rng(seed)
    cases = {"two equal, one worse by just the margin": (1.0, 1.0), "all equal": (0.0, 1.0),
             "one worse by 3": (3.0, 1.5)}  # fmt: skip
    return [
        {"case": f"until decided: {name}", "studies": studies,
         **sequential_errors(gap, margin, studies, rng)}
        for name, (gap, margin) in cases.items()
    ]  # fmt: skip


def main() -> None:
    """Measure, show, and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--studies", type=int, default=4000)
    arguments = parser.parse_args()
    rows = measure(arguments.studies)
    for row in rows:
        bound = {True: "met", False: "MISSED", None: ""}[row["met"]]
        print(f"{row['case']:50} {row['methods']} methods {row['seeds']:3} seeds "
              f"{100 * row['share']:6.2f}% {bound}")  # fmt: skip
    stopping = measure_stopping(max(200, arguments.studies // 8))
    for row in stopping:
        print(f"{row['case']:50} false 'worse' {100 * row['worse']:.1f}%  false 'equivalent' "
              f"{100 * row['equal']:.1f}%  decided {100 * row['decided']:.0f}%  "
              f"{row['seeds']:.1f} seeds")  # fmt: skip
    if arguments.json:
        arguments.json.write_text(json.dumps(rows + stopping, indent=2) + "\n")


if __name__ == "__main__":
    main()
