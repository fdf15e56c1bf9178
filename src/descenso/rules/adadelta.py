"""Adadelta."""

from descenso.rules import hyperparameter, rule


@rule(paper="Zeiler (2012), ADADELTA: An Adaptive Learning Rate Method, arXiv:1212.5701, algorithm 1",
      state=("s", "u"))  # fmt: skip
def adadelta(
    xp, theta, g, state, t, *,
    lr=hyperparameter(1.0, meaning="step size η", unit="1",
                      above=0, scale="log", search=(1e-2, 100.0)),
    beta=hyperparameter(0.95, meaning="share β of both squared averages that is kept",
                        at_least=0, below=1, scale="logit", search=(0.8, 0.999)),
    eps_root=hyperparameter(1e-6, meaning="ε added inside both roots, which starts the descent",
                            unit="gradient and parameter units squared", above=0, scale="log",
                            search=(1e-8, 1e-2)),
):  # fmt: skip
    r"""Adadelta: step as far as past steps went for gradients of past size.

    .. math::

        s_t &= \beta s_{t-1} + (1-\beta)\, g_t^2 \\
        d_t &= \frac{\sqrt{u_{t-1} + \epsilon_{root}}}{\sqrt{s_t + \epsilon_{root}}}\, g_t \\
        u_t &= \beta u_{t-1} + (1-\beta)\, d_t^2 \\
        \theta_t &= \theta_{t-1} - \eta\, d_t

    The ratio of the roots has the parameter's unit, so the paper needs no η: 1, as in PyTorch.
    The first steps are of the size of √ε.

    Where defaults differ: β is 0.9 and ε 1e-6 in PyTorch and optax; Keras has η = 0.001, β = 0.95
    and ε = 1e-7.
    """
    s = beta * state["s"] + (1 - beta) * xp.square(g)
    step = xp.sqrt(state["u"] + eps_root) / xp.sqrt(s + eps_root) * g
    u = beta * state["u"] + (1 - beta) * xp.square(step)
    return theta - lr * step, {"s": s, "u": u}
