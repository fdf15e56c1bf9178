"""Adan."""

from descenso.rules import hyperparameter, rule


@rule(paper="Xie et al. (2022), Adan: Adaptive Nesterov Momentum Algorithm, arXiv:2208.06677, "
            "algorithm 1",
      state=("m", "d", "n", "p"))  # fmt: skip
def adan(
    xp, theta, g, state, t, *,
    lr=hyperparameter(1e-3, meaning="step size η", unit="parameter units",
                      above=0, scale="log", search=(1e-5, 1.0)),
    beta1=hyperparameter(0.98, meaning="share β₁ of the mean gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.9, 0.999)),
    beta2=hyperparameter(0.92, meaning="share β₂ of the mean change of gradients that is kept",
                         at_least=0, below=1, scale="logit", search=(0.5, 0.99)),
    beta3=hyperparameter(0.99, meaning="share β₃ of the mean squared gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.9, 0.9999)),
    eps=hyperparameter(1e-8, meaning="ε added beside the root", unit="gradient units",
                       at_least=0, scale="log"),
    eps_root=hyperparameter(0.0, meaning="ε added inside the root",
                            unit="gradient units squared", at_least=0, scale="log"),
    weight_decay=hyperparameter(0.0, meaning="share λ of the parameter, times η, by which "
                                "the new one is shrunk", unit="1 per unit of lr", at_least=0, scale="log",
                                search=(1e-4, 1.0)),
):  # fmt: skip
    r"""Adan: Adam that looks ahead by the change of its gradients.

    .. math::

        c_t &= [t > 1]\, (g_t - p_{t-1}), \qquad p_t = g_t \\
        m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t, \qquad d_t = \beta_2 d_{t-1} + (1-\beta_2)\, c_t \\
        n_t &= \beta_3 n_{t-1} + (1-\beta_3)\, (g_t + \beta_2 c_t)^2 \\
        \hat m_t &= m_t / (1-\beta_1^t), \qquad \hat d_t = d_t / (1-\beta_2^t), \qquad
            \hat n_t = n_t / (1-\beta_3^t) \\
        \theta_t &= \frac{1}{1 + \eta \lambda} \Bigl(\theta_{t-1} - \eta\,
            \frac{\hat m_t + \beta_2 \hat d_t}{\sqrt{\hat n_t + \epsilon_{root}} + \epsilon}\Bigr)

    [·] is 1 where its condition holds, else 0. Decay is proximal, as in the paper.

    Where they differ: the paper's β are 1−β of its authors' program and of this. optax 0.2 weighs the
    change by 1−β₂ where both have β₂: other steps.
    """
    change = xp.where(t < 2, xp.zeros_like(g), g - state["p"])
    m = beta1 * state["m"] + (1 - beta1) * g
    d = beta2 * state["d"] + (1 - beta2) * change
    n = beta3 * state["n"] + (1 - beta3) * xp.square(g + beta2 * change)
    m_hat = m / (1 - beta1**t)
    d_hat = d / (1 - beta2**t)
    n_hat = n / (1 - beta3**t)
    moved = theta - lr * (m_hat + beta2 * d_hat) / (xp.sqrt(n_hat + eps_root) + eps)
    return moved / (1 + lr * weight_decay), {"m": m, "d": d, "n": n, "p": g + 0}
