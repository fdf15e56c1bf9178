"""AdaBelief."""

from descenso.rules import hyperparameter, rule


@rule(paper="Zhuang et al. (2020), AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed "
            "Gradients, arXiv:2010.07468, algorithm 2",
      state=("m", "s"))  # fmt: skip
def adabelief(
    xp, theta, g, state, t, *,
    lr=hyperparameter(1e-3, meaning="step size η", unit="parameter units",
                      above=0, scale="log", search=(1e-5, 1.0)),
    beta1=hyperparameter(0.9, meaning="share β₁ of the mean gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.5, 0.99)),
    beta2=hyperparameter(0.999, meaning="share β₂ of the mean squared surprise that is kept",
                         at_least=0, below=1, scale="logit", search=(0.9, 0.9999)),
    eps=hyperparameter(1e-16, meaning="ε added beside the root", unit="gradient units",
                       at_least=0, scale="log"),
    eps_root=hyperparameter(1e-16, meaning="ε added to the mean squared surprise at every step",
                            unit="gradient units squared", at_least=0, scale="log"),
):  # fmt: skip
    r"""AdaBelief: Adam that divides by how far gradients are from what it expected.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
        s_t &= \beta_2 s_{t-1} + (1-\beta_2)\, (g_t - m_t)^2 + \epsilon_{root} \\
        \hat m_t &= m_t / (1-\beta_1^t), \qquad \hat s_t = s_t / (1-\beta_2^t) \\
        \theta_t &= \theta_{t-1} - \eta\, \frac{\hat m_t}{\sqrt{\hat s_t} + \epsilon}

    In a straight valley gradients are as expected, and steps are long.

    The paper's one ε is both: it gathers in s (``eps_root``) and stands beside the root (``eps``).
    Where they differ: 1e-16 here, in optax and in the authors' program, which also rectifies as RAdam
    does unless ``rectify=False``; the paper has 1e-8.
    """
    m = beta1 * state["m"] + (1 - beta1) * g
    s = beta2 * state["s"] + (1 - beta2) * xp.square(g - m) + eps_root
    m_hat = m / (1 - beta1**t)
    s_hat = s / (1 - beta2**t)
    return theta - lr * m_hat / (xp.sqrt(s_hat) + eps), {"m": m, "s": s}
