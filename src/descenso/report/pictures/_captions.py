"""What each picture shows, in words."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np

from descenso.language import _, ngettext
from descenso.paths import REGRESSION, TRIED, Descents, SettingsMap, Trace, examples
from descenso.problems.surfaces import Surface, decays
from descenso.study.words import listed

_UNEQUAL = 1.25  # scales that differ by less look alike


def title(surface: Surface) -> str:
    """Return the surface's name with its formula where it has one."""
    if not surface.formula:
        return surface.name
    formula = f"${formula_for_files(surface.formula)}$"
    if "condition" in surface.settings:
        formula += f",  κ = {surface.settings['condition']:g}"
    # A surface that is named by its own formula is not named twice.
    return f"{surface.name}:  {formula}" if surface.summary else formula


def axes(surface: Surface) -> tuple[str, str]:
    """Return the names of the two parameters."""
    return ("w", "b") if surface.name == REGRESSION else ("x", "y")


def formula_for_files(latex: str) -> str:
    """Return LaTeX as Matplotlib reads it."""
    return latex.replace(r"\tfrac", r"\frac").replace(r"\,", r"\ ")


def legend(trace: Trace, descents: Descents) -> str:
    """Return a path's entry in the legend: the method, its settings, and how it ended."""
    name = trace.label.partition("(")[0]
    if len(descents.seeds) > 1 or len({t.start for t in descents.traces}) > 1:
        return f"{name}  {trace.settings_text}"
    return f"{name}  {trace.settings_text}{_ending(trace, descents.surface)}"


def _ending(trace: Trace, surface: Surface) -> str:
    steps = len(trace.path)
    if trace.end == "diverged":
        return " – " + _("diverges, cut at step {step}").format(
            step=trace.path.diverged_at or steps
        )
    if trace.end == "left":
        return " – " + _("leaves the view, cut at step {step}").format(step=steps)
    if not in_view(trace.path.points[-1:], surface).all():
        return " – " + _("ends outside the view")
    return ""


def in_view(points: np.ndarray, surface: Surface) -> np.ndarray:
    """Return which points, shape (n, 2), the picture of the surface shows."""
    lows, highs = (np.array(ends) for ends in zip(*surface.window, strict=True))
    return np.asarray(((points >= lows) & (points <= highs)).all(axis=1))


