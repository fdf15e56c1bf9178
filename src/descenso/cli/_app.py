"""The commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from descenso.cli import _options as options
from descenso.cli import _pictures as pictures
from descenso.cli import _studies
from descenso.cli import _tables as tables
from descenso.cli import _usage as usage
from descenso.cli._help import speak
from descenso.cli._members import existing, finished
from descenso.cli._output import (
    check_places,
    console,
    print_help,
    print_paragraph,
    print_table,
    write_json,
)
from descenso.cli._records import with_fields
from descenso.language import _
from descenso.study.design import Options

if TYPE_CHECKING:
    from pathlib import Path

    from descenso.api import Studies, Study

app = typer.Typer(
    name="descenso",
    help=_("Which optimizer should train my network, and with which settings?"),
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def invoke(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    command = typer.main.get_command(app)
    speak(command)
    try:
        code = command.main(arguments, prog_name="descenso", standalone_mode=False)
    except Exception as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            print_help(str(error))
            return 0
        if type(error).__name__ == "Abort":  # the question was answered with no, or not at all
            raise usage.UsageError(_("nothing was done; --yes answers the question")) from error
        if not usage.is_complaint(error):
            raise
        raise usage.UsageError(usage.say(error, arguments)) from error
    return int(code or 0)


def _version(asked: bool) -> None:
    if asked:
        from descenso import __version__

        print(f"descenso {__version__}")
        raise typer.Exit


@app.callback()
def descenso(
    lang: options.Lang = None,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help=_("say the version")),
    ] = False,
) -> None:
    """Take the options that stand before the command."""


@app.command(help=_("Compare methods on a problem, tuned and judged fairly, and say the verdict."))
@with_fields
def compare(
    problem: options.ProblemNames,
    *,
    methods: options.Methods = None,
    asked: Options,
    table: tables.Table,
    store: options.StoreURL = None,
    executor: options.Executor = "local",
    output: options.Output,
    spoken: options.Spoken,
    fresh: options.Fresh = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    from descenso import api
    from descenso.cli._progress import shown

    check_places(output.report, output.json)
    problem = [tables.named(name, table) for name in problem]
    with shown(console(stderr=True), quiet) as on_progress:
        wanted: dict[str, Any] = {
            "store": store, "executor": executor, "fresh": fresh, "on_progress": on_progress,
            **asked,
        }  # fmt: skip
        if len(problem) == 1:
            study = api.compare(problem[0], methods, **wanted)
        else:
            studies = api.compare_all(problem, methods, **wanted)
    if len(problem) == 1:
        _show(study, output, verbose)
    else:
        _show_all(studies, output)


@app.command(help=_("Train a problem with one method, and show its learning curve."))
@with_fields
def train(
    problem: options.ProblemName,
    *,
    method: Annotated[
        str, typer.Option(metavar=_("METHOD"), help=_("such as adam(lr=0.003)@64"))
    ] = "adam",
    epochs: options.Epochs = None,
    seeds: Annotated[int, typer.Option(metavar="N", help=_("seeds to train with"))] = 1,
    seed: options.Seed = 0,
    table: tables.Table,
    json: options.Json = None,
    spoken: options.Spoken,
) -> None:
    from descenso import problems, study
    from descenso.cli._training import show_runs

    check_places(None, json)
    chosen = problems.get(tables.named(problem, table))
    runs = study.train(chosen, method, epochs=epochs, seeds=seeds, seed=seed)
    show_runs(chosen, runs, json)


@app.command(help=_("List the methods, with their settings and ranges."))
def methods(rules: options.Rules = None, lang: options.Lang = None) -> None:
    from descenso import methods as known

    rows = []
    for name in known.names():
        method = known.parse(name)
        rule = method.definition()
        settings = ", ".join(f"{h.name}={h.default}" for h in rule.hyperparameters.values())
        rows.append((name, _(method.regime()), _(rule.title), settings))
    print_table((_("method"), _("regime"), _("rule"), _("settings")), rows)
    print_paragraph(
        _("Write settings and batch size out to fix them: adam(lr=0.003,beta2=0.99)@64.")
    )


@app.command(help=_("List the problems that come with descenso."))
def problems(lang: options.Lang = None) -> None:
    from descenso import problems as known

    rows = [(name, known.summary(known.get(name))) for name in known.names()]
    print_table((_("problem"), _("what is trained")), rows)
    print_paragraph(_("Your own: descenso compare mymodule:problem"))


@app.command(help=_("List the studies in the store."))
def studies(store: options.StoreURL = None, lang: options.Lang = None) -> None:
    rows = []
    place = existing(store)
    for study in place.studies() if place else ():
        state = _("finished") if study.result else _("unfinished")
        names = ", ".join(study.design["methods"])
        rows.append((study.identity, study.problem, names, study.started, state))
    rows += [
        (identity, "", "", "", _("damaged")) for identity in (place.damaged() if place else ())
    ]
    if not rows:
        print_paragraph(_("No study is stored yet: descenso compare digits"))
        return
    print_table((_("study"), _("problem"), _("methods"), _("started"), _("state")), rows)


@app.command(help=_("Say a stored study's verdict again; --report writes it as a page."))
@with_fields
def report(
    study: Annotated[
        str, typer.Argument(metavar=_("STUDY"), help=_("the start of its name, or `latest`"))
    ],
    output: options.Output,
    store: options.StoreURL = None,
    *,
    spoken: options.Spoken,
    verbose: options.Verbose = False,
) -> None:
    from descenso.api import Study

    check_places(output.report, output.json)
    _show(Study(finished(study, store)), output, verbose)


def _show_all(studies: Studies, output: options.Output) -> None:
    """Print the verdict of each study and of all together, and write what was asked for."""
    from descenso.cli._training import print_overview

    if output.json != "-":
        print_overview(studies)
    if output.json:
        write_json(studies.to_json(), output.json)
    if output.report is None:
        return
    for path in (studies.save(output.report), *studies.report_places(output.report)):
        _say_where(path, output)


def _say_where(path: Path, output: options.Output) -> None:
    to_stderr = output.json == "-"
    console(stderr=to_stderr).print(_("report: {path}").format(path=path), soft_wrap=True)


def _show(study: Study, output: options.Output, verbose: bool) -> None:
    """Print the verdict and the table, unless JSON is printed, and write what was asked for."""
    from descenso.cli._training import print_layout, print_study

    if output.json != "-":
        print_study(study)
        if verbose:
            print_layout(study.result.layout)
    if output.json is not None:
        write_json(study.to_json(), output.json)
    if output.report is not None:
        study.save(output.report)
        console(stderr=output.json == "-").print(
            _("report: {path}").format(path=output.report), soft_wrap=True
        )


pictures.register(app)
_studies.register(app)
