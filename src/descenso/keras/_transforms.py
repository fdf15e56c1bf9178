"""Transforms around the step of a Keras optimizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras import ops

from descenso import transforms as chain
from descenso.ops import namespace
from descenso.transforms import Transform

Tensor = Any
Variable = Any


class TransformedStep:
    """The transforms of one optimizer, with the variables they keep."""

    def __init__(self, transforms: tuple[Transform, ...]) -> None:
        self.transforms = transforms
        self._kept: list[dict[str, list[Variable]]] = []

    def build(
        self,
        variables: Sequence[Variable],
        add: Callable[[Sequence[Variable], str], list[Variable]],
    ) -> None:
        """Create the variables kept for each of ``variables``, with ``add(variables, name)``."""
        thetas = [ops.zeros((), "float32") for _ in variables]
        states = chain.start(namespace(thetas[0]), self.transforms, thetas)
        self._kept = [
            {name: add(variables, f"{transform.name}_{i}_{name}") for name in state}
            for i, (transform, state) in enumerate(zip(self.transforms, states, strict=True))
        ]

    def before(self, thetas: list[Tensor], grads: list[Tensor], t: Tensor) -> list[Tensor]:
        """Return the gradients that the rule is to see."""
        return chain.gradients(namespace(thetas[0]), self.transforms, thetas, grads, t)

    def after(
        self, places: list[int], old: list[Tensor], new: list[Tensor], lr: Tensor, t: Tensor
    ) -> tuple[list[Tensor], list[tuple[Variable, Tensor]]]:
        """Return the parameters, and each variable kept with the value it is to take.

        Parameters
        ----------
        places : the place of each parameter among those that the optimizer was built with.
        """
        xp = namespace(old[0])
        first = t == 1  # the weights may have been set after the optimizer was built
        starts = chain.start(xp, self.transforms, old)
        kept = [
            {
                name: [
                    ops.where(first, begin, ops.convert_to_tensor(variables[place]))
                    for begin, place in zip(start[name], places, strict=True)
                ]
                for name, variables in slots.items()
            }
            for start, slots in zip(starts, self._kept, strict=True)
        ]
        rates = [ops.cast(lr, a.dtype) for a in old]
        moved, states = chain.parameters(xp, self.transforms, old, new, rates, t, kept)
        changes = [
            (slots[name][place], value)
            for slots, state in zip(self._kept, states, strict=True)
            for name, values in state.items()
            for place, value in zip(places, values, strict=True)
        ]
        return moved, changes

    def averages(self, t: Tensor) -> list[Tensor]:
        """Return the averaged parameters."""
        kept = [
            {name: [ops.convert_to_tensor(v) for v in variables] for name, variables in s.items()}
            for s in self._kept
        ]
        return chain.averages(self.transforms, kept, t)
