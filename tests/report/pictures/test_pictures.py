"""Pictures are written whole, in the format asked for, and say what they show."""

from __future__ import annotations

import os
import re

import numpy as np
import pytest
from PIL import Image

from descenso import language, paths
from descenso.errors import ReportError, SettingError
from descenso.methods import parse, parse_list
from descenso.report import pictures, style
from descenso.report.pictures import _arrows_file, _captions, _ground, _paths_file, _paths_page


@pytest.fixture(autouse=True)
def _in_english():
    language.use("en")
    yield
    language.use("en")


@pytest.fixture(scope="module")
def ravine():
    surface = paths.get("ravine")
    return paths.descend(surface, parse_list("momentum,adam"), steps=20)


@pytest.fixture(scope="module")
def wild():
    surface = paths.get("ravine")
    return paths.descend(surface, parse_list("gradient_descent"), lr=[0.03], steps=40)


def test_every_format_is_written_and_can_be_read(ravine, tmp_path):
    for ending in pictures.FORMATS:
        pictures.save_paths(ravine, tmp_path / f"p.{ending}")
    with Image.open(tmp_path / "p.png") as still, Image.open(tmp_path / "p.gif") as moving:
        assert still.size[0] > 1500
        assert moving.n_frames == 22
    assert (tmp_path / "p.pdf").read_bytes().startswith(b"%PDF")
    assert "<svg" in (tmp_path / "p.svg").read_text()


def test_the_same_picture_is_the_same_file(ravine, tmp_path):
    for name in ("a.svg", "b.svg"):
        pictures.save_paths(ravine, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_the_page_needs_nothing_from_outside(ravine, tmp_path):
    text = pictures.save_paths(ravine, tmp_path / "p.html").read_text()
    assert "default-src 'none'" in text
    outside = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?:[^"]+)', text)
    assert outside == []


def test_a_hostile_name_is_text_in_the_page(tmp_path):
    (tmp_path / "<script>x.py").write_text("def f(p):\n    return p[0] ** 2 + p[1] ** 2\n")
    surface = paths.get(f"{tmp_path}/<script>x.py:f")
    found = paths.descend(surface, [parse("adam")], lr=[0.1], steps=3)
    text = pictures.save_paths(found, tmp_path / "p.html").read_text()
    assert "<script>x.py" not in text
    assert "&lt;script&gt;x.py" in text


def test_one_legend_names_every_method_once_with_its_settings(ravine):
    figure = _paths_file.draw(ravine)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(texts) == 3
    assert re.match(r"momentum  lr = \S+", texts[0])
    assert texts[-1] == "minimum"


def test_a_path_that_diverges_is_marked_and_said(wild):
    figure = _paths_file.draw(wild)
    assert "diverges, cut at step" in figure.legends[0].get_texts()[0].get_text()
    crosses = [line for line in figure.axes[0].lines if line.get_marker() == "X"]
    assert len(crosses) == 1
    assert "A cross marks where gradient_descent diverges." in _captions.paths(wild)


def test_a_relief_draws_every_piece_in_view_and_marks_the_end_where_it_is(wild):
    surface = paths.get("rosenbrock")
    found = paths.descend(surface, parse_list("rmsprop,gradient_descent"), lr=[0.825], steps=60)
    for given in (found, wild):
        axes = _paths_file.draw(given, three_d=True).axes[0]
        fitted = _ground.fitted(given)
        for trace in given.traces:
            colour = style.marks(given.labels)[trace.label].colour
            lines = [line for line in axes.lines if line.get_color() == colour]
            x, y, z = lines[0].get_data_3d()
            pieces = _ground.inside_pieces(trace.path.points, fitted.surface.window)
            assert np.allclose(np.array([x, y]).T, pieces, equal_nan=True)
            known = np.isfinite(pieces).all(axis=1)
            values = fitted.surface.function(pieces[known].T)
            land = _ground.ground(fitted.surface)
            assert np.array(z)[known] == pytest.approx(land.scaled(values) + 0.012)
            ends = [np.array(line.get_data_3d())[:2].T for line in lines[1:]]
            final = trace.path.points[-1]
            if trace.end == "diverged":
                assert [line.get_marker() for line in lines[1:]] == ["X"]
                assert not np.allclose(ends[0], trace.start)
            elif _captions.in_view(final[None], fitted.surface).all():
                assert np.allclose(ends[0], final)
            else:
                assert ends == []


def test_a_path_is_cut_at_the_rim_of_the_view_and_comes_back():
    points = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 0.5], [0.5, 0.5], [0.5, 0.5]])
    pieces = _ground.inside_pieces(points, ((-1.0, 1.0), (-1.0, 1.0)))
    gap = [np.nan, np.nan]
    expected = [[0, 0], [1, 0], gap, gap, [1, 0.5], [0.5, 0.5], [0.5, 0.5]]
    kept = [row for i, row in enumerate(pieces.tolist())
            if not (np.isnan(row[0]) and i and np.isnan(pieces[i - 1][0]))]  # fmt: skip
    wanted = [row for i, row in enumerate(expected) if not (row == gap and expected[i - 1] == gap)]
    assert np.allclose(kept, wanted, equal_nan=True)
    assert len(_ground.inside_pieces(points[:1], ((-1.0, 1.0), (-1.0, 1.0)))) == 0


