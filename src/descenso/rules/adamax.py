"""Adamax."""

from descenso.rules import hyperparameter, rule


@rule(paper="Kingma & Ba (2015), Adam: A Method for Stochastic Optimization, algorithm 2",
      state=("m", "u"))  # fmt: skip
def adamax(
    xp, theta, g, state, t, *,
    lr=hyperparameter(2e-3, meaning="step size η", unit="parameter units",
                      above=0, scale="log", search=(1e-5, 1.0)),
    beta1=hyperparameter(0.9, meaning="share β₁ of the mean gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.5, 0.99)),
    beta2=hyperparameter(0.999, meaning="share β₂ of the largest gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.9, 0.9999)),
    eps=hyperparameter(1e-8, meaning="ε added to the size of each gradient", unit="gradient units",
                       at_least=0, scale="log"),
):  # fmt: skip
    r"""Adamax: Adam that divides by the largest recent gradient.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
        u_t &= \max(\beta_2 u_{t-1}, \lvert g_t \rvert + \epsilon) \\
        \hat m_t &= m_t / (1-\beta_1^t) \\
        \theta_t &= \theta_{t-1} - \eta\, \frac{\hat m_t}{u_t}

    A maximum needs no correction for its start.

    Where defaults differ: the paper has no ε. It stands beside the gradient's size here, in PyTorch
    and in optax; Keras adds its 1e-7 to u, which no ε here equals, and has η = 1e-3.
    """
    m = beta1 * state["m"] + (1 - beta1) * g
    u = xp.maximum(beta2 * state["u"], xp.abs(g) + eps)
    return theta - lr * m / (1 - beta1**t) / u, {"m": m, "u": u}
