"""Members of torch problems, and what comes of training them."""

import numpy as np

from descenso import methods
from descenso.records import Member


def member(method="adam", seed=0, batch_size=8, **settings):
    rule = methods.parse(method).definition()
    return Member(method, rule.name, rule.settings(**settings), batch_size, seed)


def finished(engine, members, epochs=3, judge=True):
    """Train to the end and return the last run of each member."""
    done = {}
    for chunk in engine.train(members, epochs, judge=judge):
        done.update({run.member.key: run for run in chunk})
    return [done[m.key if isinstance(m, Member) else m.member.key] for m in members]


def same(one, other):
    """Whether two runs have the same figures, to the bit."""
    return (
        np.array_equal(one.curve.validation_loss, other.curve.validation_loss, equal_nan=True)
        and np.array_equal(one.curve.train_loss, other.curve.train_loss, equal_nan=True)
        and one.curve.test_loss == other.curve.test_loss
        and one.curve.steps == other.curve.steps
    )
