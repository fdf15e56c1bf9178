"""Rprop."""

from descenso.rules import hyperparameter, rule


@rule(paper="Riedmiller & Braun (1993), A Direct Adaptive Method for Faster Backpropagation Learning; "
            "in the form of Igel & Huesken (2000), iRprop-",
      state=("d", "p"))  # fmt: skip
def rprop(
    xp, theta, g, state, t, *,
    lr=hyperparameter(0.01, meaning="size η of the first step", unit="parameter units",
                      above=0, scale="log", search=(1e-4, 1.0)),
    shrink=hyperparameter(0.5, meaning="factor κ₋ of the step where the gradient turned",
                          above=0, below=1),
    grow=hyperparameter(1.2, meaning="factor κ₊ of the step where the gradient kept its sign",
                        above=1),
    lowest=hyperparameter(1e-6, meaning="smallest step", unit="parameter units", above=0,
                          scale="log"),
    highest=hyperparameter(50.0, meaning="largest step", unit="parameter units", above=0,
                           scale="log"),
):  # fmt: skip
    r"""Rprop: each element's own step grows while its gradient keeps its sign.

    .. math::

        f_t &= [g_t p_{t-1} > 0]\, \kappa_+ + [g_t p_{t-1} < 0]\, \kappa_- + [g_t p_{t-1} = 0] \\
        d_t &= \min(\max((d_{t-1} + [t = 1]\, \eta)\, f_t, d_{min}), d_{max}) \\
        p_t &= [g_t p_{t-1} \ge 0]\, g_t \\
        \theta_t &= \theta_{t-1} - d_t \operatorname{sign}(p_t)

    [·] is 1 where its condition holds, else 0: an element whose gradient turned rests one step. For
    whole batches: with noisy gradients signs turn by chance, and steps shrink.

    η is the first step alone, as in PyTorch; a schedule for it does nothing. Where it differs: optax
    0.2 takes each step one update late.
    """
    turn = g * state["p"]
    old = state["d"] + xp.where(t < 2, lr, 0.0)
    grown = xp.where(turn > 0, grow * old, xp.where(turn < 0, shrink * old, old))
    d = xp.minimum(xp.maximum(grown, lowest), highest)
    p = xp.where(turn < 0, xp.zeros_like(g), g)
    return theta - d * xp.sign(p), {"d": d, "p": p}
