"""Clip all gradients by their common norm."""

from descenso.schedules import argument
from descenso.transforms._parts import each, shrink_to
from descenso.transforms._transform import on_gradients


@on_gradients(source="Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent "
                     "neural networks, algorithm 1")  # fmt: skip
def clip_by_global_norm(
    xp, thetas, gradients, t, *,
    limit=argument("largest Euclidean norm of all gradients together", above=0),
    eps=argument("ε added to the norm", 0.0, at_least=0),
):  # fmt: skip
    r"""Shorten all gradients by one factor where together they are longer than a limit.

    .. math:: g_i \leftarrow g_i \min\Bigl(1, \frac{c}{N + \epsilon}\Bigr), \qquad
        N = \sqrt{\textstyle\sum_i \lVert g_i \rVert^2}

    With ε = 0 (the default) ``optax.clip_by_global_norm`` and Keras's ``global_clipnorm``; with
    ε = 1e-6 ``torch.nn.utils.clip_grad_norm_``.
    """
    squares = [xp.sum(xp.square(g)) for g in gradients if g is not None]
    if not squares:
        return gradients
    factor = shrink_to(xp, limit, xp.sqrt(sum(squares[1:], squares[0])), eps)
    return each(lambda g: g * factor, gradients)
