"""A value that does not change."""

from descenso.schedules._argument import argument
from descenso.schedules._schedule import schedule


@schedule(source="Robbins & Monro (1951) ask for less; deep learning's usual starting point")
def constant(xp, step, *, value=argument("the value")):
    r"""Return the same value at every step.

    .. math:: \eta_k = \eta
    """
    return value + 0 * step
