"""The queue of every engine, with workers that only count epochs."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from descenso import rules
from descenso.engine.bookkeeping import advanced, untrained
from descenso.engine.scheduling import (
    SECONDS_PER_CALL,
    Capacity,
    FailedCallError,
    OutOfMemoryError,
    Pace,
    Queue,
    done_here,
    too_little_memory,
)
from descenso.errors import ProblemError
from descenso.records import Member, Run


def run(seed=0, rule="adam", lr=0.1):
    member = Member(rule, rule, rules.get(rule).settings(lr=lr), 8, seed)
    return Run(member, untrained(1.0, 0.5), checkpoint={})


class Counting:
    """Workers that take ``seconds`` for an epoch; those of ``broken`` seeds fail."""

    queued = 0

    def __init__(self, seconds=0.1, members=8, filled=False, count=1, fits=99, broken=()):
        self.count, self.tasks = count, []
        self._seconds, self._members, self._filled = seconds, members, filled
        self._fits, self._broken = fits, broken

    def capacity(self, _member):
        return Capacity(self._members, filled=self._filled)

    def submit(self, task):
        self.tasks.append(task)
        return done_here(self._done, task)

    def result(self, future):
        return future.result()

    def make_room(self, member, error):
        if self._members == 1:
            raise too_little_memory(member, error) from error
        self._members //= 2

    def _done(self, task):
        if self._members > self._fits:
            raise OutOfMemoryError("all of it is taken")
        if any(r.member.seed in self._broken for r in task.runs):
            raise FailedCallError("ValueError: too large for me")
        blank = np.ones(task.epochs)
        return [
            advanced(
                r, (blank, blank, blank), steps=r.curve.steps + task.epochs, alive=True,
                seconds=self._seconds * task.epochs, checkpoint={},
            )
            for r in task.runs
        ]  # fmt: skip


def trained(workers, runs, epochs=20, judge=False):
    """Train to the end; return the last run of each member, the paces and the failures."""
    paces, failures, done = defaultdict(Pace), [], {}
    for chunk in Queue(runs, epochs, judge, paces, failures).trained_by(workers):
        done.update({r.member.key: r for r in chunk})
    return list(done.values()), paces, failures


def test_the_first_call_is_short_and_the_others_last_about_as_long_as_a_call_should():
    workers = Counting(seconds=SECONDS_PER_CALL / 4)
    runs, paces, _ = trained(workers, [run(seed) for seed in range(3)])
    assert [r.curve.epochs for r in runs] == [20] * 3
    assert [(len(t.runs), t.epochs) for t in workers.tasks[:2]] == [(1, 1), (1, 4)]
    assert all(len(t.runs) * t.epochs <= 4 for t in workers.tasks)
    (pace,) = paces.values()
    assert pace.seconds_per_epoch == pytest.approx(SECONDS_PER_CALL / 4)
    assert pace.member_steps == 60


def test_quick_runs_share_a_call_and_the_last_shares_shrink_for_many_workers():
    workers = Counting(seconds=1e-4, count=2)
    trained(workers, [run(seed) for seed in range(20)])
    assert [len(t.runs) for t in workers.tasks] == [1, 5, 4, 3, 2, 2, 1, 1, 1, 1]


def test_members_side_by_side_fill_a_call_from_the_first():
    workers = Counting(members=16, filled=True, seconds=1e-4)
    trained(workers, [run(seed) for seed in range(20)])
    assert [len(t.runs) for t in workers.tasks[:2]] == [16, 4]


def test_a_call_holds_runs_of_one_rule_that_stand_at_one_epoch():
    workers = Counting(seconds=1e-4)
    ahead = replace(run(9), curve=replace(run(9).curve, train_loss=np.ones(5)))
    trained(workers, [run(0), ahead, run(1), run(0, "momentum"), run(1, "momentum")])
    for task in workers.tasks:
        assert len({(r.member.rule, r.curve.epochs) for r in task.runs}) == 1


def test_runs_are_judged_by_the_call_that_ends_them_and_by_no_other():
    workers = Counting(seconds=SECONDS_PER_CALL / 4)
    trained(workers, [run()], epochs=9, judge=True)
    assert [t.judge for t in workers.tasks] == [False, False, True]


@pytest.mark.parametrize("filled", [True, False])
def test_a_call_that_does_not_fit_into_memory_comes_again_with_fewer(filled):
    workers = Counting(fits=2, filled=filled, seconds=1e-4)
    runs, _, failures = trained(workers, [run(seed) for seed in range(6)])
    assert [r.curve.epochs for r in runs] == [20] * 6
    assert failures == []
    assert max(len(t.runs) for t in workers.tasks if t.room <= 2) == 2


def test_a_member_that_alone_does_not_fit_is_refused_with_its_batch_size():
    with pytest.raises(ProblemError, match="one member at batch size 8: all of it is taken"):
        trained(Counting(fits=0), [run()])


def test_the_run_whose_code_fails_is_found_and_ended_alone():
    workers = Counting(broken=(3,), seconds=1e-4)
    runs, _, (failure,) = trained(workers, [run(seed) for seed in range(6)])
    assert sorted(r.member.seed for r in runs if not r.error) == [0, 1, 2, 4, 5]
    assert (failure["seed"], failure["error"]) == (3, "ValueError: too large for me")


def test_what_is_in_sight_is_what_the_paces_promise():
    paces = defaultdict(Pace)
    queue = Queue([run(0), run(1), run(0, "momentum")], 10, False, paces, [])
    assert (len(queue), queue.seconds_in_sight()) == (3, 0)
    for _runs in Queue([run(7)], 1, False, paces, []).trained_by(Counting(seconds=0.5)):
        pass
    assert queue.seconds_in_sight() == pytest.approx(3 * 10 * 0.5)  # momentum as the usual
