"""Problems that are watched rather than learnt: the surfaces, and a straight line."""

from __future__ import annotations

import numpy as np

from descenso.data import Data, Split
from descenso.language import N_
from descenso.problems._figures import MSE, mean_squared_error
from descenso.problems._networks import dense_apply, dense_init
from descenso.problems._problem import Array, Metric, Params, Problem
from descenso.problems._surface import Surface

JITTER = 0.01  # how far a seed moves the start, as a share of the window's sides
CLOSE = 1e-3  # a value this near the minimum's counts as solved
WHOLE_BATCH = ("batch", "momentum", "nesterov", "rmsprop", "adam")


def line() -> Problem:
    """The line y = x through 1 to 5, with one weight and one bias.

    Inputs and targets both have shape (5, 1). All five examples are in every part: there is
    nothing to generalise to, and what counts is how fast the line is found.
    """
    values = np.arange(1, 6, dtype=np.float32)[:, None]
    whole = Split(values, values)
    return Problem(
        name="line",
        summary=N_("the line y = x through 1 to 5: one weight and one bias"),
        make_data=lambda split_seed: Data(whole, whole, whole),
        init=dense_init((1, 1)),
        apply=dense_apply,
        loss=mean_squared_error,
        metric=MSE,
        target=1e-3,
        batch_size=2,
        epochs=100,
    )


def descent(surface: Surface) -> Problem:
    """Return the descent of a surface as a problem.

    Its parameters are the two coordinates, shape (2,). It has one example, whose content plays no
    part, so that an epoch is one step; loss and metric are the surface's value. The seed moves the
    start by about 1% of the window. It is solved when the value is within 0.001 of the minimum's;
    a saddle, which has none and falls without end, when the value is lower than any in the window,
    so that the time to the target is the time it takes to escape.
    """
    still = Split(np.zeros((1, 1), np.float32), np.zeros(1, np.float32))
    sides = np.array([high - low for low, high in surface.window])

    def init(rng: np.random.Generator) -> Params:
        moved = np.array(surface.start) + JITTER * sides * rng.normal(size=2)
        return moved.astype(np.float32)

    def apply(params: Params, inputs: Array) -> Array:
        return surface.value(params) + 0 * inputs[:, 0]

    return Problem(
        name=surface.name,
        summary=surface.summary,
        make_data=lambda split_seed: Data(still, still, still),
        init=init,
        apply=apply,
        loss=_height,
        metric=Metric("value", _height, higher_is_better=False),
        target=_solved_at(surface),
        batch_size=1,
        epochs=200,
        methods=WHOLE_BATCH,
        details={"surface": surface.name},
    )


def _solved_at(surface: Surface) -> float:
    """Return the value that counts as solved: close to the minimum's, or else out of view."""
    if surface.minima:
        return surface.minima[0].value + CLOSE
    axes = [np.linspace(low, high, 101) for low, high in surface.window]
    return float(surface.function(np.stack(np.meshgrid(*axes))).min())


def _height(outputs: Array, targets: Array) -> Array:
    # The mean over a single example, without asking which framework it comes from.
    return outputs[0] + 0 * targets[0]
