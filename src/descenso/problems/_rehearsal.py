"""Run a problem once on a few examples, to say early and plainly what is wrong with it."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping
from functools import partial
from itertools import zip_longest
from typing import Any, TypeAlias

import numpy as np

from descenso.data import Data, Split
from descenso.data._check import check_lengths
from descenso.errors import ProblemError, first_line
from descenso.language import _
from descenso.problems._accuracy import Accuracy
from descenso.problems._figures import KNOWN, accuracy, cross_entropy
from descenso.problems._from_jax import evaluated
from descenso.problems._from_table import say_on_stderr
from descenso.problems._loss_evidence import ENLARGED, rows_that_show, warn_of_loss
from descenso.problems._pairing import check_pairing
from descenso.problems._problem import Array, Params, Problem, Variables, trained, with_trained

PARTS = ("train", "validation", "test")
Leaves: TypeAlias = list[tuple[str, Any]]  # path in the tree, array


def rehearse(problem: Problem, data: Data) -> float:
    """Check that a problem can be trained on its data; return its untrained loss.

    The loss is that of the first ``batch_size`` training examples at the parameters of seed 0.

    Raises
    ------
    DataError
        If a part has no examples, or not as many targets as inputs.
    ProblemError
        If ``init`` does not give a tree of finite floating arrays; if ``apply``, the loss or the
        metric fail on the first batch; if loss or metric are not one finite number; if the
        labels do not fit the outputs; or if a function gives another value when called again.
    """
    for name in PARTS:
        examples = getattr(data, name)
        check_lengths(examples.inputs, examples.targets, name)
    if problem.framework == "torch":
        from descenso.problems._torch_rehearsal import rehearse_torch

        return rehearse_torch(problem, data)
    params = _try(lambda: problem.init(np.random.default_rng(0)), "init")
    _check_collections(params)
    _check_params(trained(params))
    _check_variables(problem, params)
    again = _try(lambda: problem.init(np.random.default_rng(0)), "init")
    _check_same(_leaves(params), _leaves(again), "init")
    other = _try(lambda: problem.init(np.random.default_rng(1)), "init")
    say_of_equal_starts(trained(params), trained(other), equal_trees)
    batch = _first_examples(data.train, problem.batch_size)
    outputs = _try(lambda: problem.apply(params, batch.inputs), "apply")
    _check_one_array(outputs)
    again = _try(lambda: problem.apply(params, batch.inputs), "apply")
    _check_same([("", outputs)], [("", again)], "apply")
    judge = problem.metric.function
    if problem.loss is cross_entropy or judge is accuracy or isinstance(judge, Accuracy):
        _check_outputs_cover_labels(outputs, data, judge)
    _check_pairings(problem, np.shape(outputs), np.asarray(data.train.targets))
    loss = _scalar(lambda: problem.loss(outputs, batch.targets), _("loss"))
    some = rows_that_show(np.shape(outputs))
    warn_of_loss(
        evaluated(problem.loss), np.asarray(outputs[:some]), batch.targets[:some], -1,
        lambda: _enlarged(problem, params, batch.inputs[:some]),
    )  # fmt: skip
    _scalar(lambda: problem.metric.function(outputs, batch.targets), _("metric"))
    if problem.train_loss is not None:
        first, second = (
            _try(partial(train_loss, problem, params, batch), "train_loss") for _time in (1, 2)
        )
        _check_same([("", first)], [("", second)], "train_loss")
    for part in (batch, data.validation, data.test):
        _try(partial(_trace, problem, params, part), _("compiling the problem"))
    return loss


def _enlarged(problem: Problem, params: Params, inputs: Array) -> Array:
    """Return the outputs at far larger parameters, which show whether they have bounds."""
    import jax

    larger = jax.tree.map(lambda leaf: ENLARGED * leaf, trained(params))
    return np.asarray(problem.apply(with_trained(params, larger), inputs))


def _trace(problem: Problem, params: Params, part: Split) -> None:
    """Trace one step and one evaluation as the engine will, which computes nothing."""
    import jax

    def loss(given: Params, inputs: Array, targets: Array) -> Array:
        return problem.loss(problem.apply(given, inputs), targets)

    def metric(given: Params, inputs: Array, targets: Array) -> Array:
        return problem.metric.function(problem.apply(given, inputs), targets)

    examples = np.asarray(part.inputs), np.asarray(part.targets)
    if problem.train_loss is None:
        jax.eval_shape(jax.grad(loss), params, *examples)
    jax.eval_shape(metric, params, *examples)


def train_loss(problem: Problem, params: Params, batch: Split) -> float:
    """Return the loss that a training step differentiates, on a batch and with key 0.

    Raises
    ------
    ProblemError
        If it is not one finite number beside what it carries on, of the same shapes as before.
    """
    import jax

    given = params.trained, np.asarray(batch.inputs), np.asarray(batch.targets)

    def loss_of(moved: Params, inputs: Array, targets: Array) -> tuple[Array, Params]:
        assert problem.train_loss is not None
        variables = Variables(moved, params.carried)
        return problem.train_loss(variables, inputs, targets, jax.random.key(0))

    (loss, carried), _gradient = jax.jit(jax.value_and_grad(loss_of, has_aux=True))(*given)
    before, after = (_outline(tree) for tree in (params.carried, carried))
    if before != after:
        raise ProblemError(
            _("train_loss carries on {after}; it was given {before}").format(
                after=after, before=before
            )
        )
    return _scalar(lambda: loss, "train_loss")


def _outline(tree: Params) -> str:
    """Return the shapes and types of a tree in words."""
    import jax

    return str(jax.tree.map(lambda a: f"{np.asarray(a).dtype}{list(np.shape(a))}", tree))


def fingerprint(problem: Problem, data: Data) -> str:
    """Return a hex digest that tells whether "the same problem" is the same.

    It covers every array of the data, the initial parameters of seed 0, the loss of these on the
    first batch (to four digits, for machines round differently) and the metric's name.

    Raises
    ------
    ProblemError
        As :func:`rehearse`.
    """
    loss = rehearse(problem, data)  # first, for it says plainly what is wrong
    digest = hashlib.sha256()
    for part in (data.train, data.validation, data.test):
        _feed(digest, part.inputs)
        _feed(digest, part.targets)
    for path, leaf in _initial_leaves(problem, data):
        digest.update(path.encode())
        _feed(digest, leaf)
    digest.update(f"{loss:.3e} {problem.metric.name}".encode())
    if problem.train_loss is not None:
        params = problem.init(np.random.default_rng(0))
        batch = _first_examples(data.train, problem.batch_size)
        digest.update(f"{train_loss(problem, params, batch):.3e}".encode())
    return digest.hexdigest()


def _initial_leaves(problem: Problem, data: Data) -> Leaves:
    if problem.framework == "torch":
        from descenso.problems._torch_rehearsal import initialised

        weights = initialised(problem, data.train).state_dict()
        return [(name, _figures(tensor)) for name, tensor in weights.items()]
    return _leaves(problem.init(np.random.default_rng(0)))


def _figures(tensor: Any) -> Array:
    return (tensor if tensor.is_complex() else tensor.float()).numpy()


def _feed(digest: Any, array: Array) -> None:
    array = np.asarray(array)
    digest.update(f"{array.dtype.str} {array.shape}".encode())
    digest.update(array.tobytes())  # bfloat16 has bytes, but no buffer


def _first_examples(part: Split, count: int) -> Split:
    return Split(np.asarray(part.inputs)[:count], np.asarray(part.targets)[:count])


def _leaves(params: Params) -> Leaves:
    from jax.tree_util import keystr, tree_flatten_with_path

    return [(keystr(path), leaf) for path, leaf in tree_flatten_with_path(params)[0]]


def say_of_equal_starts(one: Any, other: Any, equal: Callable[[Any, Any], bool]) -> None:
    """Say where two seeds start from the same parameters."""
    if equal(one, other):
        say_on_stderr(
            _(
                "every seed starts from the same parameters (a fixed seed, or weights that are read): "
                "intervals hold the noise of the order of examples, not that of initial weights"
            )
        )


def equal_trees(one: Params, other: Params) -> bool:
    pairs = zip(_leaves(one), _leaves(other), strict=True)
    return all(np.array_equal(_doubles(a), _doubles(b)) for (_p, a), (_q, b) in pairs)


def _check_collections(params: Params) -> None:
    """Check that what a Flax module carries along beside its parameters is not trained."""
    names = _carried_by_flax(params)
    if names:
        raise ProblemError(
            _(
                "init gives {names} beside the parameters (Flax), and all of it would be trained. Give "
                "descenso.problems.Variables(parameters, {names}) and a train_loss that carries {names} "
                "on. To train all of it, call nothing in it params"
            ).format(names=", ".join(names))
        )


def _carried_by_flax(params: Params) -> list[str]:
    """Return the collections beside ``params``, or the kinds of variables that are no ``Param``."""
    if isinstance(params, Mapping) and "params" in params:
        return [name for name in params if name != "params"]
    if "flax.nnx" not in sys.modules or isinstance(params, Variables):
        return []
    import jax
    from flax.nnx import Param, Variable

    nodes = jax.tree.leaves(params, is_leaf=lambda node: isinstance(node, Variable))
    kinds = {
        type(n).__name__ for n in nodes if isinstance(n, Variable) and not isinstance(n, Param)
    }
    return sorted(kinds)


def _check_params(params: Params) -> None:
    leaves = _leaves(params)
    if not leaves:
        raise ProblemError(_("init gives no parameters; it must give a tree of arrays"))
    for path, leaf in leaves:
        dtype = getattr(leaf, "dtype", None)
        if dtype is None or not hasattr(leaf, "shape"):
            raise ProblemError(
                _("init: parameter {path} is of type {kind}; it must be a floating array").format(
                    path=path or _("(the only one)"), kind=type(leaf).__name__
                )
                + _remedy_for(leaf)
            )
        # Extension types such as bfloat16 are of kind V in NumPy, so the name decides.
        if "float" not in str(dtype):
            raise ProblemError(
                _("init: parameter {path} has type {dtype}; it must be floating").format(
                    path=path or _("(the only one)"), dtype=dtype
                )
                + _remedy_for(leaf)
            )
        if not np.isfinite(np.asarray(leaf, np.float64)).all():
            raise ProblemError(
                _("init: parameter {path} holds values that are not finite").format(
                    path=path or _("(the only one)")
                )
            )


def _remedy_for(leaf: Any) -> str:
    if isinstance(leaf, float):
        return _(": jnp.asarray({value})").format(value=leaf)
    if "complex" in str(getattr(leaf, "dtype", "")):
        return _(": hold the real and the imaginary part as two arrays")
    return _(
        ". What is not trained stays out of it: in apply, in the carried part of "
        "descenso.problems.Variables, or, for an Equinox module, in the second part of "
        "eqx.partition(module, eqx.is_inexact_array)"
    )


def _check_variables(problem: Problem, params: Params) -> None:
    if (problem.train_loss is not None) != isinstance(params, Variables):
        raise ProblemError(
            _("init must give descenso.problems.Variables if, and only if, there is a train_loss")
        )


def _check_same(first: Leaves, second: Leaves, what: str) -> None:
    """Check that a function gave the same twice: it is compiled once, and called anew to resume."""
    shapes = [tuple((path, np.shape(leaf)) for path, leaf in leaves) for leaves in (first, second)]
    if shapes[0] != shapes[1]:
        (_path, old), (_path, new) = next(
            pair for pair in zip_longest(*shapes, fillvalue=("", None)) if pair[0] != pair[1]
        )
        raise ProblemError(
            _("{what} changes shape when it is called again: {first}, then {second}").format(
                what=what, first=old, second=new
            )
        )
    for (path, one), (_path, other) in zip(first, second, strict=True):
        if not np.allclose(_doubles(one), _doubles(other), rtol=1e-5, equal_nan=True):
            raise ProblemError(
                _(
                    "{what} gives other values{path} when it is called again with the same "
                    "arguments; it must depend on nothing else (no global state, no generator of "
                    "its own)"
                ).format(what=what, path=path and f" ({path})")
            )


def _doubles(array: Array) -> Any:
    return np.asarray(array).astype(np.float64)


def _check_pairings(problem: Problem, shape: tuple[int, ...], targets: Array) -> None:
    """Check that functions of the user's own set each output against its own target."""
    functions = {_("loss"): problem.loss, _("metric"): problem.metric.function}
    if functions[_("metric")] is problem.loss:
        del functions[_("metric")]
    for what, function in functions.items():
        if function not in KNOWN and not isinstance(function, Accuracy):
            check_pairing(evaluated(function), shape, targets, what)


