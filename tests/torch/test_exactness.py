"""Rules on every path give the numbers of torch.optim; every rule is the same in float32."""

from __future__ import annotations

import pytest
import torch
from tests import typical

from descenso.torch import optimizer_class

SHAPES = ((7, 5), (3,), ())
PATHS = {
    "plain": {"compile": False},
    "lists": {"foreach": True},
    "kernel": {"compile": True},
}


TWINS = [
    ("adam", {"lr": 0.01}, torch.optim.Adam, {"lr": 0.01}),
    ("adam", {"eps": 0.1, "beta1": 0.5}, torch.optim.Adam, {"eps": 0.1, "betas": (0.5, 0.999)}),
    ("adamw", {"weight_decay": 0.3}, torch.optim.AdamW, {"weight_decay": 0.3}),
    ("rmsprop", {"lr": 0.01, "beta": 0.99, "eps": 1e-8, "eps_root": 0.0}, torch.optim.RMSprop, {}),
    ("rmsprop", {"lr": 0.01, "beta": 0.9, "eps": 0.1, "eps_root": 0.0, "centered": True,
                 "momentum": 0.8},
     torch.optim.RMSprop, {"alpha": 0.9, "eps": 0.1, "centered": True, "momentum": 0.8}),
    ("momentum", {"lr": 0.1, "beta": 0.9, "dampening": 0.0}, torch.optim.SGD,
     {"lr": 0.1, "momentum": 0.9}),
    ("nesterov", {"lr": 0.1, "beta": 0.8}, torch.optim.SGD,
     {"lr": 0.1, "momentum": 0.8, "nesterov": True}),
    ("gradient_descent", {"lr": 0.1}, torch.optim.SGD, {"lr": 0.1}),
]  # fmt: skip


def _run_both(ours, theirs, steps=60):
    torch.manual_seed(5)
    for _ in range(steps):
        for a, b in zip(
            ours.param_groups[0]["params"], theirs.param_groups[0]["params"], strict=True
        ):
            a.grad = torch.randn_like(a)
            b.grad = a.grad.clone()
        ours.step()
        theirs.step()
    return max(
        (a - b).abs().max().item()
        for a, b in zip(
            ours.param_groups[0]["params"], theirs.param_groups[0]["params"], strict=True
        )
    )


def _twins(dtype=torch.float64):
    torch.manual_seed(1)
    ours = [torch.nn.Parameter(torch.randn(shape, dtype=dtype)) for shape in SHAPES]
    return ours, [torch.nn.Parameter(p.detach().clone()) for p in ours]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("name", "settings", "peer", "peer_settings"), TWINS)
def test_the_same_settings_give_the_steps_of_torch_optim(name, settings, peer, peer_settings, path):
    ours, theirs = _twins()
    optimizer = optimizer_class(name)(ours, **settings, **PATHS[path])
    assert _run_both(optimizer, peer(theirs, **peer_settings)) <= 1e-14


def test_torchs_dampening_differs_because_its_first_gradient_is_not_damped():
    ours, theirs = _twins()
    optimizer = optimizer_class("momentum")(ours, lr=0.1, beta=0.9)
    peer = torch.optim.SGD(theirs, lr=0.1, momentum=0.9, dampening=0.9)
    assert _run_both(optimizer, peer) > 1e-3


def test_torchs_dampening_agrees_once_its_buffer_starts_at_zero():
    ours, theirs = _twins()
    optimizer = optimizer_class("momentum")(ours, lr=0.1, beta=0.9)
    peer = torch.optim.SGD(theirs, lr=0.1, momentum=0.9, dampening=0.9)
    for parameter in theirs:
        peer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    assert _run_both(optimizer, peer) <= 1e-14


@pytest.mark.parametrize("path", PATHS)
def test_the_first_step_of_averaging_momentum_is_damped(path):
    parameter = torch.nn.Parameter(torch.zeros(3))
    optimizer = optimizer_class("momentum")([parameter], lr=1.0, beta=0.9, **PATHS[path])
    parameter.grad = torch.ones(3)
    optimizer.step()
    torch.testing.assert_close(parameter.detach(), torch.full((3,), -0.1))


def _after_constant_gradients(make):
    parameter = torch.nn.Parameter(torch.zeros(4))
    optimizer = make([parameter])
    for _ in range(400):
        parameter.grad = torch.full((4,), 0.37)
        optimizer.step()
    return parameter


@pytest.mark.parametrize("path", PATHS)
def test_centered_rmsprop_on_constant_gradients_stays_finite(path):
    settings = {"beta": 0.9, "eps": 1e-8, "eps_root": 0.0, "centered": True, **PATHS[path]}
    ours = _after_constant_gradients(lambda p: optimizer_class("rmsprop")(p, **settings))
    assert torch.isfinite(ours).all()
    theirs = _after_constant_gradients(
        lambda p: torch.optim.RMSprop(p, alpha=0.9, eps=1e-8, centered=True)
    )
    assert torch.isnan(theirs).any()  # the trap is real


@pytest.mark.parametrize("name", typical.RULES)
@pytest.mark.parametrize("path", ["lists", "kernel"])
def test_float32_paths_agree_with_the_plain_rule(name, path):
    ours, theirs = _twins(torch.float32)
    fast = optimizer_class(name)(ours, **PATHS[path])
    plain = optimizer_class(name)(theirs, **PATHS["plain"])
    assert _run_both(fast, plain) < 2e-6


@pytest.mark.parametrize("path", PATHS)
def test_maximize_climbs_as_far_as_minimizing_descends(path):
    ours, theirs = _twins()
    with torch.no_grad():
        for p in (*ours, *theirs):
            p.zero_()
    up = optimizer_class("adam")(ours, maximize=True, **PATHS[path])
    down = optimizer_class("adam")(theirs, **PATHS[path])
    _run_both(up, down, steps=10)
    for a, b in zip(ours, theirs, strict=True):
        assert a.abs().max() > 0
        torch.testing.assert_close(a, -b)
