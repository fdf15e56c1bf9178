"""What a reader meets: the first screen, a phone, paper."""

from __future__ import annotations

import shutil
import subprocess
from itertools import pairwise

import pytest

from descenso import report
from descenso.study.words import figure

_BOXES = """all => all.map(e => {
    const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; })"""


@pytest.fixture(scope="module")
def place(study, tmp_path_factory):
    return report.write(study, tmp_path_factory.mktemp("report") / "report.html").as_uri()


@pytest.fixture
def opened(browser, place):
    contexts = []

    def open_page(width, height, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(place)
        page.wait_for_selector("[data-figure=curves] .main-svg")
        return page

    yield open_page
    for context in contexts:
        context.close()


def boxes(page, selector):
    return page.eval_on_selector_all(selector, _BOXES)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_first_screen_holds_the_answer_one_figure_and_the_code_and_nothing_else(opened, scheme):
    page = opened(1280, 800, color_scheme=scheme)
    for selector in ("h1", ".answer", "#results .main-svg", "#code pre"):
        found = boxes(page, selector)
        assert found
        assert all(top >= 0 and bottom <= 800 for _left, top, _right, bottom in found)
    for selector in ("#table", "#differences", "#sensitivity", "#protocol"):
        assert boxes(page, selector)[0][1] >= 800
    assert page.locator("#results svg .xtick").count() > 2


def test_a_phone_shows_the_score_of_every_method_without_scrolling_sideways(opened, study):
    page = opened(390, 844)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shown = page.locator("#table td strong").all_inner_texts()
    assert shown == [figure(m.tuned.test.mean, study.metric) for m in study.ranking]
    for left, _top, right, _bottom in boxes(page, "#table td, #table tbody th"):
        assert 0 <= left < right <= 390
    labels = page.locator("#table tbody tr:first-child td").evaluate_all(
        "all => all.map(e => getComputedStyle(e, '::before').content)"
    )
    assert labels[0] == '"accuracy, test"'
    # No room for names beside the lines: the legend names them.
    assert page.locator("[data-figure=curves] .annotation").count() == 1  # the target's
    assert page.locator("[data-figure=curves] .legendtext").count() == len(study.methods)


def test_names_and_ticks_lie_inside_their_figures_and_off_each_other_on_screen_and_on_paper(opened):
    page = opened(1280, 800)
    for media in ("screen", "print"):
        page.emulate_media(media=media)
        page.wait_for_timeout(300)
        for name in ("results", "differences", "sensitivity", "curves"):
            (frame,) = boxes(page, f"[data-figure={name}] .svg-container")
            texts = boxes(page, f"[data-figure={name}] text:not(:empty)")
            assert len(texts) > 5
            for left, top, right, bottom in texts:
                assert left >= frame[0] - 1, (media, name)
                assert right <= frame[2] + 1, (media, name)
                assert top >= frame[1] - 1, (media, name)
                assert bottom <= frame[3] + 1, (media, name)
        names = sorted(boxes(page, "[data-figure=curves] .annotation-text"), key=lambda b: b[1])
        heights = [(a[3] + a[1]) / 2 for a in names if a[0] > names[0][0] - 1]
        assert len(heights) >= 6
        assert all(b - a > 8 for a, b in pairwise(heights))


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="no pdftotext on this machine")
def test_no_page_of_paper_is_blank(opened, tmp_path):
    page = opened(1280, 800)
    (tmp_path / "report.pdf").write_bytes(page.pdf(prefer_css_page_size=True))
    command = ["pdftotext", "-layout", str(tmp_path / "report.pdf"), "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    pages = text.split("\f")[:-1]
    assert 3 <= len(pages) <= 8
    assert all(len(page.split()) > 10 for page in pages)
    assert "Which optimizer for digits?" in pages[0]
