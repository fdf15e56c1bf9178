"""What is asked of a study, and the design it becomes: the one list of its options.

Each option is a field of :class:`Design`. Its meaning, range and choices are said there once: the
command line, the page, the signature of :func:`descenso.compare`, the JSON and the command that
runs a study again read them from :data:`OPTIONS`.
"""

from __future__ import annotations

import inspect
import math
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from numbers import Integral
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypedDict, TypeVar, Unpack, get_type_hints

from descenso.errors import BudgetError, SettingError
from descenso.language import N_, _, did_you_mean

if TYPE_CHECKING:
    from descenso.methods import Method
    from descenso.problems import Problem
    from descenso.study._space import Range

#: Seeds that each setting is searched with, at most, unless another number is asked for.
SEARCH_SEEDS = 3
#: Unless told otherwise, a study that adds seeds ends with this many times its first ones.
MOST = 8
#: What can propose the settings of the second stage of a search.
SAMPLERS = ("sobol", "tpe", "random", "gp", "cmaes")
_MOST_OF_ALL = 1_000_000
_P = ParamSpec("_P")
_T = TypeVar("_T")


def whole(name: str, value: Any, least: int = 1, most: int = _MOST_OF_ALL) -> int:
    """Return ``value`` as a whole number from ``least`` to ``most``.

    Raises
    ------
    BudgetError
        If it is anything else.
    """
    if not _is_whole(value) or not least <= value <= most:
        raise BudgetError(
            _("{name} must be a whole number from {least} to {most}; got {value!r}").format(
                name=name, least=least, most=most, value=value
            )
        )
    return int(value)


def study_seed(name: str, value: Any) -> int:
    """Return ``value`` as the seed of a study: a whole number, zero or more."""
    return whole(name, value, 0, 2**32 - 1)


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _switch(name: str, value: Any) -> bool:
    return bool(value)


def _most_seeds(name: str, value: Any) -> int:
    return 0 if value == 0 else whole(name, value)


def _margin(name: str, value: Any) -> float | None:
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value <= 0:
        raise BudgetError(
            _("{name} must be a positive difference of the metric; got {value!r}").format(
                name=name, value=value
            )
        )
    return float(value)


def _sampler(name: str, value: Any) -> str:
    if value in SAMPLERS:
        return str(value)
    hint = did_you_mean(str(value), SAMPLERS)
    raise SettingError(
        _("there is no sampler named {name!r}; there are {known}.").format(
            name=value, known=", ".join(SAMPLERS)
        )
        + hint
    )


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not all(isinstance(text, str) for text in value):
        raise SettingError(
            _("{name} must be a list of texts; got {value!r}").format(name=name, value=value)
        )
    return tuple(value)


@dataclass(frozen=True)
class Option:
    """What every face says of one option of a study.

    Attributes
    ----------
    help : its meaning in a line; translated where it is shown.
    check : takes the option's name and a value, and returns the value or says what is wrong.
    usual : what is asked for where nothing is given; ``None`` where that depends on the rest.
    more : what the line leaves out.
    metavar : what stands for the value in the help of the command line.
    no : whether the help of the command line names the switch that turns it off.
    choices : the values it can have, if they are few.
    repeated : whether it is a list.
    label : its name on the page.
    least, most : the range that the page offers; ``most`` is 0 where the page has no such field.
    added : whether it came after studies were stored: a study at its usual value is the same as
        one from before.
    always : whether the command that runs a study again says it even at its usual value.
    """

    help: str
    check: Callable[[str, Any], Any] = whole
    usual: Any = None
    more: str = ""
    metavar: str = "N"
    no: bool = False
    choices: Sequence[str] = ()
    repeated: bool = False
    label: str = ""
    least: float = 1
    most: float = 0
    added: bool = False
    always: bool = False


#: Of ``most_seeds``: a design says it by the number itself.
_UNTIL_DECIDED = Option(
    N_("add seeds until the leading methods are told apart"),
    check=_switch,
    usual=False,
    more="That is until each method is shown to be worse than the best, or equivalent to "
    "it within ``margin``, or there are ``most_seeds``. The chance of a false claim stays "
    "5% over all looks together.",
    label=N_("until it is decided"),
)


def _option(option: Option, **field_options: Any) -> Any:
    return field(metadata={"option": option}, **field_options)


