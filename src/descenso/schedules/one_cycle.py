"""One cycle: up, then far down."""

from descenso.errors import SettingError
from descenso.language import _
from descenso.schedules._argument import argument
from descenso.schedules._parts import half_cosine
from descenso.schedules._schedule import schedule

_SHAPES = ("cosine", "linear")


def _shape(which, value):
    if isinstance(value, str) and value in _SHAPES:
        return value
    raise SettingError(
        _("{which} must be one of {known}; got {value!r}").format(
            which=which, known=", ".join(_SHAPES), value=value
        )
    )


@schedule(source="Smith & Topin (2018), Super-Convergence, arXiv:1708.07120; two phases as in "
                 "torch.optim.lr_scheduler.OneCycleLR")  # fmt: skip
def one_cycle(
    xp, step, *,
    peak=argument("value at the top"),
    steps=argument("updates in the cycle", above=1, whole=True),
    start=argument("value of the first update; peak/25 where not given", None),
    end=argument("value of the last update; start/10⁴ where not given", None),
    rise=argument("share of the updates spent rising", 0.3, above=0, below=1),
    shape=argument("``cosine`` or ``linear``", "cosine", check=_shape),
):  # fmt: skip
    r"""Rise from ``start`` to ``peak``, then fall to ``end``.

    .. math:: \eta_k = \begin{cases} h(\eta_0, \eta_{peak}, k/r) & k \le r = \rho T - 1 \\
        h(\eta_{peak}, \eta_T, (k-r)/(T-1-r)) & k > r \end{cases}

    where h goes from one value to the other along half a cosine or a straight line. Momentum is
    cycled the other way round by the same schedule with its peak *below* its start:
    ``one_cycle(peak=0.85, start=0.95, end=0.95, steps=T)``.

    Equal to PyTorch's ``OneCycleLR``; optax's top comes one update later.
    """
    start = peak / 25 if start is None else start
    end = start / 1e4 if end is None else end
    top = rise * steps - 1
    if not 0 < top < steps - 1:
        raise SettingError(
            _("one_cycle: rise·steps must lie above 1 and below steps; got {rise}·{steps}").format(
                rise=rise, steps=steps
            )
        )
    up = xp.clip(step / top, 0, 1)
    down = xp.clip((step - top) / (steps - 1 - top), 0, 1)
    if shape == "cosine":
        return xp.where(
            step <= top, half_cosine(xp, start, peak, up), half_cosine(xp, peak, end, down)
        )
    return xp.where(step <= top, start + (peak - start) * up, peak + (end - peak) * down)
