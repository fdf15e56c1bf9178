"""Commands that judge and hand over runs: verdict, show, export, delete."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from descenso.cli import _options as options
from descenso.cli._members import opened
from descenso.cli._output import print_paragraph, print_table, write_json
from descenso.errors import SettingError
from descenso.language import _, printable

_Study = Annotated[
    str, typer.Argument(metavar=_("STUDY"), help=_("the start of its name, or `latest`"))
]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(help=_("Judge runs of any origin: a table with method, seed and value."))(verdict)
    app.command(help=_("Show a stored study, finished or not: its design and its runs."))(show)
    app.command(help=_("Write a stored study as CSV, Parquet, MLflow or TensorBoard."))(export)
    app.command(help=_("Remove a study from the store, with all its runs."))(delete)


def verdict(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar=_("RUNS..."),
            help=_("files, folders or patterns: CSV, Parquet, JSON, or exports of trackers"),
        ),
    ],
    columns: Annotated[
        list[str] | None,
        typer.Option(
            metavar=_("OURS=THEIRS,..."),
            help=_("what columns are called: value=acc,method=optimizer"),
        ),
    ] = None,
    higher_is_better: Annotated[
        bool | None,
        typer.Option(
            "--higher-is-better/--lower-is-better", help=_("which values are the better ones")
        ),
    ] = None,
    target: Annotated[
        float | None, typer.Option(metavar="X", help=_("value that counts as solved"))
    ] = None,
    at: Annotated[
        str,
        typer.Option(
            metavar=_("last|best|STEP"),
            help=_(
                "step that judges a run: last, best (on validation where it is there) or a number"
            ),
        ),
    ] = "last",
    json: options.Json = None,
    lang: options.Lang = None,
) -> None:
    """Judge runs of any origin."""
    from descenso.study import external

    table = external.read_runs(runs, _mapping(columns or []))
    found = external.judge_runs(table, higher_is_better, target, at)
    as_json = external.as_json(found)
    if json != "-":
        _print_finding(as_json)
    if json:
        write_json(as_json, json)


def _mapping(texts: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in ",".join(texts).split(",") if texts else []:
        ours, equals, theirs = (piece.strip() for piece in part.partition("="))
        if not equals or not ours or not theirs:
            raise SettingError(
                _("--columns is written ours=theirs,...; got {text!r}").format(text=part)
            )
        pairs[ours] = theirs
    return pairs


def _print_finding(found: dict[str, Any]) -> None:
    print_paragraph(found["verdict"]["text"])
    print()
    headings = (
        _("method"), _("setting"), _("runs"), _("mean"), _("95% interval"), _("diverged"),
    )  # fmt: skip
    several = len(found["by_problem"]) > 1
    for part in found["by_problem"]:
        rows = [
            (
                m["name"],
                m["setting"] or "",
                str(len(m["seeds"])),
                _number(m["value"]["mean"]) if m["value"] else "–",
                _interval(m["value"]) if m["value"] else "–",
                str(m["diverged"]),
            )
            for m in part["methods"]
        ]
        print_table(headings, rows, title=part["problem"] if several else "")
        print()
    for note in found["notes"]:
        print_paragraph(_("Note: {text}").format(text=note))


def _interval(value: dict[str, Any]) -> str:
    return f"{_number(value['low'])} – {_number(value['high'])}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def show(
    study: _Study,
    store: options.StoreURL = None,
    json: options.Json = None,
    rules: options.Rules = None,
    lang: options.Lang = None,
) -> None:
    """Show a stored study, finished or not."""
    from descenso.study import export as exports

    place = opened(store)
    stored = place.resolve(study)
    frame = exports.summary(place, stored)
    if json:
        write_json({"study": stored.identity, "problem": stored.problem, "design": stored.design,
                    "started": stored.started, "finished": stored.result is not None,
                    "settings": frame.to_dict("records")}, json)  # fmt: skip
    if json == "-":
        return
    state = _("finished") if stored.result else _("unfinished")
    print_paragraph(f"{stored.identity}  {stored.problem}  {stored.started}  {state}")
    design = stored.design.items()
    print_paragraph("  ".join(f"{k}={v}" for k, v in design if _tells(k, v)))
    print()
    headings = (_("method"), _("settings"), _("runs"), _("epochs"), _("diverged"), _("validation"))
    print_table(headings, [tuple(map(str, row)) for row in frame.itertuples(index=False)])


def _tells(name: str, value: Any) -> bool:
    """Whether a part of a design is worth showing: an option that was not taken is not."""
    return name == "seed" or value is False or value not in (None, [], 0)


def export(
    study: _Study,
    target: Annotated[
        str,
        typer.Argument(
            metavar=_("TARGET"),
            help=_("file.csv or file.parquet; mlflow:URI; tensorboard:FOLDER"),
        ),
    ],
    store: options.StoreURL = None,
    rules: options.Rules = None,
    lang: options.Lang = None,
) -> None:
    """Write a stored study for other tools."""
    from descenso.study import export as exports

    place = opened(store)
    where = exports.export(place, place.resolve(study), target)
    print_paragraph(_("written: {path}").format(path=where))


def delete(
    study: _Study,
    store: options.StoreURL = None,
    yes: Annotated[bool, typer.Option("--yes", help=_("do not ask"))] = False,
    lang: options.Lang = None,
) -> None:
    """Remove a study from the store."""
    place = opened(store)
    identity = place.identity(study)
    if not yes:
        name = identity
        if identity not in place.damaged():
            stored = place.resolve(identity)
            name = printable(f"{identity} ({stored.problem}, {stored.started})")
        _confirm(_("Remove {name} and all its runs?").format(name=name))
    place.delete(identity)
    print_paragraph(_("removed: {name}").format(name=identity))


def _confirm(question: str) -> None:
    """Go on only if the answer is yes, in the language in use."""
    text = _("{question} [y/N]:").format(question=question)
    answer = typer.prompt(text, default="", show_default=False, prompt_suffix=" ")
    if answer.strip().casefold() not in _("y yes").split():
        raise typer.Abort
