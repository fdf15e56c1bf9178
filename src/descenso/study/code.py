"""The recommended settings as a ready line of code for PyTorch, Keras and optax.

A framework's own optimizer is named only where it takes exactly the same steps at a constant
learning rate; else descenso's own, which always does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from descenso import rules

FRAMEWORKS = ("torch", "keras", "optax")
Settings = Mapping[str, float | bool]
_Line = Callable[[Settings], str | None]


def lines(rule: str, settings: Settings) -> dict[str, str]:
    """Return a line of code for each framework: ``torch``, ``keras`` and ``optax``."""
    return {name: line(name, rule, settings) for name in FRAMEWORKS}


def line(framework: str, rule: str, settings: Settings) -> str:
    """Return the line that makes the optimizer of ``rule`` at ``settings`` in a framework."""
    native = _NATIVE.get((framework, rule))
    return (native(settings) if native else None) or _own(framework, rule, settings)


def _own(framework: str, rule: str, settings: Settings) -> str:
    shown = {n: v for n, v in settings.items() if n == "lr" or v != _default(rule, n, settings)}
    if framework == "torch":
        name = rules.class_name(rules.get(rule))
        return f"descenso.torch.{name}(model.parameters(), {_arguments(shown)})"
    if framework == "keras":
        return f"descenso.keras.{rules.class_name(rules.get(rule))}({_arguments(shown)})"
    return f"descenso.jax.{rule}({_arguments(shown)})"


def _default(rule: str, name: str, settings: Settings) -> float | bool:
    default = rules.get(rule).hyperparameters[name].default
    return settings[default] if isinstance(default, str) else default


def _arguments(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_number(value)}" for name, value in values.items())


def _number(value: Any) -> str:
    """Return the shortest text that reads back as the same number, less a rounding of its last bit."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return repr(value)
    short = f"{value:.12g}"
    return short if abs(float(short) - value) <= 1e-15 * abs(value) else repr(float(value))


def _torch(name: str, **values: Any) -> str:
    return f"torch.optim.{name}(model.parameters(), {_arguments(values)})"


def _keras(name: str, **values: Any) -> str:
    return f"keras.optimizers.{name}({_arguments(values)})"


def _optax(name: str, **values: Any) -> str:
    return f"optax.{name}({_arguments(values)})"


# ---- gradient descent and momentum ----------------------------------------------------------


def _heavy_ball(s: Settings) -> dict[str, float]:
    """A gradient damped by τ is a heavy ball whose η is (1−τ) times as large."""
    return {"lr": s["lr"] * (1 - s["dampening"]), "momentum": s["beta"]}


def _torch_momentum(s: Settings) -> str:
    ball = _heavy_ball(s)
    return _torch("SGD", lr=ball["lr"], momentum=ball["momentum"])


def _torch_nesterov(s: Settings) -> str | None:
    if not s["beta"]:
        return None  # PyTorch refuses Nesterov without momentum
    ball = _heavy_ball(s)
    return _torch("SGD", lr=ball["lr"], momentum=ball["momentum"], nesterov=True)


def _keras_momentum(s: Settings) -> str:
    ball = _heavy_ball(s)
    return _keras("SGD", learning_rate=ball["lr"], momentum=ball["momentum"])


def _keras_nesterov(s: Settings) -> str | None:
    if not s["beta"]:
        return None  # Keras ignores Nesterov without momentum
    ball = _heavy_ball(s)
    return _keras("SGD", learning_rate=ball["lr"], momentum=ball["momentum"], nesterov=True)


def _optax_momentum(s: Settings) -> str:
    ball = _heavy_ball(s)
    return _optax("sgd", learning_rate=ball["lr"], momentum=ball["momentum"])


def _optax_nesterov(s: Settings) -> str:
    ball = _heavy_ball(s)
    return _optax("sgd", learning_rate=ball["lr"], momentum=ball["momentum"], nesterov=True)


# ---- RMSprop: ε beside the root in PyTorch, inside it in Keras -------------------------------


