"""Which rules other frameworks have, under which name and with which settings.

One table: the lines of code that a report gives and the pages of the rules are read from it. A row
holds at a constant learning rate, where the rule and the framework's own optimizer take the same
steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from descenso import rules

FRAMEWORKS = ("torch", "keras", "optax")
Settings = Mapping[str, float | bool]
#: Ours by name, a pair of ours, what follows from ours, or a value that is always given.
Source = str | tuple[str, str] | Callable[[Settings], float] | bool | float


@dataclass(frozen=True)
class Native:
    """A framework's own optimizer that is a rule.

    Attributes
    ----------
    framework, optimizer : ``"torch"``, ``"keras"`` or ``"optax"``, and its name there.
    rule : which rule it is.
    arguments : its arguments, each with where its value comes from.
    optional : arguments that are left out where they are 0.
    zero : settings of ours that it lacks: the two are equal where these are 0.
    positive : settings of ours without which it does something else.
    """

    framework: str
    optimizer: str
    rule: str
    arguments: Mapping[str, Source]
    optional: Mapping[str, str] = field(default_factory=dict)
    zero: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return where it is found: ``torch.optim.Adam``."""
        return f"{_MODULES[self.framework]}.{self.optimizer}"

    def fits(self, settings: Settings) -> bool:
        """Whether the two are equal at these settings."""
        return not any(settings[n] for n in self.zero) and all(settings[n] for n in self.positive)

    def line(self, settings: Settings) -> str:
        """Return the line of code that makes it."""
        values = {name: _value(source, settings) for name, source in self.arguments.items()}
        values |= {name: settings[ours] for name, ours in self.optional.items() if settings[ours]}
        first = "model.parameters(), " if self.framework == "torch" else ""
        return f"{self.name}({first}{_spelt(values)})"


_MODULES = {"torch": "torch.optim", "keras": "keras.optimizers", "optax": "optax"}


def natives(rule: str) -> list[Native]:
    """Return the rows of a rule, framework by framework."""
    return [row for row in _TABLE if row.rule == rule]


def rule_of(framework: str, optimizer: str) -> str:
    """Return the rule that a framework's optimizer is; empty where the table has none."""
    return next(
        (row.rule for row in _TABLE if (row.framework, row.optimizer) == (framework, optimizer)), ""
    )


def lines(rule: str, settings: Settings) -> dict[str, str]:
    """Return a line of code for each framework: ``torch``, ``keras`` and ``optax``."""
    return {name: line(name, rule, settings) for name in FRAMEWORKS}


def line(framework: str, rule: str, settings: Settings) -> str:
    """Return the line of code that makes the optimizer of ``rule`` at ``settings``.

    A framework's own optimizer is named only where it takes exactly the same steps at a constant
    learning rate; else descenso's own, which always does.
    """
    for row in natives(rule):
        if row.framework == framework and row.fits(settings):
            return row.line(settings)
    return _own(framework, rule, settings)


def _own(framework: str, rule: str, settings: Settings) -> str:
    kept = {n: v for n, v in settings.items() if n == "lr" or v != _default(rule, n, settings)}
    shown = _spelt(kept)
    if framework == "optax":
        return f"descenso.jax.{rule}({shown})"
    first = "model.parameters(), " if framework == "torch" else ""
    return f"descenso.{framework}.{rules.class_name(rules.get(rule))}({first}{shown})"


def _default(rule: str, name: str, settings: Settings) -> float | bool:
    default = rules.get(rule).hyperparameters[name].default
    return settings[default] if isinstance(default, str) else default


def _value(source: Source, settings: Settings) -> Any:
    if isinstance(source, str):
        return settings[source]
    if isinstance(source, tuple):
        return tuple(settings[name] for name in source)
    return source(settings) if callable(source) else source


def _spelt(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_number(value)}" for name, value in values.items())


