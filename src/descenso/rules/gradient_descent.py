"""Gradient descent."""

from descenso.rules import hyperparameter, rule


@rule(paper="Robbins & Monro (1951), A Stochastic Approximation Method, eq. 6; Cauchy (1847)")
def gradient_descent(
    xp, theta, g, state, t, *,
    lr=hyperparameter(0.01, meaning="step size η", unit="parameter units per unit of gradient",
                      above=0, scale="log", search=(1e-4, 10.0)),
):  # fmt: skip
    r"""Gradient descent: step against the gradient.

    .. math::

        \theta_t = \theta_{t-1} - \eta\, g_t

    How many examples one gradient sees (one, some, all) is the *regime* of a method, not part
    of this rule: ``sgd``, ``minibatch`` and ``batch`` are all gradient descent.

    Where defaults differ: papers give no η. PyTorch's ``SGD`` has 1e-3; Keras's 1e-2, as here.
    """
    return theta - lr * g, state
