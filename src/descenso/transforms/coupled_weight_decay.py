"""Weight decay inside the gradient."""

from descenso.schedules import argument
from descenso.transforms._parts import each, strength, strengths
from descenso.transforms._transform import on_gradients


@on_gradients(
    source="Krogh & Hertz (1991), A Simple Weight Decay Can Improve Generalization, eq. 2"
)
def coupled_weight_decay(
    xp, thetas, gradients, t, *,
    strength=argument("λ, at least 0: a number, a schedule, or a list of one for each parameter",
                      check=strength),
):  # fmt: skip
    r"""Add a share of the parameter to its gradient, as the penalty λ‖θ‖²/2 in the loss would.

    .. math:: g_t \leftarrow g_t + \lambda\, \theta_{t-1}

    This is ``weight_decay`` of PyTorch's SGD, RMSprop and Adam, and optax's
    ``add_decayed_weights`` placed before the rule. A rule that rescales gradients rescales this
    decay too.
    """
    shares = strengths(strength, t, len(thetas))
    return each(lambda g, theta, share: g + share * theta, gradients, thetas, shares)
