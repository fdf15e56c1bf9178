"""RMSprop."""

from descenso.rules import hyperparameter, rule


def _state(settings):
    mean = ("m",) if settings["centered"] else ()
    buffer = ("b",) if settings["momentum"] else ()
    return ("s", *mean, *buffer)


@rule(paper="Tieleman & Hinton (2012), Lecture 6.5, Neural Networks for Machine Learning; "
            "centered: Graves (2013), arXiv:1308.0850, eqs. 38-45", state=_state)  # fmt: skip
def rmsprop(
    xp, theta, g, state, t, *,
    lr=hyperparameter(1e-3, meaning="step size η", unit="parameter units",
                      above=0, scale="log", search=(1e-5, 1.0)),
    beta=hyperparameter(0.9, meaning="share β of the squared average that is kept",
                        at_least=0, below=1, scale="logit", search=(0.8, 0.999)),
    eps=hyperparameter(0.0, meaning="ε added beside the root", unit="gradient units",
                       at_least=0, scale="log"),
    eps_root=hyperparameter(1e-8, meaning="ε added inside the root",
                            unit="gradient units squared", at_least=0, scale="log"),
    centered=hyperparameter(False, meaning="divide by the standard deviation of the gradient "
                            "instead of its root mean square"),
    momentum=hyperparameter(0.0, meaning="share μ of a velocity of scaled gradients that is kept; "
                            "0 keeps no velocity", at_least=0, below=1),
):  # fmt: skip
    r"""RMSprop: divide each step by a running root mean square of its gradient.

    .. math::

        s_t &= \beta s_{t-1} + (1-\beta)\, g_t^2 \\
        \theta_t &= \theta_{t-1} - \eta\, \frac{g_t}{\sqrt{s_t + \epsilon_{root}} + \epsilon}

    *Centered* replaces :math:`s_t` under the root by :math:`\max(s_t - m_t^2, 0)` with
    :math:`m_t = \beta m_{t-1} + (1-\beta) g_t`; without the clamp, rounding makes it negative
    on constant gradients and the step NaN. With *momentum* μ the scaled gradient feeds a velocity
    :math:`b_t = \mu b_{t-1} + g_t/(\ldots)` and the step is :math:`\eta\, b_t`.

    Where defaults differ: ε stands inside the root here and in Keras (1e-7), beside it in PyTorch
    (1e-8, β 0.99, η 1e-2). Both are settings: ``eps_root`` and ``eps``.
    """
    s = beta * state["s"] + (1 - beta) * xp.square(g)
    new = {"s": s}
    if "m" in state:
        new["m"] = beta * state["m"] + (1 - beta) * g
        s = xp.maximum(s - xp.square(new["m"]), xp.zeros_like(s))
    step = g / (xp.sqrt(s + eps_root) + eps)
    if "b" in state:
        step = new["b"] = momentum * state["b"] + step
    return theta - lr * step, new
