"""Draw how training moves: turning back, effective steps by layer, noise of the gradient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from descenso.language import _
from descenso.paths.dynamics import Dynamics, Motion
from descenso.report import labels, style
from descenso.report.pictures import _look as look
from descenso.study.words import settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LONGEST = 32  # letters of a layer's name
_WINDOW = 0.1  # of the steps: the running share of steps that turn back is taken over it


def draw(found: Dynamics, theme: str = "light") -> Figure:
    """Return three panels: oscillation, effective steps, noise against the batch size."""
    with look.dressed(theme) as dress:
        figure = look.blank(12.5, 6.8)
        turning, lengths, noise = figure.subplots(1, 3)
        figure.subplots_adjust(left=0.06, right=0.985, top=0.87)
        names = labels.short([motion.member.method for motion in found.motions])
        room = look.room_for(list(names.values())) / 12.5 - 0.02
        _make_room((turning, lengths, noise), layer_names(found), room)
        marks = style.marks([motion.member.method for motion in found.motions])
        for axes in (turning, lengths, noise):
            axes.grid(True, lw=0.7)
            axes.set_axisbelow(True)
        _turning(turning, found, marks)
        _lengths(lengths, found, marks)
        _noise(noise, found, dress)
        figure.suptitle(title(found), x=0.02, y=0.975, ha="left", fontsize=13)
        handles, entries = _legend(found, marks)
        look.put_below(figure, handles, entries, caption(found))
        _make_room((turning, lengths, noise), layer_names(found), room)
        look.name_ends(turning, ends(found))
    return figure


def ends(found: Dynamics) -> list[tuple[float, str, str]]:
    """Return where the share that turns back ends, of each method its name and colour."""
    moved = [motion for motion in found.motions if motion.steps > 1]
    methods = [motion.member.method for motion in found.motions]
    names, marks = labels.short(methods), style.marks(methods)
    return [
        (float(running_share(m)[1][-1]), names[m.member.method], marks[m.member.method].colour)
        for m in moved
    ]


def _make_room(panels: Any, names: list[str], beside: float) -> None:
    """Set the three panels apart, the first two by what the names of methods and layers take."""
    for_names = max(0.085, 0.025 + 0.0057 * max(map(len, names))) + beside
    width = (0.925 - for_names - 0.085) / 3
    lefts = (0.06, 0.06 + width + for_names, 0.985 - width)
    for axes, left in zip(panels, lefts, strict=True):
        place = axes.get_position()
        axes.set_position((left, place.y0, width, place.height))


def layer_names(found: Dynamics) -> list[str]:
    """Return the names of the layers without the folder that they share, and not too long."""
    folders = {name.partition("/")[0] for name in found.layers if "/" in name}
    every = all("/" in name for name in found.layers)
    shared = folders.pop() + "/" if every and len(folders) == 1 else ""
    names = [name.removeprefix(shared) for name in found.layers]
    return [name if len(name) <= _LONGEST else "…" + name[1 - _LONGEST :] for name in names]


def title(found: Dynamics) -> str:
    """Return the picture's title."""
    steps = max(motion.steps for motion in found.motions)
    return _("The first {steps} steps on {problem}").format(steps=steps, problem=found.problem)


def caption(found: Dynamics) -> str:
    """Return what the picture shows, and what is seen in it."""
    shares = {m.member.method: m.turning_back for m in found.motions if m.steps > 1}
    text = [
        _(
            "Left: the share of steps that turn back, that is, make an obtuse angle with the one "
            "before. Middle: the length of a step over the length of the layer it changes, median "
            "and middle eight tenths. Right: how much the gradient of a batch differs from that of "
            "all examples, against the batch size; noise equals signal on the line."
        )
    ]
    if shares:
        most, least = max(shares, key=shares.__getitem__), min(shares, key=shares.__getitem__)
        text.append(_how_often(shares, most, least))
    sizes = {noise.place: _size(noise.critical) for noise in found.noises}
    if "end" in sizes:
        text.append(
            _(
                "Noise equals signal at batches of {start} before training, and of {end} after it."
            ).format(**sizes)
        )
    else:
        text.append(_("Noise equals signal at batches of {start} before training.").format(**sizes))
    return " ".join(text)


