"""The figures show their frames, look alike, and take strangers' names as text."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from tests.report.studies import RMSE, hostile, make

from descenso import report
from descenso.errors import UnknownNameError
from descenso.report import data, style
from descenso.study._results import SearchPoint

NAMES = ["results", "differences", "sensitivity", "curves", "target"]


def line(figure, name):
    return next(t for t in figure.data if t.name == name and t.x[0] is not None)


def test_the_figures_are_named():
    assert report.names() == NAMES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_figure_is_large_enough_to_read_on_either_ground(study, name, theme):
    layout = report.figure(study, name, theme).layout
    assert layout.font.size >= 14
    assert layout.paper_bgcolor == style.THEMES[theme].ground
    assert layout.xaxis.title.text


@pytest.mark.parametrize("name", [name for name in NAMES if name != "target"])
def test_every_figure_of_a_regression_is_drawn(regression, name):
    assert report.figure(regression, name).data


def test_the_stairs_to_the_target_rise_to_the_share_of_runs_that_reach_it(study):
    frame = data.target(study)
    for method in study.methods:
        rows = frame[frame["method"] == method.name]
        assert rows["share"].is_monotonic_increasing
        assert rows["share"].iloc[-1] == np.isfinite(method.tuned.epochs_to_target).mean()
        assert np.allclose(line(report.figure(study, "target"), method.name).y, rows["share"])


def test_without_a_target_there_are_no_stairs_and_the_report_leaves_them_out(regression):
    assert len(data.target(regression)) == 0
    assert 'data-figure="target"' not in report.render(regression)


def test_the_learning_curves_draw_their_frame(study):
    figure, frame = report.figure(study, "curves"), data.curves(study)
    rows = frame[frame["method"] == "adam"]
    assert np.allclose(line(figure, "adam").y, rows["mean"])
    assert [shape.y0 for shape in figure.layout.shapes] == [0.95]


@pytest.mark.parametrize("x", ["epoch", "examples", "steps", "seconds"])
def test_the_learning_curves_can_be_drawn_against_another_axis(study, x):
    frame = data.curves(study)
    rows = frame[(frame["method"] == "sgd") & ((x != "steps") | (frame["epoch"] > 0))]
    figure = report.figure(study, "curves", x=x)
    assert np.allclose(line(figure, "sgd").x, rows[x])
    assert figure.layout.xaxis.type == ("log" if x == "steps" else "linear")


def test_the_sensitivity_is_on_a_log_axis_and_its_markers_tell_how_each_setting_fared(study):
    figure, frame = report.figure(study, "sensitivity"), data.sensitivity(study)
    assert figure.layout.xaxis.type == "log"
    rows = frame[frame["method"] == "sgd"]
    symbols = line(figure, "sgd").marker.symbol
    for row, symbol in zip(rows.itertuples(), symbols, strict=True):
        plain = "circle" if row.full else "circle-open"
        assert symbol == ("x-thin" if row.diverged else plain)
    sizes = line(figure, "sgd").marker.size
    assert np.argmax(sizes) == np.flatnonzero(rows["chosen"])[0]


def test_the_line_of_the_sensitivity_leaves_out_settings_that_vary_more_than_the_rate(study):
    method = study.method("adam")
    more = SearchPoint("adam", {**method.settings, "beta1": 0.95}, 20, (0.9,), (0.1,), stage=2)
    changed = dataclasses.replace(method, search=(*method.search, more))
    figure = report.figure(dataclasses.replace(study, methods=(changed,)), "sensitivity")
    assert len(line(figure, "adam").x) == 13
    assert [len(t.x) for t in figure.data if t.mode == "lines" and not t.fill] == [12]


def test_a_loss_that_exploded_does_not_crush_the_scale(regression):
    figure = report.figure(regression, "sensitivity")
    highest = max(np.nanmax(np.array(t.y, dtype=float)) for t in figure.data if t.x[0] is not None)
    assert highest < 80  # the untrained network's error is 77


def test_a_method_has_one_colour_in_every_figure(study):
    colours = {report.figure(study, n).data[0].marker.color for n in NAMES[2:3]}
    assert colours == {style.marks(study.design.methods)["sgd"].colour}
    assert line(report.figure(study, "curves"), "sgd").line.color in colours


def test_beyond_the_palette_methods_still_differ():
    looks = style.marks([f"m{i}" for i in range(20)])
    assert len(set(looks.values())) == 20


def test_a_tied_method_is_hollow_and_one_behind_is_filled(study):
    figure = report.figure(study, "differences")
    order = list(figure.layout.yaxis.ticktext)
    hollow = {order[t.y[0]]: t.marker.symbol.endswith("-open") for t in figure.data}
    assert hollow == {c.other: c.tied for c in study.verdict.comparisons}


def test_what_lies_off_the_axis_is_said_at_its_edge(study):
    notes = [note.text for note in report.figure(study, "results").layout.annotations]
    assert "◀ default: 10.1%" in notes
    assert "◀ chosen: 10.5% (1 diverged)" in notes


def test_no_score_is_lost_between_the_points_and_the_notes(study):
    figure, frame = report.figure(study, "results"), data.results(study)
    points = sum(len(t.x) for t in figure.data if t.marker.symbol != "line-ns")
    notes = [note.text for note in figure.layout.annotations]
    noted = sum(1 if "diverged" in note else 5 for note in notes)
    assert points + noted == len(frame)


def test_an_error_that_spans_orders_of_magnitude_is_on_a_log_scale():
    wide = make(metric=dataclasses.replace(RMSE, name="mse", target=1e-3))
    assert report.figure(wide, "curves").layout.yaxis.type == "log"
    assert report.figure(wide, "sensitivity").layout.yaxis.type == "log"
    axis = report.figure(wide, "results").layout.xaxis
    assert axis.type == "log"
    tuned = [s for m in wide.methods for s in m.tuned.scores]
    assert 10 ** axis.range[0] < min(tuned) < 10 ** axis.range[1]
    note = report.figure(wide, "curves").layout.annotations[0]
    assert (note.text, note.y) == ("target 0.001", -3)


def test_one_seed_is_drawn_without_intervals():
    single = make(seeds=1)
    for name in NAMES:
        assert report.figure(single, name).data
    errors = [t.error_x.array for t in report.figure(single, "differences").data]
    assert errors == [None] * 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "curve"}, "no figure named 'curve'.*Did you mean 'curves'"),
        ({"name": "curves", "theme": "drak"}, "no theme named 'drak'.*Did you mean 'dark'"),
        ({"name": "curves", "x": "step"}, "no axis named 'step'.*Did you mean 'steps'"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(study, arguments, message):
    with pytest.raises(UnknownNameError, match=message):
        report.figure(study, **arguments)


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_drawn_as_text(study, name):
    drawn = report.figure(hostile(study, "<b>bold</b>"), name).to_json()
    assert "<b>" not in drawn
    assert "\\u003cb\\u003e" not in drawn


def test_importing_the_report_loads_neither_pandas_nor_plotly():
    code = "import sys, descenso.report; print({'pandas', 'plotly', 'jinja2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
