"""Exponential decay."""

from descenso.schedules._argument import argument
from descenso.schedules._schedule import schedule


@schedule(
    source="as in torch.optim.lr_scheduler.ExponentialLR (every = 1) and Keras ExponentialDecay"
)
def exponential(
    xp, step, *,
    start=argument("value of the first update"),
    factor=argument("what the value is multiplied by over ``every`` updates", above=0),
    every=argument("updates over which the factor applies", 1, above=0, whole=True),
):  # fmt: skip
    r"""Multiply the value by the same factor over each stretch of updates, smoothly.

    .. math:: \eta_k = \eta_0\, \gamma^{k/n}
    """
    return start * factor ** (step / every)
