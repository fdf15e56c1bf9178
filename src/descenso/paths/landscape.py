"""The loss of a network in a plane, with the routes that several methods take through it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from descenso.errors import BudgetError, ProblemError
from descenso.language import _
from descenso.paths._network import Floats, Network, Place, size_of
from descenso.paths._open import open_network
from descenso.problems import Data, Problem
from descenso.records import Member

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["principal", "random"]

MOST_FLOATS = 100_000_000  # of all snapshots together
MOST_CELLS = 10_000
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
        If every member diverged in its first epoch, or the problem's own code fails.
    """
    if not 5 <= grid <= math.isqrt(MOST_CELLS):
        raise BudgetError(
            _("the grid must have from 5 to {most} points a side; got {grid}").format(
                most=math.isqrt(MOST_CELLS), grid=grid
            )
        )
    network = open_network(problem, data, study_seed)
    size = size_of(network)
    if size * len(members) * (epochs + 1) > MOST_FLOATS:
        raise BudgetError(
            _("{count} snapshots of {size} parameters are too many; take fewer epochs or methods")
            .format(count=len(members) * (epochs + 1), size=size)
        )  # fmt: skip
    routes = []
    for member in members:
        if on_progress:
            on_progress(member.method)
        routes.append(list(network.routes(member, epochs)))
    if all(len(route) < 2 for route in routes):
        raise ProblemError(
            _("{problem}: every method diverged in its first epoch").format(problem=problem.name)
        )
    diverged = [len(route) <= epochs for route in routes]
    rng = np.random.default_rng(study_seed)
    return _survey(network, members, routes, diverged, kind, grid, rng)


def _survey(
    network: Network,
    members: Sequence[Member],
    routes: Sequence[Sequence[Place]],
    diverged: Sequence[bool],
    kind: Kind,
    grid: int,
    rng: np.random.Generator,
) -> Landscape:
    losses = [np.array([network.loss(place) for place in route]) for route in routes]
    everything = [place for route in routes for place in route]
    if kind == "principal":
        plane = _Plane.principal(everything)
    else:
        best = int(np.argmin([own[-1] for own in losses]))
        centre = routes[best][-1]
        plane = _Plane(centre, filter_normalised(network, centre.trained, rng))
    places = [plane.nearest(route) for route in routes]
    # A random plane is looked at as far as a filter is long, as in Li et al. 2018.
    least = 0.0 if kind == "principal" else 1.0
    axes = [_axis(np.concatenate(places)[:, i], grid, least) for i in (0, 1)]
    across, along = np.meshgrid(*axes)

    def seen(cells: Floats) -> Floats:
        return np.array([network.loss(plane.at(cell)) for cell in cells])

    surface = seen(np.stack([across.ravel(), along.ravel()], axis=1)).reshape(across.shape)
    drawn = [
        Route(member, own_places, own, seen(own_places), over)
        for member, own_places, own, over in zip(members, places, losses, diverged, strict=True)
    ]
    shares = plane.shares(everything)
    return Landscape(
        network.problem.name,
        kind,
        axes[0],
        axes[1],
        surface,
        tuple(drawn),
        shares,
        size_of(network),
    )


class _Plane:
    """A plane of parameters, and what training carries along at each place of it.

    What is carried along (the moving averages of batch normalisation) follows the place as a line
    fitted to the snapshots, and never leaves the range that the snapshots hold. Without snapshots
    it is the centre's everywhere.
    """

    def __init__(
        self, centre: Place, directions: Floats, snapshots: Sequence[Place] | None = None
    ) -> None:
        self._centre, self._directions = centre.trained, directions
        # On a basis that need not be at right angles the nearest point is least squares.
        self._project = np.linalg.pinv(directions.T)
        carried = np.stack([place.carried for place in snapshots or [centre]])
        self._low, self._high = carried.min(axis=0), carried.max(axis=0)
        self._fit = np.vstack([centre.carried, np.zeros((2, len(centre.carried)))])
        if snapshots and carried.size:
            cells = np.column_stack([np.ones(len(carried)), self.nearest(snapshots)])
            self._fit = np.linalg.lstsq(cells, carried, rcond=None)[0]

    @classmethod
    def principal(cls, places: Sequence[Place]) -> _Plane:
        """Return the plane in which the places vary most."""
        trained = np.stack([place.trained for place in places])
        _u, _s, directions = np.linalg.svd(trained - trained.mean(axis=0), full_matrices=False)
        if len(directions) < 2:
            raise ProblemError(_("a plane needs at least two snapshots"))
        carried = np.stack([place.carried for place in places]).mean(axis=0)
        return cls(Place(trained.mean(axis=0), carried), directions[:2], places)

    def nearest(self, places: Sequence[Place]) -> Floats:
        """Return the coordinates, shape (n, 2), of the points of the plane nearest to places."""
        return (np.stack([p.trained for p in places]) - self._centre) @ self._project.T

    def at(self, cell: Floats) -> Place:
        """Return the place at these coordinates, shape (2,)."""
        carried = self._fit[0] + cell @ self._fit[1:]
        return Place(
            self._centre + cell @ self._directions, np.clip(carried, self._low, self._high)
        )

    def shares(self, places: Sequence[Place]) -> tuple[float, float]:
        """Return the shares of variance along the first direction, and in the rest of the plane."""
        trained = np.stack([place.trained for place in places])
        centred = trained - trained.mean(axis=0)
        basis, _r = np.linalg.qr(self._directions.T)
        total = float((centred**2).sum()) or 1.0
        first, second = ((centred @ basis) ** 2).sum(axis=0) / total
        return float(first), float(second)


def _axis(places: Floats, grid: int, least: float) -> Floats:
    low, high = min(float(places.min()), -least), max(float(places.max()), least)
    room = _ROOM * (high - low) or 1.0
    return np.linspace(low - room, high + room, grid)


def filter_normalised(network: Network, centre: Floats, rng: np.random.Generator) -> Floats:
    """Return two random directions, shape (2, size); each filter as long as the network's own.

    Li et al. 2018, Visualizing the Loss Landscape of Neural Nets, section 4: a filter is the
    weights that feed one output; biases and scales stay where they are.
    """
    return np.stack([_one_direction(network, centre, rng) for _i in range(2)])


def _one_direction(network: Network, centre: Floats, rng: np.random.Generator) -> Floats:
    all_flat = all(len(layer.shape) < 2 for layer in network.layers)
    parts, at = [], 0
    for layer in network.layers:
        size = math.prod(layer.shape)
        own, drawn = centre[at : at + size].reshape(layer.shape), rng.normal(size=layer.shape)
        at += size
        if len(layer.shape) < 2 and not all_flat:
            drawn = np.zeros(layer.shape)
        else:
            outputs = layer.outputs % max(1, len(layer.shape))
            rest = tuple(i for i in range(len(layer.shape)) if i != outputs)
            drawn = drawn * _lengths(own, rest) / _lengths(drawn, rest)
        parts.append(np.ravel(drawn))
    return np.concatenate(parts)


def _lengths(array: Floats, axes: tuple[int, ...]) -> Floats:
    """Return lengths over these axes; with none of them, of the array as a whole."""
    return np.asarray(np.sqrt((array**2).sum(axis=axes or None, keepdims=True)))
