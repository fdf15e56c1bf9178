"""NAdam."""

from descenso.rules import hyperparameter, rule


@rule(paper="Dozat (2016), Incorporating Nesterov Momentum into Adam, ICLR workshop, algorithm 8, "
            "with a constant momentum",
      state=("m", "v"))  # fmt: skip
def nadam(
    xp, theta, g, state, t, *,
    lr=hyperparameter(2e-3, meaning="step size η", unit="parameter units",
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
    r"""NAdam: Adam with Nesterov's look ahead.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
        v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2 \\
        n_t &= \frac{\beta_1 m_t}{1-\beta_1^{t+1}} + \frac{(1-\beta_1)\, g_t}{1-\beta_1^t}, \qquad
            \hat v_t = v_t / (1-\beta_2^t) \\
        \theta_t &= \theta_{t-1} - \eta\, \frac{n_t}{\sqrt{\hat v_t + \epsilon_{root}} + \epsilon}

    Where they differ: momentum is constant here and in optax. PyTorch and Keras let it rise from
    half of β₁ with 1 − 0.96^(ψt)/2, ψ = 0.004 and 1: other steps, which no setting here equals.
    η is PyTorch's; Keras has 1e-3.
    """
    m = beta1 * state["m"] + (1 - beta1) * g
    v = beta2 * state["v"] + (1 - beta2) * xp.square(g)
    ahead = beta1 * m / (1 - beta1 ** (t + 1)) + (1 - beta1) * g / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return theta - lr * ahead / (xp.sqrt(v_hat + eps_root) + eps), {"m": m, "v": v}