def _torch_rmsprop(s: Settings) -> str | None:
    if s["eps_root"] or s["centered"]:
        return None  # PyTorch's centered form is not held at zero
    more = {"momentum": s["momentum"]} if s["momentum"] else {}
    return _torch("RMSprop", lr=s["lr"], alpha=s["beta"], eps=s["eps"], **more)


def _keras_rmsprop(s: Settings) -> str | None:
    if s["eps"] or s["centered"]:
        return None
    more = {"momentum": s["momentum"]} if s["momentum"] else {}
    return _keras("RMSprop", learning_rate=s["lr"], rho=s["beta"], epsilon=s["eps_root"], **more)


def _optax_rmsprop(s: Settings) -> str | None:
    if (s["eps"] and s["eps_root"]) or s["centered"]:
        return None
    inside: dict[str, Any] = {"eps": s["eps_root"]}
    outside: dict[str, Any] = {"eps": s["eps"], "eps_in_sqrt": False}
    more = {"momentum": s["momentum"]} if s["momentum"] else {}
    where = outside if s["eps"] or not s["eps_root"] else inside
    return _optax("rmsprop", learning_rate=s["lr"], decay=s["beta"], **where, **more)


# ---- Adam and AdamW: Keras adds ε before the correction for the start ------------------------


def _torch_adam(name: str) -> _Line:
    def make(s: Settings) -> str | None:
        if s["eps_root"]:
            return None
        decay = {"weight_decay": s["weight_decay"]} if "weight_decay" in s else {}
        betas = f"({_number(s['beta1'])}, {_number(s['beta2'])})"
        values = _arguments({"eps": s["eps"], **decay})
        return (
            f"torch.optim.{name}(model.parameters(), lr={_number(s['lr'])}, "
            f"betas={betas}, {values})"
        )

    return make


def _keras_adam(name: str) -> _Line:
    def make(s: Settings) -> str | None:
        if s["eps"] or s["eps_root"]:
            return None
        decay = {"weight_decay": s["weight_decay"]} if "weight_decay" in s else {}
        betas = {"beta_1": s["beta1"], "beta_2": s["beta2"]}
        return _keras(name, learning_rate=s["lr"], **betas, epsilon=0.0, **decay)

    return make


def _optax_adam(name: str) -> _Line:
    def make(s: Settings) -> str:
        decay = {"weight_decay": s["weight_decay"]} if "weight_decay" in s else {}
        root = {"eps_root": s["eps_root"]} if s["eps_root"] else {}
        values = {"b1": s["beta1"], "b2": s["beta2"], "eps": s["eps"], **root, **decay}
        return _optax(name, learning_rate=s["lr"], **values)

    return make


_NATIVE: dict[tuple[str, str], _Line] = {
    ("torch", "gradient_descent"): lambda s: _torch("SGD", lr=s["lr"]),
    ("keras", "gradient_descent"): lambda s: _keras("SGD", learning_rate=s["lr"]),
    ("optax", "gradient_descent"): lambda s: _optax("sgd", learning_rate=s["lr"]),
    ("torch", "momentum"): _torch_momentum,
    ("keras", "momentum"): _keras_momentum,
    ("optax", "momentum"): _optax_momentum,
    ("torch", "nesterov"): _torch_nesterov,
    ("keras", "nesterov"): _keras_nesterov,
    ("optax", "nesterov"): _optax_nesterov,
    ("torch", "rmsprop"): _torch_rmsprop,
    ("keras", "rmsprop"): _keras_rmsprop,
    ("optax", "rmsprop"): _optax_rmsprop,
    ("torch", "adam"): _torch_adam("Adam"),
    ("torch", "adamw"): _torch_adam("AdamW"),
    ("keras", "adam"): _keras_adam("Adam"),
    ("keras", "adamw"): _keras_adam("AdamW"),
    ("optax", "adam"): _optax_adam("adam"),
    ("optax", "adamw"): _optax_adam("adamw"),
}
