"""Half a cosine."""

from descenso.schedules._argument import argument
from descenso.schedules._parts import half_cosine
from descenso.schedules._schedule import schedule


@schedule(source="Loshchilov & Hutter (2017), SGDR, arXiv:1608.03983, eq. 5, one cycle")
def cosine(
    xp, step, *,
    start=argument("value of the first update"),
    steps=argument("updates until the end value", above=0, whole=True),
    end=argument("value from update ``steps`` on", 0.0),
):  # fmt: skip
    r"""Fall along half a cosine, and stay at the end.

    .. math:: \eta_k = \eta_T + \tfrac12 (\eta_0 - \eta_T)\,(1 + \cos(\pi \min(k/T, 1)))

    Keras and optax give the end as a share ``alpha`` of the start: ``end = alpha * start``. Past
    the end PyTorch's ``CosineAnnealingLR`` climbs again; here, as in Keras and optax, it stays.
    """
    return half_cosine(xp, start, end, xp.clip(step / steps, 0, 1))
