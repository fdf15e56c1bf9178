"""A step of descenso/torch against torch's loop, foreach and fused, and the memory bound."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from typing import Any

import torch

import descenso.torch
from benchmarks._shapes import NETWORKS
from benchmarks._timing import interleaved, row

Parameters = list[torch.nn.Parameter]
Make = Callable[[Parameters], Any]

FUSED_TARGET = 1.05  # Adam, AdamW and momentum, which torch has as one fused kernel
UNFUSED_TARGET = 0.5  # rules without one, on the two large networks
SMALL_TARGET = 1.0  # every rule on the small network
BOUND_SHARE = 0.85  # of the speed that memory allows, on the two large networks
COLD_SECONDS, WARM_SECONDS = 20.0, 2.0
_TRIAD_SIZE = 1 << 26


def _torch_peers(make: Callable[..., Any], fused: bool, **settings: Any) -> dict[str, Make]:
    def peer(**path: bool) -> Make:
        return lambda parameters: make(parameters, **settings, **path)

    peers = {"torch loop": peer(foreach=False), "torch foreach": peer(foreach=True)}
    return {**peers, "torch fused": peer(fused=True)} if fused else peers


def _sgdw(**settings: Any) -> dict[str, Make]:
    # pytorch_optimizer hands out torch's own Adam, AdamW, SGD and RMSprop; this one is its own.
    try:
        from pytorch_optimizer import SGDW
    except ImportError:
        return {}
    return {"pytorch_optimizer SGDW": lambda p: SGDW(p, weight_decay=0.0, **settings)}


_MOMENTUM = {"lr": 1e-2, "momentum": 0.9}
#: Rule -> (ours, peers, arrays read or written per step).
RULES: dict[str, tuple[Make, dict[str, Make], int]] = {
    "gradient_descent": (
        descenso.torch.GradientDescent,
        _torch_peers(torch.optim.SGD, fused=True, lr=1e-2),
        3,
    ),
    "momentum": (
        lambda p: descenso.torch.Momentum(p, dampening=0.0),
        {**_torch_peers(torch.optim.SGD, fused=True, **_MOMENTUM), **_sgdw(**_MOMENTUM)},
        5,
    ),
    "nesterov": (
        descenso.torch.Nesterov,
        {
            **_torch_peers(torch.optim.SGD, fused=True, **_MOMENTUM, nesterov=True),
            **_sgdw(**_MOMENTUM, nesterov=True),
        },
        5,
    ),
    "rmsprop": (descenso.torch.RMSprop, _torch_peers(torch.optim.RMSprop, fused=False), 5),
    "adam": (descenso.torch.Adam, _torch_peers(torch.optim.Adam, fused=True), 7),
    "adamw": (descenso.torch.AdamW, _torch_peers(torch.optim.AdamW, fused=True), 7),
}


def rows(
    networks: Iterable[str] = NETWORKS, rules: Iterable[str] = RULES, seconds: float = 6.0
) -> list[dict[str, Any]]:
    """Return rows for each network and rule: against the best peer, and against the bound."""
    made = []
    for network in networks:
        parameters = parameters_of(network)
        for rule in rules:
            times = _time(parameters, rule, network, seconds)
            made += _rows_of(network, rule, times, sum(p.numel() for p in parameters))
    return made


def parameters_of(network: str) -> Parameters:
    """Return the network's parameters with random values and gradients, the same at each call."""
    generator = torch.Generator().manual_seed(0)
    parameters = [
        torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in NETWORKS[network]()
    ]
    for p in parameters:
        p.grad = torch.randn(p.shape, generator=generator)
    return parameters


def _time(
    parameters: Parameters, rule: str, network: str, seconds: float
) -> dict[str, list[float]]:
    """Time every contender on the same parameters; each has a state of its own."""
    ours, peers, _ = RULES[rule]
    contenders = {name: make(parameters).step for name, make in {"ours": ours, **peers}.items()}
    calls = 50 if network == "mnist_dense" else 1
    if network != "mnist_dense":
        contenders["triad"] = _triad()
    return interleaved(contenders, seconds=seconds, calls=calls)


def _triad() -> Callable[[], None]:
    """Return a call that streams two arrays through memory: two reads and one write of each."""
    a, b = torch.zeros(_TRIAD_SIZE), torch.ones(_TRIAD_SIZE)

    def call() -> None:
        torch.add(a, b, alpha=0.5, out=a)

    return call


def _rows_of(
    network: str, rule: str, times: dict[str, list[float]], elements: int
) -> list[dict[str, Any]]:
    peers = {name: times[name] for name in times if name not in ("ours", "triad")}
    best = min(peers, key=lambda name: statistics.median(peers[name]))
    against_best = {"ours": times["ours"], "theirs": peers[best]}
    made = [row(f"torch {rule} {network}", best, against_best, _target(network, rule))]
    made[0]["all"] = {name: statistics.median(values) for name, values in times.items()}
    if "triad" in times:
        share = RULES[rule][2] * elements / (3 * _TRIAD_SIZE)
        bound = {"ours": times["ours"], "theirs": [t * share for t in times["triad"]]}
        made.append(row(f"torch {rule} {network}, memory bound", "triad", bound, 1 / BOUND_SHARE))
    return made


def _target(network: str, rule: str) -> float:
    if network == "mnist_dense":
        return SMALL_TARGET
    fused = "torch fused" in RULES[rule][1]
    return FUSED_TARGET if fused else UNFUSED_TARGET


_FIRST_STEP = """
import time, torch, descenso.torch
parameter = torch.nn.Parameter(torch.zeros(1000))
parameter.grad = torch.ones(1000)
optimizer = descenso.torch.{optimizer}([parameter], compile=True)
start = time.perf_counter()
optimizer.step()
print(time.perf_counter() - start)
"""


def compile_rows(optimizer: str = "Adam", repeats: int = 3) -> list[dict[str, Any]]:
    """Return rows for the first step of a process: nothing cached, and cached on disk."""
    cold, warm = [], []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as cache:
            cold.append(_first_step(optimizer, cache))
            warm.append(_first_step(optimizer, cache))
    return [
        _limit(f"torch {optimizer} first step, cold", cold, COLD_SECONDS),
        _limit(f"torch {optimizer} first step, warm", warm, WARM_SECONDS),
    ]


def _first_step(optimizer: str, cache: str) -> float:
    ran = subprocess.run(
        [sys.executable, "-c", _FIRST_STEP.format(optimizer=optimizer)],
        env={**os.environ, "TORCHINDUCTOR_CACHE_DIR": cache},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(ran.stdout)


def _limit(case: str, seconds: list[float], limit: float) -> dict[str, Any]:
    times = {"ours": seconds, "theirs": [limit] * len(seconds)}
    return {**row(case, "limit", times, 1.0), "unit": "s"}


def bfloat16_rows(network: str = "resnet50", seconds: float = 6.0) -> list[dict[str, Any]]:
    """Return rows of state kept in bfloat16 against our own float32 state."""
    made = []
    parameters = parameters_of(network)
    for rule in ("momentum", "adam", "adamw"):
        ours = descenso.torch.optimizer_class(rule)
        contenders = {
            "ours": ours(parameters, state_dtype="bfloat16").step,
            "theirs": ours(parameters).step,
        }
        times = interleaved(contenders, seconds=seconds)
        made.append(row(f"torch {rule} {network}, bfloat16 state", "float32 state", times, 1.0))
    return made
