"""Clip each parameter's gradient by its own norm."""

from descenso.schedules import argument
from descenso.transforms._parts import each, shrink_to
from descenso.transforms._transform import on_gradients


@on_gradients(source="Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent "
                     "neural networks, algorithm 1, parameter by parameter")  # fmt: skip
def clip_by_norm(
    xp, thetas, gradients, t, *,
    limit=argument("largest Euclidean norm of one parameter's gradient", above=0),
    eps=argument("ε added to the norm", 0.0, at_least=0),
):  # fmt: skip
    r"""Shorten each parameter's gradient that is longer than a limit.

    .. math:: g_i \leftarrow g_i \min\Bigl(1, \frac{c}{\lVert g_i \rVert + \epsilon}\Bigr)

    Keras's ``clipnorm`` is this with ε = 0.
    """

    def clip(g):
        return g * shrink_to(xp, limit, xp.sqrt(xp.sum(xp.square(g))), eps)

    return each(clip, gradients)
