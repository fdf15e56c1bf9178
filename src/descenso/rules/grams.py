"""Grams."""

from descenso.rules import hyperparameter, rule


@rule(paper="Cao, Li & Song (2024), Grams: Gradient Descent with Adaptive Momentum Scaling, "
            "arXiv:2412.17107, algorithm 1",
      state=("m", "v"))  # fmt: skip
def grams(
    xp, theta, g, state, t, *,
    lr=hyperparameter(1e-3, meaning="step size η", unit="parameter units",
                      above=0, scale="log", search=(1e-5, 1.0)),
    beta1=hyperparameter(0.9, meaning="share β₁ of the mean gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.5, 0.99)),
    beta2=hyperparameter(0.999, meaning="share β₂ of the mean squared gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.9, 0.9999)),
    eps=hyperparameter(1e-6, meaning="ε added beside the root", unit="gradient units",
                       at_least=0, scale="log"),
    eps_root=hyperparameter(0.0, meaning="ε added inside the root",
                            unit="gradient units squared", at_least=0, scale="log"),
    weight_decay=hyperparameter(0.0, meaning="share λ of the parameter, times η, taken off "
                                "each step", unit="1 per unit of lr", at_least=0, scale="log",
                                search=(1e-4, 1.0)),
):  # fmt: skip
    r"""Grams: step as far as Adam, in the direction of the present gradient.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
        v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2 \\
        \hat m_t &= m_t / (1-\beta_1^t), \qquad \hat v_t = v_t / (1-\beta_2^t) \\
        \theta_t &= \theta_{t-1} - \eta\, \Bigl(\operatorname{sign}(g_t)\,
            \frac{\lvert \hat m_t \rvert}{\sqrt{\hat v_t + \epsilon_{root}} + \epsilon}
            + \lambda\, \theta_{t-1}\Bigr)

    Momentum decides how far an element goes, its gradient where to.
    """
    m = beta1 * state["m"] + (1 - beta1) * g
    v = beta2 * state["v"] + (1 - beta2) * xp.square(g)
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    step = xp.sign(g) * xp.abs(m_hat) / (xp.sqrt(v_hat + eps_root) + eps)
    return theta - lr * (step + weight_decay * theta), {"m": m, "v": v}
