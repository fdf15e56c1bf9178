"""The names of the rules, written by ``tools/stubs.py``."""

from collections.abc import Callable, Iterable
from typing import Any, Literal, SupportsFloat, TypeAlias

from descenso.numpy._optimizer import Optimizer
from descenso.transforms import Transform

# A number, an array of one number, or a schedule.
_Number: TypeAlias = SupportsFloat | Callable[[Any], Any]

def adabelief(
    lr: _Number = 0.001,
    *,
    beta1: _Number = 0.9,
    beta2: _Number = 0.999,
    eps: _Number = 1e-16,
    eps_root: _Number = 1e-16,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """AdaBelief: Adam that divides by how far gradients are from what it expected."""

def adadelta(
    lr: _Number = 1.0,
    *,
    beta: _Number = 0.95,
    eps_root: _Number = 1e-06,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """Adadelta: step as far as past steps went for gradients of past size."""

def adagrad(
    lr: _Number = 0.01,
    *,
    eps: _Number = 1e-10,
    eps_root: _Number = 0.0,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """Adagrad: divide each step by the root of the sum of all squared gradients."""

def adam(
    lr: _Number = 0.001,
    *,
    beta1: _Number = 0.9,
    beta2: _Number = 0.999,
    eps: _Number = 1e-08,
    eps_root: _Number = 0.0,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """Adam: momentum divided by a running root mean square, both corrected for their start."""

def adamax(
    lr: _Number = 0.002,
    *,
    beta1: _Number = 0.9,
    beta2: _Number = 0.999,
    eps: _Number = 1e-08,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """Adamax: Adam that divides by the largest recent gradient."""

def adamw(
    lr: _Number = 0.001,
    *,
    beta1: _Number = 0.9,
    beta2: _Number = 0.999,
    eps: _Number = 1e-08,
    eps_root: _Number = 0.0,
    weight_decay: _Number = 0.01,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """AdamW: Adam with weight decay outside the gradient."""

def adan(
    lr: _Number = 0.001,
    *,
    beta1: _Number = 0.98,
    beta2: _Number = 0.92,
    beta3: _Number = 0.99,
    eps: _Number = 1e-08,
    eps_root: _Number = 0.0,
    weight_decay: _Number = 0.0,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """Adan: Adam that looks ahead by the change of its gradients."""

def ademamix(
    lr: _Number = 0.001,
    *,
    beta1: _Number = 0.9,
    beta2: _Number = 0.999,
    beta3: _Number = 0.9999,
    alpha: _Number = 5.0,
    eps: _Number = 1e-08,
    eps_root: _Number = 0.0,
    weight_decay: _Number = 0.0,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """AdEMAMix: Adam that follows a fast and a slow mean gradient."""

def adopt(
    lr: _Number = 0.001,
    *,
    beta1: _Number = 0.9,
    beta2: _Number = 0.9999,
    eps: _Number = 1e-06,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """ADOPT: divide each gradient by the root of the squares before it."""

def amsgrad(
    lr: _Number = 0.001,
    *,
    beta1: _Number = 0.9,
    beta2: _Number = 0.999,
    eps: _Number = 1e-08,
    eps_root: _Number = 0.0,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """AMSGrad: Adam whose running root mean square never falls."""

def gradient_descent(
    lr: _Number = 0.01,
    *,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """Gradient descent: step against the gradient."""

def grams(
    lr: _Number = 0.001,
    *,
    beta1: _Number = 0.9,
    beta2: _Number = 0.999,
    eps: _Number = 1e-06,
    eps_root: _Number = 0.0,
    weight_decay: _Number = 0.0,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """Grams: step as far as Adam, in the direction of the present gradient."""

def laprop(
    lr: _Number = 0.0004,
    *,
    beta1: _Number = 0.9,
    beta2: _Number = 0.999,
    eps: _Number = 1e-15,
    eps_root: _Number = 0.0,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """LaProp: scale each gradient first, then average the scaled ones."""

def lion(
    lr: _Number = 0.0001,
    *,
    beta1: _Number = 0.9,
    beta2: _Number = 0.99,
    weight_decay: _Number = 0.0,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """Lion: step by the sign of an interpolated momentum."""

def momentum(
    lr: _Number = 0.01,
    *,
    beta: _Number = 0.9,
    dampening: _Number = ...,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """Momentum: step along a running velocity instead of the last gradient."""

def nadam(
    lr: _Number = 0.002,
    *,
    beta1: _Number = 0.9,
    beta2: _Number = 0.999,
    eps: _Number = 1e-08,
    eps_root: _Number = 0.0,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """NAdam: Adam with Nesterov"s look ahead."""

def nadamw(
    lr: _Number = 0.002,
    *,
    beta1: _Number = 0.9,
    beta2: _Number = 0.999,
    eps: _Number = 1e-08,
    eps_root: _Number = 0.0,
    weight_decay: _Number = 0.01,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """NAdamW: NAdam with weight decay outside the gradient."""

def nesterov(
    lr: _Number = 0.01,
    *,
    beta: _Number = 0.9,
    dampening: _Number = 0.0,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """Nesterov momentum: step along the velocity as it will be after this step."""

def qhadam(
    lr: _Number = 0.001,
    *,
    beta1: _Number = 0.995,
    beta2: _Number = 0.999,
    nu1: _Number = 0.7,
    nu2: _Number = 1.0,
    eps: _Number = 1e-08,
    eps_root: _Number = 0.0,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """QHAdam: Adam whose two averages are blended with the present gradient."""

def qhm(
    lr: _Number = 1.0,
    *,
    beta: _Number = 0.999,
    nu: _Number = 0.7,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """QHM: step by a blend of the gradient and a running velocity."""

def radam(
    lr: _Number = 0.001,
    *,
    beta1: _Number = 0.9,
    beta2: _Number = 0.999,
    eps: _Number = 1e-08,
    eps_root: _Number = 0.0,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """RAdam: Adam that begins as momentum, until its second average can be trusted."""

def rmsprop(
    lr: _Number = 0.001,
    *,
    beta: _Number = 0.9,
    eps: _Number = 0.0,
    eps_root: _Number = 1e-08,
    centered: bool = False,
    momentum: _Number = 0.0,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """RMSprop: divide each step by a running root mean square of its gradient."""

def rprop(
    lr: _Number = 0.01,
    *,
    shrink: _Number = 0.5,
    grow: _Number = 1.2,
    lowest: _Number = 1e-06,
    highest: _Number = 50.0,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """Rprop: each element"s own step grows while its gradient keeps its sign."""

def sign_descent(
    lr: _Number = 0.001,
    *,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """Sign descent: step by the sign of the gradient alone."""

def signum(
    lr: _Number = 0.001,
    *,
    beta: _Number = 0.9,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """Signum: step by the sign of a mean gradient."""

def tiger(
    lr: _Number = 0.001,
    *,
    beta: _Number = 0.965,
    weight_decay: _Number = 0.01,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """Tiger: Lion with one momentum for both of its averages."""

def yogi(
    lr: _Number = 0.01,
    *,
    beta1: _Number = 0.9,
    beta2: _Number = 0.999,
    eps: _Number = 0.001,
    eps_root: _Number = 0.0,
    initial: _Number = 1e-06,
    nonfinite: Literal["pass", "skip", "raise"] = "pass",
    transforms: Iterable[Transform] = (),
) -> Optimizer:
    """Yogi: Adam whose second average moves by steps that do not grow with its error."""
