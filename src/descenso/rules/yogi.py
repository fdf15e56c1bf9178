"""Yogi."""

from descenso.rules import hyperparameter, rule


@rule(paper="Zaheer et al. (2018), Adaptive Methods for Nonconvex Optimization, NeurIPS, algorithm 2, "
            "with Adam's corrections",
      state=("m", "v"))  # fmt: skip
def yogi(
    xp, theta, g, state, t, *,
    lr=hyperparameter(0.01, meaning="step size η", unit="parameter units",
                      above=0, scale="log", search=(1e-5, 1.0)),
    beta1=hyperparameter(0.9, meaning="share β₁ of the mean gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.5, 0.99)),
    beta2=hyperparameter(0.999, meaning="share β₂ of the mean squared gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.9, 0.9999)),
    eps=hyperparameter(1e-3, meaning="ε added beside the root", unit="gradient units",
                       at_least=0, scale="log"),
    eps_root=hyperparameter(0.0, meaning="ε added inside the root",
                            unit="gradient units squared", at_least=0, scale="log"),
    initial=hyperparameter(1e-6, meaning="what the mean squared gradient starts from: a",
                           unit="gradient units squared", at_least=0, scale="log"),
):  # fmt: skip
    r"""Yogi: Adam whose second average moves by steps that do not grow with its error.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
        w_t &= v_{t-1} + [t = 1]\, a \\
        v_t &= w_t - (1-\beta_2)\, \operatorname{sign}(w_t - g_t^2)\, g_t^2 \\
        \hat m_t &= m_t / (1-\beta_1^t), \qquad \hat v_t = v_t / (1-\beta_2^t) \\
        \theta_t &= \theta_{t-1} - \eta\, \frac{\hat m_t}{\sqrt{\hat v_t + \epsilon_{root}} + \epsilon}

    [·] is 1 where its condition holds, else 0: the second average starts at a.

    Where they differ: the paper does not correct for the start. Others start the mean gradient at a
    too (optax); here, as in the paper, it starts at 0.
    """
    m = beta1 * state["m"] + (1 - beta1) * g
    square = xp.square(g)
    old = state["v"] + xp.where(t < 2, initial, 0.0)
    v = old - (1 - beta2) * xp.sign(old - square) * square
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return theta - lr * m_hat / (xp.sqrt(v_hat + eps_root) + eps), {"m": m, "v": v}