def test_pages_mark_with_a_cross_what_their_captions_say_diverges(wild):
    for three_d in (False, True):
        figure = _paths_page.figure(wild, three_d=three_d)
        crosses = [
            t for t in figure.data if t.type.startswith("scatter") and t.marker.symbol == "x"
        ]
        assert len(crosses) == 2
        loss = crosses[-1]
        assert (
            np.log10(loss.y[0]) <= max(figure.layout[f"yaxis{'' if three_d else '2'}"].range) + 1e-9
        )


def test_a_relief_s_page_marks_where_each_path_stands_at_every_step(wild):
    found = paths.descend(paths.get("rosenbrock"), parse_list("rmsprop,adam"), lr=[0.2], steps=30)
    for given in (found, wild):
        figure = _paths_page.figure(given, three_d=True)
        fitted = _ground.fitted(given).surface
        for frame in (None, figure.frames[2]):
            drawn = (
                figure.data if frame is None else dict(zip(frame.traces, frame.data, strict=True))
            )
            step = given.steps if frame is None else int(frame.name)
            for trace in given.traces:
                colour = style.marks(given.labels)[trace.label].colour
                (place,) = (
                    i for i, t in enumerate(figure.data)
                    if t.type == "scatter3d" and t.marker.color == colour and t.marker.symbol != "x"
                )  # fmt: skip
                point = trace.path.points[min(step, len(trace.path))]
                shown = _captions.in_view(point[None], fitted).all()
                gone = trace.end == "diverged" and step >= len(trace.path)
                wanted = [tuple(point)] if shown and not gone else []
                assert list(zip(drawn[place].x, drawn[place].y, strict=True)) == wanted


def test_the_caption_says_what_the_lines_on_the_ground_are_and_that_the_axes_differ(ravine):
    assert "the numbers on them are the values" in _captions.paths(ravine)
    assert "the view is 24 wide and 6 high" in _captions.paths(ravine)
    equal = paths.descend(paths.get("himmelblau"), parse_list("adam"), lr=[0.1], steps=5)
    assert "differ in scale" not in _captions.paths(equal)
    (axes, *_others) = _paths_file.draw(equal).axes
    assert {text.get_text() for text in axes.texts} >= {"50", "200"}


def test_names_stand_where_the_lines_of_the_losses_end(ravine):
    axes = _paths_file.draw(ravine).axes[1]
    names = {text.get_text(): text for text in axes.texts}
    assert set(names) == {"momentum", "adam"}
    ends = {t.label: t.path.values[-1] for t in ravine.traces}
    order = sorted(names, key=lambda name: names[name].xy[1])
    assert order == sorted(ends, key=ends.__getitem__)
    low, high = np.log10(axes.get_ylim())
    leads = [line for line in axes.lines if line.get_transform() == axes.transAxes]
    starts = {line.get_color(): line.get_ydata()[0] for line in leads}
    for label, value in ends.items():
        share = (np.log10(value) - low) / (high - low)
        assert starts[style.marks(ravine.labels)[label].colour] == pytest.approx(share)


def test_decay_is_an_arrow_of_its_own():
    found = paths.descend(
        paths.get("ravine"), [parse("adamw(weight_decay=0.1)")], lr=[0.3], steps=6
    )
    (trace,) = found.traces
    parts = paths.decompose(trace.path)
    arrows = {name: end - start for name, start, end in _arrows_file.chain(trace, parts, 2, 1.0)}
    assert arrows["decay"] == pytest.approx(-0.3 * 0.1 * trace.path.points[2])
    assert sum(arrows[n] for n in ("fresh", "carried", "scaling", "decay")) == (
        pytest.approx(arrows["step"])
    )
    assert "Pink: what weight decay takes off" in _arrows_file.caption(found)


