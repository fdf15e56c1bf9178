"""What the playground asks for: surfaces and paths, as JSON-ready values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from descenso import methods, paths, rules, schedules
from descenso.errors import BudgetError, ProblemError, SettingError, UnknownNameError
from descenso.language import _, did_you_mean
from descenso.methods import Method
from descenso.numpy import Path
from descenso.paths import Trace
from descenso.problems import surfaces
from descenso.problems.surfaces import Surface
from descenso.report.pictures import ground, level_text
from descenso.report.pictures._ground import LARGEST
from descenso.report.pictures._page_parts import contour_lines
from descenso.rules import Hyperparameter
from descenso.web._code import code
from descenso.web._formulas import corrections, formula_of, mathml

MOST_STEPS = 1_000
MOST_METHODS = 8
MOST_SEEDS = 20
_GRID = 71
_LONGEST_METHOD = 400
_MOST_WORK = 20_000  # steps of all paths together

#: How a learning rate may change over the steps; each starts from, or peaks at, the rate given.
SCHEDULES = ("constant", "cosine", "exponential", "step_decay", "warmup")

Query = Mapping[str, str]


# ---- what there is to choose from ------------------------------------------------------------


def catalog() -> dict[str, Any]:
    """Return the surfaces and methods, in the language in use."""
    return {
        "surfaces": [_surface_entry(paths.get(name)) for name in paths.names()],
        "methods": [_method_entry(name) for name in ["gradient_descent", *methods.names()]],
        "limits": {"steps": MOST_STEPS, "methods": MOST_METHODS, "seeds": MOST_SEEDS},
        "functions": list(paths.FUNCTIONS),
    }


def _surface_entry(surface: Surface) -> dict[str, Any]:
    return {
        "name": surface.name,
        "summary": _(surface.summary) if surface.summary else "",
        "settings": dict(surface.settings),
    }


def _method_entry(name: str) -> dict[str, Any]:
    method = methods.parse(name)
    rule = method.definition()
    return {
        "name": name,
        "rule": rule.name,
        "title": _(rule.title),
        "paper": rule.paper,
        "settings": [_setting_entry(h) for h in rule.hyperparameters.values()],
    }


def _setting_entry(h: Hyperparameter) -> dict[str, Any]:
    return {
        "name": h.name,
        "symbol": h.symbol,
        "default": h.default,
        "low": h.low if math.isfinite(h.low) else None,
        "high": h.high if math.isfinite(h.high) else None,
        "high_open": h.high_open,
        "scale": h.scale,
        "meaning": _(h.meaning),
        "range": h.range_text,
    }


# ---- a surface -------------------------------------------------------------------------------


def find_surface(query: Query) -> Surface:
    """Return the surface a query names: a built-in one or a formula, never a place in code.

    Raises
    ------
    DescensoError
        If there is no such surface, or its formula is refused.
    """
    function = query.get("function", "")
    name = query.get("surface", "ravine")
    if function:
        return _from_formula(function)
    if name != paths.REGRESSION and not surfaces.is_surface(name):
        hint = did_you_mean(name[:80], paths.names())
        raise UnknownNameError(
            _("there is no surface named {name!r}; there are {known}.").format(
                name=name[:80], known=", ".join(paths.names())
            )
            + hint
        )
    return paths.get(name)


@lru_cache(maxsize=64)
def _from_formula(function: str) -> Surface:
    return paths.get(function=function)


def surface_answer(query: Query) -> dict[str, Any]:
    """Return what is needed to draw a surface: shade, contour lines, minima, formula."""
    surface = find_surface(query)
    view = paths.window(query["window"]) if query.get("window") else surface.window
    return _drawn_surface(surface.name, query.get("function", ""), view)


@lru_cache(maxsize=64)
def _drawn_surface(name: str, function: str, view: paths.Window) -> dict[str, Any]:
    surface = _from_formula(function) if function else paths.get(name)
    surface = paths.seen_through(surface, view)
    _check_visible(surface)
    land = ground(surface, 121)
    lines, labels = contour_lines(land)
    shade = ground(surface, _GRID).shade
    return {
        "name": surface.name,
        "formula": mathml(surface.formula),
        "window": surface.window,
        "start": surface.start,
        "minima": [{"position": m.position, "value": m.value} for m in surface.minima],
        "lowest": land.lowest,
        "axes": ["w", "b"] if surface.name == paths.REGRESSION else ["x", "y"],
        "shade": np.round(np.nan_to_num(255 * shade, nan=255)).astype(int).tolist(),
        "lines": finite(lines, 4),
        "labels": [[x, y, level_text(value)] for x, y, value in labels],
        "examples": surface.name == paths.REGRESSION,
    }


def _check_visible(surface: Surface) -> None:
    axes = [np.linspace(low, high, _GRID) for low, high in surface.window]
    with np.errstate(all="ignore"):
        values = surface.function(np.stack(np.meshgrid(*axes)))
    if not (np.abs(values) <= LARGEST).any():
        raise ProblemError(_("{name} has no finite value in its window").format(name=surface.name))


# ---- paths -----------------------------------------------------------------------------------


def paths_answer(query: Query, written: Sequence[str]) -> dict[str, Any]:
    """Return the paths of every method written, each with all its numbers.

    Parameters
    ----------
    query : ``surface`` or ``function``, ``x``, ``y``, ``steps``, ``noise``, ``seeds``; and
        ``parts``, the place of the method whose steps are to be taken apart.
    written : methods such as ``adam(lr=0.1)`` or ``adam(lr=0.1)~cosine``; without a learning rate
        it is tuned.

    Raises
    ------
    DescensoError
        If anything asked for is impossible or too much; the message says what.
    """
    surface = find_surface(query)
    if not 0 < len(written) <= MOST_METHODS:
        raise BudgetError(
            _("the playground shows 1 to {most} methods; got {count}").format(
                most=MOST_METHODS, count=len(written)
            )
        )
    steps = _whole(query, "steps", 60, MOST_STEPS)
    seeds = _whole(query, "seeds", 1, MOST_SEEDS)
    start = (_number(query, "x", surface.start[0]), _number(query, "y", surface.start[1]))
    noise = _number(query, "noise", 0.0)
    if seeds * steps * len(written) > _MOST_WORK:
        raise BudgetError(
            _("{count} steps are too many to draw at once; choose fewer steps, seeds or methods")
            .format(count=seeds * steps * len(written))
        )  # fmt: skip
    found = []
    for text in written:
        method, lr = _written(text, steps)
        run = paths.descend(
            surface, [method], lr=lr, steps=steps, starts=[start], noise=noise, seeds=seeds
        )
        found.append(_method_answer(run.traces))
    parts = query.get("parts", "")
    if parts.isdecimal() and int(parts) < len(found) and len(parts) < 3:
        first = found[int(parts)].pop("_trace")
        found[int(parts)]["parts"] = _parts(first)
    for answer in found:
        answer.pop("_trace", None)
    return {"paths": found, "steps": steps, "start": start}


def _written(text: str, steps: int) -> tuple[Method, list[schedules.Schedule]]:
    """Return the method of ``adam(lr=0.1)~cosine``, and its schedule if it has one."""
    name, _tilde, schedule = text.partition("~")
    if len(text) > _LONGEST_METHOD:
        raise SettingError(
            _("a method is written in at most {most} letters").format(most=_LONGEST_METHOD)
        )
    if schedule and schedule not in SCHEDULES:
        raise UnknownNameError(
            _("there is no schedule named {name!r}; there are {known}.").format(
                name=schedule[:40], known=", ".join(SCHEDULES)
            )
        )
    method = methods.parse(name)
    if schedule in ("", "constant") or "lr" not in method.fixed:
        return method, []
    others = {n: v for n, v in method.fixed.items() if n != "lr"}
    return replace(method, fixed=others), [_make_schedule(schedule, method.fixed["lr"], steps)]


def _make_schedule(name: str, lr: float, steps: int) -> schedules.Schedule:
    match name:
        case "cosine":
            return schedules.cosine(lr, steps)
        case "exponential":
            return schedules.exponential(lr, factor=0.01, every=steps)
        case "step_decay":
            return schedules.step_decay(lr, every=max(1, steps // 4), factor=0.3)
    rise = max(1, steps // 5)
    return schedules.warmup(schedules.cosine(lr, max(1, steps - rise)), rise)


def _method_answer(traces: Sequence[Trace]) -> dict[str, Any]:
    first = traces[0]
    path = first.path
    settings = path.settings
    plain = {n: v for n, v in settings.items() if not callable(v)}
    return {
        "label": first.label,
        "rule": path.rule,
        "points": finite(path.points, 6),
        "values": finite(path.values, 12),  # heights are differences from the minimum
        "gradients": finite(path.gradients, 6),
        "taken": finite(np.diff(path.points, axis=0), 6),
        "states": {name: finite(array, 6) for name, array in path.states.items()},
        "corrected": _corrected(path),
        "formula": mathml(formula_of(rules.get(path.rule), settings)),
        "end": first.end,
        "diverged_at": path.diverged_at,
        "tuned": first.tuned is not None,
        "settings": {n: v if isinstance(v, bool) else float(v) for n, v in plain.items()},
        "rates": [float(f"{settings['lr'](i):.6g}") for i in range(len(path))]
        if callable(settings["lr"])
        else None,
        "others": [
            {"points": finite(t.path.points, 4), "end": t.end} for t in traces[1:]
        ],
        "code": code(rules.get(path.rule), settings),
        "_trace": first,
    }  # fmt: skip


def _corrected(path: Path) -> dict[str, Any]:
    """Return the averages as each step uses them: of its own t, corrected for their start."""
    t = np.arange(1, len(path) + 1)[:, None]
    return {
        name: {
            "beta": beta,
            "values": finite(path.states[name][1:] / (1 - path.settings[beta] ** t), 6),
        }
        for name, beta in corrections(rules.get(path.rule)).items()
    }


def _parts(trace: Trace) -> dict[str, Any]:
    found = paths.decompose(trace.path)
    names = ("fresh", "carried", "scaling", "decay", "step")
    return {name: finite(getattr(found, name), 5) for name in names}


def finite(array: Any, digits: int) -> list[Any]:
    """Return an array as lists, rounded to significant digits; what is not finite is ``None``."""
    array = np.asarray(array, np.float64)
    with np.errstate(all="ignore"):
        size = np.floor(np.log10(np.abs(array)))
        size = np.where(np.isfinite(size), size, 0)
        factor = 10.0 ** np.clip(digits - 1 - size, -300, 300)
        rounded = np.where(np.abs(array) < 1e-290, 0.0, np.round(array * factor) / factor)
    if np.isfinite(rounded).all():
        return list(rounded.tolist())
    listed = rounded.astype(object)
    listed[~np.isfinite(rounded)] = None
    return list(listed.tolist())


def _whole(query: Query, name: str, default: int, most: int) -> int:
    text = query.get(name, "") or str(default)
    if not (text.isascii() and text.isdecimal() and len(text) < 12 and 1 <= int(text) <= most):
        raise BudgetError(
            _("{name} must be a whole number from 1 to {most}; got {value!r}").format(
                name=name, most=most, value=text[:40]
            )
        )
    return int(text)


def _number(query: Query, name: str, default: float) -> float:
    text = query.get(name, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) > 1e9:
        raise SettingError(
            _("{name} must be a finite number; got {value!r}").format(name=name, value=text[:40])
        )
    return value
