"""Sixty float64 steps on random gradients, computed from the formulas alone."""

import numpy as np

from descenso import rules, transforms
from descenso.ops import namespace

STEPS = 60


def start():
    """Return two parameters and, for each step, their gradients."""
    rng = np.random.default_rng(0)
    thetas = [rng.normal(size=(3, 2)), rng.normal(size=(2,))]
    return thetas, [[rng.normal(size=a.shape) for a in thetas] for _ in range(STEPS)]


def train(chain, rule="adam", make=np.asarray, lr=0.05, number=lambda t: t, **settings):
    """Return the parameters after all steps and the states of the transforms."""
    thetas, gradients = start()
    thetas = [make(a) for a in thetas]
    xp = namespace(thetas[0])
    fixed = rules.get(rule).settings(**settings)
    slots = [rules.get(rule).start(xp, a, fixed) for a in thetas]
    kept = transforms.start(xp, chain, thetas)
    for k, row in enumerate(gradients):
        t = number(k + 1)
        rate = lr(k) if callable(lr) else lr
        row = transforms.gradients(xp, chain, thetas, [make(g) for g in row], t)
        moved = [
            rules.get(rule).update(xp, theta, g, s, t, {**fixed, "lr": rate})
            for theta, g, s in zip(thetas, row, slots, strict=True)
        ]
        slots = [s for _, s in moved]
        new, kept = transforms.parameters(
            xp, chain, thetas, [a for a, _ in moved], [rate, rate], t, kept
        )
        thetas = new
    return thetas, kept
