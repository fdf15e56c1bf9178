"""Read a named optax optimizer from its settings and its state."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from descenso import schedules
from descenso.conventions._recipe import Recipe, as_array, checked, refuse
from descenso.conventions._schedules import KeptInside
from descenso.errors import ConventionError
from descenso.language import _

_NAMES = ("sgd", "rmsprop", "adam", "adamw", "amsgrad")
# The rule's name for an array -> the field of optax's state that holds it.
_FIELDS = {
    "gradient_descent": {},
    "momentum": {"v": "trace"},
    "nesterov": {"v": "trace"},
    "rmsprop": {"s": "nu", "m": "mu", "b": "trace"},
    "adam": {"m": "mu", "v": "nu"},
    "amsgrad": {"m": "mu", "v": "nu", "u": "nu_max"},
}


def read(named: Any, settings: Mapping[str, Any], state: Any, params: Any) -> Recipe:
    """Return what ``optax.<name>(**settings)`` does and where its ``state`` stands.

    Raises
    ------
    ConventionError
        If there is no exact equal, or the optimizer cannot be identified.
    """
    name = (
        named.removeprefix("optax.") if isinstance(named, str) else getattr(named, "__name__", "")
    )
    source = f"optax.{name}"
    if name not in _NAMES:
        raise refuse(
            source if name else repr(named),
            _("what cannot be named cannot be read: optax optimizers are closed functions"),
            _("adopt('optax.adam', learning_rate=...); it knows {names}").format(
                names=", ".join(_NAMES)
            ),
        )
    given = _bind(name, settings)
    rule, translated = _READERS[name](source, given)
    slots, steps = _state(source, rule, given, state)
    return checked(
        Recipe(
            source, rule, (translated,), decay=_decay(name, given, params), decoupled=True,
            slots=slots, steps=steps,
        )
    )  # fmt: skip


def _bind(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    import optax

    try:
        bound = inspect.signature(getattr(optax, name)).bind(**settings)
    except TypeError as error:
        raise ConventionError(f"optax.{name}: {error}") from None
    bound.apply_defaults()
    return dict(bound.arguments)


def _number(value: Any) -> Any:
    return value if callable(value) else float(value)


def _sgd(source: str, given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    lr = _number(given["learning_rate"])
    if given["momentum"] is None:
        return "gradient_descent", {"lr": lr}
    rule = "nesterov" if given["nesterov"] else "momentum"
    return rule, {"lr": lr, "beta": _number(given["momentum"]), "dampening": 0.0}


def _rmsprop(source: str, given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    lr, eps = _number(given["learning_rate"]), _number(given["eps"])
    eps = {"eps_root" if given["eps_in_sqrt"] else "eps": eps}
    eps = {"eps": 0.0, "eps_root": 0.0, **eps}
    momentum = given["momentum"] or 0.0
    if given["nesterov"] and momentum:
        raise refuse(source, _("rmsprop has no Nesterov momentum"), _("momentum without nesterov"))
    if given["bias_correction"]:
        if given["centered"] or momentum:
            raise refuse(
                source, _("rmsprop does not correct for its start"), _("bias_correction=False")
            )
        # Corrected RMSprop is Adam without a mean of gradients.
        return "adam", {"lr": lr, "beta1": 0.0, "beta2": float(given["decay"]), **eps}
    if momentum and callable(lr):
        momentum = KeptInside(float(momentum), lr)
    return "rmsprop", {
        "lr": lr, "beta": float(given["decay"]), "centered": bool(given["centered"]),
        "momentum": momentum, **eps,
    }  # fmt: skip


def _adam(source: str, given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    if given.get("nesterov"):
        raise refuse(source, _("adam has no Nesterov momentum"), _("nesterov=False"))
    names = {
        "lr": "learning_rate",
        "beta1": "b1",
        "beta2": "b2",
        "eps": "eps",
        "eps_root": "eps_root",
    }
    return "adam", {ours: _number(given[theirs]) for ours, theirs in names.items()}


def _amsgrad(source: str, given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    plain = (
        given["bias_correction_mu"] and not given["bias_correction_nu"] and not given["eps_root"]
    )
    if not plain or callable(given["learning_rate"]):
        raise refuse(
            source,
            _("it keeps the maximum of the corrected second moment, amsgrad that of the raw one"),
            _("amsgrad, or optax.amsgrad(..., bias_correction_nu=False) at a constant rate"),
        )
    beta2 = float(given["b2"])
    return "amsgrad", {
        "lr": schedules.uncorrected(float(given["learning_rate"]), beta=beta2),
        "beta1": float(given["b1"]), "beta2": beta2,
        "eps": schedules.uncorrected(float(given["eps"]), beta=beta2),
    }  # fmt: skip


_READERS = {"sgd": _sgd, "rmsprop": _rmsprop, "adam": _adam, "adamw": _adam, "amsgrad": _amsgrad}


def _decay(name: str, given: Mapping[str, Any], params: Any) -> float | tuple[float, ...]:
    if name != "adamw":
        return 0.0
    share = given["weight_decay"]
    if callable(share):
        raise refuse("optax.adamw", _("its weight decay is a schedule"), _("a number"))
    if given["mask"] is None:
        return float(share)
    import jax

    if params is None:
        raise ConventionError(_("optax.adamw with a mask: give params=, which the mask is laid on"))
    mask = given["mask"](params) if callable(given["mask"]) else given["mask"]
    return tuple(float(share) if on else 0.0 for on in jax.tree.leaves(mask))


def _state(
    source: str, rule: str, given: Mapping[str, Any], state: Any
) -> tuple[tuple[dict[str, Any], ...], int]:
    if state is None:
        if given.get("initial_scale"):
            raise ConventionError(
                _(
                    "{source} with initial_scale: give state= and params=, for it starts there"
                ).format(source=source)
            )
        return (), 0
    import jax

    fields = _fields(state)
    fields.setdefault("nu", ())
    found = {n: jax.tree.leaves(fields[key]) for n, key in _FIELDS[rule].items() if key in fields}
    if rule == "rmsprop" and not given["centered"]:
        found.pop("m", None)
    steps = int(fields.get("count", 0))
    if rule == "rmsprop" and "b" in found:  # the velocity holds the rate, and points downhill
        lr = given["learning_rate"]
        rate = float(lr(max(steps - 1, 0)) if callable(lr) else lr)
        found["b"] = [-np.asarray(b) / rate for b in found["b"]]
    count = max((len(leaves) for leaves in found.values()), default=0)
    if rule == "adam" and "m" not in found:  # corrected RMSprop: its mean is not used
        found["m"] = [np.zeros_like(v) for v in found["v"]]
    return tuple({n: as_array(a[i]) for n, a in found.items() if a} for i in range(count)), steps


def _fields(state: Any) -> dict[str, Any]:
    """Return the fields of all named tuples in an optax state."""
    found: dict[str, Any] = {}
    if hasattr(state, "_fields"):
        for name in state._fields:
            value = getattr(state, name)
            found[name] = value
            if isinstance(value, tuple):
                found |= {n: v for n, v in _fields(value).items() if n not in found}
        return found
    if isinstance(state, tuple | list):
        for part in state:
            found |= {n: v for n, v in _fields(part).items() if n not in found}
    return found
