"""A rule takes the steps of its authors' program, or of an established one, in float64."""

from __future__ import annotations

import jax
import numpy as np
import optax
import pytest
import pytorch_optimizer
import torch
from optax import contrib

from descenso import rules, schedules
from descenso.methods import parse
from descenso.ops import numpy as xp
from descenso.testing import conformance


def in_torch(make, **settings):
    """Where an optimizer of PyTorch's form ends, from the start of the conformance suite."""
    theta = {k: torch.nn.Parameter(torch.tensor(a)) for k, a in conformance.start().items()}
    options = {"foreach": False} if make.__module__.startswith("torch.optim") else {}
    optimizer = make(list(theta.values()), **settings, **options)
    for grads in conformance.gradients():
        for key, parameter in theta.items():
            parameter.grad = torch.tensor(grads[key])
        optimizer.step()
    return {key: parameter.detach().numpy() for key, parameter in theta.items()}


def in_optax(make, change=lambda state: state, **settings):
    """Where an optimizer of optax ends; ``change`` acts on its state before the first step."""
    with jax.enable_x64(True):
        transformation = make(**settings)
        theta = jax.tree.map(jax.numpy.asarray, conformance.start())
        state = change(transformation.init(theta))
        update = jax.jit(transformation.update)
        for grads in conformance.gradients():
            updates, state = update(grads, state, theta)
            theta = optax.apply_updates(theta, updates)
        return jax.tree.map(np.asarray, theta)


def ours(text, **live):
    """Where the bare rule ends; a live setting is a schedule."""
    method = parse(text)
    settings = {**method.default_settings(), **live}
    rule, theta = method.definition(), conformance.start()
    state = {key: rule.start(xp, array, settings) for key, array in theta.items()}
    for t, grads in enumerate(conformance.gradients(), start=1):
        now = {n: v(t - 1) if callable(v) else v for n, v in settings.items()}
        for key in theta:
            theta[key], state[key] = rule.update(xp, theta[key], grads[key], state[key], t, now)
    return theta


def _yogi(lr, **options):
    return optax.chain(optax.scale_by_yogi(**options), optax.scale(-lr))


def _mean_from_zero(state):
    """Yogi's state with its mean gradient at 0, which optax starts where it starts the square."""
    zero = jax.tree.map(jax.numpy.zeros_like, state[0].mu)
    return (state[0]._replace(mu=zero), *state[1:])


def _beside_v(value, beta2):
    """What is added to v, of which v̂ is the correction."""
    return lambda updates: value / (1 - beta2 ** (updates + 1))


