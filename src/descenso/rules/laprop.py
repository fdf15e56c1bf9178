"""LaProp."""

from descenso.rules import hyperparameter, rule


@rule(paper="Ziyin, Wang & Ueda (2020), LaProp: Separating Momentum and Adaptivity in Adam, "
            "arXiv:2002.04839, algorithm 1",
      state=("m", "v"))  # fmt: skip
def laprop(
    xp, theta, g, state, t, *,
    lr=hyperparameter(4e-4, meaning="step size η", unit="parameter units",
                      above=0, scale="log", search=(1e-5, 1.0)),
    beta1=hyperparameter(0.9, meaning="share β₁ of the mean scaled gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.5, 0.99)),
    beta2=hyperparameter(0.999, meaning="share β₂ of the mean squared gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.9, 0.9999)),
    eps=hyperparameter(1e-15, meaning="ε added beside the root", unit="gradient units",
                       at_least=0, scale="log"),
    eps_root=hyperparameter(0.0, meaning="ε added inside the root",
                            unit="gradient units squared", at_least=0, scale="log"),
):  # fmt: skip
    r"""LaProp: scale each gradient first, then average the scaled ones.

    .. math::

        v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2, \qquad \hat v_t = v_t / (1-\beta_2^t) \\
        m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, \frac{g_t}{\sqrt{\hat v_t + \epsilon_{root}} + \epsilon} \\
        \hat m_t &= m_t / (1-\beta_1^t) \\
        \theta_t &= \theta_{t-1} - \eta\, \hat m_t

    Adam divides an average of old gradients by the present root; here every gradient is divided by
    the root of its own time, so β₁ and β₂ do not depend on each other.

    Where they differ: the authors' program keeps η inside m, which shows under a schedule, and puts ε
    beside √v *before* the correction: ``eps=schedules.uncorrected(ε, beta=β₂)``.
    """
    v = beta2 * state["v"] + (1 - beta2) * xp.square(g)
    v_hat = v / (1 - beta2**t)
    m = beta1 * state["m"] + (1 - beta1) * g / (xp.sqrt(v_hat + eps_root) + eps)
    return theta - lr * m / (1 - beta1**t), {"m": m, "v": v}
