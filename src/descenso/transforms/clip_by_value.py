"""Clip each element of the gradient."""

from descenso.schedules import argument
from descenso.transforms._parts import each
from descenso.transforms._transform import on_gradients


@on_gradients(source="Mikolov (2012), Statistical Language Models Based on Neural Networks, 3.3")
def clip_by_value(
    xp, thetas, gradients, t, *, limit=argument("largest size of an element", above=0)
):
    r"""Cut each element of each gradient off at a limit.

    .. math:: g \leftarrow \min(\max(g, -c), c)

    Equal to ``torch.nn.utils.clip_grad_value_``, Keras's ``clipvalue`` and ``optax.clip``.
    """
    return each(lambda g: xp.clip(g, -limit, limit), gradients)
