"""Make a problem of the user's own torch module and data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from descenso.data import Data, Split, split
from descenso.data._check import check_labels
from descenso.data._table_columns import Say
from descenso.errors import DataError, DescensoError, ProblemError
from descenso.language import N_, _
from descenso.methods import SIX
from descenso.metric_names import higher_is_better
from descenso.problems._accuracy import accuracy_for, axis_of_classes, is_rows_of_shares
from descenso.problems._figures import ACCURACY, METRICS, R2, accuracy
from descenso.problems._from_jax import _check_callable, _check_whole, _named
from descenso.problems._from_table import say_on_stderr
from descenso.problems._problem import UNNAMED, Array, Metric, Problem

#: The examples per step where neither the caller nor a loader says another number.
BATCH_SIZE = 32


def from_torch(
    make_model: Callable[[], Any],
    train: Any,
    validation: Any = None,
    test: Any = None,
    *,
    loss: str | Callable[[Array, Array], Array] = "cross-entropy",
    metric: str | Metric | Callable[[Array, Array], Array] | None = None,
    name: str = UNNAMED,
    target: float | None = None,
    batch_size: int | None = None,
    epochs: int = 20,
    methods: tuple[str, ...] = SIX,
    compile: bool | None = None,
    say: Say | None = None,
) -> Problem:
    """Return a problem made of a torch module and its data.

    Parameters
    ----------
    make_model : function without arguments that returns a new ``nn.Module`` with its initial
        weights; torch's, NumPy's and Python's generators are seeded before each call. It may hold
        dropout, batch normalisation, tied weights and frozen parameters; what it remembers from
        one step to the next must be a parameter or a registered buffer. A class will do.
    train, validation, test : pairs ``(inputs, targets)`` of tensors or arrays, where ``inputs``
        may be a tuple of several; a mapping of such arrays; a ``Dataset``; or a ``DataLoader``.
        Items that are mappings go to the module by the names of its ``forward``; the target is
        called ``labels``, ``label``, ``targets``, ``target`` or ``y``. Of other items the last
        element is the target. They are read once, in the order of the data set and without
        workers, so a random transform is drawn once, which is warned of. What a sampler draws
        again is read once too, unless no part is missing. Where batches differ in shape,
        ``collate_fn`` pads all examples as one batch. A part that is missing is split off ``train``
        by the study's seed: 60/20/20, or 80/20 if one is missing.
    loss : ``"cross-entropy"`` (outputs: scores of shape (examples, classes, ...); targets: labels
        from 0 of shape (examples, ...), of which −100 does not count), ``"mse"`` (outputs and
        targets of one shape), or a torch function or module (outputs, targets) → scalar, the mean
        over the examples. One that would broadcast outputs against targets is refused.
    metric : ``"accuracy"`` (beside any loss: of labels of any rank, without those that the loss
        ignores; of rows that add up to 1; of one output for yes and no), ``"mse"``, ``"rmse"``,
        ``"r2"``, a :class:`Metric`, or a function (outputs, targets) → scalar. Higher is
        better where its name says so (``f1``), else lower. Unless given it is accuracy for
        cross-entropy, R² for mse, and the loss itself for a loss of your own.
    name : what to call it; a problem found by ``module:object`` is called so unless named.
    target : value of the metric that counts as solved.
    batch_size : examples per step; that of the loader ``train``, or 32, unless given.
    epochs : the budget unless told otherwise.
    methods : what is compared unless told otherwise.
    compile : whether each step is compiled; ``None`` where the steps of a study are expected to
        pay for it. What cannot be compiled runs as it is.
    say : is given a line for each inference about the items; printed on the standard error
        unless given.

    Raises
    ------
    DataError
        If the examples are empty, of different lengths, not finite, of one class only, or do not
        end.
    ProblemError
        If another argument is of the wrong kind.
    UnknownNameError
        If no loss or metric has the name given.
    """
    from descenso.problems import _torch_examples as reading
    from descenso.problems._torch_items import Items

    judge, losses = _judge_of(loss, metric), _losses()
    loss_function = _named(loss, losses, _("loss"))
    size = batch_size or reading.loader_batch_size(train) or BATCH_SIZE
    _check_maker(make_model)
    _check_whole(size if batch_size is None else batch_size, "batch_size")
    _check_whole(epochs, "epochs")
    given = {"train": train, "validation": validation, "test": test}
    items = Items(_maker_of_module(make_model), say or say_on_stderr)
    whole = validation is not None and test is not None
    parts = {
        part: reading.read_examples(examples, part, items, may_repeat=whole and part == "train")
        for part, examples in given.items()
        if examples is not None or part == "train"
    }
    parts = _without_ignored(parts, loss_function, items.say)
    parts, judge, classes = _with_labels(parts, loss_function, judge)
    parted = _Parted(parts, classes)
    parted(0)  # too few examples are told where they were given
    return Problem(
        name=name,
        summary=N_("a PyTorch problem of your own"),
        make_data=parted,
        init=_Initial(make_model),
        apply=_Call(items.names),
        loss=loss_function,
        metric=judge,
        target=target,
        batch_size=size,
        epochs=epochs,
        methods=methods,
        framework="torch",
        details={"compile": compile},
    )


# ---- loss and metric --------------------------------------------------------------------------


def _losses() -> dict[str, Callable[[Array, Array], Array]]:
    from descenso.problems import _torch_losses

    return _torch_losses.LOSSES


def _judge_of(loss: Any, metric: Any) -> Metric:
    if isinstance(metric, Metric):
        return metric
    if metric is not None:
        found = _named(metric, METRICS, _("metric"))
        if isinstance(found, Metric):
            return found
        label = getattr(found, "__name__", type(found).__name__)
        return Metric(label, found, higher_is_better=higher_is_better(label) is True)
    usual = {"cross-entropy": ACCURACY, "mse": R2}
    if isinstance(loss, str) and loss in usual:
        return usual[loss]
    return Metric("loss", loss, higher_is_better=False)


# ---- model ------------------------------------------------------------------------------------


def _check_maker(given: Any) -> None:
    import torch

    if isinstance(given, torch.nn.Module):
        raise ProblemError(
            _(
                "make_model must be a function that makes a new module each time it is called, for "
                "every seed needs its own; got a module. Write lambda: {kind}(...)"
            ).format(kind=type(given).__name__)
        )
    _check_callable(given, "make_model")


@dataclass(frozen=True)
class _Initial:
    """Makes a module whose initial weights follow a generator."""

    make_model: Callable[[], Any]

    def __call__(self, rng: np.random.Generator) -> Any:
        import torch

        from descenso.problems._torch_switches import own_randomness, seed_everything

        with own_randomness():
            seed_everything(int(rng.integers(2**63)))
            module = self._made()
        if not isinstance(module, torch.nn.Module):
            raise ProblemError(
                _("make_model must return a torch.nn.Module; it returned {kind}").format(
                    kind=type(module).__name__
                )
            )
        return module

    def _made(self) -> Any:
        try:
            return self.make_model()
        except DescensoError:
            raise
        except Exception as error:
            raise ProblemError(
                _("make_model() failed: {kind}: {error}").format(
                    kind=type(error).__name__, error=error
                )
            ) from error


def _maker_of_module(make_model: Callable[[], Any]) -> Callable[[], Any]:
    """Return what gives a module, or its class, to look at what it takes."""
    if isinstance(make_model, type):
        return make_model
    return lambda: _Initial(make_model)(np.random.default_rng(0))


@dataclass(frozen=True)
class _Call:
    """Calls a module on inputs, by name or by place; of what it returns takes the scores."""

    names: tuple[str, ...]

    def __call__(self, module: Any, inputs: tuple[Array, ...]) -> Array:
        if self.names:
            return scores_of(module(**dict(zip(self.names, inputs, strict=True))))
        return scores_of(module(*inputs))


def scores_of(returned: Any) -> Any:
    """Return the tensor that a module gives as ``logits``, or alone in a tuple; else all of it."""
    if hasattr(returned, "shape"):
        return returned
    named = returned.get("logits") if isinstance(returned, Mapping) else None
    named = named if named is not None else getattr(returned, "logits", None)
    alone = returned[0] if isinstance(returned, tuple) and len(returned) == 1 else None
    found = named if named is not None else alone
    return found if hasattr(found, "shape") else returned


# ---- labels -----------------------------------------------------------------------------------


def _with_labels(
    parts: dict[str, Split], loss: Any, judge: Metric
) -> tuple[dict[str, Split], Metric, bool]:
    """Return the parts with labels as whole numbers, the metric that suits them, and whether
    each example has one label, by which the parts can be stratified.
    """
    import torch

    from descenso.problems import _torch_losses as losses

    targets = parts["train"].targets
    named, by_accuracy = loss is losses.cross_entropy, judge.function is accuracy
    labels = losses.takes_labels(loss) and not (
        targets.dtype.kind == "f" and is_rows_of_shares(targets, 1)
    )
    ignored = losses.ignored_label(loss, targets)
    if labels:
        parts = {part: Split(s.inputs, _labels(s.targets)) for part, s in parts.items()}
        if named or by_accuracy:
            for part, split in parts.items():
                _check_counted(split.targets, ignored, part)
    plain = labels and targets.ndim == 1 and not (parts["train"].targets == ignored).any()
    if by_accuracy and not (named and plain):
        evaluate = losses.evaluated(loss, torch.float32)
        axis = 1 if named else axis_of_classes(evaluate, targets, ignored)
        found = accuracy_for(evaluate, targets, "train", axis=axis, ignored=ignored)
        judge = found.as_metric()
        plain = plain or (targets.ndim == 1 and not found.shares and found.yes > 0)
    return parts, judge, plain and (named or by_accuracy)


def _without_ignored(parts: dict[str, Split], loss: Any, say: Say) -> dict[str, Split]:
    """Return the parts without examples that have no loss: all of whose labels are left out."""
    from descenso.problems import _torch_losses as losses

    kept = {}
    for part, examples in parts.items():
        targets = examples.targets
        ignored = losses.ignored_label(loss, targets)
        counts = (targets != ignored).reshape(len(targets), -1).any(1)
        if ignored is not None and counts.any() and not counts.all():
            say(
                _(
                    "{where}: {count} examples are left out, for all their labels are {ignored}"
                ).format(where=part, count=int((~counts).sum()), ignored=ignored)
            )
            examples = Split(examples.inputs[counts], targets[counts])
        kept[part] = examples
    return kept


def _labels(targets: Array) -> Array:
    """Return whole numbers as integers, which a cross-entropy takes."""
    whole = targets.dtype.kind in "iub" or np.array_equal(targets, np.floor(targets))
    return targets.astype(np.int64) if whole else targets


def _check_counted(labels: Array, ignored: int | None, where: str) -> None:
    counted = labels[labels != ignored]
    if not counted.size:
        raise DataError(
            _("{where}: every label is {ignored}, which the loss ignores").format(
                where=where, ignored=ignored
            )
        )
    try:
        check_labels(counted, where)
    except DataError as error:
        if counted.min() >= 0:
            raise
        from descenso.problems._torch_losses import to_ignore

        raise DataError(f"{error}{to_ignore(counted.min())}") from error


# ---- data -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Parted:
    """Split seed → the three parts, those that are missing split off the training part."""

    given: dict[str, Split]
    classes: bool

    def __call__(self, split_seed: int) -> Data:
        given = self.given
        if len(given) == 3:
            return Data(**given)
        whole = given["train"]
        dealt = split(whole.inputs, whole.targets, split_seed, stratify=self.classes)
        if len(given) == 1:
            return dealt
        from descenso.problems._torch_examples import concatenated

        if "test" in given:  # 80/20
            return Data(concatenated([dealt.train, dealt.test]), dealt.validation, given["test"])
        train = concatenated([dealt.train, dealt.validation])
        return Data(train, given["validation"], dealt.test)
