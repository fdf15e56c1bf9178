"""The rules' own words, marked for translation: rule files hold formulas and know no language.

A rule whose words are not here, such as one from outside the package, is shown as it is written.
"""

from __future__ import annotations

from descenso.language import N_

REGIMES = (N_("stochastic"), N_("mini-batch"), N_("batch"))

TITLES = (
    N_("Adam: momentum divided by a running root mean square, both corrected for their start"),
    N_("AdamW: Adam with weight decay outside the gradient"),
    N_("AMSGrad: Adam whose running root mean square never falls"),
    N_("Gradient descent: step against the gradient"),
    N_("Momentum: step along a running velocity instead of the last gradient"),
    N_("Nesterov momentum: step along the velocity as it will be after this step"),
    N_("RMSprop: divide each step by a running root mean square of its gradient"),
)

MEANINGS = (
    N_("step size η"),
    N_("share β₁ of the mean gradient that is kept"),
    N_("share β₂ of the mean squared gradient that is kept"),
    N_("ε added beside the root"),
    N_("ε added inside the root"),
    N_("share λ of the parameter, times η, taken off each step"),
    N_("share β of the velocity that is kept"),
    N_(
        "share τ of the gradient that is held back; τ = β averages the gradients, τ = 0 is the heavy ball"
    ),
    N_("share τ of the gradient that is held back"),
    N_("share β of the squared average that is kept"),
    N_("divide by the standard deviation of the gradient instead of its root mean square"),
    N_("share μ of a velocity of scaled gradients that is kept; 0 keeps no velocity"),
)
