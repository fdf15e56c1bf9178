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
        states = chain.start(namespace(ops.zeros(())), self.transforms, thetas)
        self._kept = [
            {name: add(variables, f"{transform.name}_{i}_{name}") for name in state}
            for i, (transform, state) in enumerate(zip(self.transforms, states, strict=True))
        ]

    def before(
        self, thetas: list[Tensor], grads: list[Any], t: Tensor, decayed: list[bool]
    ) -> list[Any]:
        """Return the gradients that the rule is to see; None where there is none.

        Parameters
        ----------
        decayed : for each parameter, whether weight decay is for it.
        """
        xp = namespace(thetas[0])
        for transform in self.transforms:
            new = transform.gradients(xp, thetas, grads, t)
            grads = _but_for_excluded(transform, decayed, new, grads)
        return grads

    def after(
        self,
        places: list[int],
        old: list[Tensor],
        new: list[Tensor],
        lr: list[Any],
        t: Tensor,
        decayed: list[bool],
    ) -> tuple[list[Tensor], list[tuple[Variable, Tensor]]]:
        """Return the parameters, and each variable kept with the value it is to take.

        Parameters
        ----------
        places : the place of each parameter among those that the optimizer was built with.
        lr : the learning rate of each; None where it took no step.
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
        rates = [
            None if rate is None else ops.cast(rate, a.dtype)
            for rate, a in zip(lr, old, strict=True)
        ]
        states = []
        for transform, before in zip(self.transforms, kept, strict=True):
            moved, state = transform.parameters(xp, old, new, rates, t, before)
            new = _but_for_excluded(transform, decayed, moved, new)
            states.append(state)
        changes = [
            (slots[name][place], value)
            for slots, state in zip(self._kept, states, strict=True)
            for name, values in state.items()
            for place, value in zip(places, values, strict=True)
        ]
        return new, changes

    def averages(self, t: Tensor) -> list[Tensor]:
        """Return the averaged parameters."""
        kept = [
            {name: [ops.convert_to_tensor(v) for v in variables] for name, variables in s.items()}
            for s in self._kept
        ]
        return chain.averages(self.transforms, kept, t)


def _but_for_excluded(
    transform: Transform, decayed: list[bool], new: list[Any], old: list[Any]
) -> list[Any]:
    """Return ``new``, but ``old`` where ``exclude_from_weight_decay`` keeps a decay away."""
    if not transform.name.endswith("weight_decay") or all(decayed):
        return new
    return [a if on else b for a, b, on in zip(new, old, decayed, strict=True)]
