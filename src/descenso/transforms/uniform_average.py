"""The plain mean of the parameters along the way."""

from descenso.schedules import argument
from descenso.transforms._parts import choose
from descenso.transforms._transform import on_parameters


def _start(xp, thetas, *, begin, every):
    return {"average": [theta + 0 for theta in thetas]}


@on_parameters(source="Polyak & Juditsky (1992), Acceleration of Stochastic Approximation by "
                      "Averaging, eq. 2; Izmailov et al. (2018), SWA, arXiv:1803.05407",
               state=_start)  # fmt: skip
def uniform_average(
    xp, old, new, lr, t, state, *,
    begin=argument("steps before averaging begins", 0, at_least=0, whole=True),
    every=argument("steps between two that are averaged", 1, at_least=1, whole=True),
):  # fmt: skip
    r"""Keep the mean of the parameters since a step; training does not see it.

    .. math:: a_n = a_{n-1} + \frac{1}{n}\,(\theta_{b+nk} - a_{n-1})

    Until averaging begins, the average is the parameters themselves. With ``every=1`` it is
    Polyak–Ruppert averaging; with ``every`` an epoch's steps, stochastic weight averaging.
    """
    since = t - begin
    share = every / choose(xp, since > 0, since, 1.0 + 0 * since)
    weight = choose(xp, since % every == 0, share, 0 * share)
    weight = choose(xp, since <= 0, 1 + 0 * weight, weight)
    kept = [a + weight * (theta - a) for a, theta in zip(state["average"], new, strict=True)]
    return new, {"average": kept}
