"""The options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from descenso.language import _


def _load(files: list[Path] | None) -> list[Path] | None:
    """Register the rules of the files; methods of the command then go by their names."""
    from descenso import rules

    for file in files or ():
        rules.load_rule_file(file)
    return files


Rules = Annotated[
    list[Path] | None,
    typer.Option(
        "--rules",
        metavar=_("FILE.py"),
        callback=_load,
        is_eager=True,
        help=_("a rule of your own, whose name then is a method; may be given again"),
    ),
]
ProblemName = Annotated[
    str,
    typer.Argument(
        metavar=_("PROBLEM"),
        help=_("a built-in problem (see `descenso problems`), or module:object for your own"),
    ),
]
ProblemNames = Annotated[
    list[str],
    typer.Argument(
        metavar=_("PROBLEM"),
        help=_(
            "a built-in problem (see `descenso problems`), or module:object for your own; several "
            "are judged one by one and together"
        ),
    ),
]
UntilDecided = Annotated[
    bool,
    typer.Option("--until-decided", help=_("add seeds until the leading methods are told apart")),
]
MostSeeds = Annotated[
    int | None,
    typer.Option(metavar="N", help=_("seeds at most; eight times --seeds unless given")),
]
Margin = Annotated[
    float | None,
    typer.Option(
        metavar="X",
        help=_("difference of the metric that does not matter: 0.005 is half a point of accuracy"),
    ),
]
SplitSeeds = Annotated[
    int,
    typer.Option(
        metavar="N", help=_("ways to part the examples into training and validation, by turns")
    ),
]
Space = Annotated[
    list[str] | None,
    typer.Option(
        metavar=_("RANGE"),
        help=_("range to search, such as adam.beta2=0.9..0.9999:logit; may be given again"),
    ),
]
Sampler = Annotated[
    str,
    typer.Option(
        metavar=_("NAME"),
        help=_("what proposes settings after the learning rates: sobol, or tpe, gp, ... of Optuna"),
    ),
]
SearchSeeds = Annotated[
    int | None,
    typer.Option(
        metavar="N", help=_("seeds that each setting is searched with; up to three unless given")
    ),
]
Defaults = Annotated[
    bool,
    typer.Option(
        "--defaults/--no-defaults",
        show_default=False,
        help=_("judge each method's default setting too, or only the one found"),
    ),
]
Executor = Annotated[
    str,
    typer.Option(
        metavar=_("WHERE"), help=_("train here (local), or on a cluster: ray, ray:address")
    ),
]
Methods = Annotated[
    str | None,
    typer.Option(
        metavar="A,B",
        help=_("methods to compare, such as adam,momentum(beta=0.95)@64; see `descenso methods`"),
    ),
]
Epochs = Annotated[
    int | None, typer.Option(metavar="N", help=_("passes over the training examples of every run"))
]
Seeds = Annotated[
    int, typer.Option(metavar="N", help=_("fresh seeds that each chosen setting is judged on"))
]
Trials = Annotated[
    int,
    typer.Option(metavar="N", help=_("settings each method is tried with, learning rates first")),
]
Seed = Annotated[
    int, typer.Option(metavar="N", help=_("keys the split, the weights and the order of examples"))
]
StoreURL = Annotated[
    str | None,
    typer.Option(
        "--store", metavar="URL", help=_("database URL or SQLite file that keeps the runs")
    ),
]
Report = Annotated[
    Path | None, typer.Option(metavar=_("FILE.html"), help=_("write the report to this file"))
]
Json = Annotated[
    str | None,
    typer.Option("--json", metavar=_("FILE|-"), help=_("write everything as JSON; - prints it")),
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help=_("forget what is stored of this study and run it anew"))
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help=_("say how the members were laid on the machine"))
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help=_("show no progress"))]
Lang = Annotated[
    Literal["en", "es"] | None,
    typer.Option("--lang", help=_("language of all that is said: English or Spanish")),
]
