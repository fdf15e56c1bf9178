"""An exponential moving average of the parameters."""

from descenso.errors import SettingError
from descenso.language import _
from descenso.schedules import argument
from descenso.schedules._argument import as_float
from descenso.transforms._parts import now
from descenso.transforms._transform import on_parameters


def _switch(which, value):
    if as_float(value) in (0, 1) or isinstance(value, bool):
        return bool(value)
    raise SettingError(_("{which} must be True or False; got {value!r}").format(
        which=which, value=value))  # fmt: skip


def _start(xp, thetas, *, decay, debias):
    if debias and callable(decay):
        raise SettingError(_("moving_average: debias needs a decay that is a number"))
    return {"average": [xp.zeros_like(theta) if debias else theta + 0 for theta in thetas]}


@on_parameters(source="Polyak & Juditsky (1992), as exponential average in Tarvainen & Valpola "
                      "(2017), Mean teachers, eq. 1", state=_start)  # fmt: skip
def moving_average(
    xp, old, new, lr, t, state, *,
    decay=argument("share of the average that is kept, or a schedule of it", 0.999,
                   at_least=0, below=1, schedule=True),
    debias=argument("start from zero and divide by 1 − dᵗ when read", False, check=_switch),
):  # fmt: skip
    r"""Keep an exponential average of the parameters beside them; training does not see it.

    .. math:: a_t = d\, a_{t-1} + (1-d)\, \theta_t, \qquad a_0 = \theta_0

    With *debias* :math:`a_0 = 0` and what is read is :math:`a_t/(1-d^t)`, as ``optax.ema`` does.
    Keras's ``use_ema`` and PyTorch's ``AveragedModel`` start from the first parameters that they
    see: ``decay=schedules.join([0, d], at=[1])``.
    """
    d = now(decay, t)
    kept = [d * a + (1 - d) * theta for a, theta in zip(state["average"], new, strict=True)]
    return new, {"average": kept}


def read(transform, state, t):
    """Return the averaged parameters after step ``t``."""
    if not transform.arguments["debias"]:
        return list(state["average"])
    return [a / (1 - transform.arguments["decay"] ** t) for a in state["average"]]
