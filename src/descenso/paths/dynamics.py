"""How training moves, step by step: turning back, effective steps by layer, noise of gradients."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descenso import rules
from descenso.errors import BudgetError, ProblemError
from descenso.language import _
from descenso.paths.landscape import check_framework
from descenso.problems import Data, Problem
from descenso.records import Member

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.floating[Any]]

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
    place : ``start`` (before training) or ``end`` (where the first member ended).
    batch_sizes : shape (n,).
    ratio : shape (n,): mean squared distance of a batch's gradient from the whole gradient, over
        the squared length of the whole gradient. Batches are drawn without replacement.
    critical : the batch size at which noise equals signal, tr(Σ)/‖g‖² (McCandlish et al. 2018,
        arXiv:1812.06162, eq. 2.9), from all sizes measured.
    """

    place: str
    batch_sizes: NDArray[np.int64]
    ratio: Floats
    critical: float


@dataclass(frozen=True)
class Dynamics:
    """Motion of every member, and the noise they move in."""

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
        If no member takes two steps, or the problem trains in a way of its own (dropout).
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or not 2 <= steps <= MOST_STEPS:
        raise BudgetError(
            _("{name} must be a whole number from {least} to {most}; got {value!r}").format(
                name="steps", least=2, most=MOST_STEPS, value=steps
            )
        )
    check_framework(problem)
    if problem.train_loss is not None:
        raise ProblemError(
            _("{problem}: a problem that draws random numbers while it trains cannot be followed")
            .format(problem=problem.name)
        )  # fmt: skip
    lab = _Lab(problem, data, study_seed)
    motions, ends = [], []
    for member in members:
        motion, end = lab.follow(member, steps)
        motions.append(motion)
        ends.append(end)
    if all(motion.steps < 2 for motion in motions):
        raise ProblemError(_("{problem}: no method takes two steps").format(problem=problem.name))
    noises = (lab.noise("start", lab.start(members[0].seed)), lab.noise("end", ends[0]))
    return Dynamics(problem.name, lab.layers, tuple(motions), noises)


class _Lab:
    """Steps of a problem, one at a time."""

    def __init__(self, problem: Problem, data: Data, study_seed: int) -> None:
        import jax

        from descenso.engine import prepare_machine
        from descenso.ops import jax as xp

        prepare_machine()
        self._jax, self._xp = jax, xp
        self._problem, self._study_seed = problem, study_seed
        self._inputs, self._targets = data.train.inputs, data.train.targets
        self.examples = len(data.train)
        paths = jax.tree_util.tree_leaves_with_path(self.start(0))
        self.layers = tuple(_layer_name(path) for path, _leaf in paths)
        self._grad = jax.jit(jax.grad(self._loss))

    def start(self, seed: int) -> Any:
        """Return the initial parameters of every member with this seed."""
        from descenso.engine.randomness import weights_generator

        params = self._problem.init(weights_generator(self._study_seed, seed))
        return self._jax.tree.map(lambda leaf: np.asarray(leaf, np.float32), params)

    def _loss(self, params: Any, chosen: Any) -> Any:
        inputs, targets = (
            self._jax.numpy.asarray(a)[chosen] for a in (self._inputs, self._targets)
        )
        return self._problem.loss(self._problem.apply(params, inputs), targets)

    def follow(self, member: Member, steps: int) -> tuple[Motion, Any]:
        """Return the motion of a member, and the parameters it ended at."""
        move = self._jax.jit(self._step_of(member))
        params = self.start(member.seed)
        rule = rules.get(member.rule)
        leaves = self._jax.tree.leaves(params)
        states = [
            rule.start(self._xp, self._jax.numpy.asarray(leaf), member.settings) for leaf in leaves
        ]
        effective, cosines, last = [], [], None
        for t, chosen in zip(range(1, steps + 1), self._batches(member), strict=False):
            moved, new_states = move(params, states, np.float32(t), chosen)
            before, after = (self._jax.tree.leaves(tree) for tree in (params, moved))
            deltas = [np.asarray(a, np.float64) - b for a, b in zip(after, before, strict=True)]
            if not all(np.isfinite(delta).all() for delta in deltas):
                break
            effective.append([_share(d, b) for d, b in zip(deltas, before, strict=True)])
            whole = np.concatenate([d.ravel() for d in deltas])
            if last is not None:
                cosines.append(_cosine(whole, last))
            params, states, last = moved, new_states, whole
        shape = (len(effective), len(self.layers))
        return Motion(member, np.reshape(effective, shape), np.array(cosines)), params

    def _step_of(self, member: Member) -> Callable[..., Any]:
        rule, settings = rules.get(member.rule), dict(member.settings)

        def step(params: Any, states: Any, t: Any, chosen: Any) -> Any:
            leaves, structure = self._jax.tree.flatten(params)
            grads = self._jax.tree.leaves(self._jax.grad(self._loss)(params, chosen))
            moved = [
                rule.update(self._xp, leaf, grad, state, t, settings)
                for leaf, grad, state in zip(leaves, grads, states, strict=True)
            ]
            return structure.unflatten([leaf for leaf, _s in moved]), [state for _l, state in moved]

        return step

    def _batches(self, member: Member) -> Iterator[NDArray[np.int32]]:
        """Yield the examples of each step, in the engine's order."""
        from descenso.engine.randomness import example_order

        size, epoch = member.batch_size, 0
        while True:
            order = example_order(self._study_seed, member.seed, epoch, self.examples)
            for first in range(0, self.examples - size + 1, size):
                yield order[first : first + size]
            epoch += 1

    def noise(self, place: str, params: Any) -> Noise:
        """Return the noise of the gradient at ``params``, by batch size."""
        whole = self._vector(self._grad(params, np.arange(self.examples)))
        signal = max(float(whole @ whole), 1e-30)
        rng = np.random.default_rng(self._study_seed)
        sizes = [2**k for k in range(11) if 2**k <= min(self.examples // 2, _LARGEST_BATCH)] or [1]
        ratios = [self._ratio(params, whole, size, rng) / signal for size in sizes]
        # Drawn without replacement, a batch of B of n varies by (1/B − 1/n)·n/(n−1) of one example.
        n = max(self.examples, 2)
        shrink = [(1 / size - 1 / n) * n / (n - 1) for size in sizes]
        critical = float(np.exp(np.mean(np.log(np.maximum(ratios, 1e-30)) - np.log(shrink))))
        return Noise(place, np.array(sizes), np.array(ratios), critical)

    def _ratio(self, params: Any, whole: Floats, size: int, rng: np.random.Generator) -> float:
        drawn = (rng.permutation(self.examples)[:size] for _batch in range(_BATCHES))
        gaps = [self._vector(self._grad(params, chosen)) - whole for chosen in drawn]
        return float(np.mean([gap @ gap for gap in gaps]))

    def _vector(self, tree: Any) -> Floats:
        return np.concatenate(
            [np.ravel(np.asarray(a, np.float64)) for a in self._jax.tree.leaves(tree)]
        )


def _layer_name(path: Sequence[Any]) -> str:
    """Return a leaf's place in its tree, such as ``0.weight``."""
    words = [
        str(getattr(part, "key", getattr(part, "idx", getattr(part, "name", part))))
        for part in path
    ]
    return ".".join(words) or "theta"


def _share(delta: Floats, parameter: Floats) -> float:
    length = float(np.linalg.norm(np.asarray(parameter, np.float64)))
    # A bias starts at zero: its first step has no length to be compared with.
    return float(np.linalg.norm(delta)) / length if length > 0 else math.nan


def _cosine(one: Floats, other: Floats) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths > 0 else 0.0
