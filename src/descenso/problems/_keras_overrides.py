"""What a Keras model does by its own code or by its compile, where ``fit`` would call it."""

from __future__ import annotations

from typing import Any

from descenso.errors import ProblemError
from descenso.language import _

#: Methods of a model that decide what is trained, and those that decide what it is judged by.
TRAINING = (
    "train_step", "test_step", "fit", "evaluate", "train_on_batch", "make_train_function",
    "make_test_function", "compute_loss_and_updates", "stateless_compute_loss",
)  # fmt: skip
LOSS, METRICS = "compute_loss", "compute_metrics"


def check_overrides(model: Any, *, loss_given: bool, metric_given: bool) -> None:
    """Check that a model does not train by code of its own, which would not be run here.

    Raises
    ------
    ProblemError
        If it does; the message names the class and the method.
    """
    names = [*TRAINING, *([] if loss_given else [LOSS]), *([] if metric_given else [METRICS])]
    for name in names:
        owner = _overriding(model, name)
        if owner is None:
            continue
        way = _(
            "Put what it does into the model's layers (add_loss is followed) or into the loss, a "
            "function (targets, outputs)"
        )
        if name == LOSS:
            way = _("Give what it computes as loss=, a function (targets, outputs)")
        if name == METRICS:
            way = _("Give what it computes as metric=, a descenso.problems.Metric")
        raise ProblemError(
            _("from_keras: {owner} overrides {name}, which is not followed here. {way}").format(
                owner=owner, name=name, way=way
            )
        )


def _overriding(model: Any, name: str) -> str | None:
    """Return the class that overrides a method of Keras, or ``None``."""
    if name in vars(model):
        return type(model).__name__
    for kind in type(model).__mro__:
        if name in vars(kind):
            ours = kind.__module__.partition(".")[0] != "keras"
            return kind.__name__ if ours else None
    return None


def compiled_metrics(model: Any) -> list[Any]:
    """Return the metrics that a model is compiled with.

    Raises
    ------
    ProblemError
        If some are weighted, or the loss is.
    """
    compiled = getattr(model, "_compile_metrics", None)
    loss = getattr(model, "_compile_loss", None)
    if getattr(compiled, "_user_weighted_metrics", None):
        raise ProblemError(
            _("from_keras: weighted_metrics are not followed here; give metrics= or metric=")
        )
    if getattr(loss, "_user_loss_weights", None):
        raise ProblemError(_("from_keras: loss_weights are not followed here"))
    return list(_flat(getattr(compiled, "_user_metrics", None)))


def _flat(given: Any) -> Any:
    if given is None:
        return
    if isinstance(given, dict):
        given = list(given.values())
    if isinstance(given, tuple | list):
        for one in given:
            yield from _flat(one)
        return
    yield given
