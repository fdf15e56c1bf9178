"""The commands that draw: paths on surfaces, maps of settings, landscapes; and the web page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from descenso.cli import _options as options
from descenso.cli._output import console
from descenso.language import _

Theme = Annotated[Literal["light", "dark"], typer.Option(help=_("ground of the picture"))]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command(help=_("Draw how methods move on a surface."))(path)


def path(
    surface: Annotated[
        str | None,
        typer.Argument(
            metavar="SURFACE",
            help=_("a surface, such as ravine(condition=50); regression; or module:object"),
        ),
    ] = None,
    function: Annotated[
        str | None,
        typer.Option(metavar="FORMULA", help=_("a surface of your own: 'x**2 + 10*y**2'")),
    ] = None,
    methods: Annotated[
        str, typer.Option(metavar="A,B", help=_("methods, such as adam,momentum(beta=0.8)"))
    ] = "gradient_descent,momentum,rmsprop,adam",
    lr: Annotated[
        str | None,
        typer.Option(
            metavar="RATES",
            help=_("learning rates or schedules, such as 0.1,cosine(0.3); tuned if not given"),
        ),
    ] = None,
    steps: Annotated[int, typer.Option(metavar="N", help=_("steps of each path"))] = 60,
    start: Annotated[
        list[str] | None,
        typer.Option(metavar="X,Y", help=_("where to begin; may be given several times")),
    ] = None,
    window: Annotated[
        str | None, typer.Option(metavar="X1,X2,Y1,Y2", help=_("the part of the plane to show"))
    ] = None,
    noise: Annotated[
        float, typer.Option(metavar="S", help=_("standard deviation of the gradients' noise"))
    ] = 0.0,
    seeds: Annotated[int, typer.Option(metavar="N", help=_("seeds of the noise, a path each"))] = 1,
    three_d: Annotated[bool, typer.Option("--3d", help=_("draw the surface in relief"))] = False,
    decompose: Annotated[
        bool, typer.Option("--decompose", help=_("draw the arrows that make each step"))
    ] = False,
    map_of: Annotated[
        str | None,
        typer.Option(
            "--map", metavar="SETTING", help=_("draw a map of learning rate × SETTING (beta, ...)")
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help=_("where to draw: .png, .svg, .pdf, .html or .gif"))
    ] = Path("path.png"),
    theme: Theme = "light",
    lang: options.Lang = None,
) -> None:
    from descenso import paths
    from descenso.methods import parse_list
    from descenso.report import pictures

    pictures.format_of(out)
    view = paths.window(window) if window else None
    starts = [paths.point(text) for text in start or []]
    where = paths.get(surface, function=function, window=view, start=starts[0] if starts else None)
    chosen = parse_list(methods)
    if map_of is not None:
        _draw_map(where, chosen, map_of, steps, out, theme)
        return
    rates = [paths.learning_rate(text, steps) for text in _split(lr or "")]
    found = paths.descend(
        where, chosen, lr=rates, steps=steps, starts=starts, noise=noise, seeds=seeds
    )
    if decompose:
        pictures.save_decomposition(found, out, theme=theme)
    else:
        pictures.save_paths(found, out, theme=theme, three_d=three_d, fitted=view is None)
    _say_ends(found)
    _say_where(out)


def _split(text: str) -> list[str]:
    """Split at commas that stand outside parentheses."""
    return [part for part in re.split(r",(?![^()]*\))", text) if part.strip()]


def _draw_map(where: Any, chosen: Any, name: str, steps: int, out: Path, theme: str) -> None:
    from descenso import paths
    from descenso.errors import SettingError
    from descenso.report import pictures

    if len(chosen) != 1:
        raise SettingError(
            _("a map is drawn of one method; name it with --methods. Got {count}").format(
                count=len(chosen)
            )
        )
    name = name.removeprefix("lr,")
    pictures.save_map(
        paths.settings_map(where, chosen[0], other_name=name, steps=steps), out, theme=theme
    )
    _say_where(out)


def _say_ends(found: Any) -> None:
    """Print a line for each path: its settings, where it ended, and whether it was cut."""
    from descenso.cli._output import print_table

    words = {"ran": "", "diverged": _("diverges"), "left": _("leaves the view")}
    rows = []
    for trace in found.traces:
        x, y = trace.path.x
        rows.append(
            (
                trace.label.partition("(")[0],
                trace.settings_text,
                f"{trace.start[0]:g}, {trace.start[1]:g}",
                str(trace.seed),
                str(len(trace.path)),
                f"{x:.4g}, {y:.4g}",
                f"{trace.path.values[-1]:.4g}",
                words[trace.end],
            )
        )
    headings = (
        _("method"),
        _("settings"),
        _("start"),
        _("seed"),
        _("steps"),
        _("end"),
        _("value"),
        "",
    )
    print_table(headings, rows[:40])


def _say_where(out: Path) -> None:
    console().print(_("picture: {path}").format(path=out), soft_wrap=True)
