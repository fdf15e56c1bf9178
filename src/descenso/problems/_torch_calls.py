"""Call a module as training will, and say what its inputs lack or what of its outputs is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from descenso.errors import ProblemError
from descenso.language import _
from descenso.problems._from_table import say_on_stderr
from descenso.problems._problem import Problem
from descenso.problems._rehearsal import failed

Inputs = tuple[torch.Tensor, ...]
#: What may be missing from inputs, as a user would write it.
_TYPES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "": lambda x: x,
    ".float()": lambda x: x if x.is_floating_point() else x.float(),
    ".long()": lambda x: x.long() if torch.equal(x, x.floor()) else x,
}
_SHAPES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "": lambda x: x,
    ".movedim(-1, 1)": lambda x: x.movedim(-1, 1) if x.ndim > 2 else x,
    ".unsqueeze(1)": lambda x: x.unsqueeze(1),
    ".flatten(1)": lambda x: x.flatten(1) if x.ndim > 2 else x,
}


def outputs_of(problem: Problem, module: Any, inputs: Inputs, *, say: bool = False) -> torch.Tensor:
    """Return a module's outputs; ``say``: which they are, where it returns several by name.

    Raises
    ------
    ProblemError
        If it fails, changes its inputs, or does not give one tensor with a row for each example.
    """
    returned: list[Any] = []

    def noted(*given: Any, **named: Any) -> Any:
        returned.append(module(*given, **named))
        return returned[-1]

    with left_as_given(_("the module"), _("inputs"), *inputs):
        outputs = called(problem, noted, inputs)
    if not isinstance(outputs, torch.Tensor):
        raise ProblemError(_not_one_tensor(problem, outputs, module))
    if say:
        _say_what_is_taken(returned[0])
    if not outputs.ndim or len(outputs) != len(inputs[0]):
        raise ProblemError(
            _("{examples} examples gave outputs of shape {shape}; each needs one").format(
                examples=len(inputs[0]), shape=tuple(outputs.shape)
            )
        )
    return outputs


def called(problem: Problem, module: Any, inputs: Inputs) -> Any:
    """Return what a module gives; where it fails, say what it would take."""
    given = [x.clone() for x in inputs]
    try:
        return problem.apply(module, inputs)
    except ProblemError:
        raise
    except Exception as error:
        text = failed(_("the module"), error)
        remedy = _remedy(problem, module, given)
        if remedy:
            text = text.rstrip(".") + _(". It takes them otherwise: give {remedy}").format(
                remedy=remedy
            )
        raise ProblemError(text) from error


def _remedy(problem: Problem, module: Any, inputs: list[torch.Tensor]) -> str:
    """Return the first change of all inputs that a module takes, or nothing."""
    for kind, typed in _TYPES.items():
        for shape, shaped in _SHAPES.items():
            changed = tuple(shaped(typed(x)) for x in inputs)
            if _takes(problem, module, changed):
                scaled = " / 255" if kind == ".float()" and inputs[0].dtype == torch.uint8 else ""
                return f"inputs{shape}{kind}{scaled}"
    return ""


def _takes(problem: Problem, module: Any, inputs: Inputs) -> bool:
    try:
        outputs = problem.apply(module, inputs)
    except Exception:
        return False
    return isinstance(outputs, torch.Tensor) and len(outputs) == len(inputs[0])


@contextmanager
def left_as_given(what: str, given: str, *tensors: torch.Tensor) -> Iterator[None]:
    """Check that what runs inside does not write into tensors, which others read after it.

    Raises
    ------
    ProblemError
        If it does; the message names ``what`` runs and what it was ``given``.
    """
    before = [x.detach().clone() for x in tensors]
    yield
    if not all(same(x.detach(), old) for x, old in zip(tensors, before, strict=True)):
        raise ProblemError(
            _(
                "{what} changes its {given} in place; they are read again after it. Have it work on "
                "a copy: x = x.clone(), or x = x + 1 instead of x += 1"
            ).format(what=what, given=given)
        )


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors hold the same numbers, NaN included."""
    return one.shape == other.shape and torch.equal(one.nan_to_num(), other.nan_to_num())


def _say_what_is_taken(returned: Any) -> None:
    if isinstance(returned, torch.Tensor) or type(returned) is tuple:
        return
    entries = returned._asdict() if hasattr(returned, "_asdict") else returned
    entries = entries if isinstance(entries, Mapping) else vars(returned)
    others = [name for name, value in entries.items() if name != "logits" and value is not None]
    text = _("the module returns {kind}: logits are its outputs").format(
        kind=type(returned).__name__
    )
    if others:
        text += _("; left out: {names}").format(names=", ".join(map(str, others)))
    say_on_stderr(text)


def _not_one_tensor(problem: Problem, outputs: Any, module: Any) -> str:
    kind = type(outputs).__name__
    text = _("the module must return one tensor; it returned {kind}").format(kind=kind)
    if module.training:
        text += _(" in training mode")
    if isinstance(outputs, Mapping):
        key = next((k for k in outputs if isinstance(outputs[k], torch.Tensor)), "logits")
        chosen = f"[{key!r}]"
    elif isinstance(outputs, tuple | list):
        chosen = "[0]"
    else:
        return text
    names = getattr(problem.apply, "names", ())
    return text + _(
        ". Wrap it: a module whose forward(self, {takes}) returns self.inner({gives}){chosen}, or one "
        "tensor (torch.cat) that a loss of your own takes apart"
    ).format(
        chosen=chosen, takes=", ".join(names) or "*inputs",
        gives=", ".join(f"{name}={name}" for name in names) or "*inputs",
    )  # fmt: skip
