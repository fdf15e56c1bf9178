"""One schedule after another."""

from descenso.errors import SettingError
from descenso.language import _
from descenso.schedules._argument import argument
from descenso.schedules._parts import after, boundaries, parts
from descenso.schedules._schedule import schedule


@schedule(source="as in optax.join_schedules")
def join(
    xp, step, *,
    schedules=argument("numbers or schedules, in order; each counts from its own step 0",
                       check=parts),
    at=argument("the first update of each but the first, in rising order", check=boundaries),
):  # fmt: skip
    r"""Follow each schedule until the next one's first update.

    .. math:: \eta_k = f_i(k - b_i) \quad\text{for}\quad b_i \le k < b_{i+1}

    Numbers make it piecewise constant. Keras's ``PiecewiseConstantDecay`` still holds a value *at*
    its boundary: there, give ``at`` one more.
    """
    if len(at) != len(schedules) - 1:
        raise SettingError(
            _("join: {parts} schedules have {needed} boundaries; got {given}").format(
                parts=len(schedules), needed=len(schedules) - 1, given=len(at)
            )
        )
    value = after(xp, schedules[0], step, 0)
    for begin, part in zip(at, schedules[1:], strict=True):
        value = xp.where(step >= begin, after(xp, part, step, begin), value)
    return value
