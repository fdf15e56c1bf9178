"""The options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import typer

from descenso.language import _
from descenso.study.design import OPTIONS


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
Epochs = Annotated[int | None, typer.Option(metavar="N", help=_(OPTIONS["epochs"].help))]
Seed = Annotated[int, typer.Option(metavar="N", help=_(OPTIONS["seed"].help))]
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


class Spoken(NamedTuple):
    """What is heeded before a command begins: rules of one's own, and the language."""

    rules: Rules = None
    lang: Lang = None


class Output(NamedTuple):
    """Where a command writes what it found."""

    report: Report = None
    json: Json = None
