"""Gradient descent with momentum."""

from descenso.rules import hyperparameter, rule


@rule(paper="Polyak (1964), Some methods of speeding up the convergence of iteration methods, eq. 9",
      state=("v",))  # fmt: skip
def momentum(
    xp, theta, g, state, t, *,
    lr=hyperparameter(0.01, meaning="step size η", unit="parameter units per unit of velocity",
                      above=0, scale="log", search=(1e-4, 10.0)),
    beta=hyperparameter(0.9, meaning="share β of the velocity that is kept",
                        at_least=0, below=1, scale="logit", search=(0.5, 0.99)),
    dampening=hyperparameter("beta", meaning="share τ of the gradient that is held back; "
                             "τ = β averages the gradients, τ = 0 is the heavy ball",
                             at_least=0, below=1),
):  # fmt: skip
    r"""Momentum: step along a running velocity instead of the last gradient.

    .. math::

        v_t &= \beta v_{t-1} + (1-\tau)\, g_t \\
        \theta_t &= \theta_{t-1} - \eta\, v_t

    With τ = β (the default) v is an average of past gradients, v = βv + (1−β)g, and η keeps the
    size it has in gradient descent. With τ = 0 it is Polyak's heavy ball, whose steady step is
    1/(1−β) times longer: the same path at η·(1−β).

    Where it differs: PyTorch's ``SGD(momentum, dampening)`` leaves its *first* gradient
    undamped; Keras keeps η inside the velocity; both default to the heavy ball.
    """
    v = beta * state["v"] + (1 - dampening) * g
    return theta - lr * v, {"v": v}
