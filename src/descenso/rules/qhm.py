"""Quasi-hyperbolic momentum."""

from descenso.rules import hyperparameter, rule


@rule(paper="Ma & Yarats (2019), Quasi-hyperbolic momentum and Adam for deep learning, "
            "arXiv:1810.06801, eqs. 3-4",
      state=("v",))  # fmt: skip
def qhm(
    xp, theta, g, state, t, *,
    lr=hyperparameter(1.0, meaning="step size η", unit="parameter units per unit of velocity",
                      above=0, scale="log", search=(1e-3, 10.0)),
    beta=hyperparameter(0.999, meaning="share β of the velocity that is kept",
                        at_least=0, below=1, scale="logit", search=(0.9, 0.9999)),
    nu=hyperparameter(0.7, meaning="share ν of the velocity in the step; the rest is the gradient",
                      at_least=0, at_most=1, search=(0.0, 1.0)),
):  # fmt: skip
    r"""QHM: step by a blend of the gradient and a running velocity.

    .. math::

        v_t &= \beta v_{t-1} + (1-\beta)\, g_t \\
        \theta_t &= \theta_{t-1} - \eta\, \bigl((1-\nu)\, g_t + \nu v_t\bigr)

    ν = 0 is gradient descent, ν = 1 momentum that averages, ν = β Nesterov's. The velocity is an
    average, so η keeps the size it has in gradient descent; the paper recommends β = 0.999, ν = 0.7.
    """
    v = beta * state["v"] + (1 - beta) * g
    return theta - lr * ((1 - nu) * g + nu * v), {"v": v}
