"""Guided tours: each stop sets the playground and says what to look at."""

from __future__ import annotations

from typing import Any

from descenso.language import _

_RAVINE = {
    "surface": "ravine",
    "x": -10,
    "y": 1,
    "steps": 60,
    "noise": 0,
    "seeds": 1,
    "window": [-11, 3, -1.4, 1.4],
}


def tours() -> list[dict[str, Any]]:
    """Return the tours in the language in use.

    Every stop has a ``text`` and a ``state``: surface, start, steps, methods as they are written
    in an address, the step shown (``k``) and whether arrows are drawn.
    """
    return [_ravine(), _momentum(), _bias(), _epsilon(), _noise()]


def _stop(text: str, methods: list[str], **state: Any) -> dict[str, Any]:
    return {
        "text": text,
        "state": {**_RAVINE, "methods": methods, "k": None, "arrows": False, **state},
    }


def _ravine() -> dict[str, Any]:
    return {
        "title": _("A high learning rate in a ravine"),
        "stops": [
            _stop(
                _("A ravine is a hundred times steeper across than along. With a small learning "
                  "rate gradient descent goes straight down to the floor, and then hardly moves: "
                  "along the floor the slope is small."),
                ["gradient_descent(lr=0.005)"],
            ),
            _stop(
                _("A larger learning rate moves faster along the floor, but now each step jumps "
                  "across it: the path bounces up and down. It still gets nearer, because each "
                  "bounce is smaller than the last."),
                ["gradient_descent(lr=0.0185)"],
            ),
            _stop(
                _("Above 2/λ = 0.02, where λ = 100 is the largest curvature, each bounce is larger "
                  "than the last. The steep direction alone decides how large the learning rate "
                  "may be."),
                ["gradient_descent(lr=0.0203)"],
            ),
        ],
    }  # fmt: skip


def _momentum() -> dict[str, Any]:
    return {
        "title": _("What momentum does"),
        "stops": [
            _stop(
                _("Plain gradient descent, close to the largest learning rate it can bear: most "
                  "of each step goes up and down, little goes along."),
                ["gradient_descent(lr=0.0185)"],
            ),
            _stop(
                _("Momentum steps along an average of past gradients. Up and down cancel in the "
                  "average; along the floor they add up. So it bears a larger learning rate: up "
                  "to 2(1+β)/((1−β)λ), which is 0.38 for β = 0.9."),
                ["gradient_descent(lr=0.0185)", "momentum(lr=0.1,beta=0.9)"],
            ),
            _stop(
                _("One step taken apart: blue is what the new gradient adds, orange what the "
                  "velocity carries along. Move the step back and forth and watch orange turn "
                  "slowly while blue flips."),
                ["momentum(lr=0.1,beta=0.9)"], k=6, arrows=True,
            ),
            _stop(
                _("Too much momentum overshoots: with β = 0.99 the path rolls past the minimum "
                  "and back for a long time."),
                ["momentum(lr=0.1,beta=0.9)", "momentum(lr=0.1,beta=0.99)"], steps=150,
            ),
        ],
    }  # fmt: skip


def _bias() -> dict[str, Any]:
    return {
        "title": _("Why Adam corrects its bias"),
        "stops": [
            _stop(
                _("Adam's averages m and v start at zero, so at first they are far too small: "
                  "in the first step m becomes a tenth of the gradient, v a thousandth of its "
                  "square. Look at the numbers below: m̂ and v̂ divide by 1 − βᵗ and undo this. "
                  "Here m̂ is the gradient itself."),
                ["adam(lr=0.4)"], k=0,
            ),
            _stop(
                _("RMSprop with the same β₂ = 0.999 does not correct its average. Its first step is "
                  "1/√(1−β₂) ≈ 32 times the learning rate; Adam's first step is the learning rate. "
                  "The learning rate of RMSprop is a hundredth of Adam's here, and its first step "
                  "is still a third as long."),
                ["adam(lr=0.4)", "rmsprop(lr=0.004,beta=0.999)"], k=1,
            ),
            _stop(
                _("Later the correction fades, since βᵗ goes to zero. After a hundred steps, with "
                  "β₁ = 0.9, nothing is left of it in m̂, which is m to four digits. With "
                  "β₂ = 0.999 that takes ten thousand steps: v̂ is still ten times v, and without "
                  "its correction each step would be three times as long."),
                ["adam(lr=0.4)"], steps=120, k=100,
            ),
        ],
    }  # fmt: skip


def _epsilon() -> dict[str, Any]:
    return {
        "title": _("ε inside or outside the root"),
        "stops": [
            _stop(
                _("RMSprop divides by √(s + ε) in the document and in Keras, by √s + ε in PyTorch. "
                  "With a tiny ε the two paths lie on each other."),
                ["rmsprop(lr=0.1,eps_root=1e-8)", "rmsprop(lr=0.1,eps=1e-8,eps_root=0)"],
            ),
            _stop(
                _("With ε = 1 they part: inside the root ε counts as a squared gradient, outside "
                  "as a gradient. Both slow the flat direction more than the steep one, because "
                  "there the gradient is small beside ε."),
                ["rmsprop(lr=0.1,eps_root=1)", "rmsprop(lr=0.1,eps=1,eps_root=0)"],
            ),
            _stop(
                _("With ε = 10\u00a0000 the root hardly counts: both are nearly gradient descent, "
                  "outside with η/ε, inside with η/√ε. Here both are 0.01, from learning rates of "
                  "100 and 1. So an ε cannot be carried from one framework to another."),
                ["rmsprop(lr=1,eps_root=10000)", "rmsprop(lr=100,eps=10000,eps_root=0)",
                 "gradient_descent(lr=0.01)"],
            ),
        ],
    }  # fmt: skip


def _noise() -> dict[str, Any]:
    return {
        "title": _("One example, some, or all"),
        "stops": [
            _stop(
                _("A straight line is fitted to forty points. Stochastic descent sees one of them "
                  "in each step: it is fast at first and never comes to rest. Batch descent sees "
                  "all forty and goes straight, at forty times the cost."),
                ["sgd(lr=0.1)", "batch(lr=0.1)"],
                surface="regression", x=-1, y=2.5, steps=80, seeds=4, window=None,
            ),
            _stop(
                _("A mini-batch of eight lies between. A learning rate that falls to zero lets "
                  "even one example at a time come to rest."),
                ["sgd(lr=0.1)", "minibatch(lr=0.1)", "sgd(lr=0.1)~cosine"],
                surface="regression", x=-1, y=2.5, steps=80, seeds=4, window=None,
            ),
        ],
    }  # fmt: skip
