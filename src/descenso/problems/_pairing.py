"""Find a loss or metric that sets an output against the targets of other examples.

Outputs of shape (N, 1) and targets of shape (N,) broadcast to N × N differences: no error, and what
is learnt is the mean. No shape tells such a function from one that reshapes by itself, but its values
do: they stay when the targets are shuffled among the examples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from descenso.errors import ProblemError
from descenso.language import _

Numbers: TypeAlias = NDArray[Any]
#: (outputs, targets) → the value of a loss or metric.
Evaluate: TypeAlias = Callable[[Numbers, Numbers], float]
#: Examples that a function is tried on, at most.
EXAMPLES = 32


def check_pairing(evaluate: Evaluate, shape: Sequence[int], targets: Numbers, what: str) -> None:
    """Check that a function sets each example's output against that example's target.

    Parameters
    ----------
    evaluate : the loss or metric.
    shape : of the outputs; the first axis counts examples, any number of them.
    targets : of a whole part.
    what : what to call it in a message, such as ``the loss``.

    Raises
    ------
    ProblemError
        If it broadcasts outputs against targets, or takes one number of examples only.
    """
    some = _spread(targets)
    shapes = (len(some), *shape[1:]), some.shape
    if shapes[0] == shapes[1] or len(some) < 3:
        return
    outputs = np.random.default_rng(0).uniform(0.05, 0.95, shapes[0]).astype(np.float32)
    try:
        evaluate(outputs, some)
    except Exception:  # it is told in the rehearsal, with the module's own outputs
        return
    try:
        fewer = evaluate(outputs[:-1], some[:-1])
    except Exception as error:
        raise ProblemError(unfit(what, *shapes)) from error
    if np.isfinite(fewer) and (
        _ignores_who_is_who(evaluate, outputs, some) or _ignores_columns(evaluate, outputs, some)
    ):
        raise ProblemError(unfit(what, *shapes))


def unfit(what: str, outputs: Sequence[int], targets: Sequence[int]) -> str:
    """Return that shapes would broadcast, and what to do."""
    return _(
        "{what}: outputs of shape {outputs} do not fit targets of shape {targets}: broadcast, each "
        "output would be set against targets that are not its own. {remedy}"
    ).format(
        what=what, outputs=tuple(outputs), targets=tuple(targets), remedy=remedy(outputs, targets)
    )


def remedy(outputs: Sequence[int], targets: Sequence[int]) -> str:
    """Return how the shapes of outputs and targets become one."""
    if not differ_by_ones(outputs, targets):
        return _("Give outputs and targets one shape")
    return _(
        "Give targets of shape {wanted} (targets.reshape({reshape})), or have the model return "
        "outputs of shape {given}"
    ).format(
        wanted=with_n(outputs), given=with_n(targets),
        reshape=", ".join(map(str, (-1, *outputs[1:]))),
    )  # fmt: skip


def differ_by_ones(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether two shapes hold the same numbers, but for axes of one element."""
    if not one or not other:
        return False
    return one[0] == other[0] and [n for n in one[1:] if n != 1] == [n for n in other[1:] if n != 1]


def with_n(shape: Sequence[int]) -> str:
    """Return a shape with N for the number of examples, such as ``(N, 3)``."""
    return f"(N, {', '.join(map(str, shape[1:]))})" if len(shape) > 1 else "(N,)"


def _spread(targets: Numbers) -> Numbers:
    """Return targets from all over a part: its first ones may all be of one class."""
    rows = np.linspace(0, len(targets) - 1, min(EXAMPLES, len(targets))).astype(int)
    some: Numbers = np.asarray(targets)[rows]
    return some


def _ignores_who_is_who(evaluate: Evaluate, outputs: Numbers, targets: Numbers) -> bool:
    """Whether a value depends on the targets, but not on whose they are."""
    shuffled = [np.roll(targets, k, axis=0) for k in (1, 2, len(targets) // 2)]
    others = [row for row in targets if not np.array_equal(row, targets[0])]
    if not others:
        return False
    constant = [np.broadcast_to(row, targets.shape) for row in (targets[0], others[0])]
    value = evaluate(outputs, targets)
    return all(_same(evaluate(outputs, t), value) for t in shuffled) and not _same(
        *(evaluate(outputs, t.copy()) for t in constant)
    )


def _ignores_columns(evaluate: Evaluate, outputs: Numbers, targets: Numbers) -> bool:
    """Whether one column is set against several, whose order does not matter."""
    if outputs.ndim != targets.ndim:
        return False
    value = evaluate(outputs, targets)
    for axis in range(1, outputs.ndim):
        widths = outputs.shape[axis], targets.shape[axis]
        if min(widths) != 1 or max(widths) == 1:
            continue
        wide = targets if widths[1] > 1 else outputs
        shuffled = [np.roll(wide, k, axis=axis) for k in range(1, min(4, max(widths)))]
        first = np.repeat(np.take(wide, [0], axis), max(widths), axis)

        def with_wide(other: Numbers, wide: Numbers = wide) -> float:
            pair = (outputs, other) if wide is targets else (other, targets)
            return evaluate(*pair)

        if all(_same(with_wide(s), value) for s in shuffled) and not _same(with_wide(first), value):
            return True
    return False


def _same(one: float, other: float) -> bool:
    return bool(np.isclose(one, other, rtol=1e-5, atol=1e-7, equal_nan=True))