SINGLE = ("qhadam(lr=0.05,beta1=0.8,beta2=0.9,nu1=0.6,nu2=0.7,eps=0.1)",)  # weighs in float32
# What is written here, and what ends where it does.
PROGRAMS = {
    "lion(lr=0.05,beta1=0.8,beta2=0.7,weight_decay=0.3)": lambda: in_torch(
        pytorch_optimizer.Lion, lr=0.05, betas=(0.8, 0.7), weight_decay=0.3
    ),
    "lion(lr=0.02)": lambda: in_optax(optax.lion, learning_rate=0.02, weight_decay=0.0),
    "signum(lr=0.05,beta=0.7)": lambda: in_torch(pytorch_optimizer.SignSGD, lr=0.05, momentum=0.7),
    "sign_descent(lr=0.05)": lambda: in_torch(pytorch_optimizer.SignSGD, lr=0.05, momentum=0.0),
    "tiger(lr=0.05,beta=0.7,weight_decay=0.3)": lambda: in_torch(
        pytorch_optimizer.Tiger, lr=0.05, beta=0.7, weight_decay=0.3
    ),
    "adagrad(lr=0.3,eps=0.1)": lambda: in_torch(torch.optim.Adagrad, lr=0.3, eps=0.1),
    "adagrad(lr=0.3,eps=0,eps_root=0.4)": lambda: in_optax(
        optax.adagrad, learning_rate=0.3, initial_accumulator_value=0.1, eps=0.3
    ),
    "adadelta(lr=0.5,beta=0.8,eps_root=0.1)": lambda: in_torch(
        torch.optim.Adadelta, lr=0.5, rho=0.8, eps=0.1
    ),
    "adamax(lr=0.05,beta1=0.8,beta2=0.7,eps=0.1)": lambda: in_torch(
        torch.optim.Adamax, lr=0.05, betas=(0.8, 0.7), eps=0.1
    ),
    "nadam(lr=0.05,beta1=0.8,beta2=0.7,eps=0.1,eps_root=0.2)": lambda: in_optax(
        optax.nadam, learning_rate=0.05, b1=0.8, b2=0.7, eps=0.1, eps_root=0.2
    ),
    "nadamw(lr=0.05,beta1=0.8,eps=0.1,weight_decay=0.3)": lambda: in_optax(
        optax.nadamw, learning_rate=0.05, b1=0.8, eps=0.1, weight_decay=0.3
    ),
    "radam(lr=0.05,beta1=0.8,beta2=0.98)": (
        lambda: in_torch(torch.optim.RAdam, lr=0.05, betas=(0.8, 0.98), eps=0.1),
        {"eps": schedules.uncorrected(0.1, beta=0.98)},
    ),
    "radam(lr=0.05,eps=0.1,eps_root=0.2)": lambda: in_optax(
        optax.radam, learning_rate=0.05, eps=0.1, eps_root=0.2
    ),
    "rprop(lr=0.05,shrink=0.4,grow=1.3,lowest=0.01,highest=0.2)": lambda: in_torch(
        torch.optim.Rprop, lr=0.05, etas=(0.4, 1.3), step_sizes=(0.01, 0.2)
    ),
    "yogi(lr=0.05,beta1=0.8,beta2=0.9,eps=0.1,initial=0.3)": lambda: in_optax(
        _yogi, _mean_from_zero, lr=0.05, b1=0.8, b2=0.9, eps=0.1, initial_accumulator_value=0.3
    ),
    "laprop(lr=0.05,beta1=0.8,beta2=0.9)": (
        lambda: in_torch(
            pytorch_optimizer.LaProp, lr=0.05, betas=(0.8, 0.9), eps=0.1, foreach=False
        ),
        {"eps": schedules.uncorrected(0.1, beta=0.9), "eps_root": _beside_v(1e-15, 0.9)},
    ),
    "adabelief(lr=0.05,beta1=0.8,beta2=0.9,eps=0.1,eps_root=0.1)": lambda: in_torch(
        pytorch_optimizer.AdaBelief, lr=0.05, betas=(0.8, 0.9), eps=0.1, rectify=False
    ),
    "adabelief(lr=0.05,eps=0.1,eps_root=0.02)": lambda: in_optax(
        optax.adabelief, learning_rate=0.05, eps=0.1, eps_root=0.02
    ),
    "adopt(lr=0.05,beta1=0.8,beta2=0.9,eps=0.1)": lambda: in_optax(
        contrib.adopt, learning_rate=0.05, b1=0.8, b2=0.9, eps=0.1
    ),
    "ademamix(lr=0.05,beta1=0.8,beta2=0.9,beta3=0.95,alpha=3,eps=0.1,weight_decay=0.3)": (
        lambda: in_torch(
            pytorch_optimizer.AdEMAMix,
            lr=0.05,
            betas=(0.8, 0.9, 0.95),
            alpha=3.0,
            eps=0.1,
            weight_decay=0.3,
            weight_decouple=True,
        )
    ),
    "adan(lr=0.05,beta1=0.8,beta2=0.7,beta3=0.9,eps=0.1,weight_decay=0.3)": lambda: in_torch(
        pytorch_optimizer.Adan, lr=0.05, betas=(0.8, 0.7, 0.9), eps=0.1, weight_decay=0.3
    ),
    "grams(lr=0.05,beta1=0.8,beta2=0.9,eps=0.1,weight_decay=0.3)": lambda: in_torch(
        pytorch_optimizer.Grams, lr=0.05, betas=(0.8, 0.9), eps=0.1, weight_decay=0.3
    ),
    "qhm(lr=0.05,beta=0.8,nu=0.6)": lambda: in_torch(
        pytorch_optimizer.QHM, lr=0.05, momentum=0.8, nu=0.6
    ),
    "qhadam(lr=0.05,beta1=0.8,beta2=0.9,nu1=1,eps=0.1)": lambda: in_torch(
        torch.optim.Adam, lr=0.05, betas=(0.8, 0.9), eps=0.1
    ),
    "qhadam(lr=0.05,beta1=0.8,beta2=0.9,nu1=0.6,nu2=0.7,eps=0.1)": lambda: in_torch(
        pytorch_optimizer.QHAdam, lr=0.05, betas=(0.8, 0.9), nus=(0.6, 0.7), eps=0.1
    ),
}


@pytest.mark.parametrize("text", PROGRAMS)
def test_a_rule_ends_where_the_other_program_does(text):
    theirs, live = PROGRAMS[text] if isinstance(PROGRAMS[text], tuple) else (PROGRAMS[text], {})
    tolerance = 1e-6 if text in SINGLE else 1e-12
    assert conformance.worst(ours(text, **live), theirs()) <= tolerance


def test_every_rule_that_has_no_other_test_is_compared_here():
    """The seven of tests/torch, tests/jax and tests/keras are compared there."""
    elsewhere = {"adam", "adamw", "amsgrad", "gradient_descent", "momentum", "nesterov", "rmsprop"}
    assert {parse(text).rule for text in PROGRAMS} == set(rules.names()) - elsewhere
