"""Half cosines with warm restarts."""

import math

from descenso.schedules._argument import argument
from descenso.schedules._parts import half_cosine
from descenso.schedules._schedule import schedule


@schedule(source="Loshchilov & Hutter (2017), SGDR, arXiv:1608.03983, eq. 5")
def cosine_restarts(
    xp, step, *,
    start=argument("value of the first update"),
    steps=argument("updates in the first cycle", above=0, whole=True),
    end=argument("value that each cycle falls to", 0.0),
    stretch=argument("each cycle's length over that of the last", 1, at_least=1, whole=True),
    shrink=argument("what each restart multiplies the height (start − end) by", 1.0, above=0),
):  # fmt: skip
    r"""Fall along half a cosine, restart at the top, again and again.

    .. math:: \eta_k = \eta_T + \tfrac12 (\eta_0 - \eta_T)\, s^{i}\, (1 + \cos(\pi\, k_i/T_i)),
        \qquad T_i = T_0\, m^i

    with :math:`k_i` updates since restart i. Equal to PyTorch's ``CosineAnnealingWarmRestarts``
    (``T_mult`` = stretch) and Keras's ``CosineDecayRestarts`` (``t_mul``, ``m_mul``).
    """
    cycle, begin, length = _cycle(xp, step, steps, stretch)
    height = (start - end) * shrink**cycle
    return half_cosine(xp, end + height, end, (step - begin) / length)


def _cycle(xp, step, steps, stretch):
    """Return the cycle that holds ``step``, its first step and its length."""
    if stretch == 1:
        cycle = step // steps
        return cycle, cycle * steps, steps

    def longer(cycle):
        return (stretch**cycle + 0.5) // 1  # a power computed by logarithms is not quite whole

    def begin(cycle):
        return steps * (longer(cycle) - 1) / (stretch - 1)

    cycle = xp.log(step / steps * (stretch - 1) + 1) / math.log(stretch) // 1
    # The logarithm may fall on the wrong side of a boundary by a rounding error.
    cycle = xp.where(step >= begin(cycle + 1), cycle + 1, cycle)
    cycle = xp.where(step < begin(cycle), cycle - 1, cycle)
    return cycle, begin(cycle), steps * longer(cycle)
