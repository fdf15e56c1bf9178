"""Descend a surface with several methods, from several starts, with several seeds of noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from descenso.errors import BudgetError, SettingError
from descenso.language import _
from descenso.methods import Method
from descenso.numpy import Path, minimize
from descenso.paths import _surfaces
from descenso.paths._settings import as_text
from descenso.paths._sweep import Floats, Gradient
from descenso.paths._tuning import Reason, Tuned, tuned_learning_rate
from descenso.problems.surfaces import Surface, without_decay
from descenso.schedules import Schedule

if TYPE_CHECKING:
    import pandas as pd

MOST_STEPS = 100_000
MOST_PATHS = 200
MOST_WORK = 2_000_000  # steps of all paths together
FAR = 1_000  # sides of the window from its middle: further off, a path is cut
_MINI_BATCH = 8  # examples of the regression that a mini-batch method sees

End = Literal["ran", "diverged", "left"]


@dataclass(frozen=True)
class Trace:
    """One descent.

    Attributes
    ----------
    label : the method as the user wrote it; with its learning rate where one method has several.
    method : what was run.
    start, seed : where it began and what noise it saw.
    path : every step, up to where it was cut.
    end : ``ran`` to its last step; ``diverged`` (not finite, or 1000 windows away and higher than
        at the start); ``left`` the window for good, downhill (as on a saddle).
    tuned : why its learning rate was chosen for it (see :data:`~descenso.paths._tuning.Reason`);
        ``None`` where it was given.
    batch : how many examples each gradient saw; ``None`` where it was the surface's own.
    """

    label: str
    method: Method
    start: tuple[float, float]
    seed: int
    path: Path
    end: End
    tuned: Reason | None
    batch: int | None = None

    @property
    def settings_text(self) -> str:
        """Return the learning rate and what the user fixed, as text."""
        kept = {"lr": self.path.settings["lr"]}
        kept |= {n: self.path.settings[n] for n in self.method.fixed if n != "lr"}
        return as_text(kept)


@dataclass(frozen=True)
class Descents:
    """Everything that was asked of a surface, with all paths.

    Attributes
    ----------
    surface, steps, noise : what was asked; ``noise`` is the standard deviation added to each
        coordinate of each gradient.
    traces : in the order of methods, then starts, then seeds.
    """

    surface: Surface
    steps: int
    noise: float
    traces: tuple[Trace, ...]

    @property
    def labels(self) -> list[str]:
        """Return the methods' labels, each once, in their order."""
        return list(dict.fromkeys(trace.label for trace in self.traces))

    @property
    def start(self) -> tuple[float, float]:
        """Return the first start."""
        return self.traces[0].start

    @property
    def seeds(self) -> list[int]:
        """Return the seeds, each once."""
        return sorted({trace.seed for trace in self.traces})

    def frame(self) -> pd.DataFrame:
        """Return one row per method, start, seed and step.

        Columns: ``method``, ``start``, ``seed``, ``step``, ``x``, ``y``, ``value``, the gradient
        ``gx``, ``gy`` taken there (NaN at the last point), and each state array of the rules as
        ``name_x``, ``name_y`` (NaN where a rule keeps none of that name).
        """
        import pandas as pd

        return pd.concat([_frame(trace) for trace in self.traces], ignore_index=True)


def _frame(trace: Trace) -> pd.DataFrame:
    import pandas as pd

    path = trace.path
    gradients = np.vstack([path.gradients, np.full((1, 2), np.nan)])
    return pd.DataFrame(
        {
            "method": trace.label,
            "start": [trace.start] * len(path.points),
            "seed": trace.seed,
            "step": np.arange(len(path.points)),
            "x": path.points[:, 0],
            "y": path.points[:, 1],
            "value": path.values,
            "gx": gradients[:, 0],
            "gy": gradients[:, 1],
            **{
                f"{name}_{axis}": array[:, i]
                for name, array in path.states.items()
                for i, axis in enumerate("xy")
            },
        }
    )


def descend(
    surface: Surface,
    methods: Sequence[Method],
    *,
    lr: Sequence[float | Schedule] = (),
    steps: int = 60,
    starts: Sequence[tuple[float, float]] = (),
    noise: float = 0.0,
    seeds: int = 1,
) -> Descents:
    """Descend ``surface`` with every method, learning rate, start and seed.

    Parameters
    ----------
    methods : see :func:`descenso.methods.parse_list`. A regime (``sgd``, ``minibatch``, ``@8``)
        says how many examples a gradient sees, all of them without one; only the regression has
        examples. Weight decay is 0 unless it is given: it pulls towards the origin, whatever the
        surface.
    lr : learning rates or schedules; each method is run with each of them, unless it fixes its
        own. If empty, each method's is chosen by :func:`tuned_learning_rate`.
    steps : how many, from 1 to 100,000; all paths together at most 2,000,000.
    starts : where to begin; the surface's usual start if empty.
    noise : standard deviation of the normal noise on each coordinate of each gradient. Methods
        with the same seed see the same noise.
    seeds : how many, numbered from 0.

    Raises
    ------
    BudgetError
        If steps or seeds are no positive whole numbers, or too many together.
    SettingError
        If the noise is negative, or a regime is asked of a surface without examples.
    ParameterError
        If a start has no finite value.
    """
    places = list(starts) or [surface.start]
    _check(methods, steps, seeds, noise, len(places) * max(1, len(lr)))
    traces: list[Trace] = []
    for method in map(without_decay, methods):
        size = _examples_per_step(surface, method)
        own = method.fixed.get("lr")
        rates: Sequence[Any] = [own] if own is not None else (lr or [None])
        for rate in rates:
            label = method.label if len(rates) == 1 else _with_rate(method, rate)
            sees = [_gradients(surface, noise, size, seed, steps) for seed in range(seeds)]
            found = None if rate else _tuned(surface, method, places[0], steps, sees[0])
            chosen = found.lr if found else rate
            for start in places:
                for seed in range(seeds):
                    path, end = _one(surface, method, chosen, start, steps, sees[seed])
                    reason = found.reason if found else None
                    traces.append(Trace(label, method, start, seed, path, end, reason, size))
    return Descents(surface, steps, noise, tuple(traces))


