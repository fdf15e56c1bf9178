"""Lion."""

from descenso.rules import hyperparameter, rule


@rule(paper="Chen et al. (2023), Symbolic Discovery of Optimization Algorithms, arXiv:2302.06675, "
            "algorithm 2",
      state=("m",))  # fmt: skip
def lion(
    xp, theta, g, state, t, *,
    lr=hyperparameter(1e-4, meaning="step size η", unit="parameter units",
                      above=0, scale="log", search=(1e-6, 1e-1)),
    beta1=hyperparameter(0.9, meaning="share β₁ of the momentum in the direction of the step",
                         at_least=0, below=1, scale="logit", search=(0.5, 0.99)),
    beta2=hyperparameter(0.99, meaning="share β₂ of the momentum that is kept",
                         at_least=0, below=1, scale="logit", search=(0.9, 0.999)),
    weight_decay=hyperparameter(0.0, meaning="share λ of the parameter, times η, taken off "
                                "each step", unit="1 per unit of lr", at_least=0, scale="log",
                                search=(1e-4, 1.0)),
):  # fmt: skip
    r"""Lion: step by the sign of an interpolated momentum.

    .. math::

        c_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
        \theta_t &= \theta_{t-1} - \eta\, \bigl(\operatorname{sign}(c_t) + \lambda\, \theta_{t-1}\bigr) \\
        m_t &= \beta_2 m_{t-1} + (1-\beta_2)\, g_t

    Every element moves by η, or not at all where c is 0: η wants to be 3 to 10 times smaller than
    Adam's, and λ as much larger.

    Where defaults differ: λ is 0 in the authors' program; 1e-3 in optax, 0 in Keras, which decays
    before the step: the same.
    """
    direction = xp.sign(beta1 * state["m"] + (1 - beta1) * g)
    m = beta2 * state["m"] + (1 - beta2) * g
    return theta - lr * (direction + weight_decay * theta), {"m": m}