def _check_one_array(outputs: Any) -> None:
    if hasattr(outputs, "shape"):
        return
    text = _("apply must return one array; it returned {kind}").format(kind=type(outputs).__name__)
    if isinstance(outputs, tuple):
        text += _(
            ": return its [0], and let a train_loss carry on the state that comes with it, or lay "
            "several outputs into one array (jnp.concatenate) that a loss of your own takes apart"
        )
    raise ProblemError(text)


def _check_outputs_cover_labels(outputs: Array, data: Data, judge: Any) -> None:
    shape, labels = tuple(np.shape(outputs)), np.shape(data.train.targets)
    if isinstance(judge, Accuracy) and (len(shape) < 2 or shape[1:-1] != labels[1:]):
        return  # a yes or no for each output, or rows of shares
    if len(shape) < 2 or (len(labels) == 1 and len(shape) != 2):
        raise ProblemError(
            _(
                "apply: classification needs outputs of shape (examples, classes); got {shape}"
            ).format(shape=shape)
        )
    ignored = getattr(judge, "ignored", None)
    counted = [np.asarray(part.targets) for part in (data.train, data.validation, data.test)]
    counted = [labels[labels != ignored] if ignored is not None else labels for labels in counted]
    smallest = min(int(np.min(labels)) for labels in counted)
    if smallest < 0:
        raise ProblemError(
            _("{where}: class labels count from 0; got {value}").format(
                where=_("the data"), value=smallest
            )
        )
    largest = max(int(np.max(labels)) for labels in counted)
    if largest >= shape[-1]:
        raise ProblemError(
            _(
                "apply gives {classes} outputs, but there is a label {label} (labels count from 0)"
            ).format(classes=shape[-1], label=largest)
            + count_from_zero(smallest, largest, shape[-1])
        )


def count_from_zero(smallest: int, largest: int, classes: int) -> str:
    """Return what to do about labels that count from 1; nothing about others."""
    return _(". Give labels - 1") if smallest == 1 and largest == classes else ""


def _scalar(compute: Callable[[], Any], what: str) -> float:
    value = np.asarray(_try(compute, what))
    if value.shape != ():
        raise ProblemError(
            _(
                "{what}: it must be one number, the mean over the examples; got shape {shape}"
            ).format(what=what, shape=value.shape)
        )
    if not np.isfinite(value):
        raise ProblemError(
            _("{what}: it is {value} on the first batch, before any training").format(
                what=what, value=value
            )
        )
    return float(value)


def _try(compute: Callable[[], Any], what: str) -> Any:
    """Run a piece of the problem; its errors become problem errors, in one line."""
    try:
        return compute()
    except ProblemError:
        raise
    except Exception as error:
        raise ProblemError(failed(what, error)) from error


def failed(what: str, error: Exception) -> str:
    """Return in a line that a piece of the problem fails, and how."""
    return _("{what} fails on the first batch: {kind}: {error}").format(
        what=what, kind=type(error).__name__, error=first_line(error)
    )
