"""Polynomial decay; linear with power 1."""

from descenso.schedules._argument import argument
from descenso.schedules._schedule import schedule


@schedule(source="Chen et al. (2018), DeepLab, arXiv:1606.00915, section 4.1 (“poly”, power 0.9)")
def polynomial(
    xp, step, *,
    start=argument("value of the first update"),
    steps=argument("updates until the end value", above=0, whole=True),
    end=argument("value from update ``steps`` on", 0.0),
    power=argument("1 falls in a straight line", 1.0, above=0),
):  # fmt: skip
    r"""Fall as a power of the share of updates that remain, and stay at the end.

    .. math:: \eta_k = \eta_T + (\eta_0 - \eta_T)\,(1 - \min(k/T, 1))^p

    Equal to PyTorch's ``PolynomialLR``, Keras's ``PolynomialDecay`` and optax's
    ``polynomial_schedule``.
    """
    return end + (start - end) * (1 - xp.clip(step / steps, 0, 1)) ** power