def _how_often(shares: dict[str, float], most: str, least: str) -> str:
    if shares[most] == shares[least] or shares[most] < 0.01:
        return _("No method turns back in more than {share} of its steps.").format(
            share=f"{math.ceil(100 * shares[most])}%"
        )
    return _("{most} turns back in {high} of its steps, {least} in {low}.").format(
        most=most, high=f"{shares[most]:.0%}", least=least, low=f"{shares[least]:.0%}"
    )


def _size(number: float) -> str:
    return (
        f"{number:.2g}" if number < 10 else f"{float(f'{number:.2g}'):,.0f}".replace(",", "\u00a0")
    )


def _turning(axes: Any, found: Dynamics, marks: dict[str, style.Mark]) -> None:
    for motion in found.motions:
        if motion.steps < 2:
            continue
        mark = marks[motion.member.method]
        at, share = running_share(motion)
        axes.plot(at, share, color=mark.colour, lw=2, ls=look.dash(mark))
    axes.set(xlabel=_("step"), ylim=(-0.03, 1.03))
    axes.margins(x=0)
    axes.set_title(_("share that turns back"), loc="left")
    axes.yaxis.set_major_formatter(lambda value, _place: f"{value:.0%}")


def running_share(motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """Return steps, and the share that turns back in a window around each."""
    back = (motion.cosines < 0).astype(float)
    width = max(1, min(len(back), math.ceil(_WINDOW * len(back))))
    share = np.convolve(back, np.full(width, 1 / width), mode="valid")
    return 2 + (width - 1) / 2 + np.arange(len(share)), share


def _lengths(axes: Any, found: Dynamics, marks: dict[str, style.Mark]) -> None:
    count = len(found.motions)
    for i, motion in enumerate(found.motions):
        mark = marks[motion.member.method]
        for j in range(len(found.layers)):
            found_here = spread(motion, j)
            if found_here is None:
                continue
            low, middle, high = found_here
            height = j + 0.3 - 0.6 * (i + 0.5) / count
            axes.plot([low, high], [height] * 2, color=mark.colour, lw=2.2, alpha=0.7)
            axes.plot(middle, height, marker=look.marker(mark), ms=6.5, color=mark.colour)
    axes.set_xscale("log")
    look.mark_log(axes.xaxis)
    axes.set_yticks(range(len(found.layers)), layer_names(found), fontsize=9)
    axes.set_ylim(len(found.layers) - 0.5, -0.5)
    axes.set_title(_("step / size of the layer"), loc="left")
    axes.set_xlabel(_("share of its length (log)"))


def spread(motion: Motion, layer: int) -> tuple[float, float, float] | None:
    """Return the tenth, the median and the ninetieth hundredth of a layer's effective steps."""
    known = motion.effective[:, layer][np.isfinite(motion.effective[:, layer])]
    known = known[known > 0]
    if not len(known):
        return None
    low, middle, high = np.quantile(known, (0.1, 0.5, 0.9))
    return float(low), float(middle), float(high)


def places() -> dict[str, str]:
    """Return where noise is measured, in words."""
    return {"start": _("before training"), "end": _("after it")}


def _noise(axes: Any, found: Dynamics, dress: style.Theme) -> None:
    names = places()
    for noise, line in zip(found.noises, ("-", "--"), strict=False):
        axes.plot(noise.batch_sizes, noise.ratio, color=dress.text, lw=2, ls=line, marker="o", ms=5,
                  label=names[noise.place])  # fmt: skip
    axes.axhline(1, color=style.NEUTRAL, lw=1.4, ls=":")
    axes.set(xscale="log", yscale="log", xlabel=_("batch size (log)"))
    axes.set_title(_("noise / signal of the gradient"), loc="left")
    axes.legend(fontsize=10, handlelength=3.4)


def label(motion: Motion) -> str:
    """Return a method's entry in the legend."""
    member = motion.member
    return f"{member.method.partition('(')[0]}  {settings(member.rule, member.settings)}"


def _legend(found: Dynamics, marks: dict[str, style.Mark]) -> Any:
    from matplotlib.lines import Line2D

    handles, entries = [], []
    for motion in found.motions:
        mark = marks[motion.member.method]
        handles.append(Line2D([], [], color=mark.colour, lw=2.2, ls=look.dash(mark),
                              marker=look.marker(mark), ms=7))  # fmt: skip
        entries.append(label(motion))
    return handles, entries