@dataclass(frozen=True)
class Design:
    """What is decided before the first step is taken; it cannot hold what no study can do.

    Attributes
    ----------
    problem : name of the problem.
    methods : labels of the methods compared.

    The other fields are the options, which :data:`OPTIONS` explains. ``most_seeds`` is zero where
    seeds are not added.

    Raises
    ------
    BudgetError, SettingError
        If a field is out of its range.
    """

    problem: str
    methods: tuple[str, ...]
    epochs: int = _option(
        Option(
            N_("passes over the training examples of every run"),
            more="The problem's own number unless given.",
            label=N_("epochs"),
            most=200,
            always=True,
        )
    )
    trials: int = _option(
        Option(
            N_("settings each method is tried with, learning rates first"),
            usual=12,
            more="Up to 12 are learning rates; what is left goes to learning rate and other "
            "settings together.",
            label=N_("learning rates"),
            most=48,
            always=True,
        )
    )
    search_seeds: int = _option(
        Option(
            N_("seeds that each setting is searched with; up to three unless given"),
            more="One costs half as much, and suits data of thousands of examples, where seeds "
            "differ little.",
            label=N_("seeds of the search"),
            most=20,
        )
    )
    seeds: int = _option(
        Option(
            N_("fresh seeds that each chosen setting is judged on"),
            usual=5,
            label=N_("seeds"),
            most=50,
            always=True,
        )
    )
    seed: int = _option(
        Option(
            N_("keys the split, the weights and the order of examples"),
            check=study_seed,
            usual=0,
            label=N_("seed of the study"),
            least=0,
            most=2**32 - 1,
            always=True,
        )
    )
    most_seeds: int = _option(
        Option(
            N_("seeds at most; eight times --seeds unless given"),
            check=_most_seeds,
            label=N_("seeds at most"),
            most=400,
        ),
        default=0,
    )
    margin: float | None = _option(
        Option(
            N_("difference of the metric that does not matter: 0.005 is half a point of accuracy"),
            check=_margin,
            metavar="X",
            label=N_("margin"),
            least=0,
            most=math.inf,
        ),
        default=None,
    )
    split_seeds: int = _option(
        Option(
            N_("ways to part the examples into training and validation, by turns"),
            usual=1,
            more="Fresh seed s is judged on way s mod ``split_seeds``; the test examples stay.",
            label=N_("splits"),
            most=20,
        ),
        default=1,
    )
    space: tuple[str, ...] = _option(
        Option(
            N_("range to search, such as adam.beta2=0.9..0.9999:logit"),
            check=_texts,
            usual=(),
            metavar=N_("RANGE"),
            repeated=True,
            label=N_("ranges to search"),
        ),
        default=(),
    )
    sampler: str = _option(
        Option(
            N_("what proposes settings after the learning rates: sobol, or tpe, gp, ... of Optuna"),
            check=_sampler,
            usual="sobol",
            metavar=N_("NAME"),
            choices=SAMPLERS,
            label=N_("sampler"),
        ),
        default="sobol",
    )
    defaults: bool = _option(
        Option(
            N_("judge each method's default setting too, or only the one found"),
            check=_switch,
            usual=True,
            more="The default tells what tuning was worth. Without it a study trains about a "
            "quarter less, and the comparison of the methods is the same.",
            no=True,
            label=N_("default settings too"),
            added=True,
        ),
        default=True,
    )
    race: bool = _option(
        Option(
            N_("stop the worse settings of the search early, or train each to its end"),
            check=_switch,
            usual=True,
            more="Without it settings that begin slowly are never lost, and the search takes two to "
            "four times as long.",
            no=True,
            label=N_("stop worse settings early"),
            added=True,
        ),
        default=True,
    )

    def __post_init__(self) -> None:
        """Hold each field to its range."""
        for name, f in _FIELDS.items():
            object.__setattr__(self, name, f.metadata["option"].check(name, getattr(self, name)))
        if not self.until_decided:
            object.__setattr__(self, "most_seeds", 0)

    @classmethod
    def of(
        cls,
        problem: Problem,
        methods: str | Sequence[str] | None = None,
        **asked: Unpack[Options],
    ) -> Design:
        """Return the design that fits what is asked for.

        Parameters
        ----------
        methods : see :func:`descenso.methods.parse`; the problem's usual ones if not given.
        asked : options by name; one that is ``None`` is as good as not given.

        Raises
        ------
        BudgetError, SettingError, UnknownNameError
            If something asked for is not possible.
        TypeError
            If there is no option of a name.
        """
        from descenso.study import checks
        from descenso.study._space import parse_space

        _check_names(asked)
        wanted = {name: option.usual for name, option in OPTIONS.items()}
        wanted |= {name: value for name, value in asked.items() if value is not None}
        epochs, search, most = (wanted.pop(n) for n in ("epochs", "search_seeds", "most_seeds"))
        seeds = whole("seeds", wanted["seeds"])
        chosen = tuple(checks.methods(methods, problem))
        design = cls(
            problem=problem.name,
            methods=tuple(method.label for method in chosen),
            epochs=problem.epochs if epochs is None else epochs,
            search_seeds=usual_search_seeds(seeds) if search is None else search,
            most_seeds=_seeds_at_most(seeds, wanted.pop("until_decided"), most),
            **wanted,
        )
        vars(design)["parsed"] = chosen  # they may depend on the problem
        parse_space(design.space, chosen)
        return design

    @cached_property
    def parsed(self) -> tuple[Method, ...]:
        """The methods compared, parsed."""
        from descenso.methods import parse

        return tuple(map(parse, self.methods))

    @cached_property
    def ranges(self) -> Mapping[str, tuple[Range, ...]]:
        """The ranges that were asked for, by the label of their method."""
        from descenso.study._space import parse_space

        return parse_space(self.space, self.parsed)

    @property
    def until_decided(self) -> bool:
        """Whether seeds are added until the leading methods are told apart."""
        return self.most_seeds > self.seeds

    @property
    def confirmed(self) -> int:
        """How many settings of each method are confirmed."""
        return 2 if self.defaults else 1

    def identifying(self) -> dict[str, Any]:
        """Return the fields that make a study this one; one added later counts if it is unusual."""
        return {
            name: value
            for name, value in asdict(self).items()
            if not (name in OPTIONS and OPTIONS[name].added and value == OPTIONS[name].usual)
        }

    def as_json(self) -> dict[str, Any]:
        """Return the methods and the options as JSON-ready values; ``None`` where not asked for."""
        values = {name: self._listed(name) for name in asdict(self) if name != "problem"}
        return {**values, "most_seeds": self.most_seeds or None}

    def asked(self) -> dict[str, Any]:
        """Return what to ask for to get this design again, without what is usual."""
        usual = {name: option.usual for name, option in OPTIONS.items()}
        usual |= {"search_seeds": usual_search_seeds(self.seeds), "most_seeds": 0}
        unusual = (n for n, o in OPTIONS.items() if o.always or getattr(self, n) != usual[n])
        return {name: self._listed(name) for name in ("methods", *unusual)}

    def _listed(self, name: str) -> Any:
        value = getattr(self, name)
        return list(value) if isinstance(value, tuple) else value


