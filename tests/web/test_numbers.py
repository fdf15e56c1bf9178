"""Every number that is shown in a formula satisfies it, for all rules, surfaces, settings and steps."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from tests.web import formulas
from tests.web.conftest import until

from descenso import methods, paths, rules
from descenso.methods import parse
from descenso.testing import conformance
from descenso.web import _playground, _tours
from descenso.web._formulas import formula_of

SYMBOLS = {
    "lr": "η", "beta": "β", "beta1": "β1", "beta2": "β2", "beta3": "β3", "eps": "ε",
    "eps_root": "εroot", "dampening": "τ", "momentum": "μ", "weight_decay": "λ", "alpha": "α",
    "nu": "ν", "nu1": "ν1", "nu2": "ν2", "initial": "a", "shrink": "κ-", "grow": "κ+",
    "lowest": "dmin", "highest": "dmax",
}  # fmt: skip
SETTINGS = [
    "gradient_descent(lr=0.004)",
    "momentum(lr=0.02)",
    "momentum(lr=0.002,beta=0.99,dampening=0)",
    "nesterov(lr=0.003,beta=0.8)",
    "nesterov(lr=0.003,dampening=0.5)",
    "rmsprop(lr=0.05)",
    "rmsprop(lr=0.05,eps=0.1,eps_root=0,beta=0.99)",
    "rmsprop(lr=0.02,centered=true)",
    "rmsprop(lr=0.01,momentum=0.8)",
    "rmsprop(lr=0.01,momentum=0.5,centered=true,eps=0.01)",
    "adam(lr=0.3)",
    "adam(lr=0.1,beta1=0.5,beta2=0.9,eps=0.1,eps_root=0.01)",
    "adam(lr=0.2,beta1=0)",
    "adamw(lr=0.1,weight_decay=0.3)",
    "amsgrad(lr=0.3,beta2=0.9)",
    "adam(lr=0.3)~cosine",
    "momentum(lr=0.02)~warmup",
]
# Every other rule as it is, and with all its settings moved at once.
SETTINGS += [
    conformance.label(rules.get(name), given)
    for name in sorted(set(rules.names()) - {parse(s.partition("~")[0]).rule for s in SETTINGS})
    for given in ({"lr": 0.001}, {**conformance.grid(rules.get(name))[-1], "lr": 0.001})
]
STEPS = 300


def numbers_of(path, at, axis):
    """Return the numbers of step at + 1, by the symbol of the formula."""
    values = {
        "θ-": path["points"][at][axis],
        "θ": path["points"][at + 1][axis],
        "g": path["gradients"][at][axis],
        "η": path["rates"][at] if path["rates"] else path["settings"]["lr"],
    }
    for name, array in path["states"].items():
        values[f"{name}-"], values[name] = array[at][axis], array[at + 1][axis]
    for name, corrected in path["corrected"].items():
        values[f"{name}^"] = corrected["values"][at][axis]
    for name, value in path["settings"].items():
        if name in SYMBOLS and name != "lr":
            values[SYMBOLS[name]] = value
    return values


@pytest.mark.parametrize("surface", ["ravine", "rosenbrock", "himmelblau", "regression"])
def test_what_the_page_is_given_satisfies_the_formula_at_every_step(surface):
    for text in SETTINGS:
        query = {"surface": surface, "steps": str(STEPS), "noise": "0.3"}
        (path,) = _playground.paths_answer(query, [text])["paths"]
        latex = formula_of(rules.get(path["rule"]), path["settings"])
        taken = len(path["gradients"])
        assert taken > 10
        for at in {*range(20), *range(20, taken, 23), taken - 1} & set(range(taken)):
            for axis in (0, 1):
                values = numbers_of(path, at, axis)
                checked = formulas.check(latex, values, at + 1, digits=6)
                assert "θ" in checked, latex
                assert {*path["states"]} <= {*checked}, latex
                assert {f"{name}^" for name in path["corrected"]} <= {*checked}
                step = formulas.Range.rounded(path["taken"][at][axis], 6)
                rounded = [formulas.Range.rounded(values[name], 6) for name in ("θ", "θ-")]
                assert step.touches(rounded[0] - rounded[1], 1e-9)


def test_a_step_far_smaller_than_the_position_keeps_its_digits():
    (path,) = _playground.paths_answer(
        {"surface": "ravine", "steps": "3", "x": "-10", "y": "0"}, ["gradient_descent(lr=1e-8)"]
    )["paths"]
    assert path["taken"][0] == pytest.approx([1e-7, 0], rel=1e-5)


def test_a_formula_that_does_not_fit_is_found():
    """The check can fail: m of one step does not satisfy the formula with m̂ of the next."""
    (path,) = _playground.paths_answer({"steps": "5"}, ["adam(lr=0.4)"])["paths"]
    values = numbers_of(path, 1, 0)
    formulas.check(rules.get("adam").formula, values, 2, digits=6)
    with pytest.raises(AssertionError, match="gives"):
        formulas.check(rules.get("adam").formula, {**values, "m": values["m-"]}, 2, digits=6)
    with pytest.raises(AssertionError, match="gives"):
        formulas.check(rules.get("adam").formula, values, 3, digits=6)


@pytest.mark.parametrize("name", sorted({s.partition("(")[0] for s in SETTINGS}))
def test_the_arrows_of_a_step_add_up_to_it(name):
    for text in [s.partition("~")[0] for s in SETTINGS if s.startswith(name + "(")]:
        (trace,) = paths.descend(paths.get("rosenbrock"), [parse(text)], steps=250).traces
        found = paths.decompose(trace.path)
        total = found.fresh + found.carried + found.scaling + found.decay
        # The step is a difference of positions: it is known to their rounding.
        assert found.step == pytest.approx(np.diff(trace.path.points, axis=0), abs=1e-14)
        assert total == pytest.approx(found.step, rel=1e-9, abs=1e-12)


# ---- as it stands on the page ----------------------------------------------------------------

_SHOWN = {"position θₜ₋₁": "θ-", "position θₜ": "θ", "gradient gₜ": "g"}
_BASES = {
    "β": "β",
    "β₁": "β1",
    "β₂": "β2",
    "ε": "ε",
    "εᵣₒₒₜ": "εroot",
    "τ": "τ",
    "μ": "μ",
    "λ": "λ",
}


def read_table(page):
    """Return the numbers of the table by symbol, for each axis, as a reader finds them."""
    found = [{}, {}]
    rows = page.evaluate(
        "[...document.querySelectorAll('#numbers tr')].map(r => [...r.cells].map(c => c.innerText))"
    )
    for name, text in rows:
        numbers = [float(n) for n in re.findall(r"[-\d.e]+", text.replace("−", "-"))]
        if name.startswith("learning rate"):
            symbols = ["η"]
        elif name.split(", ")[0] in _BASES:
            symbols = [_BASES[part] for part in name.split(", ")]
        else:
            symbol = _symbol_of(name)
            if symbol:
                found[0][symbol], found[1][symbol] = numbers
            continue
        for symbol, value in zip(symbols, numbers, strict=True):
            found[0][symbol] = found[1][symbol] = value
    return found


def _symbol_of(name):
    if name in _SHOWN:
        return _SHOWN[name]
    match = re.match(r"(\w)(\u0302?)(ₜ₋₁|ₜ)( =|$)", name)
    return match and match[1] + ("^" if match[2] else "") + ("-" if "₁" in match[3] else "")


def test_what_is_read_on_the_page_satisfies_the_formula(opened):
    page = opened("/?lang=en#surface=beale&m=adam(lr=0.1)&k=1")
    until(page, "document.querySelectorAll('#numbers tr').length > 3")
    written = [s for s in SETTINGS if "~warmup" not in s]
    chosen = (
        "".join(f"&m={text}" for text in written[:8]),
        "".join(f"&m={t}" for t in written[8:16]),
    )
    for part, addressed in enumerate(chosen):
        for k in (0, 7, 40):
            page.goto(f"{page.url.partition('#')[0]}#surface=beale&x=2&y=1{addressed}&k={k}")
            until(
                page, f"document.getElementById('numbers-title').textContent === 'step t = {k + 1}'"
            )
            until(page, "document.getElementById('main').getAttribute('aria-busy') === 'false'")
            for i, text in enumerate(written[8 * part : 8 * part + 8]):
                page.locator("#ends input").nth(i).check()
                rule = rules.get(parse(text.partition("~")[0]).rule)
                settings = rule.settings(**parse(text.partition("~")[0]).fixed)
                for numbers in read_table(page):
                    checked = formulas.check(
                        formula_of(rule, settings), numbers, k + 1, digits=5, slack=1e-6
                    )
                    assert "θ" in checked


# ---- what the tours say ----------------------------------------------------------------------


def stop(tour, number):
    return _tours.tours()[tour]["stops"][number]


def walked(given, steps=None):
    state = given["state"]
    query = {name: str(state[name]) for name in ("surface", "x", "y", "noise", "seeds")}
    return _playground.paths_answer(
        {**query, "steps": str(steps or state["steps"])}, state["methods"]
    )["paths"]


def test_the_tour_of_adam_says_what_its_numbers_are():
    first, second, third = (stop(2, i) for i in range(3))
    (adam,) = walked(first)
    at = first["state"]["k"]
    g, m, v = np.array(adam["gradients"][at]), adam["states"]["m"], adam["states"]["v"]
    assert np.array(m[at + 1]) == pytest.approx(0.1 * g)
    assert np.array(v[at + 1]) == pytest.approx(0.001 * g**2)
    assert adam["corrected"]["m"]["values"][at] == pytest.approx(g)
    steps = [math.hypot(*path["taken"][0]) for path in walked(second)]
    assert abs(walked(second)[0]["taken"][0][0]) == pytest.approx(0.4, rel=1e-4)
    assert steps[1] / steps[0] == pytest.approx(1 / 3, rel=0.06)
    assert abs(walked(second)[1]["taken"][0][0]) / 0.004 == pytest.approx(32, rel=0.02)
    (adam,) = walked(third)
    at = third["state"]["k"]
    m_hat, v_hat = (np.array(adam["corrected"][n]["values"][at]) for n in "mv")
    assert m_hat / np.array(adam["states"]["m"][at + 1]) == pytest.approx(1, abs=5e-5)
    ratio = v_hat / np.array(adam["states"]["v"][at + 1])
    assert ratio == pytest.approx(10, rel=0.05)
    assert np.sqrt(ratio) == pytest.approx(3, rel=0.1)
    assert 0.999**10_000 < 5e-5


def test_the_other_tours_say_what_is_seen():
    slow, bouncing, rising = (walked(stop(0, i))[0] for i in range(3))
    assert abs(slow["points"][-1][1]) < 1e-6 < 5 < abs(slow["points"][-1][0])
    assert all(
        a[1] * b[1] < 0 for a, b in zip(bouncing["points"], bouncing["points"][1:20], strict=False)
    )
    assert bouncing["values"][-1] < slow["values"][-1]
    assert rising["values"][-1] > rising["values"][20]
    plain, heavy = walked(stop(1, 1))
    assert heavy["values"][-1] < 0.1 * plain["values"][-1]
    for lr, end in ((0.379, "ran"), (0.4, "diverged")):
        query = {"surface": "ravine", "steps": "1000"}
        assert (
            _playground.paths_answer(query, [f"momentum(lr={lr},beta=0.9)"])["paths"][0]["end"]
            == end
        )
    inside, outside = walked(stop(3, 0))
    assert np.array(inside["points"]) == pytest.approx(np.array(outside["points"]), abs=0.01)
    inside, outside = walked(stop(3, 1))
    assert np.abs(np.array(inside["points"]) - np.array(outside["points"])).max() > 0.1
    three = [np.array(path["points"]) for path in walked(stop(3, 2))]
    assert np.abs(three[1] - three[2]).max() < 0.2
    assert np.abs(three[0] - three[2]).max() < 0.5


def test_the_schedules_and_methods_of_the_tours_exist():
    for tour in _tours.tours():
        for given in tour["stops"]:
            for text in given["state"]["methods"]:
                name = text.partition("~")[0]
                assert name.partition("(")[0] in ["gradient_descent", *methods.names()]
