"""One HTML file that holds the whole report and needs nothing else: no network, no other file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from descenso.conventions import native
from descenso.files import write_whole
from descenso.language import _
from descenso.report import captions, figures, lines, style, table, templates, words
from descenso.study import MethodResult, StudyResult, layout_words
from descenso.study.words import early_ends, settings
from descenso.study.words import figure as in_words

if TYPE_CHECKING:
    import plotly.graph_objects as go


_TELLING_SEEDS = 10  # with fewer, a share of the runs is a stair of a few steps


def write(result: StudyResult, path: str | Path) -> Path:
    """Write the report, whole or not at all, and return where it lies.

    Raises
    ------
    ReportError
        If the file cannot be written; a file that was there before is left as it was.
    """
    return write_whole(path, render(result))


def render(result: StudyResult) -> str:
    """Return the report as HTML, in the language in use."""
    return templates.render(
        "report",
        "template.html",
        result=result,
        rows=[_row(result, method) for method in result.ranking],
        verdict=[(text, part, _part_name(result, part)) for text, part in words.verdict(result)],
        code=_code(result),
        sections=[_section(result, name) for name in _shown(result)],
        axes=[(x, lines.axis_title(x)) for x in lines.AXES],
        metric=words.metric(result.metric),
        has_target=result.metric.target is not None,
        target=in_words(result.metric.target or math.nan, result.metric),
        protocol=words.protocol(result),
        limits=words.limits(result),
        notes=result.notes,
        command=words.command(result),
        python_line=words.python_line(result),
        layout=layout_words,
        versions=result.versions,
        started=words.moment(result.started),
        wall=words.seconds(result.wall_seconds),
        themes=style.THEMES,
        font=style.FONT,
        plotly_js=plotly_js(),
        payload=payload(_drawn(result)),
    )


@cache
def plotly_js() -> str:
    """Return the script that draws the figures."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _row(result: StudyResult, method: MethodResult) -> dict[str, Any]:
    tuned = method.tuned
    return {
        "name": method.name,
        "standing": table.standing_texts(result.verdict, method.name, result.seeds),
        "colour": style.marks(result.design.methods)[method.name].colour,
        "settings": settings(method.rule, method.settings),
        "batch": method.batch_size,
        "test": in_words(tuned.test.mean, result.metric),
        "interval": words.interval(result.metric, tuned.test.low, tuned.test.high),
        "validation": in_words(tuned.validation.mean, result.metric),
        "default": _default(result, method),
        "diverged": early_ends(tuned),
        "target": words.target_reached(tuned),
        "seconds": words.seconds(table.seconds_per_run(method)),
    }


def _code(result: StudyResult) -> list[tuple[str, str]]:
    """Return the recommendation as a line of code for each framework."""
    taken = result.recommended
    return [] if taken is None else list(native.lines(taken.rule, taken.settings).items())


def _default(result: StudyResult, method: MethodResult) -> dict[str, str]:
    """Return what the table says of the default setting; nothing where it was left out."""
    default = method.default
    if default is None:
        return {}
    return {
        "test": in_words(default.test.mean, result.metric),
        "settings": settings(method.rule, default.settings),
        "diverged": early_ends(default),
    }


def _section(result: StudyResult, name: str) -> dict[str, str]:
    titles = {
        "results": _("Scores on test, seed by seed"),
        "differences": _("How far behind the best"),
        "sensitivity": _("How much the learning rate matters"),
        "curves": _("While training"),
        "target": _("How soon, and how surely, the target is reached"),
    }
    return {
        "name": name,
        "number": _part_name(result, name),
        "title": titles[name],
        "caption": captions.caption(result, name),
    }


def _shown(result: StudyResult) -> list[str]:
    """Return the figures that have something to show.

    One method alone has no differences; without a target nobody reaches it, and the shares of a
    few runs that do tell little that the curves do not.
    """
    empty = set() if result.verdict.comparisons else {"differences"}
    telling = result.metric.target is not None and result.seeds >= _TELLING_SEEDS
    empty |= set() if telling else {"target"}
    return [name for name in figures.names() if name not in empty]


def _part_name(result: StudyResult, part: str) -> str:
    if part in _shown(result):
        return _("figure {number}").format(number=_shown(result).index(part) + 1)
    return _("table") if part else ""


def _drawn(result: StudyResult) -> dict[str, go.Figure]:
    """Return every figure of the report by name, the learning curves against each axis."""
    drawn = {name: figures.figure(result, name) for name in _shown(result)}
    return drawn | {f"curves:{x}": figures.figure(result, "curves", x=x) for x in lines.AXES}


def payload(drawn: Mapping[str, go.Figure]) -> str:
    """Return figures and themes as JSON that cannot end the script element it stands in."""
    themes = {
        name: {
            "font.color": theme.text,
            "hoverlabel.bgcolor": theme.ground,
            "hoverlabel.font.color": theme.text,
            **{f"{axis}.{key}": colour for axis in ("xaxis", "yaxis")
               for key, colour in (("gridcolor", theme.grid), ("linecolor", theme.text))},
        }
        for name, theme in style.THEMES.items()
    }  # fmt: skip
    plain = {name: _on_clear_ground(figure) for name, figure in drawn.items()}
    text = json.dumps({"figures": plain, "themes": themes})
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _on_clear_ground(figure: go.Figure) -> Any:
    clear = "rgba(0,0,0,0)"  # the page's own ground shows, light or dark
    figure.update_layout(paper_bgcolor=clear, plot_bgcolor=clear)
    return json.loads(figure.to_json())
