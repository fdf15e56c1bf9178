"""Draw a network's landscape: the plane with the routes, and how far the plane can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.language import _
from descenso.paths.landscape import MISLED, Landscape, Route
from descenso.report import labels, style
from descenso.report.pictures import _look as look
from descenso.report.pictures._captions import unequal
from descenso.report.pictures._ground import Ground, of_values
from descenso.report.pictures._paths_file import draw_ground
from descenso.study.words import listed, settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BELIEVED = 0.8  # share of variance below which the plane says little of the routes


def draw(found: Landscape, theme: str = "light") -> Figure:
    """Return the picture of a landscape as a Matplotlib figure."""
    with look.dressed(theme) as dress:
        figure = look.blank(11, 7.1)
        left, right = figure.subplots(1, 2)
        room = look.room_for([name for _loss, name, _colour in ends(found)]) / 11
        figure.subplots_adjust(left=0.075, right=1 - room, top=0.88, wspace=0.22)
        marks = style.marks([key(route) for route in found.routes])
        _plane(left, found, marks, theme)
        _belief(right, found, marks)
        figure.suptitle(
            title(found),
            x=0.02, y=0.975, ha="left", fontsize=13,
        )  # fmt: skip
        handles, entries = _legend(found, marks, dress)
        look.put_below(figure, handles, entries, caption(found))
        look.name_ends(right, ends(found))
    return figure


def ends(found: Landscape) -> list[tuple[float, str, str]]:
    """Return where the true loss of each route ends, its name and colour."""
    marks = style.marks([key(route) for route in found.routes])
    names = labels.short([route.member.method for route in found.routes])
    return [
        (float(route.losses[-1]), names[route.member.method], marks[key(route)].colour)
        for route in found.routes
    ]


def key(route: Route) -> str:
    """Return what tells a route from the others."""
    return f"{route.member.method} {route.member.seed}"


def title(found: Landscape) -> str:
    """Return the picture's title."""
    return _("The training loss of {problem} around the routes of {count} methods").format(
        problem=found.problem, count=len(found.routes)
    )


def caption(found: Landscape) -> str:
    """Return what the picture shows, and where it misleads."""
    if found.kind == "principal":
        first = _(
            "The plane is spanned by the two directions, of {parameters}, in which the routes "
            "vary most; it shows {share} of their variance."
        )
    else:
        first = _(
            "The plane is spanned by two random directions of {parameters}, normalised filter by "
            "filter, around the lowest end; it shows {share} of the routes' variance."
        )
    text = first.format(parameters=found.parameters, share=f"{100 * found.explained:.0f}%")
    return " ".join(
        [
            text,
            _("A dot for every epoch, a circle for the common start."),
            _("Lines join points of equal loss; the numbers on them are the losses.")
            + unequal(((found.across[0], found.across[-1]), (found.along[0], found.along[-1]))),
            *warnings(found),
        ]
    )


def warnings(found: Landscape) -> list[str]:
    """Return what the picture would make one believe wrongly."""
    said = []
    if found.explained < BELIEVED:
        said.append(
            _("WARNING: most of what the routes do lies outside this plane.")
            if found.explained < 0.5
            else _("WARNING: a good part of what the routes do lies outside this plane.")
        )
    misled = [r for r in found.routes if r.misled > MISLED]
    if misled:
        worst = max(misled, key=lambda r: r.misled)
        said.append(
            _(
                "WARNING: at the ends of {methods} the plane's loss is not the true one (for "
                "{worst}: {seen} in the plane, {true} in truth); compare only the dotted lines with "
                "the contours."
            ).format(
                methods=listed([r.member.method for r in misled]),
                worst=worst.member.method,
                seen=f"{worst.seen[-1]:.2g}",
                true=f"{worst.losses[-1]:.2g}",
            )
        )
    return said


def _plane(axes: Any, found: Landscape, marks: dict[str, style.Mark], theme: str) -> None:
    draw_ground(axes, land_of(found), theme)
    ground = style.theme(theme).ground
    for route in reversed(found.routes):
        mark = marks[key(route)]
        x, y = route.places.T
        axes.plot(x, y, color=ground, lw=3.6, alpha=0.8, zorder=4)
        axes.plot(x, y, color=mark.colour, lw=1.7, ls=look.dash(mark), marker=".", ms=6, zorder=5)
        axes.plot(x[-1], y[-1], marker="X" if route.diverged else look.marker(mark), ms=9,
                  color=mark.colour, mec=ground, mew=1.0, ls="", zorder=7)  # fmt: skip
    start = found.routes[0].places[0]
    axes.plot(*start, "o", ms=9, mfc=ground, mec=style.theme(theme).text, mew=2, zorder=8)
    axes.set(xlim=(found.across[0], found.across[-1]), ylim=(found.along[0], found.along[-1]))
    x_name, y_name = directions(found)
    axes.set(xlabel=x_name, ylabel=y_name)


def directions(found: Landscape) -> tuple[str, str]:
    """Return the names of the axes, with the share of the variance that each shows."""
    names = (_("first direction ({share})"), _("second direction ({share})"))
    first, second = (
        name.format(share=f"{100 * share:.0f}%")
        for name, share in zip(names, found.shares, strict=True)
    )
    return first, second


def land_of(found: Landscape) -> Ground:
    """Return the plane as ground; contours count from a little under its lowest loss."""
    across, along, losses = (
        np.asarray(part, np.float64) for part in (found.across, found.along, found.losses)
    )
    return of_values(across, along, losses, min(0.0, float(np.nanmin(losses))))


def _belief(axes: Any, found: Landscape, marks: dict[str, style.Mark]) -> None:
    for route in found.routes:
        colour = marks[key(route)].colour
        epochs = np.arange(len(route.losses))
        axes.plot(epochs, route.losses, color=colour, lw=2)
        axes.plot(epochs, route.seen, color=colour, lw=1.6, ls=":")
    if min(float(r.losses.min()) for r in found.routes) > 0:
        axes.set_yscale("log")
        look.mark_log(axes.yaxis)
    axes.set_title(_("training loss"), loc="left")
    axes.set_xlabel(_("epochs"))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlim(0, max(len(route.losses) for route in found.routes) - 1)
    axes.grid(True, lw=0.7)


def label(route: Route) -> str:
    """Return a route's entry in the legend."""
    chosen = settings(route.member.rule, route.member.settings)
    text = f"{route.member.method.partition('(')[0]}  {chosen}"
    return text + (" – " + _("diverges") if route.diverged else "")


def _legend(found: Landscape, marks: dict[str, style.Mark], dress: style.Theme) -> Any:
    from matplotlib.lines import Line2D

    handles, entries = [], []
    for route in found.routes:
        mark = marks[key(route)]
        handles.append(Line2D([], [], color=mark.colour, lw=2.2, ls=look.dash(mark),
                              marker=look.marker(mark), ms=7))  # fmt: skip
        entries.append(label(route))
    for line, text in (("-", _("true loss")), (":", _("loss of the nearest point in the plane"))):
        handles.append(Line2D([], [], color=dress.text, lw=1.8, ls=line))
        entries.append(text)
    return handles, entries
