"""The displacement a rule makes, θ_t − θ_{t−1}, without the rounding of a subtraction.

A rule returns the new parameter; optax's protocol asks for what is to be added to the old one.
Subtracting would cost up to half a unit in the last place of θ, which a small step may not
afford, and would need θ even for rules whose step does not depend on it. So the rule is handed
an :class:`Anchor` in place of θ, which remembers what is taken from it or added to it.
"""

from __future__ import annotations

from typing import Any

from descenso.errors import ParameterError
from descenso.language import _


class Anchor:
    """θ + displacement, with the two kept apart for as long as a rule only adds and subtracts."""

    def __init__(self, theta: Any, displacement: Any = None) -> None:
        self._theta = theta
        self._displacement = displacement

    @property
    def displacement(self) -> Any:
        return 0.0 * self._value() if self._displacement is None else self._displacement

    def __add__(self, other: Any) -> Anchor:
        moved = self._displacement
        return Anchor(self._theta, other if moved is None else moved + other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, Anchor):
            return self._value() - other._value()
        moved = self._displacement
        return Anchor(self._theta, -other if moved is None else moved - other)

    def __rsub__(self, other: Any) -> Any:
        return other - self._value()

    def __mul__(self, other: Any) -> Any:
        return self._value() * other

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return self._value() / other

    def __rtruediv__(self, other: Any) -> Any:
        return other / self._value()

    def __pow__(self, other: Any) -> Any:
        return self._value() ** other

    def __neg__(self) -> Any:
        return -self._value()

    def __jax_array__(self) -> Any:
        return self._value()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._value(), name)  # shape, dtype, ndim

    def _value(self) -> Any:
        if self._theta is None:
            raise ParameterError(
                _("this rule's step depends on the parameters: call update(grads, state, params)")
            )
        moved = self._displacement
        return self._theta if moved is None else self._theta + moved


def displacement(new: Any, theta: Any) -> Any:
    """Return how far ``new``, what a rule made of ``Anchor(theta)``, lies from ``theta``."""
    return new.displacement if isinstance(new, Anchor) else new - theta
