"""Signum."""

from descenso.rules import hyperparameter, rule


@rule(paper="Bernstein et al. (2018), signSGD, arXiv:1802.04434, algorithm 2",
      state=("m",))  # fmt: skip
def signum(
    xp, theta, g, state, t, *,
    lr=hyperparameter(1e-3, meaning="step size η", unit="parameter units",
                      above=0, scale="log", search=(1e-5, 1e-1)),
    beta=hyperparameter(0.9, meaning="share β of the mean gradient that is kept",
                        at_least=0, below=1, scale="logit", search=(0.5, 0.99)),
):  # fmt: skip
    r"""Signum: step by the sign of a mean gradient.

    .. math::

        m_t &= \beta m_{t-1} + (1-\beta)\, g_t \\
        \theta_t &= \theta_{t-1} - \eta\, \operatorname{sign}(m_t)

    The mean needs no correction for its start: a factor does not change a sign.

    Where it differs: weight decay is not part of the algorithm; give
    ``transforms=[decoupled_weight_decay(...)]``.
    """
    m = beta * state["m"] + (1 - beta) * g
    return theta - lr * xp.sign(m), {"m": m}
