"""How training moves, step by step: turning back, effective steps by layer, noise of gradients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descenso.engine import Walk
from descenso.engine.walking import end_to_end
from descenso.errors import BudgetError, ProblemError
from descenso.language import _
from descenso.paths._network import Floats, Network
from descenso.paths._open import open_network
from descenso.problems import Data, Problem
from descenso.records import Member

if TYPE_CHECKING:
    import pandas as pd

MOST_STEPS = 5_000
_BATCHES = 48  # drawn of each size
_LARGEST_BATCH = 1_024


@dataclass(frozen=True)
class Motion:
    """What one member did in its first steps.

    Attributes
    ----------
    member : method, settings and seed.
    steps : how many were taken; fewer than asked where the parameters ceased to be finite.
    effective : shape (steps, layers): length of each layer's step over the length of the layer.
    cosines : shape (steps − 1,): between each step and the one before, over all parameters.
    """

    member: Member
    effective: Floats
    cosines: Floats

    @property
    def steps(self) -> int:
        """Return how many steps were taken."""
        return len(self.effective)

    @property
    def turning_back(self) -> float:
        """Return the share of successive steps that turn back (a cosine below 0)."""
        return float(np.mean(self.cosines < 0)) if len(self.cosines) else math.nan


@dataclass(frozen=True)
class Noise:
    """Noise of the gradient at one place, by batch size.

    Attributes
    ----------
    place : ``start`` (before training) or ``end`` (where the first member that
        lived ended).
    batch_sizes : shape (n,).
    ratio : shape (n,): mean squared distance of a batch's gradient from the whole gradient, over
        the squared length of the whole gradient. Batches are drawn without replacement.
    critical : the batch size at which noise equals signal, tr(Σ)/‖g‖² (McCandlish et al. 2018,
        arXiv:1812.06162, eq. 2.9): the median of what each size measured tells.
    """

    place: str
    batch_sizes: NDArray[np.int64]
    ratio: Floats
    critical: float


@dataclass(frozen=True)
class Dynamics:
    """Motion of every member, and the noise they move in: at the start, and at an end if any lived."""

    problem: str
    layers: tuple[str, ...]
    motions: tuple[Motion, ...]
    noises: tuple[Noise, ...]

    def frame(self) -> pd.DataFrame:
        """Return one row per member, step and layer: ``effective`` and ``cosine`` (of all layers)."""
        import pandas as pd

        return pd.concat(
            pd.DataFrame(
                {
                    "method": motion.member.method,
                    "step": np.arange(1, motion.steps + 1),
                    "layer": layer,
                    "effective": motion.effective[:, i],
                    "cosine": np.concatenate([[np.nan], motion.cosines])[: motion.steps],
                }
            )
            for motion in self.motions
            for i, layer in enumerate(self.layers)
        )

    def noise_frame(self) -> pd.DataFrame:
        """Return one row per place and batch size: the ratio of noise to signal."""
        import pandas as pd

        return pd.concat(
            pd.DataFrame({"place": n.place, "batch_size": n.batch_sizes, "ratio": n.ratio})
            for n in self.noises
        )


def dynamics(
    problem: Problem, data: Data, members: Sequence[Member], steps: int, *, study_seed: int = 0
) -> Dynamics:
    """Take ``steps`` steps with every member, as the engine takes them, and measure each.

    Raises
    ------
    BudgetError
        If there are too many steps, or none.
    ProblemError
        If no member takes two steps, or the problem's own code fails.
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or not 2 <= steps <= MOST_STEPS:
        raise BudgetError(
            _("{name} must be a whole number from {least} to {most}; got {value!r}").format(
                name="steps", least=2, most=MOST_STEPS, value=steps
            )
        )
    network = open_network(problem, data, study_seed)
    gauge = _Gauge(len(data.train), study_seed)
    noises = [gauge.noise("start", network.walk(members[0]))]
    motions = []
    for member in members:
        walk = network.walk(member)
        motions.append(_follow(walk, member, network, steps))
        if len(noises) == 1 and motions[-1].steps == steps:
            noises.append(gauge.noise("end", walk))
    if all(motion.steps < 2 for motion in motions):
        raise ProblemError(_("{problem}: no method takes two steps").format(problem=problem.name))
    names = tuple(layer.name for layer in network.layers)
    return Dynamics(problem.name, names, tuple(motions), tuple(noises))


def _follow(walk: Walk, member: Member, network: Network, steps: int) -> Motion:
    """Take a member's steps, up to the one that is not finite any more, and measure each."""
    effective, cosines = [], []
    before, last = walk.parameters(), None
    for _t in range(steps):
        walk.step()
        after = walk.parameters()
        deltas = [new - old for new, old in zip(after, before, strict=True)]
        if not all(np.isfinite(delta).all() for delta in deltas):
            break
        effective.append([_share(d, old) for d, old in zip(deltas, before, strict=True)])
        whole = end_to_end(deltas)
        if last is not None:
            cosines.append(_cosine(whole, last))
        before, last = after, whole
    shape = (len(effective), len(network.layers))
    return Motion(member, np.reshape(effective, shape), np.array(cosines))


class _Gauge:
    """Measures the noise of gradients."""

    def __init__(self, examples: int, study_seed: int) -> None:
        self._examples = examples
        self._rng = np.random.default_rng(study_seed)

    def noise(self, place: str, walk: Walk) -> Noise:
        """Return the noise of the gradient where a member stands, by batch size."""
        whole = walk.gradient(np.arange(self._examples), self._draw())
        signal = max(float(whole @ whole), 1e-30)
        limit = min(self._examples // 2, _LARGEST_BATCH)
        sizes = [2**k for k in range(11) if 2**k <= limit] or [1]
        sizes = sizes[self._refuses_one_example(walk) and len(sizes) > 1 :]
        ratios = [self._ratio(walk, whole, size) / signal for size in sizes]
        # Drawn without replacement, a batch of B of n varies by (1/B − 1/n)·n/(n−1) of one example.
        n = max(self._examples, 2)
        shrink = [(1 / size - 1 / n) * n / (n - 1) for size in sizes]
        critical = float(np.median(np.array(ratios) / shrink))
        return Noise(place, np.array(sizes), np.array(ratios), critical)

    def _refuses_one_example(self, walk: Walk) -> bool:
        """Whether a batch of one cannot be trained on, as with batch normalisation in torch."""
        try:
            walk.gradient(np.array([0]), 0)
        except ProblemError:
            return True
        return False

    def _ratio(self, walk: Walk, whole: Floats, size: int) -> float:
        drawn = (self._rng.permutation(self._examples)[:size] for _batch in range(_BATCHES))
        gaps = [walk.gradient(rows, self._draw()) - whole for rows in drawn]
        return float(np.mean([gap @ gap for gap in gaps]))

    def _draw(self) -> int:
        return int(self._rng.integers(2**31))


def _share(delta: Floats, parameter: Floats) -> float:
    length = float(np.linalg.norm(parameter))
    # A bias starts at zero: its first step has no length to be compared with.
    return float(np.linalg.norm(delta)) / length if length > 0 else math.nan


def _cosine(one: Floats, other: Floats) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths > 0 else 0.0