class Options(TypedDict, total=False):
    """What can be asked of a study, in the order in which the faces name it."""

    epochs: int | None
    trials: int
    seeds: int
    seed: int
    until_decided: bool
    most_seeds: int | None
    margin: float | None
    split_seeds: int
    space: Sequence[str]
    sampler: str
    search_seeds: int | None
    defaults: bool
    race: bool


_FIELDS: Final = {f.name: f for f in fields(Design) if "option" in f.metadata}
#: The options of a study by name, in the order in which the faces name them.
OPTIONS: Final[Mapping[str, Option]] = {
    name: _FIELDS[name].metadata["option"] if name in _FIELDS else _UNTIL_DECIDED
    for name in Options.__annotations__
}
#: The type of what is asked for.
TYPES: Final[Mapping[str, Any]] = get_type_hints(Options)


def usual_search_seeds(seeds: int) -> int:
    """Return how many seeds each setting is searched with, unless told otherwise."""
    return min(SEARCH_SEEDS, seeds)


def _seeds_at_most(first: int, until_decided: bool, most: int | None) -> int:
    if most is None:
        return first * MOST if until_decided else 0
    if not until_decided:
        raise BudgetError(_("most_seeds is only for a study that goes on until it is decided"))
    if whole("most_seeds", most) <= first:
        raise BudgetError(
            _(
                "most_seeds must be more than the {seeds} seeds that are begun with; got {most}"
            ).format(seeds=first, most=most)
        )
    return most


def _check_names(asked: Mapping[str, Any]) -> None:
    for name in asked:
        if name not in OPTIONS:
            raise TypeError(f"a study has no option {name!r}.{did_you_mean(name, OPTIONS)}")


def with_options(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Name each option in the signature and the docstring of a function that takes ``**options``."""
    signature = inspect.signature(function)
    given = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    named = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=option.usual,
                          annotation=TYPES[name])
        for name, option in OPTIONS.items()
    ]  # fmt: skip
    function.__signature__ = signature.replace(parameters=[*given, *named])  # type: ignore[attr-defined]
    lines = "\n".join(_in_python(name, option) for name, option in OPTIONS.items())
    function.__doc__ = re.sub(
        r"^    options : .*(\n {8}.*)*", lambda _found: lines, function.__doc__ or "", flags=re.M
    )
    return function


def _in_python(name: str, option: Option) -> str:
    """Return what an option means, as an entry of a docstring."""
    choices = f"; one of {', '.join(option.choices)}" if option.choices else ""
    text = f"{name} : {option.help}{choices}. {option.more}".strip()
    named = re.sub(r"--([a-z-]+)", lambda found: f"``{found[1].replace('-', '_')}``", text)
    return textwrap.fill(named, 100, initial_indent=" " * 4, subsequent_indent=" " * 8)
