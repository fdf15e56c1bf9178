"""An ε that stands beside the root before Adam's correction."""

from descenso.schedules._argument import argument
from descenso.schedules._schedule import schedule


@schedule(source="Kingma & Ba (2015), Adam, section 2, last paragraph: the “ε-hat” form")
def uncorrected(
    xp, step, *,
    value=argument("ε beside √v before the correction", at_least=0),
    beta=argument("β₂ of the average whose root it stands beside", at_least=0, below=1),
):  # fmt: skip
    r"""Turn an ε beside the uncorrected root into the equal one beside the corrected root.

    .. math:: \epsilon_k = \epsilon / \sqrt{1 - \beta_2^{k+1}}

    Keras's Adam is Adam with this as its ``eps``.
    """
    return value / xp.sqrt(1 - beta ** (step + 1))
