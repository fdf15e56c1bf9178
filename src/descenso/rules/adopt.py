"""ADOPT."""

from descenso.rules import hyperparameter, rule


@rule(paper="Taniguchi et al. (2024), ADOPT: Modified Adam Can Converge with Any beta2 with the Optimal "
            "Rate, arXiv:2411.02853, algorithm 2",
      state=("m", "v"))  # fmt: skip
def adopt(
    xp, theta, g, state, t, *,
    lr=hyperparameter(1e-3, meaning="step size η", unit="parameter units",
                      above=0, scale="log", search=(1e-5, 1.0)),
    beta1=hyperparameter(0.9, meaning="share β₁ of the mean scaled gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.5, 0.99)),
    beta2=hyperparameter(0.9999, meaning="share β₂ of the mean squared gradient that is kept",
                         at_least=0, below=1, scale="logit", search=(0.9, 0.99999)),
    eps=hyperparameter(1e-6, meaning="smallest root ε that a gradient is divided by",
                       unit="gradient units", above=0, scale="log"),
):  # fmt: skip
    r"""ADOPT: divide each gradient by the root of the squares before it.

    .. math::

        b_t &= [t > 1]\, \beta_2, \qquad c_t = (t - 1)^{1/4} \\
        n_t &= \min(\max(\frac{g_t}{\max(\sqrt{v_{t-1}}, \epsilon)}, -c_t), c_t) \\
        m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, n_t \\
        v_t &= b_t v_{t-1} + (1-b_t)\, g_t^2 \\
        \theta_t &= \theta_{t-1} - \eta\, m_t

    [·] is 1 where its condition holds, else 0. The first step only sets v; the gradient that is
    divided takes no part in its own divisor, so that any β₂ converges.

    Where they differ: gradients are clipped at (t−1)^¼ here, in the authors' program and in optax; at
    t^¼ in pytorch_optimizer, at another power in timm, not at all in the paper's algorithm 1.
    """
    kept = xp.where(t < 2, 0.0, beta2)
    limit = (t - 1) ** 0.25
    scaled = g / xp.maximum(xp.sqrt(state["v"]), eps)
    m = beta1 * state["m"] + (1 - beta1) * xp.minimum(xp.maximum(scaled, -limit), limit)
    v = kept * state["v"] + (1 - kept) * xp.square(g)
    return theta - lr * m, {"m": m, "v": v}
