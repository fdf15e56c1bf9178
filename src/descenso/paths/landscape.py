"""The loss of a network in a plane, with the routes that several methods take through it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from descenso.errors import BudgetError, ProblemError
from descenso.language import _
from descenso.problems import Data, Problem
from descenso.records import Member, Run

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.floating[Any]]
Kind = Literal["principal", "random"]

MOST_FLOATS = 100_000_000  # of all snapshots together
MOST_CELLS = 10_000
_EXAMPLES = 2_000  # training examples that the loss in the plane is taken over
_ROOM = 0.22  # around the routes, as a share of their extent
MISLED = 2.0  # factor between the loss in the plane and the true one


@dataclass(frozen=True)
class Route:
    """What one member passed through, epoch by epoch; entry 0 is before training.

    Attributes
    ----------
    member : method, settings and seed.
    places : coordinates in the plane, shape (n, 2).
    losses : the training loss there, shape (n,).
    seen : the loss of the nearest point in the plane, shape (n,).
    diverged : whether it diverged after its last entry.
    """

    member: Member
    places: Floats
    losses: Floats
    seen: Floats
    diverged: bool

    @property
    def misled(self) -> float:
        """Return by what factor the plane's loss at the end differs from the true one, ≥ 1."""
        return float(
            math.exp(abs(math.log(max(self.seen[-1], 1e-12) / max(self.losses[-1], 1e-12))))
        )


@dataclass(frozen=True)
class Landscape:
    """The training loss over a plane of parameters.

    Attributes
    ----------
    problem : its name.
    kind : ``principal`` (the two directions in which the routes vary most) or ``random``
        (two random directions, normalised filter by filter as in Li et al. 2018, around the end of
        the route that ends lowest).
    across, along : the grid's axes in parameter units, shapes (na,) and (nb,).
    losses : shape (nb, na).
    routes : one for each member.
    shares : shares of the routes' variance that each direction holds.
    parameters : how many the network has.
    """

    problem: str
    kind: Kind
    across: Floats
    along: Floats
    losses: Floats
    routes: tuple[Route, ...]
    shares: tuple[float, float]
    parameters: int

    @property
    def explained(self) -> float:
        """Return the share of the routes' variance that the plane shows, 0 to 1."""
        return sum(self.shares)

    def frame(self) -> pd.DataFrame:
        """Return one row per member and epoch: place, true loss, and the loss in the plane."""
        import pandas as pd

        return pd.concat(
            pd.DataFrame(
                {
                    "method": route.member.method,
                    "seed": route.member.seed,
                    "epoch": np.arange(len(route.losses)),
                    "across": route.places[:, 0],
                    "along": route.places[:, 1],
                    "loss": route.losses,
                    "loss_in_plane": route.seen,
                }
            )
            for route in self.routes
        )


def landscape(
    problem: Problem,
    data: Data,
    members: Sequence[Member],
    epochs: int,
    *,
    study_seed: int = 0,
    kind: Kind = "principal",
    grid: int = 41,
    on_progress: Callable[[str], None] | None = None,
) -> Landscape:
    """Train ``members`` with the engine, and compute the loss around where they pass.

    Parameters
    ----------
    epochs : how long each is trained; a snapshot is taken after every epoch.
    study_seed : keys the weights and the order of examples, as in a study.
    grid : points along each side of the plane, 5 to 100.
    on_progress : told the method being trained.

    Raises
    ------
    BudgetError
        If the snapshots would not fit in memory, or the grid is too fine or too coarse.
    ProblemError
        If every member diverged in its first epoch, or the problem is not written for JAX.
    """
    if not 5 <= grid <= math.isqrt(MOST_CELLS):
        raise BudgetError(
            _("the grid must have from 5 to {most} points a side; got {grid}").format(
                most=math.isqrt(MOST_CELLS), grid=grid
            )
        )
    check_framework(problem)
    space = _Space(problem, data, study_seed)
    if space.size * len(members) * (epochs + 1) > MOST_FLOATS:
        raise BudgetError(
            _("{count} snapshots of {size} parameters are too many; take fewer epochs or methods")
            .format(count=len(members) * (epochs + 1), size=space.size)
        )  # fmt: skip
    walks, diverged = [], []
    for member in members:
        if on_progress:
            on_progress(member.method)
        snapshots = list(space.walk(member, epochs))
        walks.append(np.stack([snapshot for snapshot, _alive in snapshots]))
        diverged.append(not snapshots[-1][1])
    if all(len(walk) < 2 for walk in walks):
        raise ProblemError(
            _("{problem}: every method diverged in its first epoch").format(problem=problem.name)
        )
    return _survey(space, members, walks, diverged, kind, grid)


def check_framework(problem: Problem) -> None:
    """Refuse a problem whose loss is not written for JAX.

    Raises
    ------
    ProblemError
        If it trains with another framework.
    """
    if problem.framework != "jax":
        raise ProblemError(
            _("{problem}: it trains with {framework}; this picture needs a problem for JAX").format(
                problem=problem.name, framework=problem.framework
            )
        )


