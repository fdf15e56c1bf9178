"""AMSGrad."""

from descenso.rules import hyperparameter, rule


@rule(paper="Reddi, Kale & Kumar (2018), On the Convergence of Adam and Beyond, "
            "arXiv:1904.09237, algorithm 2, with Adam's corrections", state=("m", "v", "u"))  # fmt: skip
def amsgrad(
    xp, theta, g, state, t, *,
    lr=hyperparameter(1e-3, meaning="step size η", unit="parameter units",
                      above=0, scale="log", search=(1e-5, 1.0)),
    beta1=hyperparameter(0.9, meaning="share β₁ of the mean gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.5, 0.99)),
    beta2=hyperparameter(0.999, meaning="share β₂ of the mean squared gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.9, 0.9999)),
    eps=hyperparameter(1e-8, meaning="ε added beside the root", unit="gradient units",
                       at_least=0, scale="log"),
    eps_root=hyperparameter(0.0, meaning="ε added inside the root",
                            unit="gradient units squared", at_least=0, scale="log"),
):  # fmt: skip
    r"""AMSGrad: Adam whose running root mean square never falls.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
        v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2, \qquad u_t = \max(u_{t-1}, v_t) \\
        \hat m_t &= m_t / (1-\beta_1^t), \qquad \hat u_t = u_t / (1-\beta_2^t) \\
        \theta_t &= \theta_{t-1} - \eta\, \frac{\hat m_t}{\sqrt{\hat u_t + \epsilon_{root}}
            + \epsilon}

    Where it differs: the paper does not correct for the start. The maximum is of the raw
    :math:`v_t`, as in PyTorch and Keras; optax takes that of the corrected one.
    """
    m = beta1 * state["m"] + (1 - beta1) * g
    v = beta2 * state["v"] + (1 - beta2) * xp.square(g)
    u = xp.maximum(state["u"], v)
    m_hat = m / (1 - beta1**t)
    u_hat = u / (1 - beta2**t)
    return theta - lr * m_hat / (xp.sqrt(u_hat + eps_root) + eps), {"m": m, "v": v, "u": u}
