"""What a schedule is: a pure function of the step, with its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from descenso.errors import SettingError, UnknownNameError
from descenso.language import _, did_you_mean
from descenso.ops import namespace
from descenso.schedules._argument import REQUIRED, Argument, check_schedule

_makers: dict[str, Callable[..., Schedule]] = {}


class Schedule:
    """A value that depends on the step; call it with the number of updates made so far.

    ``schedule(0)`` is the value of the first update. A plain number gives a plain ``float``; an
    array of any framework, traced or not, gives an array of that framework.

    Attributes
    ----------
    name : name of the function that made it.
    arguments : its arguments, checked.
    """

    def __init__(self, name: str, function: Callable[..., Any], arguments: Mapping[str, Any]):
        self.name = name
        self.arguments = dict(arguments)
        self._function = function

    def __call__(self, step: Any) -> Any:
        """Return the value of the update that follows ``step`` updates."""
        plain = isinstance(step, int | float)
        xp = namespace(step)
        value = self._function(xp, _floating(xp, step), **self.arguments)
        return float(value) if plain else value

    def get_config(self) -> dict[str, Any]:
        """Return name and arguments as plain data, ready for JSON; see :func:`from_config`."""
        return {"schedule": self.name, **{k: plain(v) for k, v in self.arguments.items()}}

    @staticmethod
    def from_config(config: Mapping[str, Any]) -> Schedule:
        """Return the schedule that :meth:`get_config` described."""
        return from_config(config)

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{self.name}({inside})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schedule) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return from_config, (self.get_config(),)


def _floating(xp: Any, step: Any) -> Any:
    """Return a whole-number step as a floating one, as wide as the framework has it."""
    if not xp.__name__.endswith("keras"):
        return step / 1.0
    import keras

    if "float" in keras.backend.standardize_dtype(step.dtype):
        return keras.ops.convert_to_tensor(step)
    wide = "float32" if keras.backend.backend() == "jax" else "float64"
    return keras.ops.cast(step, wide)


def schedule(*, source: str) -> Callable[[Callable[..., Any]], Callable[..., Schedule]]:
    """Make a schedule's maker of its formula ``name(xp, step, *, a=argument(...), ...)``.

    The formula uses operators and ``xp.*`` of :data:`descenso.ops.OPERATIONS` alone; ``step`` is
    floating and counts updates from 0.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Schedule]:
        arguments = declared(function, 2)
        signature = public_signature(arguments)

        def make(*positional: Any, **named: Any) -> Schedule:
            bound = bind(function.__name__, signature, arguments, positional, named)
            made = Schedule(function.__name__, function, bound)
            # The formula itself checks conditions between arguments.
            check_schedule(function.__name__, made)
            return made

        make.__name__ = make.__qualname__ = function.__name__
        make.__module__ = function.__module__
        make.__doc__ = document(function, arguments, source)
        make.__signature__ = signature  # type: ignore[attr-defined]
        _makers[function.__name__] = make
        return make

    return decorate


def from_config(config: Mapping[str, Any]) -> Schedule:
    """Return the schedule that :meth:`Schedule.get_config` described.

    Raises
    ------
    UnknownNameError
        If there is no schedule of that name.
    """
    absent = _("there is no schedule named {name!r}; there are {known}.")
    return remade("schedule", _makers, config, absent)  # type: ignore[no-any-return]


def remade(kind: str, makers: Mapping[str, Callable[..., Any]], config: Any, absent: str) -> Any:
    """Return what ``get_config`` described: ``config[kind]`` names its maker.

    Raises
    ------
    SettingError
        If ``config`` is no such mapping.
    UnknownNameError
        If there is no maker of that name.
    """
    if not isinstance(config, Mapping) or not isinstance(config.get(kind), str):
        raise SettingError(
            _("a configuration must be a mapping with {kind!r}; got {value!r}").format(
                kind=kind, value=config
            )
        )
    if config[kind] not in makers:
        raise UnknownNameError(absent.format(name=config[kind], known=", ".join(sorted(makers))))
    return makers[config[kind]](**{k: revive(v) for k, v in config.items() if k != kind})


def declared(function: Callable[..., Any], positional: int) -> dict[str, Argument]:
    """Return the arguments declared after the first ``positional`` parameters of a formula."""
    parameters = list(inspect.signature(function).parameters.values())[positional:]
    return {p.name: p.default for p in parameters}


def public_signature(arguments: Mapping[str, Argument]) -> inspect.Signature:
    """Return the signature a user sees: the arguments with their defaults."""
    return inspect.Signature(
        [
            inspect.Parameter(
                name,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=inspect.Parameter.empty if a.default is REQUIRED else a.default,
            )
            for name, a in arguments.items()
        ]
    )


def bind(
    owner: str,
    signature: inspect.Signature,
    arguments: Mapping[str, Argument],
    positional: tuple[Any, ...],
    named: Mapping[str, Any],
) -> dict[str, Any]:
    """Return every argument, checked; raise :class:`SettingError` where one does not fit."""
    for name in named:
        if name not in arguments:
            hint = did_you_mean(name, arguments)
            raise SettingError(
                _("{rule} has no setting {name!r}; it has {known}.").format(
                    rule=owner, name=name, known=", ".join(arguments)
                )
                + hint
            )
    try:
        bound = signature.bind(*positional, **named)
    except TypeError as error:
        raise SettingError(f"{owner}: {error}") from None
    bound.apply_defaults()
    return {name: arguments[name].accept(owner, name, v) for name, v in bound.arguments.items()}


def document(function: Callable[..., Any], arguments: Mapping[str, Argument], source: str) -> str:
    """Return a formula's docstring with its arguments, their ranges and its source."""
    lines = [inspect.cleandoc(function.__doc__ or ""), "", "Parameters", "----------"]
    for name, a in arguments.items():
        kind = "" if a.check else f"{'whole number ' if a.whole else ''}in {a.range_text}; "
        lines += [f"{name} : {kind}{a.meaning}"]
    return "\n".join([*lines, "", f"Source: {source}."])


def plain(value: Any) -> Any:
    """Return an argument as plain data."""
    if isinstance(value, Schedule):
        return value.get_config()
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    return value


def revive(value: Any) -> Any:
    """Return the argument that :func:`plain` wrote down."""
    if isinstance(value, Mapping) and "schedule" in value:
        return from_config(value)
    if isinstance(value, list):
        return [revive(v) for v in value]
    return value