def _survey(
    space: _Space,
    members: Sequence[Member],
    walks: Sequence[Floats],
    diverged: Sequence[bool],
    kind: Kind,
    grid: int,
) -> Landscape:
    losses = [space.losses(walk) for walk in walks]
    best = int(np.argmin([own[-1] for own in losses]))
    everything = np.concatenate(walks)
    if kind == "principal":
        centre, directions = everything.mean(axis=0), _principal(everything)
    else:
        centre = walks[best][-1]
        directions = space.filter_normalised(centre)
    # Projection on a basis that need not be at right angles: least squares.
    project = np.linalg.pinv(directions.T)
    places = [(walk - centre) @ project.T for walk in walks]
    shares = _shares(everything - everything.mean(axis=0), directions)
    axes = [_axis(np.concatenate(places)[:, i], grid) for i in (0, 1)]
    across, along = np.meshgrid(*axes)
    cells = np.stack([across.ravel(), along.ravel()], axis=1)
    surface = space.plane_losses(centre, directions, cells).reshape(across.shape)
    routes = [
        Route(member, place, own, space.plane_losses(centre, directions, place), over)
        for member, place, own, over in zip(members, places, losses, diverged, strict=True)
    ]
    return Landscape(
        space.problem.name, kind, axes[0], axes[1], surface, tuple(routes), shares, space.size
    )


def _principal(points: Floats) -> Floats:
    """Return the two directions, shape (2, size), in which points of shape (n, size) vary most."""
    _u, _s, directions = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    if len(directions) < 2:
        raise ProblemError(_("a plane needs at least two snapshots"))
    return np.asarray(directions[:2])


def _shares(centred: Floats, directions: Floats) -> tuple[float, float]:
    """Return the shares of variance along the first direction, and along the rest of the plane."""
    basis, _r = np.linalg.qr(directions.T)
    total = float((centred**2).sum()) or 1.0
    first, second = ((centred @ basis) ** 2).sum(axis=0) / total
    return float(first), float(second)


def _axis(places: Floats, grid: int) -> Floats:
    low, high = float(places.min()), float(places.max())
    room = _ROOM * (high - low) or 1.0
    return np.linspace(low - room, high + room, grid)


class _Space:
    """The parameters of a problem as one long vector, and the loss at any of them."""

    def __init__(self, problem: Problem, data: Data, study_seed: int) -> None:
        import jax

        from descenso.engine import open_engine, prepare_machine
        from descenso.engine.randomness import weights_generator

        prepare_machine()
        self.problem, self._study_seed = problem, study_seed
        self._engine = open_engine(problem, data, study_seed)
        self._generator = weights_generator
        leaves, self._structure = jax.tree.flatten(problem.init(weights_generator(study_seed, 0)))
        self._shapes = [np.shape(leaf) for leaf in leaves]
        self.size = sum(math.prod(shape) for shape in self._shapes)
        self._inputs = data.train.inputs[:_EXAMPLES]
        self._targets = data.train.targets[:_EXAMPLES]
        self._jax = jax
        self._many = jax.jit(lambda vectors: jax.lax.map(self._loss, vectors))
        self._plane = jax.jit(
            lambda centre, directions, cells: jax.lax.map(
                lambda cell: self._loss(centre + cell @ directions), cells
            )
        )

    def _loss(self, vector: Any) -> Any:
        parts, at = [], 0
        for shape in self._shapes:
            size = math.prod(shape)
            parts.append(vector[at : at + size].reshape(shape))
            at += size
        params = self._structure.unflatten(parts)
        return self.problem.loss(self.problem.apply(params, self._inputs), self._targets)

    def losses(self, vectors: Floats) -> Floats:
        """Return the training loss at vectors of shape (n, size)."""
        return np.asarray(self._many(vectors.astype(np.float32)), np.float64)

    def plane_losses(self, centre: Floats, directions: Floats, cells: Floats) -> Floats:
        """Return the training loss at places of the plane, shape (n, 2)."""
        given = (part.astype(np.float32) for part in (centre, directions, cells))
        return np.asarray(self._plane(*given), np.float64)

    def walk(self, member: Member, epochs: int) -> Iterator[tuple[Floats, bool]]:
        """Yield the parameters before training and after each epoch, and whether it goes on."""
        start = self._jax.tree.leaves(
            self.problem.init(self._generator(self._study_seed, member.seed))
        )
        yield _vector(start), True
        now: Member | Run = member
        for epoch in range(1, epochs + 1):
            (run,) = [r for chunk in self._engine.train([now], epoch) for r in chunk]
            if run.checkpoint is None:
                yield _vector(start), False
                return
            # A checkpoint begins with the leaves of the parameters, in their order.
            start = [run.checkpoint[f"leaf{i}"] for i in range(len(self._shapes))]
            yield _vector(start), True
            now = run

    def filter_normalised(self, centre: Floats) -> Floats:
        """Return two random directions, shape (2, size); each filter as long as the network's own.

        Li et al. 2018, Visualizing the Loss Landscape of Neural Nets, section 4: a filter is the
        weights that feed one output; biases stay where they are.
        """
        rng = np.random.default_rng(self._study_seed)
        return np.stack([self._one_direction(rng, centre) for _i in range(2)])

    def _one_direction(self, rng: np.random.Generator, centre: Floats) -> Floats:
        parts, at = [], 0
        for shape in self._shapes:
            size = math.prod(shape)
            own = centre[at : at + size].reshape(shape)
            drawn = rng.normal(size=shape)
            axes = tuple(range(len(shape) - 1))
            if len(shape) < 2 and len(self._shapes) > 1:
                drawn = np.zeros(shape)
            else:
                lengths = np.sqrt((drawn**2).sum(axis=axes, keepdims=True))
                drawn = drawn / lengths * np.sqrt((own**2).sum(axis=axes, keepdims=True))
            parts.append(drawn.ravel())
            at += size
        return np.concatenate(parts)


def _vector(leaves: Sequence[Any]) -> Floats:
    return np.concatenate([np.ravel(np.asarray(leaf, np.float64)) for leaf in leaves])
