"""Schedules: step → value, written once for all frameworks; ONE FILE = ONE SCHEDULE.

``step`` counts updates from 0: ``schedule(0)`` is the value of the first update.
"""

from descenso.schedules._argument import argument
from descenso.schedules._schedule import Schedule, from_config, schedule
from descenso.schedules.constant import constant
from descenso.schedules.cosine import cosine
from descenso.schedules.cosine_restarts import cosine_restarts
from descenso.schedules.exponential import exponential
from descenso.schedules.join import join
from descenso.schedules.one_cycle import one_cycle
from descenso.schedules.polynomial import polynomial
from descenso.schedules.rounded_correction import rounded_correction
from descenso.schedules.step_decay import step_decay
from descenso.schedules.uncorrected import uncorrected
from descenso.schedules.warmup import warmup

__all__ = [
    "Schedule",
    "argument",
    "constant",
    "cosine",
    "cosine_restarts",
    "exponential",
    "from_config",
    "join",
    "one_cycle",
    "polynomial",
    "rounded_correction",
    "schedule",
    "step_decay",
    "uncorrected",
    "warmup",
]
