"""Lookahead: slow weights that follow fast ones."""

from descenso.schedules import argument
from descenso.transforms._parts import choose
from descenso.transforms._transform import on_parameters


def _start(xp, thetas, *, every, share):
    return {"slow": [theta + 0 for theta in thetas]}


@on_parameters(source="Zhang, Lucas, Hinton & Ba (2019), Lookahead Optimizer: k steps forward, "
                      "1 step back, arXiv:1907.08610, algorithm 1", state=_start)  # fmt: skip
def lookahead(
    xp, old, new, lr, t, state, *,
    every=argument("steps k between two synchronisations", 5, at_least=1, whole=True),
    share=argument("share α of the way that the slow weights go", 0.5, above=0, at_most=1),
):  # fmt: skip
    r"""Every k steps, move slow weights part of the way, and restart the fast ones from there.

    .. math:: \phi \leftarrow \phi + \alpha\,(\theta_t - \phi), \qquad \theta_t \leftarrow \phi
        \qquad\text{when } k \text{ divides } t

    The rule's own state (its velocity, its averages) goes on, as in the paper's experiments.
    """
    due = t % every == 0

    def moved(slow, theta):
        return slow + share * (theta - slow)

    pairs = list(zip(state["slow"], new, strict=True))
    fast = [choose(xp, due, moved(slow, theta), theta) for slow, theta in pairs]
    kept = [choose(xp, due, moved(slow, theta), slow) for slow, theta in pairs]
    return fast, {"slow": kept}
