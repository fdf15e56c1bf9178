"""The commands that draw: paths on surfaces, maps of settings, landscapes; and the web page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import typer

from descenso.cli import _options as options
from descenso.cli._members import finished, members, split
from descenso.cli._output import console
from descenso.cli._records import add
from descenso.language import _

Theme = Annotated[Literal["light", "dark"], typer.Option(help=_("ground of the picture"))]

Place = Annotated[
    str | None,
    typer.Option(
        "--problem",
        metavar=_("MODULE:OBJECT"),
        help=_("of a study of your own problem: where it is"),
    ),
]
_TOGETHER = ("profile", "gains")  # figures that can be of several studies


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    add(app, path, _("Draw how methods move on a surface."))
    add(app, landscape, _("Draw a network's loss around the routes of several methods."))
    add(app, dynamics, _("Draw how training moves: oscillation, steps by layer, gradient noise."))
    add(app, figure, _("Draw one figure of a stored study, for a paper or a page."))
    add(app, serve, _("Open the playground and the stored studies in the browser."))


class Descent(NamedTuple):
    """How methods go down a surface."""

    methods: Annotated[
        str, typer.Option(metavar="A,B", help=_("methods, such as adam,momentum(beta=0.8)"))
    ] = "gradient_descent,momentum,rmsprop,adam"
    lr: Annotated[
        str | None,
        typer.Option(
            metavar=_("RATES"),
            help=_("learning rates or schedules, such as 0.1,cosine(0.3); tuned if not given"),
        ),
    ] = None
    steps: Annotated[
        int | None,
        typer.Option(metavar="N", help=_("steps of each path; 60 if not given, of a map 200")),
    ] = None
    start: Annotated[
        list[str] | None,
        typer.Option(metavar="X,Y", help=_("where to begin; may be given several times")),
    ] = None


class Noise(NamedTuple):
    """The noise of the gradients."""

    noise: Annotated[
        float, typer.Option(metavar="S", help=_("standard deviation of the gradients' noise"))
    ] = 0.0
    seeds: Annotated[int, typer.Option(metavar="N", help=_("seeds of the noise, a path each"))] = 1


class Drawing(NamedTuple):
    """What is drawn, instead of paths seen from above."""

    three_d: Annotated[bool, typer.Option("--3d", help=_("draw the surface in relief"))] = False
    decompose: Annotated[
        bool, typer.Option("--decompose", help=_("draw the arrows that make each step"))
    ] = False
    map_of: Annotated[
        str | None,
        typer.Option(
            "--map",
            metavar=_("SETTING"),
            help=_("draw a map of learning rate × SETTING (beta, ...)"),
        ),
    ] = None


def path(
    surface: Annotated[
        str | None,
        typer.Argument(
            metavar=_("SURFACE"),
            help=_("a surface, such as ravine(condition=50); regression; or module:object"),
        ),
    ] = None,
    function: Annotated[
        str | None,
        typer.Option(metavar=_("FORMULA"), help=_("a surface of your own: 'x**2 + 10*y**2'")),
    ] = None,
    *,
    descent: Descent,
    window: Annotated[
        str | None, typer.Option(metavar="X1,X2,Y1,Y2", help=_("the part of the plane to show"))
    ] = None,
    noise: Noise,
    drawing: Drawing,
    out: Annotated[
        Path,
        typer.Option(metavar=_("FILE"), help=_("where to draw: .png, .svg, .pdf, .html or .gif")),
    ] = Path("path.png"),
    theme: Theme = "light",
    spoken: options.Spoken,
) -> None:
    from descenso import paths
    from descenso.methods import parse_list
    from descenso.report import pictures

    pictures.format_of(out)
    view = paths.window(window) if window else None
    starts = [paths.point(text) for text in descent.start or []]
    where = paths.get(surface, function=function, window=view, start=starts[0] if starts else None)
    for other in starts:
        paths.check_inside(where, other)
    chosen = parse_list(descent.methods)
    if drawing.map_of is not None:
        steps = 200 if descent.steps is None else descent.steps
        _draw_map(where, chosen, drawing.map_of, steps, out, theme)
        return
    steps = 60 if descent.steps is None else descent.steps
    rates = [paths.learning_rate(text, steps) for text in split(descent.lr or "")]
    found = paths.descend(
        where, chosen, lr=rates, steps=steps, starts=starts, noise=noise.noise, seeds=noise.seeds
    )
    if drawing.decompose:
        pictures.save_decomposition(found, out, theme=theme)
    else:
        pictures.save_paths(found, out, theme=theme, three_d=drawing.three_d, fitted=view is None)
    _say_ends(found)
    _say_where(out)


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


def landscape(
    what: Annotated[
        str,
        typer.Argument(
            metavar=_("STUDY|PROBLEM"),
            help=_(
                "a stored study (its start, or `latest`), or a problem as in `descenso compare`"
            ),
        ),
    ],
    *,
    methods: Annotated[
        str | None,
        typer.Option(
            metavar="A,B", help=_("methods, such as adam(lr=0.01); of a study, those to be shown")
        ),
    ] = None,
    epochs: options.Epochs = None,
    seed: options.Seed = 0,
    random: Annotated[
        bool, typer.Option("--random", help=_("a plane of random, filter-normalised directions"))
    ] = False,
    grid: Annotated[int, typer.Option(metavar="N", help=_("points along each side"))] = 41,
    out: Annotated[
        Path, typer.Option(metavar=_("FILE"), help=_("where to draw: .png, .svg, .pdf or .html"))
    ] = Path("landscape.png"),
    theme: Theme = "light",
    problem: Place = None,
    store: options.StoreURL = None,
    spoken: options.Spoken,
) -> None:
    from descenso.cli._output import print_paragraph
    from descenso.paths.landscape import landscape as survey
    from descenso.report import pictures
    from descenso.report.pictures._landscape_file import warnings

    pictures.format_of(out)
    chosen = members(what, methods, epochs, seed, store, problem)
    found = survey(
        chosen.problem, chosen.data, chosen.members, chosen.epochs, grid=grid,
        study_seed=chosen.study_seed, kind="random" if random else "principal",
    )  # fmt: skip
    pictures.save_landscape(found, out, theme=theme)
    print_paragraph(
        _("The plane shows {share} of the routes' variance.").format(
            share=f"{100 * found.explained:.0f}%"
        )
    )
    for warning in warnings(found):
        print_paragraph(warning)
    _say_where(out)


def dynamics(
    what: Annotated[
        str,
        typer.Argument(
            metavar=_("STUDY|PROBLEM"),
            help=_(
                "a stored study (its start, or `latest`), or a problem as in `descenso compare`"
            ),
        ),
    ],
    *,
    methods: Annotated[
        str | None,
        typer.Option(
            metavar="A,B", help=_("methods, such as adam(lr=0.01); of a study, those to be shown")
        ),
    ] = None,
    steps: Annotated[int, typer.Option(metavar="N", help=_("steps that are followed"))] = 300,
    seed: options.Seed = 0,
    out: Annotated[
        Path, typer.Option(metavar=_("FILE"), help=_("where to draw: .png, .svg, .pdf or .html"))
    ] = Path("dynamics.png"),
    theme: Theme = "light",
    problem: Place = None,
    store: options.StoreURL = None,
    spoken: options.Spoken,
) -> None:
    from descenso.cli._output import print_paragraph
    from descenso.paths.dynamics import dynamics as measure
    from descenso.report import pictures
    from descenso.report.pictures._dynamics_file import caption

    pictures.format_of(out)
    chosen = members(what, methods, None, seed, store, problem)
    found = measure(
        chosen.problem, chosen.data, chosen.members, steps, study_seed=chosen.study_seed
    )
    pictures.save_dynamics(found, out, theme=theme)
    print_paragraph(caption(found))
    _say_where(out)


def figure(
    study: Annotated[
        list[str],
        typer.Argument(
            metavar=_("STUDY"),
            help=_("the start of its name, or `latest`; several, of other problems, for profile"),
        ),
    ],
    *,
    name: Annotated[
        str,
        typer.Option(
            metavar=_("NAME"),
            help=_(
                "results, differences, sensitivity, curves or target; profile or gains, of one "
                "study or several"
            ),
        ),
    ] = "curves",
    x: Annotated[
        str,
        typer.Option(
            "--x", metavar=_("AXIS"), help=_("of curves: epoch, examples, steps, seconds")
        ),
    ] = "epoch",
    out: Annotated[
        Path, typer.Option(metavar=_("FILE"), help=_("where to draw: .png, .svg, .pdf or .html"))
    ] = Path("figure.png"),
    theme: Theme = "light",
    store: options.StoreURL = None,
    spoken: options.Spoken,
) -> None:
    from descenso.report import pictures

    pictures.format_of(out)
    results = [finished(each, store) for each in study]
    if len(results) > 1 or name in _TOGETHER:
        from descenso.report import together
        from descenso.study.overview import overview

        together.save_figure(overview(results), name, out, theme=theme)
    else:
        pictures.save_figure(results[0], name, out, theme=theme, x=x)
    _say_where(out)


def serve(
    *,
    port: Annotated[
        int, typer.Option(metavar="N", help=_("port; 0 takes any that is free"))
    ] = 8765,
    host: Annotated[
        str, typer.Option(metavar=_("ADDRESS"), help=_("address to bind; others can reach 0.0.0.0"))
    ] = "127.0.0.1",
    name: Annotated[
        list[str] | None,
        typer.Option(metavar=_("HOST"), help=_("a host name that requests may call the server by")),
    ] = None,
    open_browser: Annotated[bool, typer.Option("--open", help=_("open the page"))] = False,
    store: options.StoreURL = None,
    spoken: options.Spoken,
) -> None:
    from descenso.errors import ProblemError

    try:
        from descenso import web
    except ModuleNotFoundError as error:
        raise ProblemError(
            _("the web page needs {module}: pip install 'descenso[web]'").format(module=error.name)
        ) from error
    web.serve(host=host, port=port, names=name or (), store=store, open_browser=open_browser)
