"""optax's own tests of its optimizers and wrappers, with descenso's in place of its optimizers.

Each function below takes optax's arguments and gives the transformation of descenso that equals
optax's; the tests are the ones that optax installs. Prints, as the last line, JSON that maps each test
to its traceback, or to null if it passed.
"""

import importlib
import json
import sys
from contextlib import ExitStack
from unittest import mock

import optax
from optax._src import alias
from tests import _foreign_tests

import descenso.jax as ours

MODULES = (
    "_src.alias_test", "_src.base_test", "_src.lookahead_test", "_src.float64_test", "_src.sharding_test",
    "transforms._accumulation_test", "transforms._combining_test", "transforms._conditionality_test",
    "transforms._freezing_test", "transforms._layouts_test", "transforms._masking_test",
    "transforms._monitoring_test", "schedules._inject_test", "tree_utils._state_utils_test",
    "contrib._schedule_free_test",
)  # fmt: skip


def sgd(learning_rate, momentum=None, nesterov=False, accumulator_dtype=None):
    if momentum is None:
        return ours.gradient_descent(learning_rate)
    if nesterov:
        return ours.nesterov(learning_rate, beta=momentum, state_dtype=accumulator_dtype)
    return ours.momentum(learning_rate, beta=momentum, dampening=0.0, state_dtype=accumulator_dtype)


def adam(learning_rate, b1=0.9, b2=0.999, eps=1e-8, eps_root=0.0, mu_dtype=None, *, nesterov=False):
    assert not nesterov
    return ours.adam(
        learning_rate, beta1=b1, beta2=b2, eps=eps, eps_root=eps_root, state_dtype={"m": mu_dtype}
    )


def adamw(
    learning_rate, b1=0.9, b2=0.999, eps=1e-8, eps_root=0.0, mu_dtype=None, weight_decay=1e-4,
    mask=None, *, nesterov=False,
):  # fmt: skip
    assert mask is None
    assert not nesterov
    return ours.adamw(
        learning_rate, beta1=b1, beta2=b2, eps=eps, eps_root=eps_root, weight_decay=weight_decay,
        state_dtype={"m": mu_dtype},
    )  # fmt: skip


def rmsprop(
    learning_rate, decay=0.9, eps=1e-8, initial_scale=0.0, eps_in_sqrt=True, centered=False,
    momentum=None, nesterov=False, bias_correction=False,
):  # fmt: skip
    del initial_scale, nesterov, bias_correction  # the tests leave them at their defaults
    where = {"eps_root": eps, "eps": 0.0} if eps_in_sqrt else {"eps": eps, "eps_root": 0.0}
    return ours.rmsprop(
        learning_rate,
        beta=decay,
        centered=centered,
        momentum=0.0 if momentum is None else momentum,
        **where,
    )


def amsgrad(learning_rate, b1=0.9, b2=0.999, eps=1e-8, eps_root=0.0, mu_dtype=None, **options):
    return ours.amsgrad(
        learning_rate, beta1=b1, beta2=b2, state_dtype={"m": mu_dtype},
        eps=lambda updates: eps / (1 - b2 ** (updates + 1)) ** 0.5,
    )  # fmt: skip


# Half a minute each, and ten thousand steps of what tests/jax/test_against_optax.py compares exactly.
SLOW = ("test_multi_steps_mixed_precision", "test_optimization", "test_state_shape_dtype_shard")
FUNCTIONS = {f.__name__: f for f in (sgd, adam, adamw, rmsprop, amsgrad)}


def outcomes(swap=True):
    modules = [importlib.import_module(f"optax.{name}") for name in MODULES]
    with ExitStack() as stack:
        for name, made in FUNCTIONS.items() if swap else ():
            stack.enter_context(mock.patch.object(alias, name, made))
            stack.enter_context(mock.patch.object(optax, name, made))
        return _foreign_tests.outcomes(modules, _is_ours, "optax.")


def _is_ours(case):
    """Whether a test reaches one of the optimizers above: by its arguments, or by its text."""
    if any(case._testMethodName.startswith(slow) for slow in SLOW):
        return False
    if "alias_test" not in case.id():
        return case._testMethodName != "test_session"
    names = [
        part.split("'")[1] for part in case.id().split("opt_name='")[1:] for part in ["'" + part]
    ]
    return bool(names) and names[0] in {*FUNCTIONS, "sgd_mom"}


if __name__ == "__main__":
    print(json.dumps(outcomes(swap="plain" not in sys.argv)))