def _check(methods: Sequence[Method], steps: int, seeds: int, noise: float, each: int) -> None:
    for name, value, most in (("steps", steps, MOST_STEPS), ("seeds", seeds, MOST_PATHS)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise BudgetError(
                _("{name} must be a whole number from 1 to {most}; got {value!r}").format(
                    name=name, most=most, value=value
                )
            )
    if not (math.isfinite(noise) and noise >= 0):
        raise SettingError(
            _("the noise must be a finite number, 0 or more; got {value}").format(value=noise)
        )
    paths = len(methods) * seeds * each
    if paths > MOST_PATHS or paths * steps > MOST_WORK:
        raise BudgetError(
            _(
                "{paths} paths of {steps} steps are too many: at most {most} paths and {work} steps "
                "of all together"
            ).format(paths=paths, steps=steps, most=MOST_PATHS, work=MOST_WORK)
        )


def _examples_per_step(surface: Surface, method: Method) -> int | None:
    """Return how many examples a gradient sees; ``None`` for the surface's own gradient."""
    examples = _surfaces.examples(surface)
    if not examples:
        if "@" in method.label:
            raise SettingError(
                _(
                    "{method}: {surface} has no examples, so leave out the batch size after @"
                ).format(method=method.label, surface=surface.name)
            )
        return None
    # A method that names no regime sees all examples: on two parameters nobody expects less.
    plain = method.batch_size is None and not method.label.startswith("minibatch")
    size = examples if plain else method.examples_per_step(examples, _MINI_BATCH)
    return None if size >= examples else size


def _gradients(
    surface: Surface, noise: float, size: int | None, seed: int, steps: int
) -> Gradient | None:
    """Return what the steps of a path with that seed see; ``None`` for the plain gradient."""
    if not noise and size is None:
        return None
    rng = np.random.default_rng(seed)
    added = noise * rng.normal(size=(steps, 2)) if noise else np.zeros((steps, 2))
    order = _order(rng, _surfaces.examples(surface), size, steps) if size else None

    def seen(theta: Floats, step: int) -> Floats:
        if order is None:
            slope = surface.gradient(theta)
        else:
            slope = np.stack(_surfaces.example_slope(theta, order[step]))
        return np.asarray(slope + added[step].reshape(2, *([1] * (np.ndim(slope) - 1))))

    return seen


def _order(rng: np.random.Generator, examples: int, size: int, steps: int) -> Any:
    """Return the examples of each step, shape (steps, size): shuffled anew in every epoch."""
    epochs = math.ceil(steps * size / examples)
    shuffled = np.concatenate([rng.permutation(examples) for _epoch in range(epochs)])
    return shuffled[: steps * size].reshape(steps, size)


def _tuned(
    surface: Surface, method: Method, start: tuple[float, float], steps: int, sees: Gradient | None
) -> Tuned:
    # A decay that was asked for plays no part here, where it could solve the surface by itself.
    settings = method.definition().settings(**method.fixed)
    settings |= {name: 0.0 for name in settings if name == "weight_decay"}
    return tuned_learning_rate(surface, method.definition(), settings, start, steps, sees)


def _with_rate(method: Method, rate: float | Schedule) -> str:
    fixed = as_text({**method.fixed, "lr": rate}).replace(" ", "")
    return f"{method.label.partition('(')[0]}({fixed})"


def _one(
    surface: Surface,
    method: Method,
    lr: float | Schedule,
    start: tuple[float, float],
    steps: int,
    sees: Gradient | None,
) -> tuple[Path, End]:
    counted = iter(range(steps))

    def grad(theta: Floats) -> Floats:
        return sees(theta, next(counted)) if sees else surface.gradient(theta)

    settings = {**method.fixed, "lr": lr}
    path = minimize(surface.function, grad, start, method.rule, steps, **settings)
    return _cut(surface, path)


def _cut(surface: Surface, path: Path) -> tuple[Path, End]:
    """Cut a path where it has left for good, and say how it ended."""
    middle = np.array([(low + high) / 2 for low, high in surface.window])
    sides = np.array([high - low for low, high in surface.window])
    far = np.flatnonzero((np.abs(path.points - middle) > FAR * sides).any(axis=1))
    end: End = "ran"
    if len(far):
        n = max(int(far[0]), 1)
        states = {name: array[: n + 1] for name, array in path.states.items()}
        path = replace(
            path,
            points=path.points[: n + 1],
            values=path.values[: n + 1],
            gradients=path.gradients[:n],
            states=states,
            diverged_at=n,
        )
    if path.diverged_at is not None:
        end = "left" if len(far) and path.values[-1] < path.values[0] else "diverged"
    return path, end
