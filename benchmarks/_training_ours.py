"""Training with the engines: what the training benchmark sets beside its peers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import count
from multiprocessing.util import Finalize
from typing import Any

from benchmarks._training_cases import SEEDS, Case
from benchmarks._workers import Call
from descenso import problems, rules
from descenso.data import Data, Split
from descenso.engine import layout, prepare_machine
from descenso.records import Member

PRODUCTS = 20


def calls(case: Case, engine: str) -> dict[str, Call]:
    """Return the calls of an engine, ``jax`` or ``torch``."""
    return _jax_calls(case) if engine == "jax" else _torch_calls(case)


def _jax_calls(case: Case) -> dict[str, Call]:
    from descenso.engine.jax import JaxEngine

    prepare_machine()
    problem, data = problems.get(case.problem), case.data()
    offered = {"ours": _trains(JaxEngine(problem, data, 0), case, data)}
    if case.evaluation:
        less = replace(data, validation=_one_of(data.validation))
        offered["not evaluated"] = _trains(JaxEngine(problem, less, 0), case, data)
    if "tutorial" in case.others:
        rmsprop = replace(case, rule="rmsprop")
        offered["ours, rmsprop"] = _trains(JaxEngine(problem, data, 0), rmsprop, data)
    if case.bound:
        offered["matrix product, JAX"] = _products(case)
    return offered


def _torch_calls(case: Case) -> dict[str, Call]:
    from benchmarks._training_torch import as_torch, network
    from descenso.engine.torch import engine

    # A study has enough work in sight for a process per core; a turn of this benchmark may not.
    engine.SECONDS_THAT_PAY = 0.0
    data = case.data()

    def tensors(part: Split) -> Any:
        inputs, targets = case.as_floats(part)
        return as_torch(inputs), targets

    parts = map(tensors, (data.train, data.validation, data.test))
    usual = problems.get(case.problem).epochs
    problem = problems.from_torch(
        partial(network, case), *parts, batch_size=case.batch, epochs=usual
    )
    made = engine.TorchEngine(problem, problem.make_data(0), 0)
    Finalize(None, made.close, exitpriority=10)  # multiprocessing ends a process without atexit
    return {"torch engine": _trains(made, case, data)}


def _one_of(part: Split) -> Split:
    return Split(part.inputs[:1], part.targets[:1])


def _trains(engine: Any, case: Case, data: Data) -> Call:
    """Return the call that trains a population of new seeds, validation and bookkeeping included."""
    steps = case.members * case.epochs * (len(data.train) // case.batch)
    first_seeds = count(0, 1000)

    def train() -> None:
        last = {}
        for runs in engine.train(_members(case, next(first_seeds)), case.epochs):
            last.update({run.member.key: run.curve for run in runs})
        taken = sum(curve.steps for curve in last.values())
        if taken != steps:
            raise RuntimeError(f"{taken} steps were taken, not {steps}: a member diverged")

    return Call(train, steps)


def _members(case: Case, first_seed: int) -> list[Member]:
    rule = rules.get(case.rule)
    usual = 0.01 if case.rule == "momentum" else 0.001
    return [
        Member(case.rule, case.rule, rule.settings(lr=usual * (1 + i / 100)), case.batch,
               first_seed + i % SEEDS)
        for i in range(case.members)
    ]  # fmt: skip


def _products(case: Case) -> Call:
    """Return the call that multiplies large matrices, one stream per core as the engine has."""
    import jax

    from benchmarks._training_torch import SIDE, operations

    matrix = jax.numpy.ones((SIDE, SIDE), "float32")
    product: Callable[[Any, Any], Any] = jax.jit(jax.numpy.matmul)
    streams = layout.cores()
    pool = ThreadPoolExecutor(streams)

    def some(_stream: int) -> None:
        for _ in range(PRODUCTS // streams):
            product(matrix, matrix).block_until_ready()

    worth = PRODUCTS // streams * streams * 2 * SIDE**3 / operations(case)
    return Call(lambda: list(pool.map(some, range(streams))), worth)