def paths(descents: Descents, lettered: bool = True) -> str:
    """Return the caption of a picture of paths."""
    surface = descents.surface
    sentences = [
        ngettext(
            "{steps} step of {methods} on {surface}.",
            "{steps} steps of {methods} on {surface}.",
            descents.steps,
        ).format(
            steps=descents.steps,
            methods=listed([m.partition("(")[0] for m in _once(descents)]),
            surface=surface.name,
        ),
        _minima(surface),
        _("Letters count the steps: A is the start, B the point after one step.")
        if lettered
        else "",
        ground(surface, three_d=not lettered),
        _tuning(descents),
        _batches(descents),
        _decay(descents),
        _noise(descents),
        _cut(descents),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _once(descents: Descents) -> list[str]:
    return list(dict.fromkeys(label.partition("(")[0] for label in descents.labels))


def _minima(surface: Surface) -> str:
    if not surface.minima:
        return _("It has no minimum in view.")
    if len(surface.minima) == 1:
        x, y = surface.minima[0].position
        return _("The star marks the minimum at ({x}, {y}).").format(x=f"{x:.3g}", y=f"{y:.3g}")
    return _("Stars mark the {count} minima known.").format(count=len(surface.minima))


def ground(surface: Surface, three_d: bool = False) -> str:
    """Return what the lines on the ground are, and that its axes differ where they do."""
    lines = _("Lines join points of equal value.") if three_d else lines_on_ground()
    return lines + unequal(surface.window)


def lines_on_ground() -> str:
    """Return what the labelled lines on the ground are."""
    return _("Lines join points of equal value; the numbers on them are the values.")


def unequal(window: Sequence[Sequence[float]]) -> str:
    """Return that the two axes of a view differ in scale; nothing where they hardly do."""
    width, height = (float(high - low) for low, high in window)
    if max(width, height) < _UNEQUAL * min(width, height):
        return ""
    return " " + _(
        "The axes differ in scale: the view is {width} wide and {height} high, so that angles look "
        "other than they are."
    ).format(width=f"{width:.3g}", height=f"{height:.3g}")


def _tuning(descents: Descents) -> str:
    why: dict[str, list[str]] = {}
    for trace in descents.traces:
        name = trace.label.partition("(")[0]
        if trace.tuned and name not in why.setdefault(trace.tuned, []):
            why[trace.tuned].append(name)
    if "first_step" in why:
        return _("Each learning rate was set so that the first steps are equally long.")
    said = []
    if "settles" in why:
        said.append(
            _(
                "Learning rate of {methods}: of the same {count} for each, the one that settles "
                "first."
            ).format(methods=listed(why["settles"]), count=len(TRIED))
        )
    if "lowest" in why:
        said.append(
            _(
                "No learning rate of {count} lets {methods} settle in {steps} steps: shown is the "
                "one that ends lowest."
            ).format(methods=listed(why["lowest"]), count=len(TRIED), steps=descents.steps)
        )
    return " ".join(said)


def _batches(descents: Descents) -> str:
    """Return how many examples each method's gradients saw, where there are examples."""
    everything = examples(descents.surface)
    if not everything:
        return ""
    seen: dict[int, list[str]] = {}
    for trace in descents.traces:
        name = trace.label.partition("(")[0]
        if name not in seen.setdefault(trace.batch or everything, []):
            seen[trace.batch or everything].append(name)
    return " ".join(
        ngettext(
            "A gradient of {methods} sees {count} example of {all}.",
            "A gradient of {methods} sees {count} examples of {all}.",
            count,
        ).format(methods=listed(names), count=count, all=everything)
        for count, names in sorted(seen.items())
    )


def _decay(descents: Descents) -> str:
    names = [t.label for t in descents.traces if decays(t.path.settings)]
    if not names:
        return ""
    return _("Weight decay pulls {methods} towards the origin, whatever the surface.").format(
        methods=listed(list(dict.fromkeys(names)))
    )


def _noise(descents: Descents) -> str:
    seeds = len(descents.seeds)
    if seeds < 2:
        return (
            _("The gradients carry noise of standard deviation {noise}.").format(
                noise=f"{descents.noise:g}"
            )
            if descents.noise
            else ""
        )
    return _(
        "Thin lines are {seeds} seeds of the noise, the dots their ends; the band on the right "
        "holds eight in ten of them."
    ).format(seeds=seeds)


def _cut(descents: Descents) -> str:
    cut = list(
        dict.fromkeys(t.label.partition("(")[0] for t in descents.traces if t.end == "diverged")
    )
    return _("A cross marks where {methods} diverges.").format(methods=listed(cut)) if cut else ""


def decomposition(descents: Descents, steps: int, present: Collection[str]) -> str:
    """Return the caption of a picture of the arrows that make each step."""
    sentences = {
        "fresh": _("Blue: what the new gradient adds."),
        "carried": _("Orange: what the velocity carries along from earlier gradients."),
        "scaling": _("Green: what dividing by the root of the squared average changes."),
        "decay": _("Pink: what weight decay takes off, a pull towards the origin."),
    }
    first = ngettext(
        "The first {steps} step on {surface}, taken apart.",
        "The first {steps} steps on {surface}, taken apart.",
        steps,
    ).format(steps=steps, surface=descents.surface.name)
    last = _("In the colour of the text: the whole step, their sum.")
    scales = _("Each panel has scales of its own along x and y: angles look other than they are.")
    there = [text for name, text in sentences.items() if name in present]
    return " ".join([first, *there, last, lines_on_ground(), scales])


def settings_map(found: SettingsMap) -> str:
    """Return the caption of a map of two settings."""
    best = np.unravel_index(int(np.argmin(found.arrived)), found.arrived.shape)
    text = _(
        "How far from the minimum of {surface} {method} ends after {steps} steps, at each pair of "
        "settings. Hatched: it diverges."
    ).format(surface=found.surface.name, method=found.method.label, steps=found.steps)
    if (found.distance[~found.diverged] > found.far).any():
        text += " " + _("Ends further away than ten times the start's distance share one colour.")
    if np.isfinite(found.boundary).any():
        text += " " + _("The line is the theory: {formula}.").format(formula=_boundary(found))
    if not math.isfinite(float(found.arrived[best])):
        text += " " + _("At no pair does it arrive within a thousandth of the start's distance.")
    else:
        text += " " + _(
            "The ring marks where it arrives first: step {step}, with lr = {lr} and {name} = {value}."
        ).format(
            step=int(found.arrived[best]),
            lr=f"{found.lr[best[1]]:.3g}",
            name=found.other_name,
            value=f"{found.other[best[0]]:.3g}",
        )
    return text


def _boundary(found: SettingsMap) -> str:
    if found.method.rule == "nesterov":
        return "η = 2(1+β) / ((1−τ)(1+2β)λ)"
    averaging = "dampening" not in found.method.fixed and found.other_name != "dampening"
    return "η = 2(1+β) / ((1−β)λ)" if averaging else "η = 2(1+β) / ((1−τ)λ)"