def _number(value: Any) -> str:
    """Return the shortest text that reads back as the same number, less a rounding of its last bit."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_number, value))})"
    if isinstance(value, bool):
        return repr(value)
    short = f"{value:.12g}"
    return short if abs(float(short) - value) <= 1e-15 * abs(value) else repr(float(value))


def _undamped(s: Settings) -> float:
    """A gradient damped by τ is a heavy ball whose η is (1−τ) times as large."""
    return s["lr"] * (1 - s["dampening"])


_BALL = {"momentum": "beta"}
_BETAS = {"betas": ("beta1", "beta2")}
_KERAS = {"learning_rate": "lr"}
_KERAS_BETAS = {**_KERAS, "beta_1": "beta1", "beta_2": "beta2"}
_OPTAX_BETAS = {"learning_rate": "lr", "b1": "beta1", "b2": "beta2"}
_ROOT = ("eps_root", "centered")  # PyTorch's centered form is not held at zero
_TABLE = (
    Native("torch", "SGD", "gradient_descent", {"lr": "lr"}),
    Native("keras", "SGD", "gradient_descent", _KERAS),
    Native("optax", "sgd", "gradient_descent", {"learning_rate": "lr"}),
    Native("torch", "SGD", "momentum", {"lr": _undamped, **_BALL}),
    Native("keras", "SGD", "momentum", {"learning_rate": _undamped, **_BALL}),
    Native("optax", "sgd", "momentum", {"learning_rate": _undamped, **_BALL}),
    # PyTorch refuses Nesterov without momentum, Keras ignores it.
    Native("torch", "SGD", "nesterov", {"lr": _undamped, **_BALL, "nesterov": True},
           positive=("beta",)),
    Native("keras", "SGD", "nesterov", {"learning_rate": _undamped, **_BALL, "nesterov": True},
           positive=("beta",)),
    Native("optax", "sgd", "nesterov", {"learning_rate": _undamped, **_BALL, "nesterov": True}),
    # ε stands beside the root in PyTorch, inside it in Keras.
    Native("torch", "RMSprop", "rmsprop", {"lr": "lr", "alpha": "beta", "eps": "eps"},
           {"momentum": "momentum"}, zero=_ROOT),
    Native("keras", "RMSprop", "rmsprop", {**_KERAS, "rho": "beta", "epsilon": "eps_root"},
           {"momentum": "momentum"}, zero=("eps", "centered")),
    Native("optax", "rmsprop", "rmsprop", {"learning_rate": "lr", "decay": "beta", "eps": "eps_root"},
           {"momentum": "momentum"}, zero=("eps", "centered")),
    Native("optax", "rmsprop", "rmsprop",
           {"learning_rate": "lr", "decay": "beta", "eps": "eps", "eps_in_sqrt": False},
           {"momentum": "momentum"}, zero=_ROOT),
    # Keras adds ε before the correction for the start.
    Native("torch", "Adam", "adam", {"lr": "lr", **_BETAS, "eps": "eps"}, zero=("eps_root",)),
    Native("keras", "Adam", "adam", {**_KERAS_BETAS, "epsilon": 0.0}, zero=("eps", "eps_root")),
    Native("optax", "adam", "adam", {**_OPTAX_BETAS, "eps": "eps"}, {"eps_root": "eps_root"}),
    Native("torch", "AdamW", "adamw",
           {"lr": "lr", **_BETAS, "eps": "eps", "weight_decay": "weight_decay"}, zero=("eps_root",)),
    Native("keras", "AdamW", "adamw",
           {**_KERAS_BETAS, "epsilon": 0.0, "weight_decay": "weight_decay"},
           zero=("eps", "eps_root")),
    Native("optax", "adamw", "adamw",
           {**_OPTAX_BETAS, "eps": "eps", "weight_decay": "weight_decay"},
           {"eps_root": "eps_root"}),
    Native("torch", "Adam", "amsgrad", {"lr": "lr", **_BETAS, "eps": "eps", "amsgrad": True},
           zero=("eps_root",)),
    Native("keras", "Adam", "amsgrad", {**_KERAS_BETAS, "epsilon": 0.0, "amsgrad": True},
           zero=("eps", "eps_root")),
    Native("keras", "Lion", "lion", {**_KERAS_BETAS, "weight_decay": "weight_decay"}),
    Native("optax", "lion", "lion", {**_OPTAX_BETAS, "weight_decay": "weight_decay"}),
    Native("optax", "sign_sgd", "sign_descent", {"learning_rate": "lr"}),
    # A sum that starts at a is a constant a inside the root.
    Native("torch", "Adagrad", "adagrad",
           {"lr": "lr", "eps": "eps", "initial_accumulator_value": "eps_root"}),
    Native("keras", "Adagrad", "adagrad",
           {**_KERAS, "initial_accumulator_value": "eps_root", "epsilon": 0.0}, zero=("eps",)),
    Native("optax", "adagrad", "adagrad",
           {**_KERAS, "initial_accumulator_value": "eps_root", "eps": 0.0}, zero=("eps",)),
    Native("torch", "Adadelta", "adadelta", {"lr": "lr", "rho": "beta", "eps": "eps_root"}),
    Native("keras", "Adadelta", "adadelta", {**_KERAS, "rho": "beta", "epsilon": "eps_root"}),
    Native("optax", "adadelta", "adadelta", {**_KERAS, "rho": "beta", "eps": "eps_root"}),
    Native("torch", "Adamax", "adamax", {"lr": "lr", **_BETAS, "eps": "eps"}),
    Native("keras", "Adamax", "adamax", {**_KERAS_BETAS, "epsilon": 0.0}, zero=("eps",)),
    Native("optax", "adamax", "adamax", {**_OPTAX_BETAS, "eps": "eps"}),
    Native("optax", "nadam", "nadam", {**_OPTAX_BETAS, "eps": "eps"}, {"eps_root": "eps_root"}),
    Native("optax", "nadamw", "nadamw",
           {**_OPTAX_BETAS, "eps": "eps", "weight_decay": "weight_decay"},
           {"eps_root": "eps_root"}),
    # PyTorch adds ε before the correction for the start.
    Native("torch", "RAdam", "radam", {"lr": "lr", **_BETAS, "eps": 0.0}, zero=("eps", "eps_root")),
    Native("optax", "radam", "radam", {**_OPTAX_BETAS, "eps": "eps"}, {"eps_root": "eps_root"}),
    Native("torch", "Rprop", "rprop",
           {"lr": "lr", "etas": ("shrink", "grow"), "step_sizes": ("lowest", "highest")}),
    Native("optax", "adabelief", "adabelief",
           {**_OPTAX_BETAS, "eps": "eps", "eps_root": "eps_root"}),
    Native("optax", "contrib.adopt", "adopt", {**_OPTAX_BETAS, "eps": "eps"}),
    Native("optax", "contrib.ademamix", "ademamix",
           {**_OPTAX_BETAS, "b3": "beta3", "alpha": "alpha", "eps": "eps", "eps_root": "eps_root",
            "weight_decay": "weight_decay"}),
)  # fmt: skip
