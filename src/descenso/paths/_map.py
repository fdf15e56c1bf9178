"""A map of two settings: how near a method comes to the minimum, and where it diverges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from descenso.errors import BudgetError, SettingError
from descenso.language import _
from descenso.methods import Method
from descenso.paths._sweep import Floats, sweep
from descenso.paths._tuning import _settles_at
from descenso.problems.surfaces import Surface, without_decay
from descenso.rules import Hyperparameter

if TYPE_CHECKING:
    import pandas as pd

MOST_STEPS = 10_000
MOST_CELLS = 250_000
_SURFACE_RATES = (1e-4, 1e2)  # a surface is some units wide, the slopes of some are 1000
ARRIVED = 1e-3  # of the start's distance from the minimum
_LAST = 0.1  # share of the steps that is looked at to tell a descent that grows


@dataclass(frozen=True)
class SettingsMap:
    """What became of a descent at each pair of settings.

    Attributes
    ----------
    lr, other : the values along the two axes, shapes (nx,) and (ny,).
    other_name : name of the second setting.
    distance : shape (ny, nx): the last point's distance to the nearest minimum; infinite where the
        descent diverged.
    arrived : shape (ny, nx): the step from which it stays within a thousandth of the start's
        distance; infinite where it does not.
    diverged : shape (ny, nx): not finite, or higher than at the start in its last tenth and higher
        in its last quarter than in the one before.
    boundary : shape (ny,): the largest stable learning rate by theory; NaN where none is known.
    """

    surface: Surface
    method: Method
    steps: int
    lr: Floats
    other_name: str
    other: Floats
    distance: Floats
    arrived: Floats
    diverged: np.ndarray
    boundary: Floats

    @property
    def other_setting(self) -> Hyperparameter:
        """Return what the second setting is: its meaning, range and scale."""
        return self.method.definition().hyperparameters[self.other_name]

    @property
    def far(self) -> float:
        """Return ten times the start's distance to the nearest minimum: beyond it, far is far."""
        return 10 * float(_to_nearest(self.surface, np.array(self.surface.start)[None])[0])

    def frame(self) -> pd.DataFrame:
        """Return one row per pair of settings."""
        import pandas as pd

        lr, other = np.meshgrid(self.lr, self.other)
        return pd.DataFrame(
            {
                "lr": lr.ravel(),
                self.other_name: other.ravel(),
                "distance": self.distance.ravel(),
                "arrived": self.arrived.ravel(),
                "diverged": self.diverged.ravel(),
                "boundary": np.repeat(self.boundary, len(self.lr)),
            }
        )


def settings_map(
    surface: Surface,
    method: Method,
    *,
    lr: Floats | None = None,
    other_name: str | None = None,
    other: Floats | None = None,
    steps: int = 200,
) -> SettingsMap:
    """Run ``method`` on ``surface`` at every pair of a learning rate and a second setting.

    Parameters
    ----------
    lr : learning rates; 121 around the theoretical boundary, or from 1e-4 to 100.
    other_name : the second setting; the rule's momentum (``beta`` or ``beta1``) if not given.
    other : its values; over its range if not given: averaging factors from 0 towards 1, on the
        scale of the setting.

    Raises
    ------
    SettingError
        If the rule has no such setting or it is a switch, or the surface has no minimum.
    BudgetError
        If there are too many steps or cells.
    """
    if not surface.minima:
        raise SettingError(
            _("{surface} has no minimum that a distance could be measured to").format(
                surface=surface.name
            )
        )
    name = other_name or _momentum_of(method)
    _check_setting(method, name)
    method = method if name == "weight_decay" else without_decay(method)
    setting = method.definition().hyperparameters[name]
    values = np.asarray(_default_values(setting) if other is None else other, np.float64)
    boundary = stability_boundary(surface, method, name, values)
    rates = np.asarray(_default_rates(boundary) if lr is None else lr, np.float64)
    if not 1 <= steps <= MOST_STEPS or rates.size * values.size > MOST_CELLS:
        raise BudgetError(
            _("a map takes 1 to {steps} steps and at most {cells} cells; got {given} and {size}")
            .format(steps=MOST_STEPS, cells=MOST_CELLS, given=steps, size=rates.size * values.size)
        )  # fmt: skip
    columns = [_column(surface, method, rates, name, value, steps) for value in values]
    distance, arrived, diverged = (np.stack(part) for part in zip(*columns, strict=True))
    return SettingsMap(
        surface, method, steps, rates, name, values, distance, arrived, diverged, boundary
    )


def _momentum_of(method: Method) -> str:
    known = method.definition().hyperparameters
    for name in ("beta", "beta1"):
        if name in known:
            return name
    raise SettingError(
        _("{method} has no momentum to draw a map of; it has {known}").format(
            method=method.label, known=", ".join(known)
        )
    )


