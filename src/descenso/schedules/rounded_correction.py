"""A learning rate that undoes a correction computed with rounded averaging factors."""

from descenso.schedules._argument import argument
from descenso.schedules._parts import number_or_schedule, value_of
from descenso.schedules._schedule import schedule


@schedule(source="keras/src/optimizers/adam.py, which casts β₁ and β₂ by way of float32")
def rounded_correction(
    xp, step, *,
    lr=argument("learning rate: a number or a schedule", check=number_or_schedule),
    beta1=argument("β₁", at_least=0, below=1),
    beta2=argument("β₂", at_least=0, below=1),
    rounded1=argument("what β₁ is rounded to in the correction", at_least=0, below=1),
    rounded2=argument("what β₂ is rounded to in the correction", at_least=0, below=1),
):  # fmt: skip
    r"""Give Adam the bias correction of other factors than those it averages with.

    .. math:: \eta_k = \eta\, \frac{\sqrt{1-\tilde\beta_2^{\,t}}}{1-\tilde\beta_1^{\,t}} \cdot
        \frac{1-\beta_1^t}{\sqrt{1-\beta_2^t}}, \qquad t = k + 1

    Keras averages with β in double precision and corrects with β rounded to single: on float64
    variables a difference of 1e-6, which this reproduces.
    """
    t = step + 1
    theirs = xp.sqrt(1 - rounded2**t) / (1 - rounded1**t)
    ours = xp.sqrt(1 - beta2**t) / (1 - beta1**t)
    return value_of(lr, step) * theirs / ours
