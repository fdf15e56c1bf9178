"""The figures show their frames, look alike, and take strangers' names as text."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from tests.report.studies import RMSE, hostile, make

from descenso import methods, report
from descenso.errors import UnknownNameError
from descenso.report import captions, data, labels, ranges, style
from descenso.report import rows as rows_
from descenso.report.pictures import _study_file
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
    assert max(figure.layout.yaxis.range) < 80  # the untrained network's error is 77


def test_a_method_has_one_colour_whatever_its_company():
    alone = {name: style.marks([name])[name].colour for name in style.PLACES}
    assert len(set(alone.values())) == len(alone)
    for company in (["adam", "momentum"], methods.names()[::-1], ["lion", "adam", "sgd"]):
        marks = style.marks(company)
        assert {name: marks[name].colour for name in company if name in alone} == {
            name: alone[name] for name in company if name in alone
        }
        assert len(set(marks.values())) == len(company)
    varied = style.marks(["adam(lr=0.1)", "adam", "adam(lr=0.2)"])
    assert varied["adam"].colour == alone["adam"]
    assert len({mark.colour for mark in varied.values()}) == 3
    key = "adam 0"  # as a landscape calls the route of a seed
    assert style.marks([key])[key].colour == alone["adam"]


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
    means = [t for t in figure.data if t.mode == "markers+text"]
    hollow = {order[t.y[0]]: t.marker.symbol.endswith("-open") for t in means}
    assert hollow == {c.other: c.tied for c in study.verdict.comparisons}


def test_the_axis_of_differences_holds_the_intervals_that_are_not_far_off():
    frame = data.differences(make(names=("adam", "rmsprop", "sgd")))
    frame = frame.assign(difference=[0.006, 0.008], low=[-0.01, -0.02], high=[0.02, 5.0])
    low, high = ranges.differences(frame)
    assert low < -0.02
    assert 0.02 < high < 0.05


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("momentum", ["momentum"]),
        ("sgd@8", ["sgd@8"]),
        ("adam(beta1=0.85,beta2=0.98)", ["adam(beta1=0.85,", "beta2=0.98)"]),
        ("momentum(beta=0.95)@32", ["momentum(", "beta=0.95)@32"]),
    ],
)
def test_a_long_name_stands_in_lines_that_a_phone_has_room_for(name, lines):
    assert labels.in_lines(name) == lines


def test_what_lies_off_the_axis_is_said_at_its_edge(study):
    notes = [note.text for note in report.figure(study, "results").layout.annotations]
    assert "◀ default: 10.0% – 10.4%" in notes
    assert "◀ chosen: 10.5% (1 diverged)" in notes


def test_no_score_is_lost_between_the_points_and_the_notes(study):
    figure, frame = report.figure(study, "results"), data.results(study)
    points = [x for t in figure.data if t.customdata is not None for x in t.x]
    shown, _scale = ranges.scores(study)
    assert sorted(points) == sorted(frame["score"][~shown.beyond(frame["score"])])
    left_out = frame[shown.beyond(frame["score"])].groupby(["method", "setting"])
    assert len(figure.layout.annotations) == len(left_out)
    for _key, rows in left_out:
        said = rows_.beyond_text(rows, study.metric)
        assert any(said in note.text for note in figure.layout.annotations)


def test_an_interval_that_leaves_the_axis_has_an_arrowhead_at_the_rim():
    for name, frame, shown in wide_intervals():
        figure = report.figure(frame, name)
        rims = [t for t in figure.data if str(t.marker.symbol).startswith("triangle-")
                and t.error_x.array is None and t.mode == "markers"]  # fmt: skip
        ends = {t.x[0] for t in rims}
        left = {shown.low if v < shown.low else shown.high for v in ranges.leaving(frame, name)}
        assert ends == left
        assert shown.high in ends
        assert "An arrowhead at the rim" in captions.caption(frame, name)


def wide_intervals():
    """Return a study whose second method has an interval far beyond the axis of each figure."""
    study = make(names=("adam", "rmsprop"))
    rmsprop = study.method("rmsprop")
    wide = dataclasses.replace(rmsprop.tuned.test, high=1.4)
    tuned = dataclasses.replace(rmsprop.tuned, test=wide)
    methods = tuple(
        dataclasses.replace(m, tuned=tuned) if m.name == "rmsprop" else m for m in study.methods
    )
    (only,) = study.verdict.comparisons
    far = dataclasses.replace(only, difference=dataclasses.replace(only.difference, high=5.0))
    changed = dataclasses.replace(
        study, methods=methods, verdict=dataclasses.replace(study.verdict, comparisons=(far,))
    )
    yield "results", changed, ranges.scores(changed)[0]
    yield "differences", changed, ranges.differences(data.differences(changed))


def exploded(study):
    """Return the study with one setting of adam that ended at an error of 1e9."""
    adam = study.method("adam")
    worst = dataclasses.replace(adam.search[-1], values=(1e9, 1e9), chosen=False)
    changed = dataclasses.replace(adam, search=(*adam.search[:-1], worst))
    methods = tuple(changed if m.name == "adam" else m for m in study.methods)
    return dataclasses.replace(study, methods=methods)


@pytest.mark.parametrize("kind", ["share", "error", "exploded"])
def test_both_renderers_show_each_setting_as_it_was_measured_or_mark_it_at_the_rim(
    study, regression, kind
):
    result = {"share": study, "error": regression, "exploded": exploded(regression)}[kind]
    frame, (shown, _scale) = data.sensitivity(result), ranges.sensitivity(result)
    page = report.figure(result, "sensitivity")
    axes = _study_file.draw(result, "sensitivity").axes[0]
    in_file = [
        (line.get_xdata()[0], line.get_ydata()[0], line.get_marker())
        for line in axes.lines
        if line.get_linestyle() == "None" and line.get_markersize() == 6
    ]
    on_page = [
        (x, y, symbol)
        for t in page.data
        if t.customdata is not None
        for x, y, symbol in zip(t.x, t.y, t.marker.symbol, strict=True)
    ]
    assert tuple(page.layout.yaxis.range) == pytest.approx(axes.get_ylim())
    for drawn, up in ((in_file, "^"), (on_page, "triangle-up")):
        assert len(drawn) == len(frame)
        for row, (x, y, symbol) in zip(frame.itertuples(), drawn, strict=True):
            assert x == row.lr
            if row.mean > shown.high:
                assert (y, symbol) == (shown.high, up)
            else:
                assert y == row.mean
    assert (frame["mean"] > shown.high).sum() == (1 if kind == "exploded" else 0)
    if kind == "exploded":
        said = captions.caption(result, "sensitivity")
        assert "A triangle at the rim: 1 setting ended worse than the untrained network" in said
        assert "1e+09" in said
    else:
        assert "at the rim" not in captions.caption(result, "sensitivity")


def test_the_lines_of_the_sensitivity_are_the_measured_means_in_both_renderers(study):
    frame = data.sensitivity(study)
    axes = _study_file.draw(study, "sensitivity").axes[0]
    on_page = [t.y for t in report.figure(study, "sensitivity").data
               if t.mode == "lines" and not t.fill]  # fmt: skip
    in_file = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) > 2]
    for (_name, rows), y, z in zip(
        frame.groupby("method", sort=False), on_page, in_file, strict=True
    ):
        assert np.array_equal(y, rows["mean"])
        assert np.array_equal(z, rows["mean"])
    assert frame["mean"].min() < min(data.untrained(m.tuned) for m in study.methods)


def test_names_stand_at_the_ends_of_the_lines_and_do_not_cover_each_other(study):
    figure = report.figure(study, "curves")
    shown, _scale = ranges.curves(study)
    last = data.curves(study).groupby("method", sort=False)["mean"].last()
    ends = {note.text: note for note in figure.layout.annotations if note.name == labels.END}
    assert set(ends) == set(last.index)
    inner = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    for name, note in ends.items():
        assert note.y == pytest.approx((last[name] - shown.low) / (shown.high - shown.low))
        assert note.arrowcolor == style.marks(study.design.methods)[name].colour
    heights = sorted(inner * note.y - note.ay for note in ends.values())
    assert np.diff(heights).min() >= 16.9
    chosen = data.sensitivity(study).set_index("method").query("chosen")
    named = [n for n in report.figure(study, "sensitivity").layout.annotations if n.name == "end"]
    assert {(n.text, n.x, n.y) for n in named} == {
        (name, np.log10(row["lr"]), row["mean"]) for name, row in chosen.iterrows()
    }


def test_flags_in_rows_cover_neither_each_other_nor_a_pole():
    rng = np.random.default_rng(3)
    for count in (1, 2, 6, 30):
        places, widths = rng.choice([10.0, 40.0, 75.0, 300.0], count), rng.uniform(20, 90, count)
        rows = labels.in_rows(list(places), list(widths))
        for i in range(count):
            for j in range(count):
                if i != j and rows[i] >= rows[j]:  # the pole of i passes the row of j
                    assert not places[j] < places[i] < places[j] + widths[j]
                if i != j and rows[i] == rows[j]:
                    apart = places[i] + widths[i] <= places[j] or places[j] + widths[j] <= places[i]
                    assert apart


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_heights_are_spread_out_in_order_and_stay_on_the_axis(count):
    wished = list(np.random.default_rng(count).normal(0.8, 0.3, count))
    placed = labels.spread_out(wished, 0.05)
    assert 0 <= min(placed) <= max(placed) <= 1
    order = np.argsort(wished)
    assert (
        np.diff(np.array(placed)[order]).min(initial=1) >= min(0.05, 1 / max(count - 1, 1)) - 1e-9
    )
    assert labels.spread_out([0.1, 0.9], 0.05) == pytest.approx([0.1, 0.9])


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
