"""Weight decay outside the gradient, times the learning rate."""

from descenso.schedules import argument
from descenso.transforms._parts import strength, strengths
from descenso.transforms._transform import on_parameters


@on_parameters(source="Loshchilov & Hutter (2019), Decoupled Weight Decay Regularization, "
                      "arXiv:1711.05101, as the frameworks compute it")  # fmt: skip
def decoupled_weight_decay(
    xp, old, new, lr, t, state, *,
    strength=argument("λ, at least 0: a number, a schedule, or a list of one for each parameter",
                      check=strength),
):  # fmt: skip
    r"""Take a share of the parameter off each step, in proportion to the learning rate.

    .. math:: \theta_t \leftarrow \theta_t - \eta_t\, \lambda\, \theta_{t-1}

    AdamW's decay for any rule; ``weight_decay`` of every Keras optimizer. A parameter that took
    no step does not decay.
    """
    shares = strengths(strength, t, len(old))
    decayed = [
        after if rate is None else after - rate * share * before
        for before, after, rate, share in zip(old, new, lr, shares, strict=True)
    ]
    return decayed, state
