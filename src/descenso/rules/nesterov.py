"""Nesterov's accelerated gradient."""

from descenso.rules import hyperparameter, rule


@rule(paper="Nesterov (1983); in this form Sutskever et al. (2013), On the importance of "
            "initialization and momentum in deep learning, eqs. 3-4", state=("v",))  # fmt: skip
def nesterov(
    xp, theta, g, state, t, *,
    lr=hyperparameter(0.01, meaning="step size η", unit="parameter units per unit of velocity",
                      above=0, scale="log", search=(1e-5, 1.0)),
    beta=hyperparameter(0.9, meaning="share β of the velocity that is kept",
                        at_least=0, below=1, scale="logit", search=(0.5, 0.99)),
    dampening=hyperparameter(0.0, meaning="share τ of the gradient that is held back",
                             at_least=0, below=1),
):  # fmt: skip
    r"""Nesterov momentum: step along the velocity as it will be after this step.

    .. math::

        v_t &= \beta v_{t-1} + (1-\tau)\, g_t \\
        \theta_t &= \theta_{t-1} - \eta\, \bigl((1-\tau)\, g_t + \beta v_t\bigr)

    The parameters are those of the look-ahead point, as in PyTorch, Keras and optax, so that the
    gradient is taken where the parameters are. With τ = 0 (the default) all four agree at a
    constant η; PyTorch refuses any other τ with Nesterov.
    """
    damped = (1 - dampening) * g
    v = beta * state["v"] + damped
    return theta - lr * (damped + beta * v), {"v": v}
