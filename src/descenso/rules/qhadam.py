"""QHAdam."""

from descenso.rules import hyperparameter, rule


@rule(paper="Ma & Yarats (2019), Quasi-hyperbolic momentum and Adam for deep learning, "
            "arXiv:1810.06801, eqs. 12-15",
      state=("m", "v"))  # fmt: skip
def qhadam(
    xp, theta, g, state, t, *,
    lr=hyperparameter(1e-3, meaning="step size η", unit="parameter units",
                      above=0, scale="log", search=(1e-5, 1.0)),
    beta1=hyperparameter(0.995, meaning="share β₁ of the mean gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.9, 0.999)),
    beta2=hyperparameter(0.999, meaning="share β₂ of the mean squared gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.9, 0.9999)),
    nu1=hyperparameter(0.7, meaning="share ν₁ of the mean gradient in the step; the rest is the "
                       "gradient", at_least=0, at_most=1, search=(0.0, 1.0)),
    nu2=hyperparameter(1.0, meaning="share ν₂ of the mean squared gradient under the root; the "
                       "rest is the squared gradient", at_least=0, at_most=1),
    eps=hyperparameter(1e-8, meaning="ε added beside the root", unit="gradient units",
                       at_least=0, scale="log"),
    eps_root=hyperparameter(0.0, meaning="ε added inside the root",
                            unit="gradient units squared", at_least=0, scale="log"),
):  # fmt: skip
    r"""QHAdam: Adam whose two averages are blended with the present gradient.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
        v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2 \\
        \hat m_t &= m_t / (1-\beta_1^t), \qquad \hat v_t = v_t / (1-\beta_2^t) \\
        \theta_t &= \theta_{t-1} - \eta\, \frac{(1-\nu_1)\, g_t + \nu_1 \hat m_t}
            {\sqrt{(1-\nu_2)\, g_t^2 + \nu_2 \hat v_t + \epsilon_{root}} + \epsilon}

    ν₁ = ν₂ = 1 is Adam; ν₁ = β₁, ν₂ = 1 nearly NAdam. Defaults are the paper's recommendation; its
    authors' program begins with Adam's.
    """
    square = xp.square(g)
    m = beta1 * state["m"] + (1 - beta1) * g
    v = beta2 * state["v"] + (1 - beta2) * square
    mean = (1 - nu1) * g + nu1 * m / (1 - beta1**t)
    mean_square = (1 - nu2) * square + nu2 * v / (1 - beta2**t)
    return theta - lr * mean / (xp.sqrt(mean_square + eps_root) + eps), {"m": m, "v": v}
