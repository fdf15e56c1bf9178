"""Linear warm-up before any other schedule."""

from descenso.schedules._argument import argument
from descenso.schedules._parts import after, number_or_schedule, value_of
from descenso.schedules._schedule import schedule


@schedule(
    source="Goyal et al. (2017), Accurate, Large Minibatch SGD, arXiv:1706.02677, section 2.2"
)
def warmup(
    xp, step, *,
    then=argument("number, or schedule, that follows; its own step 0 is the end of the warm-up",
                  check=number_or_schedule),
    steps=argument("updates of the warm-up", above=0, whole=True),
    start=argument("value of the first update", 0.0),
):  # fmt: skip
    r"""Rise in a straight line to where another schedule starts, and go on with it.

    .. math:: \eta_k = \begin{cases} \eta_0 + (f(0) - \eta_0)\, k/w & k < w \\
        f(k - w) & k \ge w \end{cases}

    Equal to optax's ``warmup_cosine_decay_schedule`` with ``then=cosine(..., steps=T-w)``.
    """
    top = value_of(then, 0 * step)
    return xp.where(
        step < steps, start + (top - start) * step / steps, after(xp, then, step, steps)
    )
