"""The names of the rules, written by ``tools/stubs.py``."""

from collections.abc import Callable, Iterable
from typing import Any, Literal, SupportsFloat, TypeAlias

from descenso.keras._optimizer import RuleOptimizer
from descenso.transforms import Transform

# A number, an array of one number, or a schedule.
_Number: TypeAlias = SupportsFloat | Callable[[Any], Any]

class AdaBelief(RuleOptimizer):
    """AdaBelief: Adam that divides by how far gradients are from what it expected."""

    def __init__(
        self,
        lr: _Number = 0.001,
        *,
        beta1: _Number = 0.9,
        beta2: _Number = 0.999,
        eps: _Number = 1e-16,
        eps_root: _Number = 1e-16,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class Adadelta(RuleOptimizer):
    """Adadelta: step as far as past steps went for gradients of past size."""

    def __init__(
        self,
        lr: _Number = 1.0,
        *,
        beta: _Number = 0.95,
        eps_root: _Number = 1e-06,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class Adagrad(RuleOptimizer):
    """Adagrad: divide each step by the root of the sum of all squared gradients."""

    def __init__(
        self,
        lr: _Number = 0.01,
        *,
        eps: _Number = 1e-10,
        eps_root: _Number = 0.0,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class Adam(RuleOptimizer):
    """Adam: momentum divided by a running root mean square, both corrected for their start."""

    def __init__(
        self,
        lr: _Number = 0.001,
        *,
        beta1: _Number = 0.9,
        beta2: _Number = 0.999,
        eps: _Number = 1e-08,
        eps_root: _Number = 0.0,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class Adamax(RuleOptimizer):
    """Adamax: Adam that divides by the largest recent gradient."""

    def __init__(
        self,
        lr: _Number = 0.002,
        *,
        beta1: _Number = 0.9,
        beta2: _Number = 0.999,
        eps: _Number = 1e-08,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class AdamW(RuleOptimizer):
    """AdamW: Adam with weight decay outside the gradient."""

    def __init__(
        self,
        lr: _Number = 0.001,
        *,
        beta1: _Number = 0.9,
        beta2: _Number = 0.999,
        eps: _Number = 1e-08,
        eps_root: _Number = 0.0,
        weight_decay: _Number = 0.01,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class Adan(RuleOptimizer):
    """Adan: Adam that looks ahead by the change of its gradients."""

    def __init__(
        self,
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
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class AdEMAMix(RuleOptimizer):
    """AdEMAMix: Adam that follows a fast and a slow mean gradient."""

    def __init__(
        self,
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
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class ADOPT(RuleOptimizer):
    """ADOPT: divide each gradient by the root of the squares before it."""

    def __init__(
        self,
        lr: _Number = 0.001,
        *,
        beta1: _Number = 0.9,
        beta2: _Number = 0.9999,
        eps: _Number = 1e-06,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class AMSGrad(RuleOptimizer):
    """AMSGrad: Adam whose running root mean square never falls."""

    def __init__(
        self,
        lr: _Number = 0.001,
        *,
        beta1: _Number = 0.9,
        beta2: _Number = 0.999,
        eps: _Number = 1e-08,
        eps_root: _Number = 0.0,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class GradientDescent(RuleOptimizer):
    """Gradient descent: step against the gradient."""

    def __init__(
        self,
        lr: _Number = 0.01,
        *,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class Grams(RuleOptimizer):
    """Grams: step as far as Adam, in the direction of the present gradient."""

    def __init__(
        self,
        lr: _Number = 0.001,
        *,
        beta1: _Number = 0.9,
        beta2: _Number = 0.999,
        eps: _Number = 1e-06,
        eps_root: _Number = 0.0,
        weight_decay: _Number = 0.0,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class LaProp(RuleOptimizer):
    """LaProp: scale each gradient first, then average the scaled ones."""

    def __init__(
        self,
        lr: _Number = 0.0004,
        *,
        beta1: _Number = 0.9,
        beta2: _Number = 0.999,
        eps: _Number = 1e-15,
        eps_root: _Number = 0.0,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class Lion(RuleOptimizer):
    """Lion: step by the sign of an interpolated momentum."""

    def __init__(
        self,
        lr: _Number = 0.0001,
        *,
        beta1: _Number = 0.9,
        beta2: _Number = 0.99,
        weight_decay: _Number = 0.0,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class Momentum(RuleOptimizer):
    """Momentum: step along a running velocity instead of the last gradient."""

    def __init__(
        self,
        lr: _Number = 0.01,
        *,
        beta: _Number = 0.9,
        dampening: _Number = ...,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class NAdam(RuleOptimizer):
    """NAdam: Adam with Nesterov"s look ahead."""

    def __init__(
        self,
        lr: _Number = 0.002,
        *,
        beta1: _Number = 0.9,
        beta2: _Number = 0.999,
        eps: _Number = 1e-08,
        eps_root: _Number = 0.0,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class NAdamW(RuleOptimizer):
    """NAdamW: NAdam with weight decay outside the gradient."""

    def __init__(
        self,
        lr: _Number = 0.002,
        *,
        beta1: _Number = 0.9,
        beta2: _Number = 0.999,
        eps: _Number = 1e-08,
        eps_root: _Number = 0.0,
        weight_decay: _Number = 0.01,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class Nesterov(RuleOptimizer):
    """Nesterov momentum: step along the velocity as it will be after this step."""

    def __init__(
        self,
        lr: _Number = 0.01,
        *,
        beta: _Number = 0.9,
        dampening: _Number = 0.0,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class QHAdam(RuleOptimizer):
    """QHAdam: Adam whose two averages are blended with the present gradient."""

    def __init__(
        self,
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
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class QHM(RuleOptimizer):
    """QHM: step by a blend of the gradient and a running velocity."""

    def __init__(
        self,
        lr: _Number = 1.0,
        *,
        beta: _Number = 0.999,
        nu: _Number = 0.7,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class RAdam(RuleOptimizer):
    """RAdam: Adam that begins as momentum, until its second average can be trusted."""

    def __init__(
        self,
        lr: _Number = 0.001,
        *,
        beta1: _Number = 0.9,
        beta2: _Number = 0.999,
        eps: _Number = 1e-08,
        eps_root: _Number = 0.0,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class RMSprop(RuleOptimizer):
    """RMSprop: divide each step by a running root mean square of its gradient."""

    def __init__(
        self,
        lr: _Number = 0.001,
        *,
        beta: _Number = 0.9,
        eps: _Number = 0.0,
        eps_root: _Number = 1e-08,
        centered: bool = False,
        momentum: _Number = 0.0,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class Rprop(RuleOptimizer):
    """Rprop: each element"s own step grows while its gradient keeps its sign."""

    def __init__(
        self,
        lr: _Number = 0.01,
        *,
        shrink: _Number = 0.5,
        grow: _Number = 1.2,
        lowest: _Number = 1e-06,
        highest: _Number = 50.0,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class SignDescent(RuleOptimizer):
    """Sign descent: step by the sign of the gradient alone."""

    def __init__(
        self,
        lr: _Number = 0.001,
        *,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class Signum(RuleOptimizer):
    """Signum: step by the sign of a mean gradient."""

    def __init__(
        self,
        lr: _Number = 0.001,
        *,
        beta: _Number = 0.9,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class Tiger(RuleOptimizer):
    """Tiger: Lion with one momentum for both of its averages."""

    def __init__(
        self,
        lr: _Number = 0.001,
        *,
        beta: _Number = 0.965,
        weight_decay: _Number = 0.01,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...

class Yogi(RuleOptimizer):
    """Yogi: Adam whose second average moves by steps that do not grow with its error."""

    def __init__(
        self,
        lr: _Number = 0.01,
        *,
        beta1: _Number = 0.9,
        beta2: _Number = 0.999,
        eps: _Number = 0.001,
        eps_root: _Number = 0.0,
        initial: _Number = 1e-06,
        nonfinite: Literal["pass", "skip", "raise"] = "pass",
        transforms: Iterable[Transform] = (),
        learning_rate: _Number | None = None,
        **options: Any,
    ) -> None: ...
