"""Figures over several problems show every run, and their page opens by itself."""

from __future__ import annotations

import dataclasses
import json
import re
from html import escape

import numpy as np
import pytest
from tests.report.studies import RMSE, hostile, make

from descenso import language
from descenso.api import Studies, Study
from descenso.errors import BudgetError, SettingError, UnknownNameError
from descenso.report import together
from descenso.report.together import _captions, _data, _file, _html
from descenso.study.overview import overview


@pytest.fixture(scope="module")
def results():
    language.use("en")
    return [make(problem="digits"), make(problem="wine", seeds=5)]


@pytest.fixture(scope="module")
def found(results):
    return overview(results)


def test_each_run_is_a_point_at_its_gain_or_at_the_rim(found):
    frame = together.gains(found)
    assert len(frame) == 6 * 2 * 5
    low, _high = _data.shown_gains(found)
    figure = together.figure(found, "gains")
    runs = [trace for trace in figure.data if trace.text is not None]
    for name, trace in zip(dict.fromkeys(frame["method"]), runs, strict=True):
        wanted = np.maximum(frame[frame["method"] == name]["gain"], low)
        assert np.allclose(trace.x, wanted)
        assert (np.array(trace.marker.symbol) == "triangle-left").sum() == (
            frame[frame["method"] == name]["gain"] < low
        ).sum()


def test_a_profile_starts_at_the_quickest_and_ends_at_all_that_get_there(found):
    figure = together.figure(found, "profile")
    for trace in figure.data:
        shares = found.profile[trace.name]
        assert trace.x[0] == 1
        assert (trace.y[0], trace.y[-1]) == (shares[0], shares[-1])
        assert trace.line.shape == "hv"
    drawn = _file.draw(found, "profile")
    axes = drawn.axes[0]
    stairs = [line for line in axes.lines if line.get_transform() != axes.transAxes]
    assert len(stairs) == 6
    for line, name in zip(stairs, found.methods, strict=True):
        assert line.get_ydata()[-1] == found.profile[name][-1]
    assert {text.get_text() for text in axes.texts} == set(found.methods)


def test_an_interval_that_leaves_the_gains_has_an_arrowhead_in_both_renderers(found):
    name = found.methods[0]
    far = dataclasses.replace(found.iqm[name], low=-5.0)
    wide = dataclasses.replace(found, iqm={**found.iqm, name: far})
    low, _high = _data.shown_gains(wide)
    leaving = sum(interval.low < low for interval in wide.iqm.values())
    rims = [t for t in together.figure(wide, "gains").data if t.marker.symbol == "triangle-left"]
    assert len(rims) == leaving > 0
    axes = _file.draw(wide, "gains").axes[0]
    heads = [line for line in axes.lines if line.get_marker() == "<" and line.get_markersize() == 9]
    assert len(heads) == leaving
    assert "An arrowhead at the rim" in _captions.caption(wide, "gains")
    near = {name: dataclasses.replace(i, low=0.99) for name, i in found.iqm.items()}
    assert "arrowhead" not in _captions.caption(dataclasses.replace(found, iqm=near), "gains")


def test_the_caption_counts_runs_and_names_the_quickest(found):
    text = _captions.caption(found, "profile")
    assert "10 runs of each method" in text
    quickest = max(found.profile, key=lambda name: found.profile[name][0])
    assert re.search(rf"Most often the quickest: [^.]*{quickest}", text)


def test_without_a_target_there_is_no_profile_to_draw():
    loose = overview([make(metric=RMSE, problem="diabetes"), make(metric=RMSE, problem="line")])
    assert together.names(loose) == ["gains"]
    with pytest.raises(UnknownNameError, match="there are gains"):
        together.figure(loose, "profile")


def test_the_page_holds_verdicts_figures_and_links_and_asks_nothing_of_the_network(
    results, tmp_path
):
    studies = Studies([Study(result) for result in results])
    page = studies.save(tmp_path / "all.html")
    text = page.read_text()
    assert escape(studies.text, quote=False) in text
    for result in results:
        name = result.design.problem
        assert (tmp_path / f"all-{name}.html").stat().st_size > 100_000
        assert f'href="all-{name}.html"' in text
    payload = json.loads(re.search(r'id="payload">(.*?)</script>', text, re.DOTALL).group(1))
    assert set(payload["figures"]) == {"profile", "gains"}
    own = text.replace(_html.html.plotly_js(), "")
    assert not re.search(r'(src|href)="https?:', own)


def test_a_hostile_problem_is_text_on_the_page(results, tmp_path):
    text = "</script><script>alert(1)</script>"
    bad = [hostile(result, text) for result in results]
    bad[1] = dataclasses.replace(
        bad[1], design=dataclasses.replace(bad[1].design, problem=text + "2")
    )
    page = together.write(bad, tmp_path / "x.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("name", ["profile", "gains"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_are_written_in_every_format(found, name, theme, tmp_path):
    for ending in ("png", "svg", "pdf", "html"):
        where = tmp_path / f"figure.{ending}"
        together.save_figure(found, name, where, theme=theme)
        assert where.stat().st_size > 5_000
    with pytest.raises(SettingError, match="only paths can be animated"):
        together.save_figure(found, name, tmp_path / "figure.gif")


def test_the_page_speaks_spanish(results, tmp_path):
    language.use("es")
    try:
        text = together.write(results, tmp_path / "x.html").read_text()
    finally:
        language.use("en")
    assert '<html lang="es">' in text
    assert "Problema por problema" in text


def test_studies_of_other_methods_make_no_page(results, tmp_path):
    strange = dataclasses.replace(
        results[1], design=dataclasses.replace(results[1].design, methods=("adam",))
    )
    with pytest.raises(BudgetError, match="on the same methods"):
        together.write([results[0], strange], tmp_path / "x.html")
