"""RAdam."""

from descenso.rules import hyperparameter, rule


@rule(paper="Liu et al. (2020), On the Variance of the Adaptive Learning Rate and Beyond, "
            "arXiv:1908.03265, algorithm 2",
      state=("m", "v"))  # fmt: skip
def radam(
    xp, theta, g, state, t, *,
    lr=hyperparameter(1e-3, meaning="step size η", unit="parameter units",
                      above=0, scale="log", search=(1e-5, 1.0)),
    beta1=hyperparameter(0.9, meaning="share β₁ of the mean gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.5, 0.99)),
    beta2=hyperparameter(0.999, meaning="share β₂ of the mean squared gradient that is kept",
                         above=0, below=1, scale="logit", search=(0.9, 0.9999)),
    eps=hyperparameter(1e-8, meaning="ε added beside the root", unit="gradient units",
                       at_least=0, scale="log"),
    eps_root=hyperparameter(0.0, meaning="ε added inside the root",
                            unit="gradient units squared", at_least=0, scale="log"),
):  # fmt: skip
    r"""RAdam: Adam that begins as momentum, until its second average can be trusted.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
        v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2 \\
        \hat m_t &= m_t / (1-\beta_1^t), \qquad \hat v_t = v_t / (1-\beta_2^t) \\
        \rho_\infty &= 2/(1-\beta_2) - 1, \qquad \rho_t = \rho_\infty - 2 t \beta_2^t / (1-\beta_2^t) \\
        r_t &= \sqrt{\frac{(\rho_t - 4)(\rho_t - 2)\, \rho_\infty}
            {(\rho_\infty - 4)(\rho_\infty - 2)\, \rho_t}} \\
        \theta_t &= \theta_{t-1} - \eta\, \hat m_t \Bigl([\rho_t > 5]\,
            \frac{r_t}{\sqrt{\hat v_t + \epsilon_{root}} + \epsilon} + [\rho_t \le 5]\Bigr)

    [·] is 1 where its condition holds, else 0. With β₂ = 0.999 the first five steps are momentum's;
    with β₂ ≤ 2/3 all are.

    Where they differ: the paper's threshold is 4, its authors' program's, PyTorch's and optax's 5.
    The paper has no ε; PyTorch and the authors put it beside √v *before* the correction:
    ``eps=schedules.uncorrected(ε, beta=β₂)``.
    """
    m = beta1 * state["m"] + (1 - beta1) * g
    v = beta2 * state["v"] + (1 - beta2) * xp.square(g)
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * t * beta2**t / (1 - beta2**t)
    # What is not used must be a number all the same, or its root would be NaN.
    trusted = xp.where(length > 5, length, 5.0)
    known = xp.where(length > 5, longest, 6.0)
    r = xp.sqrt((trusted - 4) * (trusted - 2) * known / ((known - 4) * (known - 2) * trusted))
    scaled = r * m_hat / (xp.sqrt(v_hat + eps_root) + eps)
    return theta - lr * xp.where(length > 5, scaled, m_hat), {"m": m, "v": v}
