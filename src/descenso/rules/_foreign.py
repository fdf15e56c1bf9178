"""What settings of other frameworks are called here, or what does their work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from descenso.language import _

if TYPE_CHECKING:
    from descenso.rules._rule import Rule

# A foreign name -> what it may be called here; the first that the rule has is meant.
_RENAMED: Mapping[str, tuple[str, ...]] = {
    "learning_rate": ("lr",),
    "step_size": ("lr",),
    "momentum": ("beta", "beta1"),
    "alpha": ("beta", "lr"),
    "rho": ("beta",),
    "decay": ("beta",),
    "decay_rate": ("beta",),
    "beta": ("beta1",),
    "b1": ("beta1", "beta"),
    "b2": ("beta2",),
    "beta_1": ("beta1", "beta"),
    "beta_2": ("beta2",),
    "epsilon": ("eps",),
}
# A foreign name -> the rule that has it.
_OTHER_RULES = {
    "momentum": "momentum", "dampening": "momentum", "nesterov": "nesterov",
    "amsgrad": "amsgrad", "centered": "rmsprop",
}  # fmt: skip
# A foreign name -> the transform that does its work.
_TRANSFORMS = {
    "clipnorm": "clip_by_norm",
    "global_clipnorm": "clip_by_global_norm",
    "max_grad_norm": "clip_by_global_norm",
    "max_norm": "clip_by_global_norm",
    "clipvalue": "clip_by_value",
    "use_ema": "moving_average",
    "ema_momentum": "moving_average",
}
_PATHS = ("fused", "foreach", "jit_compile")


def remedy(rule: Rule, name: str) -> str:
    """Return what to do instead of giving ``rule`` this setting; empty where that is not known."""
    known = rule.hyperparameters
    if name in known:
        return ""
    if name == "betas" and {"beta1", "beta2"} <= known.keys():
        return _("Write beta1= and beta2=.")
    if name == "betas":
        name = "momentum"
    new = next((n for n in _RENAMED.get(name, ()) if n in known), None)
    dampening = known.get("dampening")
    if name == "momentum" and new and dampening and isinstance(dampening.default, str):
        return _("Write {new}=; PyTorch's and Keras's momentum has dampening=0.0 too.").format(
            new=new
        )
    if name == "epsilon" and "eps_root" in known:
        return _epsilon(rule)
    if new:
        return _("Write {new}=.").format(new=new)
    if name in _OTHER_RULES:
        return _("The method {other} has it.").format(other=_OTHER_RULES[name])
    if name in ("weight_decay", "decoupled_weight_decay"):
        return _weight_decay(rule)
    if name in _TRANSFORMS:
        return _("Give transforms=[descenso.transforms.{transform}(...)].").format(
            transform=_TRANSFORMS[name]
        )
    return _option(name)


def _epsilon(rule: Rule) -> str:
    if rule.name == "rmsprop":
        return _("Write eps_root= for an ε inside the root, as in Keras, eps= for one beside it.")
    return _("Write eps=; Keras's stands before the correction: descenso.adopt translates it.")


def _weight_decay(rule: Rule) -> str:
    text = _(
        "Give transforms=[descenso.transforms.coupled_weight_decay(...)], which decays in the "
        "gradient as PyTorch's SGD, RMSprop and Adam do, or decoupled_weight_decay, which decays "
        "beside the step as Keras does."
    )
    return text + " " + _("Or take the method adamw.") if rule.name == "adam" else text


def _option(name: str) -> str:
    if name in _PATHS:
        return _("Leave it out: the fastest path is chosen.")
    if name == "capturable":
        return _("Leave it out: a step counts on the host and is not captured in a CUDA graph.")
    if name == "differentiable":
        return _("Leave it out: a step changes parameters in place and is not differentiated.")
    if name in ("mu_dtype", "accumulator_dtype"):
        return _("Write state_dtype=.")
    if name == "eps_in_sqrt":
        return _("Write eps_root= for an ε inside the root, eps= for one beside it.")
    if name == "mask":
        return _("Wrap the optimizer in optax.masked, or give the transform a list of strengths.")
    if name == "gradient_accumulation_steps":
        return _("Average the gradients of several batches before a step.")
    if name == "loss_scale_factor":
        return _("Divide the gradients by it before the step.")
    if name == "maximize":
        return _("Negate the loss.")
    return ""


def says_nothing(rule: Rule, name: str, value: Any) -> bool:
    """Whether a foreign setting is given the value that means without it: 0, False or None."""
    if not remedy(rule, name) or any(n in rule.hyperparameters for n in _RENAMED.get(name, ())):
        return False
    return value is None or (isinstance(value, bool | int | float) and value == 0)
