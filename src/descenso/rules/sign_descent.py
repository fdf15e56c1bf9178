"""Descent by signs."""

from descenso.rules import hyperparameter, rule


@rule(paper="Bernstein et al. (2018), signSGD, arXiv:1802.04434, algorithm 1")  # fmt: skip
def sign_descent(
    xp, theta, g, state, t, *,
    lr=hyperparameter(1e-3, meaning="step size η", unit="parameter units",
                      above=0, scale="log", search=(1e-5, 1e-1)),
):  # fmt: skip
    r"""Sign descent: step by the sign of the gradient alone.

    .. math::

        \theta_t = \theta_{t-1} - \eta\, \operatorname{sign}(g_t)

    Every element moves by η, however steep it is there; it settles only as η falls. The paper's
    signSGD; where workers vote, each sends one bit for each element.

    Where defaults differ: the paper gives no η; 1e-3 as in pytorch_optimizer.
    """
    return theta - lr * xp.sign(g), state
