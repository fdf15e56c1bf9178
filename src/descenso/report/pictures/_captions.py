"""What each picture shows, in words."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np

from descenso.language import _, ngettext
from descenso.paths import REGRESSION, Descents, SettingsMap, Trace
from descenso.problems.surfaces import Surface
from descenso.study.words import listed


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
    return f"{name}  {trace.settings_text}{_ending(trace)}"


def _ending(trace: Trace) -> str:
    steps = len(trace.path)
    if trace.end == "diverged":
        return " – " + _("diverges, cut at step {step}").format(
            step=trace.path.diverged_at or steps
        )
    if trace.end == "left":
        return " – " + _("leaves the view, cut at step {step}").format(step=steps)
    return ""


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
        _tuning(descents),
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


def _tuning(descents: Descents) -> str:
    if not any(trace.tuned for trace in descents.traces):
        return ""
    if not descents.surface.minima:
        return _("Each learning rate was set so that the first steps are equally long.")
    return _(
        "Each learning rate was chosen from the same {count}, a method at a time: the one with "
        "which it settles first."
    ).format(count=85)


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
    }
    first = ngettext(
        "The first {steps} step on {surface}, taken apart.",
        "The first {steps} steps on {surface}, taken apart.",
        steps,
    ).format(steps=steps, surface=descents.surface.name)
    last = _("In the colour of the text: the whole step, their sum.")
    return " ".join([first, *(t for name, t in sentences.items() if name in present), last])


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