def test_letters_mean_steps_and_do_not_cover_each_other(ravine):
    trace = ravine.traces[0]
    shown = _ground.letters(trace, ravine.surface.window)
    assert shown[0] == ("A", 0)
    assert all("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[step] == letter for letter, step in shown)
    sides = np.array([24.0, 6.0])
    places = np.array([trace.path.points[step] / sides for _letter, step in shown])
    apart = np.hypot(*(places[:, None] - places[None]).T) + np.eye(len(places))
    assert apart.min() > 0.045


@pytest.mark.parametrize("name", paths.names())
def test_levels_are_few_ascending_round_numbers(name):
    land = pictures.ground(paths.get(name))
    heights = np.array(land.levels) - (land.lowest if land.logarithmic else 0)
    assert 4 <= len(land.levels) <= 16
    assert (np.diff(land.levels) > 0).all()
    for height in heights:
        assert float(f"{height:.2g}") == pytest.approx(height, rel=1e-6, abs=1e-9)


def test_the_page_draws_the_points_of_the_paths(ravine):
    figure = _paths_page.figure(ravine)
    lines = [t for t in figure.data if t.legendgroup == "adam" and t.customdata is not None]
    points = ravine.traces[1].path.points
    assert np.allclose(np.array([lines[0].x, lines[0].y]).T, points)
    assert len(figure.frames) == 21


def test_a_cloud_of_seeds_has_a_thin_line_for_each_and_a_band():
    surface = paths.get("ravine")
    found = paths.descend(surface, parse_list("adam"), lr=[0.3], steps=15, noise=3.0, seeds=6)
    figure = _paths_file.draw(found)
    thin = [line for line in figure.axes[0].lines if line.get_linewidth() == 0.7]
    assert len(thin) == 5
    assert len(figure.axes[1].collections) == 1
    assert "6 seeds" in _captions.paths(found)


def test_relief_and_arrows_and_map_are_drawn_in_both_themes(ravine, tmp_path):
    cells = paths.settings_map(
        paths.get("ravine"), parse("momentum"), lr=np.logspace(-3, 0, 8),
        other=np.linspace(0, 0.9, 5), steps=30,
    )  # fmt: skip
    for theme in ("light", "dark"):
        for ending in ("png", "html"):
            where = tmp_path / f"{theme}.{ending}"
            pictures.save_paths(ravine, where, theme=theme, three_d=True)
            pictures.save_decomposition(ravine, where, theme=theme)
            pictures.save_map(cells, where, theme=theme)
            assert where.stat().st_size > 10_000


def test_arrows_before_scaling_are_shortened_alike_and_the_picture_says_so(ravine):
    figure = _arrows_file.draw(ravine)
    notes = [
        [text.get_text() for text in axes.texts if "drawn" in text.get_text()]
        for axes in figure.axes
    ]
    assert notes[0] == []
    assert re.match(r"arrows before scaling drawn × 0\.\d+", notes[1][0])


@pytest.mark.parametrize("name", ["p.bmp", "p", ""])
def test_a_format_that_does_not_exist_is_refused(name, ravine):
    with pytest.raises(SettingError, match="ends in one of"):
        pictures.save_paths(ravine, name)


def test_a_place_that_cannot_be_written_is_refused_before_drawing(ravine, tmp_path):
    with pytest.raises(ReportError, match="cannot be written"):
        pictures.save_paths(ravine, tmp_path / "no" / "p.png")
    with pytest.raises(SettingError, match="only paths can be animated"):
        pictures.save_decomposition(ravine, tmp_path / "p.gif")


def test_captions_are_said_in_spanish(ravine):
    language.use("es")
    assert "pasos de momentum y adam" in _captions.paths(ravine)


def test_a_picture_that_cannot_be_written_leaves_the_old_one_alone(ravine, tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    (tmp_path / "p.svg").write_text("the old one")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReportError, match="no space is left on the disk"):
        pictures.save_paths(ravine, tmp_path / "p.svg")
    assert (tmp_path / "p.svg").read_text() == "the old one"
    assert [p.name for p in tmp_path.iterdir()] == ["p.svg"]
