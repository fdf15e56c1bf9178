"""The report is one file that opens anywhere, says the verdict first, and runs nobody's code."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import re
import shlex
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from tests.report.studies import hostile, make

from descenso import language, report
from descenso.errors import ReportError
from descenso.report import captions, words
from descenso.study.words import figure, settings

#: With few seeds the stairs to the target show nothing that the curves do not.
SHOWN = ["results", "differences", "sensitivity", "curves"]
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&<!--"


class Page(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.texts, self._open = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if not {"script", "style"} & set(self._open):
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope="module")
def html(study):
    return report.render(study)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


@pytest.mark.slow
def test_the_page_names_its_language_title_and_width(html, page):
    assert html.startswith("<!DOCTYPE html>")
    assert page.all("html") == [{"lang": "en"}]
    assert any(m.get("name") == "viewport" for m in page.all("meta"))
    assert "descenso: digits" in page.text


def test_the_page_asks_nothing_of_the_network(page):
    assert not page.all("link")
    assert not page.all("img")
    assert all("src" not in script for script in page.all("script"))
    assert all(a["href"].startswith("#") for a in page.all("a"))
    policy = next(m["content"] for m in page.all("meta") if "http-equiv" in m)
    assert policy.startswith("default-src 'none'")


def test_the_verdict_comes_before_everything_else(study, page):
    first = words.verdict(study)[0][0]
    assert page.text.index(first) < page.text.index("The methods, best first")


def test_the_answer_the_figure_and_the_code_come_first_and_the_rest_of_the_verdict_follows(
    study, html
):
    first, *others = [text for text, _part in words.verdict(study)]
    places = [html.index(part) for part in (
        '<p class="answer">', 'data-figure="results"', 'id="code"', '<section class="verdict"',
        'id="table"', 'data-figure="differences"', 'id="protocol"',
    )]  # fmt: skip
    assert places == sorted(places)
    page = Page(html)
    assert page.text.index(first) < page.text.index("In your code") < page.text.index(others[0])


def test_a_row_of_the_table_carries_the_name_of_each_of_its_cells(html):
    page = Page(html.partition('id="versions"')[0])
    heads = [a for a in page.all("th") if a.get("scope") == "col"]
    cells = [a["data-label"] for a in page.all("td") if "data-label" in a]
    each = len(heads) - 1  # the method itself is the head of its row
    assert len(cells) == 6 * each
    assert cells[0] == "accuracy, test"
    assert len(set(cells)) == each


def test_every_sentence_of_the_verdict_links_to_a_part_that_exists(study, page):
    ids = {attrs["id"] for _, attrs in page.elements if "id" in attrs}
    links = [a["href"][1:] for a in page.all("a")]
    assert links == [part for _, part in words.verdict(study) if part]
    assert set(links) <= ids
    assert {"results", "differences", "curves", "sensitivity"} <= set(links)


def test_the_table_holds_every_method_with_its_figures(study, page):
    for method in study.methods:
        for confirmation in (method.tuned, method.default):
            assert figure(confirmation.test.mean, study.metric) in page.text
        assert settings(method.rule, method.settings) in page.text
    assert "not reached" in page.text
    assert "1 of 5" in page.text


def test_each_figure_has_its_data_and_a_caption_that_says_what_is_seen(study, html, page):
    payload = json.loads(re.search(r'id="payload">(.*?)</script>', html, re.S)[1])
    assert [plot["data-figure"] for plot in page.all("div") if "data-figure" in plot] == SHOWN
    for name in SHOWN:
        assert payload["figures"][name]["data"]
        assert captions.caption(study, name) in page.text


def test_the_page_says_how_to_run_the_study_again_and_with_what(page):
    assert (
        "descenso compare digits --methods sgd,batch,minibatch,momentum,rmsprop,adam "
        "--epochs 20 --trials 12 --seeds 5 --seed 0"
    ) in page.text
    assert "descenso.compare('digits', methods=['sgd'," in page.text
    for fact in ("0.10.2", "3.13.1", "2490", "0, 1, 2, 3, 4", "2 410", "1078"):
        assert fact in page.text.replace("\u00a0", " ")


def test_a_study_with_more_options_is_reproduced_with_them(study):
    design = dataclasses.replace(
        study.design,
        problem="my module:problem",
        methods=("adam(lr=0.1)@8",),
        most_seeds=20,
        margin=0.01,
        split_seeds=3,
        space=("adam.beta2=0.9..0.999:logit", "adam.beta1=0..0.95"),
        sampler="tpe",
        search_seeds=1,
        defaults=False,
    )
    result = dataclasses.replace(study, design=design)
    assert shlex.split(words.command(result))[2:] == [
        "my module:problem", "--methods", "adam(lr=0.1)@8", "--epochs", "20", "--trials", "12",
        "--seeds", "5", "--seed", "0", "--until-decided", "--most-seeds", "20", "--margin", "0.01",
        "--split-seeds", "3", "--space", "adam.beta2=0.9..0.999:logit",
        "--space", "adam.beta1=0..0.95", "--sampler", "tpe",
        "--search-seeds", "1", "--no-defaults",
    ]  # fmt: skip
    assert words.python_line(result).endswith(
        "seed=0, until_decided=True, most_seeds=20, margin=0.01, split_seeds=3, "
        "space=['adam.beta2=0.9..0.999:logit', 'adam.beta1=0..0.95'], sampler='tpe', "
        "search_seeds=1, defaults=False)"
    )


def test_several_ways_of_splitting_are_told_and_one_split_is_not_regretted(study):
    design = dataclasses.replace(study.design, split_seeds=3)
    text = Page(report.render(dataclasses.replace(study, design=design))).text
    assert "in 3 ways" in text
    assert "There was one split" not in text


def test_the_page_says_what_the_evidence_does_not_allow(page):
    assert "only large differences can be told from noise" in page.text
    assert "A diverged run is not left out" in page.text
    assert "batch: the best learning rate is the highest one tried" in page.text
    assert "There was one split of the data: how much the ranking owes to it" in page.text


@pytest.mark.parametrize(
    ("tongue", "said"),
    [
        ("en", ["Layout: jax on 2 × cpu, members one after another.", "µs a step", "2490"]),
        (
            "es",
            ["Reparto: jax en 2 × cpu, miembros uno tras otro.", "µs por paso", "uno tras otro"],
        ),
    ],
)
def test_the_layout_is_said_in_words(study, tongue, said):
    language.use(tongue)
    section = report.render(study).partition('id="versions"')[2].partition("</section>")[0]
    assert all(text in section for text in said)
    assert not {"streams", "watched", "microseconds_per_member_step"} & set(
        re.findall(r"\w+", section)
    )


def test_one_seed_is_said_to_prove_nothing():
    text = Page(report.render(make(seeds=1))).text
    assert "With 1 seed there is no interval and no test" in text
    assert "one seed cannot tell" in text
    assert "tied with the best" not in text


def test_the_whole_page_speaks_spanish(study):
    language.use("es")
    page = Page(report.render(study))
    assert page.all("html") == [{"lang": "es"}]
    for text in ("¿Qué optimizador para digits?", "tasa de aprendizaje", "semillas nuevas"):
        assert text in page.text
    for english in ("learning rate", " seeds ", "The methods", "figure 1", "on test"):
        assert english not in page.text


@pytest.mark.parametrize("code", ["en", "es"])
@pytest.mark.slow
def test_a_hostile_name_is_inert_everywhere(study, code):
    language.use(code)
    clean, dirty = Page(report.render(study)), Page(report.render(hostile(study, EVIL)))
    assert dirty.all("script") == clean.all("script")
    assert not dirty.all("img")
    assert not [attrs for _, attrs in dirty.elements if any(a.startswith("on") for a in attrs)]
    assert EVIL in " ".join(dirty.texts)


def test_a_regression_without_a_target_has_no_column_for_it(regression):
    text = Page(report.render(regression)).text
    assert "epochs to" not in text
    assert "root mean squared error, test" in text


def test_a_study_in_which_everything_diverged_is_reported_as_such(all_diverged):
    text = Page(report.render(all_diverged)).text
    assert "there is no method to recommend" in text
    assert "has the best mean" not in text
    assert "How far behind the best" not in text


def test_one_method_alone_is_reported_without_differences():
    page = Page(report.render(make(names=("adam",))))
    assert "How far behind the best" not in page.text
    assert "Figure 3." in page.text
    assert "Figure 4." not in page.text


def test_the_stairs_to_the_target_are_shown_from_ten_seeds_on(html):
    assert 'data-figure="target"' not in html
    assert 'data-figure="target"' in report.render(make(names=("adam", "sgd"), seeds=10))


@pytest.mark.slow
def test_the_report_is_written_and_replaces_the_one_before(study, tmp_path):
    target = tmp_path / "report.html"
    target.write_text("old")
    assert report.write(study, target) == target
    assert target.read_text(encoding="utf-8") == report.render(study)
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_a_missing_folder_is_named_in_one_line(study, tmp_path):
    with pytest.raises(ReportError, match=r"nowhere.*there is no such file or folder") as caught:
        report.write(study, tmp_path / "nowhere" / "report.html")
    assert "\n" not in str(caught.value)


def test_a_folder_in_the_place_of_the_file_is_an_error_and_leaves_nothing_behind(study, tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(ReportError, match="it is a folder"):
        report.write(study, tmp_path / "report.html")
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_fails_leaves_the_old_report_whole(study, tmp_path, monkeypatch, number):
    target = tmp_path / "report.html"
    target.write_text("old")

    def fail(_descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ReportError, match=language.reason(OSError(number, os.strerror(number)))):
        report.write(study, target)
    assert target.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium on this machine")
@pytest.mark.parametrize("name", ["plain", "hostile"])
def test_a_browser_draws_every_figure_and_runs_nothing_else(study, tmp_path, name):
    result = study if name == "plain" else hostile(study, "</script><img src=x onerror=alert(1)>")
    dom = _dom(report.write(result, tmp_path / "report.html"), tmp_path)
    page = Page(dom)
    assert dom.count("js-plotly-plot") >= len(SHOWN)
    assert len([a for a in page.all("g") if a.get("class") == "cartesianlayer"]) == len(SHOWN)
    assert not page.all("img")


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium on this machine")
def test_in_a_browser_the_learning_curves_change_their_axis(study, tmp_path):
    file = report.write(study, tmp_path / "report.html")
    click = "<script>document.querySelector('input[value=seconds]').click()</script></body>"
    file.write_text(file.read_text(encoding="utf-8").replace("</body>", click), encoding="utf-8")
    drawn = _dom(file, tmp_path).split('data-figure="curves"')[1].split("<figcaption>")[0]
    assert "seconds of computation per run" in drawn
    assert ">epochs<" not in drawn


def _dom(file, profile):
    command = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={profile / 'profile'}", "--virtual-time-budget=8000", "--dump-dom",
        file.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=90).stdout
