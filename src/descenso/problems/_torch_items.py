"""Which elements of an item go to a torch module, by name or by place, and which is the target."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from descenso.data._table_columns import Say
from descenso.errors import DataError
from descenso.language import _
from descenso.problems._torch_switches import seed_everything

#: What the target of an item that is a mapping may be called.
TARGETS = ("labels", "label", "targets", "target", "y")
#: Items that are read twice, to see whether a transform draws at random.
READ_TWICE = 3


class Items:
    """Parts the items of one problem, each part of the data alike, and says once how.

    Parameters
    ----------
    make_model : gives a module, whose ``forward`` says what it takes by name.
    say : is given a line for each inference.

    Attributes
    ----------
    names : of the inputs, where they go to the module by name; empty where they go by place.
    """

    def __init__(self, make_model: Callable[[], Any], say: Say) -> None:
        self._make_model, self.say = make_model, say
        self._parameters: dict[str, inspect.Parameter] | None = None
        self._how: tuple[Any, ...] | None = None
        self.names: tuple[str, ...] = ()

    def parted(self, item: Any, where: str) -> tuple[tuple[Any, ...], Any]:
        """Return the inputs and the target of an item, or of a batch of items.

        Raises
        ------
        DataError
            If it does not say which element is the target, or which the module takes.
        """
        if hasattr(item, "_asdict") and any(name in TARGETS for name in item._fields):
            item = item._asdict()
        if isinstance(item, Mapping):
            inputs, targets = self._by_name(item, where)
        else:
            inputs, targets = self._by_place(item, where)
        if isinstance(targets, Mapping | tuple) or targets is None or _are_several(targets, inputs):
            raise DataError(
                _(
                    "{where}: the target must be one array; it is of type {kind}. Join several "
                    "targets to one tensor, and take them apart in a loss of your own"
                ).format(where=where, kind=type(targets).__name__)
            )
        return inputs, targets

    # ---- by name --------------------------------------------------------------------------------

    def _by_name(self, item: Mapping[str, Any], where: str) -> tuple[tuple[Any, ...], Any]:
        found = [name for name in TARGETS if name in item]
        if len(found) != 1:
            raise DataError(
                _(
                    "{where}: items have {names}; which is the target? Call it one of {known}, and "
                    "no other so"
                ).format(where=where, names=_listed(item), known=", ".join(TARGETS))
            )
        others = {name: value for name, value in item.items() if name != found[0]}
        inputs = self._named_inputs(others, where)
        self._say_once(where, found[0], tuple(others))
        return inputs, item[found[0]]

    def _named_inputs(self, given: Mapping[str, Any], where: str) -> tuple[Any, ...]:
        """Return the inputs that the module takes, and note their names."""
        parameters = self._forward()
        takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        names = tuple(name for name in given if takes_any or name in parameters)
        required = [
            name
            for name, p in parameters.items()
            if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]
        if not names and len(given) == 1 and len(required) <= 1:
            return tuple(given.values())  # forward(x) takes the one there is, whatever its name
        missing = [name for name in required if name not in names]
        if not names or missing:
            raise DataError(
                _(
                    "{where}: the module's forward takes {parameters}; the items have {names}. Name "
                    "them alike"
                ).format(where=where, parameters=_listed(parameters), names=_listed(given))
            )
        self.names = names
        return tuple(given[name] for name in names)

    # ---- by place -------------------------------------------------------------------------------

    def _by_place(self, item: Any, where: str) -> tuple[tuple[Any, ...], Any]:
        if not isinstance(item, tuple | list) or len(item) < 2:
            raise DataError(
                _("{where}: it must give pairs (inputs, targets); it gives {kind}").format(
                    where=where, kind=type(item).__name__
                )
            )
        *given, targets = item
        if len(given) == 1 and isinstance(given[0], Mapping):
            inputs = self._named_inputs(given[0], where)
            self._say_once(where, "", tuple(given[0]))
            return inputs, targets
        inputs = tuple(one for several in given for one in inputs_of(several))
        if len(given) > 1:
            self._check_takes(len(inputs), len(item), where)
            self._say_once(where, "", (len(inputs),))
        return inputs, targets

    def _check_takes(self, inputs: int, elements: int, where: str) -> None:
        parameters = self._forward().values()
        if any(p.kind is p.VAR_POSITIONAL for p in parameters):
            return
        places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        least = sum(p.default is p.empty for p in places)
        if not least <= inputs <= len(places):
            raise DataError(
                _(
                    "{where}: items have {elements} elements, the last taken for the target; the "
                    "module's forward takes {parameters}, not {inputs} inputs. Which is the target, "
                    "and which are left out? Give items as mappings that name them, such as {example}"
                ).format(
                    where=where, elements=elements, parameters=_listed(self._forward()),
                    inputs=inputs, example=_example(self._forward()),
                )
            )  # fmt: skip

    # ---- what the module says -------------------------------------------------------------------

    def _forward(self) -> dict[str, inspect.Parameter]:
        """Return the parameters of the module's ``forward``."""
        if self._parameters is None:
            made: Any = self._make_model
            if not (isinstance(made, type) and issubclass(made, torch.nn.Module)):
                made = made()
            parameters = dict(inspect.signature(made.forward).parameters)
            if isinstance(made, type):
                parameters.pop(next(iter(parameters)))  # self
            self._parameters = parameters
        return self._parameters

    def _say_once(self, where: str, target: str, given: tuple[Any, ...]) -> None:
        how = target, given, self.names
        if how == self._how:
            return
        self._how = how
        what = _("{target} is the target").format(target=target or _("the last element"))
        if self.names:
            what += _("; to the module by name: {names}").format(names=", ".join(self.names))
            left = [str(name) for name in given if name not in self.names]
            if left:
                what += _("; left out: {names}").format(names=", ".join(left))
        elif isinstance(given[0], int):
            what += _("; the others are inputs, by place: {count}").format(count=given[0])
        self.say(f"{where}: {what}")

    # ---- random transforms ----------------------------------------------------------------------

    def warn_of_random(self, given: Any, where: str) -> None:
        """Warn where an item read twice differs: its transform is drawn once, and stays."""
        dataset = given.dataset if isinstance(given, DataLoader) else given
        if not (hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")):
            return
        if isinstance(dataset, tuple | list | Mapping):
            return
        try:
            twice = []
            for seed in (0, 1):
                seed_everything(seed)
                twice.append([dataset[i] for i in range(min(READ_TWICE, len(dataset)))])
            differ = not _equal(*twice)
        except Exception:  # an IterableDataset has no items by number
            return
        if differ:
            warnings.warn(
                _(
                    "{where}: an item read twice differs: its random transform (augmentation) is "
                    "drawn once and stays for all epochs. Draw it in the module's forward, where "
                    "self.training says so, to have it anew in each step"
                ).format(where=where),
                UserWarning,
                stacklevel=4,
            )


def _are_several(targets: Any, inputs: tuple[Any, ...]) -> bool:
    """Whether a list holds several arrays for a batch, and not one for each example."""
    if not isinstance(targets, list) or not targets or len(targets) == len(inputs[0]):
        return False
    return all(isinstance(a, torch.Tensor | np.ndarray) and a.ndim for a in targets)


def inputs_of(given: Any) -> tuple[Any, ...]:
    """Return the inputs, one or several: a tuple or list of arrays is several."""
    several = isinstance(given, tuple | list) and len(given) > 0
    if several and all(isinstance(a, torch.Tensor | np.ndarray) for a in given):
        return tuple(given)
    return (given,)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping):
        return all(_equal(one[name], other[name]) for name in one)
    if isinstance(one, tuple | list):
        return all(map(_equal, one, other))
    arrays = np.asarray(one), np.asarray(other)
    return np.array_equal(*arrays, equal_nan=arrays[0].dtype.kind == "f")


def _listed(names: Any) -> str:
    return ", ".join(map(str, names)) or _("none")


def _example(parameters: Mapping[str, Any]) -> str:
    return "{" + ", ".join([*(f'"{name}": ...' for name in parameters), '"labels": ...']) + "}"
