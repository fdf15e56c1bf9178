"""Weight decay that the learning rate does not touch."""

from descenso.schedules import argument
from descenso.transforms._parts import strength, strengths
from descenso.transforms._transform import on_parameters


@on_parameters(source="Loshchilov & Hutter (2019), Decoupled Weight Decay Regularization, "
                      "arXiv:1711.05101, algorithm 2, line 12")  # fmt: skip
def independent_weight_decay(
    xp, old, new, lr, t, state, *,
    strength=argument("λ, at least 0: a number, a schedule, or a list of one for each parameter",
                      check=strength),
):  # fmt: skip
    r"""Take the same share of the parameter off each step, whatever the learning rate.

    .. math:: \theta_t \leftarrow \theta_t - \lambda_t\, \theta_{t-1}

    As in the paper, whose schedule multiplier is a schedule given for λ. Changing the learning
    rate then leaves the best λ where it was. A parameter that took no step does not decay.
    """
    shares = strengths(strength, t, len(old))
    decayed = [
        after if rate is None else after - share * before
        for before, after, rate, share in zip(old, new, lr, shares, strict=True)
    ]
    return decayed, state
