"""Keras's own tests of its optimizers, with descenso's in their place.

Each name below takes Keras's arguments, in Keras's order, and gives the optimizer of descenso that
equals Keras's; the tests are the ones that Keras installs.
"""

import importlib
from contextlib import ExitStack
from unittest import mock

import keras
from keras.src import optimizers
from keras.src.utils.naming import auto_name
from tests import _foreign_tests

import descenso.keras as ours
from descenso.schedules import uncorrected

MODULES = (
    "optimizer_test", "optimizer_sparse_test", "sgd_test", "rmsprop_test", "adam_test",
    "adamw_test", "loss_scale_optimizer_test", "multi_optimizer_test",
)  # fmt: skip


class Swapped(type):
    """A class of Keras's, made to give descenso's optimizer."""

    def __call__(cls, *args, **kwargs):
        return cls.make(*args, **kwargs)

    def __instancecheck__(cls, instance):
        return isinstance(instance, ours.RuleOptimizer)


class SGD(metaclass=Swapped):
    @staticmethod
    def make(learning_rate=0.01, momentum=0.0, nesterov=False, weight_decay=None, **options):
        options = {"name": auto_name("SGD"), "weight_decay": weight_decay, **options}
        if not momentum:
            return ours.GradientDescent(learning_rate, **options)
        if nesterov:
            return ours.Nesterov(learning_rate, beta=momentum, **options)
        return ours.Momentum(learning_rate, beta=momentum, dampening=0.0, **options)


class RMSprop(metaclass=Swapped):
    @staticmethod
    def make(
        learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, **options
    ):  # fmt: skip
        return ours.RMSprop(
            learning_rate,
            beta=rho,
            momentum=momentum,
            eps_root=epsilon,
            centered=centered,
            **options,
        )


class Adam(metaclass=Swapped):
    @staticmethod
    def make(
        learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, **options
    ):  # fmt: skip
        made = ours.AMSGrad if amsgrad else ours.Adam
        return made(
            learning_rate,
            beta1=beta_1,
            beta2=beta_2,
            eps=uncorrected(epsilon, beta=beta_2),
            **options,
        )


class AdamW(metaclass=Swapped):
    @staticmethod
    def make(
        learning_rate=0.001, weight_decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-7,
        amsgrad=False, **options,
    ):  # fmt: skip
        made = ours.AMSGrad if amsgrad else ours.AdamW
        return made(
            learning_rate, beta1=beta_1, beta2=beta_2, eps=uncorrected(epsilon, beta=beta_2),
            weight_decay=weight_decay, **options,
        )  # fmt: skip


CLASSES = {"SGD": SGD, "RMSprop": RMSprop, "Adam": Adam, "AdamW": AdamW}


# Cases of optimizers that descenso has no rule for test Keras alone.
OTHERS = (
    "adadelta", "adafactor", "adagrad", "adamax", "ftrl", "lion", "nadam", "scatter_update",
)  # fmt: skip


def outcomes(swap=True):
    """Return what went wrong in each of Keras's tests: its traceback, or None if it passed."""
    with ExitStack() as stack:
        for name, made in CLASSES.items() if swap else ():
            stack.enter_context(mock.patch.object(optimizers, name, made))
            stack.enter_context(mock.patch.object(keras.optimizers, name, made))
        if swap:
            stack.enter_context(mock.patch.object(optimizers, "get", _get))
        # Only now, for one of them makes its cases of these classes when it is imported.
        modules = [importlib.import_module(f"keras.src.optimizers.{name}") for name in MODULES]
        for module in modules if swap else ():
            for name in CLASSES.keys() & vars(module).keys():
                stack.enter_context(mock.patch.object(module, name, CLASSES[name]))
        return _foreign_tests.outcomes(
            modules, lambda case: not _is_left_out(case), "keras.src.optimizers."
        )


_keras_get = optimizers.get


def _get(asked):
    name, config = (
        (asked["class_name"], asked["config"]) if isinstance(asked, dict) else (asked, {})
    )
    known = {name.lower(): made for name, made in CLASSES.items()}
    return known[name](**config) if name in known else _keras_get(asked)


def _is_slow(case):
    """On JAX each shape of a sparse gradient compiles: one optimizer of each kind is enough."""
    kinds = ("_sgd", "_rmsprop", "_adam", "_adamw_amsgrad", "_sgd_momentum_nesterov")
    sparse = "test_sparse_correctness" in case.id() and keras.config.backend() == "jax"
    return sparse and not case.id().endswith(tuple(f"correctness{kind}" for kind in kinds))


def _is_left_out(case):
    method = getattr(case, case._testMethodName)
    marks = [*getattr(type(case), "pytestmark", ()), *getattr(method, "pytestmark", ())]
    return (
        case._testMethodName == "test_session"
        or _is_slow(case)
        or any(mark.name == "skipif" and mark.args[0] for mark in marks)
        or any(other in case.id() for other in OTHERS)
    )
