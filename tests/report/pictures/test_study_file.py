"""A study's figures in files show the frames of the report."""

from __future__ import annotations

import numpy as np
import pytest
from tests.report.studies import RMSE, make

from descenso import language, report
from descenso.errors import SettingError, UnknownNameError
from descenso.report import captions, data, pictures
from descenso.report.pictures import _study_file
from descenso.report.rows import beyond_text


@pytest.fixture(autouse=True)
def _in_english():
    language.use("en")
    yield
    language.use("en")


@pytest.fixture(scope="module")
def study():
    language.use("en")
    return make()


@pytest.mark.parametrize("name", report.names())
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_figure_is_written_in_both_themes(study, name, theme, tmp_path):
    path = pictures.save_figure(study, name, tmp_path / "f.svg", theme=theme)
    assert path.stat().st_size > 5_000


def test_curves_and_stairs_show_their_frames(study):
    for name, column, frame in (
        ("curves", "mean", data.curves(study)),
        ("target", "share", data.target(study)),
    ):
        axes = _study_file.draw(study, name).axes[0]
        drawn = [line.get_ydata() for line in axes.lines]
        for _method, rows in frame.groupby("method", sort=False):
            assert any(len(y) == len(rows) and np.allclose(y, rows[column]) for y in drawn)


def test_every_seed_is_a_point_or_its_setting_is_named_at_the_rim(study):
    axes = _study_file.draw(study, "results").axes[0]
    points = [
        line for line in axes.lines if line.get_marker() in ("o", "s", "D", "^", "v", "p", "x")
    ]
    frame = data.results(study)
    inside = frame["score"].between(*axes.get_xlim())
    drawn = sorted(x for line in points for x in line.get_xdata())
    assert drawn == sorted(frame["score"][inside])
    named = [text.get_text() for text in axes.texts]
    left_out = frame[~inside].groupby(["method", "setting"])
    assert sorted(named) == sorted(f"◂ {beyond_text(r, study.metric)}" for _k, r in left_out)
    assert any("diverged" in text for text in named)


def test_the_caption_stands_under_the_figure_in_either_language(study):
    for code in ("en", "es"):
        language.use(code)
        texts = " ".join(
            t.get_text().replace("\n", " ") for t in _study_file.draw(study, "curves").texts
        )
        assert captions.caption(study, "curves") in texts


@pytest.mark.parametrize("name", [name for name in report.names() if name != "target"])
def test_figures_of_an_error_are_drawn_too(name, tmp_path):
    regression = make(metric=RMSE, problem="diabetes")
    pictures.save_figure(regression, name, tmp_path / "f.pdf")


def test_a_figure_or_axis_that_does_not_exist_is_refused(study, tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'curves'"):
        pictures.save_figure(study, "curve", tmp_path / "f.png")
    with pytest.raises(UnknownNameError, match="there is no axis"):
        pictures.save_figure(study, "curves", tmp_path / "f.png", x="hours")
    with pytest.raises(SettingError, match="only paths can be animated"):
        pictures.save_figure(study, "curves", tmp_path / "f.gif")