def _check_setting(method: Method, name: str) -> None:
    rule = method.definition()
    if name in rule.hyperparameters and rule.hyperparameters[name].is_switch:
        raise SettingError(
            _("{method}: {name} is on or off; a map needs a setting that is a number").format(
                method=method.label, name=name
            )
        )
    if name == "lr" or name in method.fixed or name not in rule.hyperparameters:
        free = [n for n in rule.hyperparameters if n != "lr" and n not in method.fixed]
        raise SettingError(
            _("{method} has no free setting {name!r} for the map; it has {known}").format(
                method=method.label, name=name, known=", ".join(free)
            )
        )


def _default_values(setting: Hyperparameter) -> Floats:
    low, high = setting.search or (setting.low, setting.high)
    if setting.scale == "log":
        low, high = setting.search or (1e-10, 1.0)
        return np.logspace(math.log10(low), math.log10(high), 61)
    if (setting.low, setting.high) != (0, 1):
        low, high = (low if math.isfinite(low) else 0.0), (high if math.isfinite(high) else 1.0)
        return np.linspace(low, high, 61)
    nearest_one = 1 - max(0.99, high if setting.search else 0.0)
    if nearest_one > 0.005:
        return np.concatenate([np.linspace(0, 0.9, 46), 1 - np.logspace(-1, -2, 25)[1:]])
    return 1 - np.logspace(0, math.log10(nearest_one), 81)


def _default_rates(boundary: Floats) -> Floats:
    known = boundary[np.isfinite(boundary)]
    if known.size:
        low, high = known.min() / 30, known.max() * 5
    else:
        low, high = _SURFACE_RATES
    return np.logspace(math.log10(low), math.log10(high), 121)


def _column(
    surface: Surface, method: Method, rates: Floats, name: str, value: float, steps: int
) -> tuple[Floats, Floats, np.ndarray]:
    """Return distance, arrival and divergence at one value of the second setting."""
    rule = method.definition()
    settings = {**rule.settings(**{**method.fixed, name: float(value)}), "lr": rates}
    places, values = sweep(surface, rule, settings, surface.start, steps)
    with np.errstate(all="ignore"):
        distance = _to_nearest(surface, places)
    diverged = ~np.isfinite(values).all(axis=0) | _grows(values)
    arrived = _settles_at(distance <= ARRIVED * distance[0])
    arrived[diverged] = np.inf
    return np.where(diverged, np.inf, distance[-1]), arrived, diverged


def _grows(values: Floats) -> np.ndarray:
    """Return which descents grow. A stable one with much momentum may long be above its start, but
    falls meanwhile."""
    last = values[-max(1, round(_LAST * len(values))) :]
    quarter = max(1, len(values) // 4)
    with np.errstate(all="ignore"):
        higher = (last > values[0]).any(axis=0)
        rises = values[-quarter:].max(axis=0) >= values[-2 * quarter : -quarter].max(axis=0)
    return np.asarray(higher & rises)


def _to_nearest(surface: Surface, places: Floats) -> Floats:
    to_each = [np.hypot(places[:, 0] - x, places[:, 1] - y) for x, y in _positions(surface)]
    return np.asarray(np.min(to_each, axis=0))


def _positions(surface: Surface) -> list[tuple[float, float]]:
    return [minimum.position for minimum in surface.minima]


def stability_boundary(surface: Surface, method: Method, name: str, values: Floats) -> Floats:
    r"""Return the learning rate above which descents of the ravine grow, by theory.

    On a quadratic whose largest curvature is λ, the velocity form
    :math:`v = \beta v + (1-\tau) g,\ \theta = \theta - \eta v` is stable for

    .. math:: \eta < \frac{2 (1+\beta)}{(1-\tau)\, \lambda}

    which for τ = β (averaging) is :math:`2(1+\beta)/((1-\beta)\lambda)`, for τ = 0 (heavy ball)
    :math:`2(1+\beta)/\lambda`, and for β = τ = 0 the :math:`2/\lambda` of gradient descent
    (Polyak 1964, with the learning rate in its place). Nesterov's form is stable for
    :math:`\eta < 2(1+\beta)/((1-\tau)(1+2\beta)\lambda)`.

    Returns
    -------
    shape of ``values``; NaN where the method is another, or the surface is not the ravine.
    """
    unknown = np.full(values.shape, np.nan)
    if "condition" not in surface.settings or method.rule not in ("momentum", "nesterov"):
        return unknown
    if name not in ("beta", "dampening"):
        return unknown
    columns = [_velocity(method, {name: float(v)}) for v in values]
    beta, held_back = np.array(columns).T
    steepness = surface.settings["condition"] * (1 - held_back)
    if method.rule == "nesterov":
        steepness = steepness * (1 + 2 * beta)
    return np.asarray(2 * (1 + beta) / steepness)


def _velocity(method: Method, given: Mapping[str, float]) -> tuple[float, float]:
    settings = method.definition().settings(**{**method.fixed, **given})
    return float(settings["beta"]), float(settings["dampening"])
