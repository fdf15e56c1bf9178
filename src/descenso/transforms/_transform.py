"""What a transform is: a pure function over lists of arrays that composes with any rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from descenso.errors import SettingError
from descenso.language import _
from descenso.ops import numpy as numpy_operations
from descenso.schedules._schedule import bind, declared, document, plain, public_signature, remade

Arrays = list[Any]  # one array for each parameter, of one framework
State = dict[str, Arrays]

_makers: dict[str, Callable[..., Transform]] = {}


class Transform:
    """Something done to the gradients before a rule's step, or to the parameters after it.

    Attributes
    ----------
    name : name of the function that made it.
    arguments : its arguments, checked.
    acts_on : ``"gradients"`` or ``"parameters"``.
    """

    def __init__(
        self,
        name: str,
        acts_on: str,
        function: Callable[..., Any],
        begin: Callable[..., State],
        arguments: Mapping[str, Any],
    ):
        self.name = name
        self.acts_on = acts_on
        self.arguments = dict(arguments)
        self._function = function
        self._begin = begin

    def start(self, xp: Any, thetas: Arrays) -> State:
        """Return the arrays kept between steps, before the first: lists like ``thetas``."""
        return self._begin(xp, thetas, **self.arguments)

    def gradients(self, xp: Any, thetas: Arrays, gradients: Arrays, t: Any) -> Arrays:
        """Return the gradients that the rule is to see.

        Parameters
        ----------
        thetas, gradients : lists of equal length; a gradient is ``None`` where there is none.
        t : number of this step, counted from 1.
        """
        if self.acts_on != "gradients":
            return gradients
        return self._function(xp, thetas, gradients, t, **self.arguments)  # type: ignore[no-any-return]

    def parameters(
        self, xp: Any, old: Arrays, new: Arrays, lr: list[Any], t: Any, state: State
    ) -> tuple[Arrays, State]:
        """Return the parameters and the state after the rule has stepped from old to new.

        Parameters
        ----------
        lr : the learning rate of each parameter at this step; ``None`` where it took no step.
        """
        if self.acts_on != "parameters":
            return new, state
        return self._function(xp, old, new, lr, t, state, **self.arguments)  # type: ignore[no-any-return]

    def get_config(self) -> dict[str, Any]:
        """Return name and arguments as plain data, ready for JSON; see :func:`from_config`."""
        return {"transform": self.name, **{k: plain(v) for k, v in self.arguments.items()}}

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{self.name}({inside})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Transform) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return from_config, (self.get_config(),)


def on_gradients(*, source: str) -> Callable[[Callable[..., Any]], Callable[..., Transform]]:
    """Make a transform's maker of ``name(xp, thetas, gradients, t, *, a=argument(...))``."""
    return _decorator("gradients", source, 4, lambda xp, thetas, **arguments: {})


def on_parameters(
    *, source: str, state: Callable[..., State] = lambda xp, thetas, **arguments: {}
) -> Callable[[Callable[..., Any]], Callable[..., Transform]]:
    """Make a transform's maker of ``name(xp, old, new, lr, t, state, *, a=argument(...))``.

    ``state(xp, thetas, **arguments)`` gives the arrays kept, as they are before the first step.
    """
    return _decorator("parameters", source, 6, state)


def from_config(config: Mapping[str, Any]) -> Transform:
    """Return the transform that :meth:`Transform.get_config` described.

    Raises
    ------
    UnknownNameError
        If there is no transform of that name.
    """
    absent = _("there is no transform named {name!r}; there are {known}.")
    return remade("transform", _makers, config, absent)  # type: ignore[no-any-return]


def check(transforms: Iterable[Any]) -> tuple[Transform, ...]:
    """Return the transforms as a tuple.

    Raises
    ------
    SettingError
        If one of them is not a transform.
    """
    if isinstance(transforms, Transform) or not isinstance(transforms, Iterable):
        raise SettingError(
            _("transforms must be a list; got the single {value!r}").format(value=transforms)
        )
    found = tuple(from_config(t) if isinstance(t, Mapping) else t for t in transforms)
    for item in found:
        if not isinstance(item, Transform):
            raise SettingError(
                _("transforms must be made by descenso.transforms; got {value!r}").format(
                    value=item
                )
            )
    return found


def _decorator(
    acts_on: str, source: str, positional: int, begin: Callable[..., State]
) -> Callable[[Callable[..., Any]], Callable[..., Transform]]:
    def decorate(function: Callable[..., Any]) -> Callable[..., Transform]:
        name, arguments = function.__name__, declared(function, positional)
        signature = public_signature(arguments)

        def make(*given: Any, **named: Any) -> Transform:
            bound = bind(name, signature, arguments, given, named)
            made = Transform(name, acts_on, function, begin, bound)
            made.start(numpy_operations, [])  # conditions between arguments are checked there
            return made

        make.__name__ = make.__qualname__ = name
        make.__module__ = function.__module__
        make.__doc__ = document(function, arguments, source)
        make.__signature__ = signature  # type: ignore[attr-defined]
        _makers[name] = make
        return make

    return decorate
