"""Pictures for pages show the very numbers that were computed, each under the pointer."""

from __future__ import annotations

import numpy as np
import pytest

from descenso import language, paths, problems
from descenso.methods import parse, parse_list
from descenso.paths.dynamics import dynamics
from descenso.paths.landscape import Landscape, Route, landscape
from descenso.records import Member
from descenso.report import pictures
from descenso.report.pictures import (
    _arrows_file,
    _arrows_page,
    _dynamics_page,
    _landscape_page,
    _map_page,
)

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _in_english():
    language.use("en")
    yield
    language.use("en")


@pytest.fixture(scope="module")
def ravine():
    return paths.descend(paths.get("ravine"), parse_list("momentum,adam"), steps=20)


@pytest.fixture(scope="module")
def cells():
    return paths.settings_map(
        paths.get("ravine"), parse("momentum"), lr=np.logspace(-3, 0, 12),
        other=np.linspace(0, 0.9, 7), steps=40,
    )  # fmt: skip


@pytest.fixture(scope="module")
def wine():
    problem = problems.get("wine")
    data = problem.make_data(0)
    methods = [parse(text) for text in ("adam(lr=0.01)", "momentum(lr=0.1)")]
    members = [Member(m.label, m.rule, m.definition().settings(**m.fixed), 16, 0) for m in methods]
    return landscape(problem, data, members, 4, grid=7), dynamics(problem, data, members, 12)


def scatters(figure):
    return [trace for trace in figure.data if trace.type == "scatter"]


def test_the_arrows_of_a_step_add_up_to_it_on_the_page(ravine):
    figure = _arrows_page.figure(ravine)
    drawn = {
        (trace.legendgroup, trace.xaxis): np.array([trace.x, trace.y], float).T
        for trace in scatters(figure)
        if trace.marker.angleref == "previous"
    }
    for axis, trace in zip(("x", "x2"), ravine.traces, strict=True):
        whole = drawn["step", axis]
        points = trace.path.points[: _arrows_file.STEPS + 1]
        assert np.allclose(whole[0::3], points[:-1])
        assert np.allclose(whole[1::3], points[1:])
    assert ("scaling", "x") not in drawn  # momentum does not scale
    assert ("scaling", "x2") in drawn
    (said,) = [
        t.text for t in scatters(figure) if t.legendgroup == "fresh" and t.xaxis == "x" and t.text
    ]
    parts = paths.decompose(ravine.traces[0].path)
    assert said[1] == (
        f"step A → B, this gradient: ({parts.fresh[0][0]:.4g}, {parts.fresh[0][1]:.4g})"
    )


def test_arrows_drawn_shorter_are_told_at_their_true_length(ravine):
    figure = _arrows_page.figure(ravine)
    said = next(
        t.text for t in scatters(figure) if t.legendgroup == "fresh" and t.xaxis == "x2" and t.text
    )
    fresh = paths.decompose(ravine.traces[1].path).fresh[0]
    assert said[1].endswith(f"({fresh[0]:.4g}, {fresh[1]:.4g})")
    assert any("arrows before scaling drawn" in note.text for note in figure.layout.annotations)


def test_the_map_says_what_became_of_each_pair(cells):
    figure = _map_page.figure(cells)
    said = np.array(next(t.text for t in figure.data if t.text is not None))
    assert said.shape == cells.diverged.shape
    assert (np.char.find(said, "diverges") > 0).tolist() == cells.diverged.tolist()
    arrives = np.char.find(said, "arrives at step") > 0
    assert arrives.tolist() == np.isfinite(cells.arrived).tolist()
    coloured = np.array(figure.data[1].z, float)
    assert np.isnan(coloured).tolist() == cells.diverged.tolist()


def test_only_cells_that_diverge_are_hatched(cells):
    from descenso.report.pictures._map_file import heights

    height = heights(cells)
    x, y = _map_page.hatching(cells, height)
    shown = np.isfinite(x)
    assert shown.any()
    for lr, at in zip(x[shown], y[shown], strict=True):
        assert cells.diverged[np.argmin(abs(height - at)), np.argmin(abs(cells.lr - lr))]


def test_the_theory_stands_on_the_map_of_the_page(cells):
    lines = [t for t in scatters(_map_page.figure(cells)) if t.line.color == "#D55E00" and t.x[0]]
    assert len(lines) == 2
    assert np.allclose(lines[0].x, cells.boundary)


def test_the_landscape_of_a_page_has_every_epoch_under_the_pointer(wine):
    found, _moves = wine
    figure = _landscape_page.figure(found)
    for route in found.routes:
        (drawn,) = [
            t
            for t in figure.data
            if t.legendgroup == f"{route.member.method} 0" and t.showlegend is None
        ]
        assert np.allclose(np.array([drawn.x, drawn.y]).T, route.places)
        assert f"true loss {route.losses[-1]:.3g}" in drawn.text[-1]
    assert sum(trace.yaxis == "y2" for trace in scatters(figure) if trace.line.dash == "dot") == 2


def test_the_motion_of_a_page_names_each_layer_and_place(wine):
    _found, moves = wine
    figure = _dynamics_page.figure(moves)
    assert figure.layout.yaxis2.ticktext == moves.layers
    names = [trace.name for trace in figure.data]
    assert {"before training", "after it"} <= set(names)
    noise = next(trace for trace in figure.data if trace.name == "before training")
    assert np.allclose(noise.y, moves.noises[0].ratio)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_are_figures_and_carry_their_caption(ravine, cells, wine, theme, tmp_path):
    found, moves = wine
    where = tmp_path / "page.html"
    for save, shown, said in (
        (pictures.save_decomposition, ravine, "taken apart"),
        (pictures.save_map, cells, "Hatched: it diverges."),
        (pictures.save_landscape, found, "of their variance"),
        (pictures.save_dynamics, moves, "turn back"),
    ):
        save(shown, where, theme=theme)
        text = where.read_text()
        assert "Plotly.newPlot(" in text
        assert "<svg" not in text[text.rindex("Plotly.newPlot(") :]
        assert said in text[text.rindex("<figcaption>") :]


def test_a_hostile_method_is_text_on_the_pages():
    name = "<img src=x onerror=alert(1)>"
    member = Member(name, "adam", {"lr": 0.1}, 4, 0)
    ends = np.array([1.0, 0.5])
    route = Route(member, np.array([[0.0, 0.0], [1.0, 1.0]]), ends, ends, False)
    grid = np.array([0.0, 1.0])
    shown = Landscape(name, "principal", grid, grid, np.eye(2) + 1, (route,), (0.8, 0.15), 9)
    figure = _landscape_page.figure(shown)
    assert not any("<img" in (trace.name or "") for trace in figure.data)
