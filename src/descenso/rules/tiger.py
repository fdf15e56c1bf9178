"""Tiger."""

from descenso.rules import hyperparameter, rule


@rule(paper="Su (2023), Tiger: A Tight-fisted Optimizer, github.com/bojone/tiger",
      state=("m",))  # fmt: skip
def tiger(
    xp, theta, g, state, t, *,
    lr=hyperparameter(1e-3, meaning="step size η", unit="parameter units",
                      above=0, scale="log", search=(1e-5, 1e-1)),
    beta=hyperparameter(0.965, meaning="share β of the mean gradient that is kept",
                        at_least=0, below=1, scale="logit", search=(0.8, 0.99)),
    weight_decay=hyperparameter(0.01, meaning="share λ of the parameter, times η, taken off "
                                "each step", unit="1 per unit of lr", at_least=0, scale="log",
                                search=(1e-4, 1.0)),
):  # fmt: skip
    r"""Tiger: Lion with one momentum for both of its averages.

    .. math::

        m_t &= \beta m_{t-1} + (1-\beta)\, g_t \\
        \theta_t &= \theta_{t-1} - \eta\, \bigl(\operatorname{sign}(m_t) + \lambda\, \theta_{t-1}\bigr)

    Where it differs: the author's program scales η for each parameter by its root mean square and
    halves it for biases; here η is one number, as in Lion.
    """
    m = beta * state["m"] + (1 - beta) * g
    return theta - lr * (xp.sign(m) + weight_decay * theta), {"m": m}
