"""Decay in steps."""

from descenso.schedules._argument import argument
from descenso.schedules._schedule import schedule


@schedule(
    source="He et al. (2016), Deep Residual Learning, section 4.2: ten times less at plateaus"
)
def step_decay(
    xp, step, *,
    start=argument("value of the first update"),
    every=argument("updates between two drops", above=0, whole=True),
    factor=argument("what each drop multiplies the value by", 0.1, above=0),
):  # fmt: skip
    r"""Multiply the value by a factor every so many updates.

    .. math:: \eta_k = \eta_0\, \gamma^{\lfloor k/n \rfloor}

    Equal to ``torch.optim.lr_scheduler.StepLR`` and to the exponential decays of Keras and optax
    with ``staircase=True``.
    """
    return start * factor ** (step // every)
