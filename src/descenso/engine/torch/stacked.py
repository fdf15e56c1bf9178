"""The tensors of members that train side by side: a row of each for every member's place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from descenso import rules
from descenso.engine.bookkeeping import Checkpoint, switches_of
from descenso.engine.torch.member import from_array, to_array
from descenso.engine.torch.step import parts_of
from descenso.records import Member
from descenso.torch.trace import is_elementwise

Named: TypeAlias = dict[str, torch.Tensor]
#: Rows of parameters begin at multiples of so many elements, as vector instructions like it.
ALIGNED = 64
#: The name of the row that holds all trained parameters end to end.
TOGETHER = ""


class StackedTensors:
    """Parameters, buffers, rule state and settings of ``size`` members, moved in place.

    Parameters
    ----------
    module : as all members have it.
    member : one of them; all have its rule.

    Attributes
    ----------
    trained, frozen, buffers : tensors of the module by name, each of shape (size, ...).
    pieces : what the rule moves: ``trained`` itself, or where the rule sees no shapes, one row of
        all of them end to end, of which ``trained`` are views.
    state : array of the rule → tensors like ``pieces``.
    settings : hyperparameter → value of each member, shape (size,).
    t : steps that each has taken.
    threshold : the loss above which each has left all hope.
    alive : whether it counts.
    """

    def __init__(self, module: torch.nn.Module, member: Member, size: int) -> None:
        trained, frozen, buffers = parts_of(module)
        rule, device = rules.get(member.rule), next(iter(trained.values())).device
        self._shapes = {name: tensor.shape for name, tensor in trained.items()}
        self.size = size

        def spread(named: Named) -> Named:
            return {n: t.detach().expand(size, *t.shape).clone() for n, t in named.items()}

        self.frozen, self.buffers = spread(frozen), spread(buffers)
        self.pieces = _rows(trained, size) if is_elementwise(rule) else spread(trained)
        self.trained = self._views(self.pieces)
        self.state = {
            array: {name: torch.zeros_like(piece) for name, piece in self.pieces.items()}
            for array in rule.state_names(member.settings)
        }

        def numbers() -> torch.Tensor:
            return torch.ones(size, device=device, dtype=torch.float64)

        switches = switches_of(member)
        self.settings = {n: numbers() for n in member.settings if n not in switches}
        self.t, self.threshold = numbers(), numbers()
        self.alive = torch.zeros(size, device=device, dtype=torch.bool)

    def _views(self, pieces: Named) -> Named:
        """Return a tensor for each trained parameter, where ``pieces`` hold them."""
        if TOGETHER not in pieces:
            return pieces
        views, start = {}, 0
        for name, shape in self._shapes.items():
            end = start + shape.numel()
            views[name] = pieces[TOGETHER][:, start:end].view(self.size, *shape)
            start = end
        return views

    def as_pieces(self, gradients: Named) -> Named:
        """Return gradients, given for each trained parameter, laid as ``pieces`` are."""
        if TOGETHER not in self.pieces:
            return gradients
        rows = [gradients[name].reshape(self.size, -1) for name in self._shapes]
        missing = self.pieces[TOGETHER].shape[1] - sum(row.shape[1] for row in rows)
        return {TOGETHER: torch.cat([*rows, rows[0].new_zeros(self.size, missing)], 1)}

    @torch.no_grad()
    def put(
        self,
        place: int,
        member: Member,
        module: torch.nn.Module,
        at: Checkpoint,
        threshold: float,
    ) -> None:
        """Put a member into a place, at its checkpoint, or at the start if that is empty.

        Parameters
        ----------
        module : new, with the initial weights of the member's seed.
        threshold : not finite, if the member never had any hope.
        """
        trained, frozen, buffers = parts_of(module)
        for name, tensor in trained.items():
            self.trained[name][place].copy_(_from(at, f"parameter {name}", tensor))
        for name, tensor in frozen.items():
            self.frozen[name][place].copy_(tensor)
        for name, tensor in buffers.items():
            self.buffers[name][place].copy_(_from(at, f"buffer {name}", tensor))
        for array, pieces in self.state.items():
            for name, view in self._views(pieces).items():
                view[place].copy_(_from(at, f"state {array} {name}", torch.zeros(())))
        for name, values in self.settings.items():
            values[place] = member.settings[name]
        self.t[place] = float(at.get("step", 0))
        self.threshold[place], self.alive[place] = (
            threshold,
            math.isfinite(threshold),
        )

    def free(self, place: int) -> None:
        """Leave a place as it is: what is computed there does not count."""
        self.alive[place] = False

    def checkpoints(self, stacked: Sequence[int]) -> dict[int, dict[str, NDArray[Any]]]:
        """Return where the members of some stacked stand, as a member by itself keeps it."""
        kept: Named = {"step": self.t.long()}
        kept |= {f"parameter {name}": p for name, p in self.trained.items()}
        kept |= {f"buffer {name}": b for name, b in self.buffers.items()}
        for array, pieces in self.state.items():
            kept |= {f"state {array} {name}": s for name, s in self._views(pieces).items()}
        arrays = {name: to_array(tensor) for name, tensor in kept.items()} if stacked else {}
        return {p: {name: np.array(a[p]) for name, a in arrays.items()} for p in stacked}


def _rows(trained: Named, size: int) -> Named:
    elements = sum(tensor.numel() for tensor in trained.values())
    padded = -(-elements // ALIGNED) * ALIGNED
    like = next(iter(trained.values())).detach()
    return {TOGETHER: like.new_zeros(size, padded)}


def _from(at: Checkpoint, name: str, otherwise: torch.Tensor) -> torch.Tensor:
    return from_array(at[name]) if at else otherwise
