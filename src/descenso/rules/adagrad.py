"""Adagrad."""

from descenso.rules import hyperparameter, rule


@rule(paper="Duchi, Hazan & Singer (2011), Adaptive Subgradient Methods for Online Learning, JMLR 12, "
            "figure 1, diagonal",
      state=("s",))  # fmt: skip
def adagrad(
    xp, theta, g, state, t, *,
    lr=hyperparameter(0.01, meaning="step size η", unit="parameter units",
                      above=0, scale="log", search=(1e-4, 10.0)),
    eps=hyperparameter(1e-10, meaning="ε added beside the root", unit="gradient units",
                       at_least=0, scale="log"),
    eps_root=hyperparameter(0.0, meaning="ε added inside the root, or what the sum starts from",
                            unit="gradient units squared", at_least=0, scale="log"),
):  # fmt: skip
    r"""Adagrad: divide each step by the root of the sum of all squared gradients.

    .. math::

        s_t &= s_{t-1} + g_t^2 \\
        \theta_t &= \theta_{t-1} - \eta\, \frac{g_t}{\sqrt{s_t + \epsilon_{root}} + \epsilon}

    The sum never forgets, so steps shrink as 1/√t where gradients stay alike.

    Where defaults differ: as in the paper and PyTorch the sum starts at 0 and ε (1e-10) stands
    beside the root. Keras and optax start it at 0.1 with ε = 1e-7 inside the root: a sum that
    starts at a is ``eps_root=a``, so theirs are ``eps=0, eps_root=0.1 + 1e-7``.
    """
    s = state["s"] + xp.square(g)
    return theta - lr * g / (xp.sqrt(s + eps_root) + eps), {"s": s}
