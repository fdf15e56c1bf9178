"""The commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

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
from descenso.language import _

app = typer.Typer(
    name="descenso",
    help=_("Which optimizer should train my network, and with which settings?"),
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
    add_completion=False,
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
def compare(
    problem: options.ProblemNames,
    methods: options.Methods = None,
    epochs: options.Epochs = None,
    seeds: options.Seeds = 5,
    trials: options.Trials = 12,
    seed: options.Seed = 0,
    until_decided: options.UntilDecided = False,
    most_seeds: options.MostSeeds = None,
    margin: options.Margin = None,
    split_seeds: options.SplitSeeds = 1,
    space: options.Space = None,
    sampler: options.Sampler = "sobol",
    search_seeds: options.SearchSeeds = None,
    defaults: options.Defaults = True,
    target: tables.Target = None,
    task: tables.Task = None,
    drop: tables.Drop = None,
    column: tables.Column = None,
    delimiter: tables.Delimiter = None,
    encoding: tables.Encoding = None,
    hidden: tables.Hidden = None,
    store: options.StoreURL = None,
    executor: options.Executor = "local",
    report: options.Report = None,
    json: options.Json = None,
    rules: options.Rules = None,
    lang: options.Lang = None,
    fresh: options.Fresh = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    from descenso import api
    from descenso.cli._progress import shown

    check_places(report, json)
    choices = {
        "target": target, "task": task, "drop": drop, "column": column,
        "delimiter": delimiter, "encoding": encoding, "hidden": hidden,
    }  # fmt: skip
    problem = [tables.with_options(name, choices) for name in problem]
    with shown(console(stderr=True), quiet) as on_progress:
        wanted: dict[str, Any] = {
            "epochs": epochs, "seeds": seeds, "trials": trials, "seed": seed,
            "until_decided": until_decided, "most_seeds": most_seeds, "margin": margin,
            "split_seeds": split_seeds, "space": space or (), "sampler": sampler,
            "search_seeds": search_seeds, "defaults": defaults,
            "store": store, "executor": executor, "fresh": fresh, "on_progress": on_progress,
        }  # fmt: skip
        if len(problem) == 1:
            study = api.compare(problem[0], methods, **wanted)
        else:
            studies = api.compare_all(problem, methods, **wanted)
    if len(problem) == 1:
        _show(study, report, json, verbose)
    else:
        _show_all(studies, report, json)


@app.command(help=_("Train a problem with one method, and show its learning curve."))
def train(
    problem: options.ProblemName,
    method: Annotated[
        str, typer.Option(metavar=_("METHOD"), help=_("such as adam(lr=0.003)@64"))
    ] = "adam",
    epochs: options.Epochs = None,
    seeds: Annotated[int, typer.Option(metavar="N", help=_("seeds to train with"))] = 1,
    seed: options.Seed = 0,
    target: tables.Target = None,
    task: tables.Task = None,
    drop: tables.Drop = None,
    column: tables.Column = None,
    delimiter: tables.Delimiter = None,
    encoding: tables.Encoding = None,
    hidden: tables.Hidden = None,
    json: options.Json = None,
    rules: options.Rules = None,
    lang: options.Lang = None,
) -> None:
    from descenso import problems, study
    from descenso.cli._training import show_runs

    check_places(None, json)
    choices = {
        "target": target, "task": task, "drop": drop, "column": column,
        "delimiter": delimiter, "encoding": encoding, "hidden": hidden,
    }  # fmt: skip
    chosen = problems.get(tables.with_options(problem, choices))
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
def report(
    study: Annotated[
        str, typer.Argument(metavar=_("STUDY"), help=_("the start of its name, or `latest`"))
    ],
    report: options.Report = None,
    json: options.Json = None,
    store: options.StoreURL = None,
    rules: options.Rules = None,
    lang: options.Lang = None,
    verbose: options.Verbose = False,
) -> None:
    from descenso.api import Study

    check_places(report, json)
    _show(Study(finished(study, store)), report, json, verbose)


def _show_all(studies: Any, report: Path | None, json: str | None) -> None:
    """Print the verdict of each study and of all together, and write what was asked for."""
    from descenso.cli._training import print_overview

    if json != "-":
        print_overview(studies)
    if json:
        write_json(studies.to_json(), json)
    if report is None:
        return
    for path in (studies.save(report), *studies.report_places(report)):
        console(stderr=json == "-").print(_("report: {path}").format(path=path), soft_wrap=True)


def _show(study: Any, report: Path | None, json: str | None, verbose: bool) -> None:
    """Print the verdict and the table, unless JSON is printed, and write what was asked for."""
    from descenso.cli._training import print_layout, print_study

    if json != "-":
        print_study(study)
        if verbose:
            print_layout(study.result.layout)
    if json is not None:
        write_json(study.to_json(), json)
    if report is not None:
        study.save(report)
        console(stderr=json == "-").print(_("report: {path}").format(path=report), soft_wrap=True)


pictures.register(app)
_studies.register(app)
