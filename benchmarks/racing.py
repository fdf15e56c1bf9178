"""Does racing end with the verdict of the full grid? ``python -m benchmarks.racing [--json FILE]``.

For each problem and study seed every setting is trained to the full budget once. The race is then
run on those very curves, cut where it stops a setting, so that both searches differ in nothing but
the stopping. The settings that each chooses are confirmed on the same fresh seeds and judged.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from unittest import mock

from descenso import methods, problems
from descenso.engine import open_engine, prepare_machine
from descenso.records import Member, Run
from descenso.study import _race as race
from descenso.study import _search
from descenso.study._confirm import confirm_on_fresh_seeds, confirmation_members
from descenso.study._results import MethodResult, MetricInfo
from descenso.study._search import Search
from descenso.study.design import Design
from descenso.study.verdict import decide

PROBLEMS = ("digits", "wine", "breast-cancer", "diabetes")
#: Study seeds that chose the race's rungs; the table is measured on others.
CHOOSING, JUDGING = range(0, 4), range(100, 110)
TRIALS, SEARCH_SEEDS, SEEDS = 12, 3, 5
#: The full grid again, searched with three other seeds: how far it agrees with itself.
CONTROL = "full grid, other search seeds"
_FIRST = (_search.FIRST_SEARCH_SEED, 2 * _search.FIRST_SEARCH_SEED)


@dataclass
class Replay:
    """A trainer that trains to the full budget once, and shows each search no more than it asks."""

    engine: object
    budget: int
    total: float = 0.0
    whole: dict[str, Run] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def train(self, members: Sequence[Member], epochs: int, stage: str, planned: float):
        new = [m for m in members if m.key not in self.whole]
        for chunk in self.engine.train(new, self.budget, judge=stage == "confirm"):
            self.whole.update({run.member.key: run for run in chunk})
        for m in members:
            if stage == "search":
                reached = min(epochs, self.whole[m.key].curve.epochs)
                self.asked[m.key] = max(self.asked[m.key], reached)
        return [_cut(self.whole[m.key], epochs) for m in members]


def _cut(run: Run, epochs: int) -> Run:
    curve = run.curve
    if curve.epochs <= epochs:
        return run
    curve = replace(
        curve,
        validation_loss=curve.validation_loss[: epochs + 1],
        validation_metric=curve.validation_metric[: epochs + 1],
        train_loss=curve.train_loss[:epochs],
        diverged_at=None,
    )
    return Run(run.member, curve)


def run_study(name: str, seed: int, policies: dict[str, race.Policy]) -> list[dict]:
    """Return for each policy what it chose, what the verdict was and what the search took."""
    problem = problems.get(name)
    compared = [methods.parse(m) for m in problem.methods]
    design = Design(name, tuple(problem.methods), problem.epochs, TRIALS, SEARCH_SEEDS, SEEDS, seed)
    data = problem.make_data(seed)
    trainer = Replay(open_engine(problem, data, seed), problem.epochs)
    info = MetricInfo(problem.metric.name, problem.metric.higher_is_better,
                      problem.metric.percent, problem.target)  # fmt: skip
    rows = []
    for policy_name, policy in policies.items():
        trainer.asked.clear()
        results = []
        for m in compared:
            size = m.examples_per_step(len(data.train), problem.batch_size)
            with mock.patch.object(_search, "FIRST_SEARCH_SEED", _FIRST[policy_name == CONTROL]):
                found = Search(m, size, design, problem.metric, trainer, policy=policy).run()
            members = confirmation_members(m, size, found.chosen.settings, SEEDS)
            judged_by = problem.metric, problem.target
            (tuned,) = confirm_on_fresh_seeds([members], design, *judged_by, trainer)
            results.append(MethodResult(m.label, m.rule, m.regime(), size, tuned, tuned,
                                        found.points, found.at_edge, 0, 0.0))  # fmt: skip
        verdict = decide(results, info, len(data.test))
        rows.append(
            {
                "problem": name,
                "seed": seed,
                "policy": policy_name,
                "best": verdict.best,
                "level": sorted({verdict.best, *verdict.tied}),
                "mean": results[[r.name for r in results].index(verdict.best)].tuned.test.mean,
                "settings": {r.name: r.settings["lr"] for r in results},
                "epochs": sum(trainer.asked.values()),
            }
        )
    return rows


def compare(rows: list[dict], policy: str) -> dict:
    """Set a policy's studies against those of the full grid."""
    grid = {(r["problem"], r["seed"]): r for r in rows if r["policy"] == "full grid"}
    own = [(r, grid[r["problem"], r["seed"]]) for r in rows if r["policy"] == policy]
    names = [n for r, _ in own for n in r["settings"]]
    same_lr = sum(r["settings"][n] == g["settings"][n] for r, g in own for n in r["settings"])
    return {
        "policy": policy,
        "studies": len(own),
        # The same: what each recommends, the other does not call worse.
        "same_verdict": sum(r["best"] in g["level"] and g["best"] in r["level"] for r, g in own)
        / len(own),
        # The same methods are left standing: the best and those that tie with it.
        "same_level": sum(r["level"] == g["level"] for r, g in own) / len(own),
        "same_best": sum(r["best"] == g["best"] for r, g in own) / len(own),
        "same_words": sum(r["best"] == g["best"] and r["level"] == g["level"] for r, g in own)
        / len(own),
        "same_learning_rate": same_lr / len(names),
        # Mean gain on test of what it recommends over what the full grid recommends, in its metric.
        "gain": sum((r["mean"] - g["mean"]) for r, g in own) / len(own),
        "share_of_epochs": sum(r["epochs"] for r, _ in own) / sum(g["epochs"] for _, g in own),
    }


def candidates() -> dict[str, race.Policy]:
    """Return the policies that were tried before one was chosen."""
    found = {"full grid": race.FULL_GRID, "race": race.RACE}
    for rungs in ((0.25, 0.5, 1.0), (0.2, 0.5, 1.0), (0.15, 0.4, 1.0)):
        for early in (1, 2):
            for kept, finalists in ((0.35, 2), (0.35, 3), (0.5, 3)):
                for slow in (0.0, 0.25):
                    policy = race.Policy(rungs, (early, early, 1000), kept, finalists, slow)
                    found[str(policy)] = policy
    return found


def main() -> None:
    """Measure, show, and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--choose", action="store_true", help="try policies on the other seeds")
    parser.add_argument("--problems", nargs="*", default=PROBLEMS)
    parser.add_argument("--seeds", type=int, nargs="*")
    arguments = parser.parse_args()
    prepare_machine()
    policies = candidates() if arguments.choose else {
        "full grid": race.FULL_GRID, "race": race.RACE, CONTROL: race.FULL_GRID}  # fmt: skip
    seeds = arguments.seeds or (CHOOSING if arguments.choose else JUDGING)
    rows: list[dict] = []
    for name in arguments.problems:
        for seed in seeds:
            began = time.perf_counter()
            rows += run_study(name, seed, policies)
            print(f"{name} {seed}: {time.perf_counter() - began:.1f} s", flush=True)
            if arguments.json:
                summary = [compare(rows, p) for p in policies if p != "full grid"]
                arguments.json.write_text(
                    json.dumps({"summary": summary, "policy": asdict(race.RACE), "rows": rows},
                               indent=1) + "\n"
                )  # fmt: skip
    for policy in policies:
        if policy != "full grid":
            print(json.dumps(compare(rows, policy)))


if __name__ == "__main__":
    main()
