"""Minimise a function of an array and keep every step, for teaching and for surfaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descenso import methods
from descenso.errors import BudgetError, ParameterError, SettingError
from descenso.language import _
from descenso.numpy._optimizer import Optimizer, factory

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Path:
    """Every step of a descent.

    Attributes
    ----------
    points : shape (n + 1, *shape of x0); ``points[0]`` is x0.
    values : shape (n + 1,), the function at each point.
    gradients : shape (n, *shape of x0); ``gradients[i]`` was taken at ``points[i]``.
    states : name of a state array of the rule → shape (n + 1, *shape of x0).
    rule, settings : what was run; a schedule stays a function.
    diverged_at : the step, from 1, whose point, value or gradient was not finite; that step is
        left out and the path ends before it. ``None`` if every step was finite.
    """

    points: Floats
    values: Floats
    gradients: Floats
    states: Mapping[str, Floats]
    rule: str
    settings: Mapping[str, Any]
    diverged_at: int | None = None

    def __len__(self) -> int:
        """Return the number of steps taken."""
        return len(self.gradients)

    @property
    def x(self) -> Floats:
        """Return the last point."""
        return np.asarray(self.points[-1])

    @property
    def best(self) -> Floats:
        """Return the point at which the function was lowest."""
        return np.asarray(self.points[np.argmin(self.values)])


def minimize(
    fun: Callable[[Floats], float],
    grad: Callable[[Floats], ArrayLike] | None,
    x0: ArrayLike,
    method: str = "adam",
    steps: int = 100,
    **settings: Any,
) -> Path:
    """Descend from ``x0`` in float64 and return the whole path.

    Parameters
    ----------
    fun : array shaped like ``x0`` → number.
    grad : array → its gradient, of the same shape; ``None`` takes central differences of ``fun``
        (two calls for each coordinate and step, at a distance of ε^⅓·max(1, abs(x)), good to
        about 1e-10 of the function's scale).
    x0 : where to start: a number or an array of any shape; integers become float64.
    method : a method as everywhere in descenso: ``"adam"``, ``"rmsprop(lr=0.1)"``.
    steps : how many steps to take.
    settings : of the rule, such as ``lr=0.1``; each a number, or a schedule (number of steps
        taken so far → number); also ``nonfinite`` and ``transforms=[...]``.

    Raises
    ------
    SettingError
        If a setting is unknown, out of range or given twice, or the method names a batch size.
    UnknownNameError
        If there is no such method.
    ParameterError
        If ``x0`` or the function there is not finite, a gradient has the wrong shape, or ``fun``
        or ``grad`` is no function.
    BudgetError
        If ``steps`` is not a positive whole number.
    """
    optimizer = _optimizer(method, settings)
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
        raise BudgetError(
            _("steps must be a positive whole number; got {steps!r}").format(steps=steps)
        )
    for name, given in {"fun": fun, "grad": grad or fun}.items():
        if not callable(given):
            raise ParameterError(
                _("{name} must be a function of an array; got {given!r}").format(
                    name=name, given=given
                )
            )
    x = _start(x0)
    # A descent that overflows is cut and recorded, so NumPy need not warn of it.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        return _descend(fun, grad or _central_differences(fun), x, optimizer, int(steps))


def _optimizer(method: str, settings: dict[str, Any]) -> Optimizer:
    parsed = methods.parse(method)
    if "@" in method:
        raise SettingError(
            _("{method}: a function has no examples, so leave out the batch size after @").format(
                method=method
            )
        )
    for name in parsed.fixed:
        if name in settings:
            raise SettingError(
                _("{rule}: {name} is given twice").format(rule=parsed.rule, name=name)
            )
    return factory(parsed.definition())(**{**parsed.fixed, **settings})


def _start(x0: ArrayLike) -> Floats:
    try:
        x = np.array(x0, np.float64)
    except (TypeError, ValueError) as error:
        raise ParameterError(
            _("x0 must be a number or an array of numbers; got {x0!r}").format(x0=x0)
        ) from error
    if x.size == 0 or not np.all(np.isfinite(x)):
        raise ParameterError(_("x0 must hold finite numbers; got {x0!r}").format(x0=x0))
    return x


def _descend(
    fun: Callable[[Floats], Any],
    grad: Callable[[Floats], Any],
    x: Floats,
    optimizer: Optimizer,
    steps: int,
) -> Path:
    state = optimizer.start(x)
    points, values, gradients, states = [x], [_value(fun, x)], [], [state.slots[0]]
    if not np.isfinite(values[0]):
        raise ParameterError(
            _("the function at x0 is not finite; it is {value}").format(value=values[0])
        )
    diverged_at = None
    for step in range(1, steps + 1):
        g = _gradient(grad, x)
        x, state = optimizer.step(x, g, state)
        value = _value(fun, x)
        if not (np.all(np.isfinite(g)) and np.all(np.isfinite(x)) and np.isfinite(value)):
            diverged_at = step
            break
        points.append(x)
        values.append(value)
        gradients.append(g)
        states.append(state.slots[0])
    return Path(
        np.stack(points),
        np.array(values),
        np.array(gradients).reshape(len(gradients), *x.shape),
        {name: np.stack([s[name] for s in states]) for name in states[0]},
        optimizer.rule.name,
        optimizer.settings,
        diverged_at,
    )


def _value(fun: Callable[[Floats], Any], x: Floats) -> float:
    value = np.asarray(fun(x.copy()), np.float64)
    if value.size != 1:
        raise ParameterError(
            _("the function must return one number; it returned shape {shape}").format(
                shape=value.shape
            )
        )
    return float(value.reshape(()))


def _gradient(grad: Callable[[Floats], Any], x: Floats) -> Floats:
    g = np.array(grad(x.copy()), np.float64)
    if g.shape != x.shape:
        raise ParameterError(
            _("the gradient of x0 has shape {given}; x0 has {shape}").format(
                given=g.shape, shape=x.shape
            )
        )
    return g


def _central_differences(fun: Callable[[Floats], Any]) -> Callable[[Floats], Floats]:
    def grad(x: Floats) -> Floats:
        g = np.empty_like(x)
        for i in np.ndindex(x.shape):
            h = np.cbrt(np.finfo(np.float64).eps) * max(1.0, abs(x[i]))
            above, below = x.copy(), x.copy()
            above[i] += h
            below[i] -= h
            # The distance that was really taken, after rounding.
            g[i] = (_value(fun, above) - _value(fun, below)) / (above[i] - below[i])
        return g

    return grad
