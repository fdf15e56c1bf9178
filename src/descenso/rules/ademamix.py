"""AdEMAMix."""

from descenso.rules import hyperparameter, rule


@rule(paper="Pagliardini, Ablin & Grangier (2024), The AdEMAMix Optimizer: Better, Faster, Older, "
            "arXiv:2409.03137, eq. 1",
      state=("m", "n", "v"))  # fmt: skip
def ademamix(
    xp, theta, g, state, t, *,
    lr=hyperparameter(1e-3, meaning="step size η", unit="parameter units",
                      above=0, scale="log", search=(1e-5, 1.0)),
    beta1=hyperparameter(0.9, meaning="share β₁ of the mean gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.5, 0.99)),
    beta2=hyperparameter(0.999, meaning="share β₂ of the mean squared gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.9, 0.9999)),
    beta3=hyperparameter(0.9999, meaning="share β₃ of the slow mean gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.99, 0.99999)),
    alpha=hyperparameter(5.0, meaning="weight α of the slow mean gradient", at_least=0,
                         search=(0.0, 10.0)),
    eps=hyperparameter(1e-8, meaning="ε added beside the root", unit="gradient units",
                       at_least=0, scale="log"),
    eps_root=hyperparameter(0.0, meaning="ε added inside the root",
                            unit="gradient units squared", at_least=0, scale="log"),
    weight_decay=hyperparameter(0.0, meaning="share λ of the parameter, times η, taken off "
                                "each step", unit="1 per unit of lr", at_least=0, scale="log",
                                search=(1e-4, 1.0)),
):  # fmt: skip
    r"""AdEMAMix: Adam that follows a fast and a slow mean gradient.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t, \qquad n_t = \beta_3 n_{t-1} + (1-\beta_3)\, g_t \\
        v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2 \\
        \hat m_t &= m_t / (1-\beta_1^t), \qquad \hat v_t = v_t / (1-\beta_2^t) \\
        \theta_t &= \theta_{t-1} - \eta\, \Bigl(\frac{\hat m_t + \alpha n_t}
            {\sqrt{\hat v_t + \epsilon_{root}} + \epsilon} + \lambda\, \theta_{t-1}\Bigr)

    The slow mean is not corrected: it fills by itself, over about 1/(1−β₃) steps. For long runs the
    paper lets α and β₃ rise with the step: give a schedule for each, such as
    ``alpha=schedules.warmup(schedules.constant(5.0), steps=n)``.

    Where defaults differ: α is 5 here and in the authors' program, 6 in optax.
    """
    m = beta1 * state["m"] + (1 - beta1) * g
    n = beta3 * state["n"] + (1 - beta3) * g
    v = beta2 * state["v"] + (1 - beta2) * xp.square(g)
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    step = (m_hat + alpha * n) / (xp.sqrt(v_hat + eps_root) + eps)
    return theta - lr * (step + weight_decay * theta), {"m": m, "n": n, "v": v}
