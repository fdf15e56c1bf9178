"""A method has the colour on the page that it has in every figure."""

from __future__ import annotations

import json

from tests.web.conftest import until

from descenso import methods
from descenso.report import style

COMPANIES = [
    methods.names(),
    methods.names()[::-1],
    ["adam(lr=0.1)", "adam", "adam(lr=0.2)", "lion", "größe(a=1)"],
    ["momentum 0", "momentum 1", "sgd"],
    [f"m{i}" for i in range(24)],
]


def in_css(colour):
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


def test_the_page_gives_each_method_the_colour_and_dash_of_the_figures(opened):
    page = opened()
    for company in COMPANIES:
        text = json.dumps(company)
        given = page.evaluate(f"import('/static/common.js').then((m) => m.marksOf({text}))")
        marks = style.marks(company)
        expected = [{"colour": marks[n].colour, "dash": marks[n].dash} for n in company]
        assert given == expected


def test_the_lists_of_both_pages_show_these_colours(opened, finished):
    page = opened("/#m=adam&m=momentum")
    until(page, "document.querySelectorAll('#ends tbody tr').length > 1")
    named = page.eval_on_selector_all(
        "#ends tbody tr",
        "rows => rows.map(r => [r.querySelector('th').innerText.trim().split(/[ (]/)[0], "
        "r.querySelector('.swatch').style.background])",
    )
    cards = page.eval_on_selector_all(
        "#methods .method", "all => all.map(e => e.style.borderLeftColor)"
    )
    marks = style.marks([name for name, _colour in named])
    assert [colour for _name, colour in named] == [in_css(marks[n].colour) for n, _c in named]
    assert cards == [colour for _name, colour in named]
    page = opened(f"/studies#{finished}")
    until(page, "document.querySelector('.detail-table .swatch')")
    swatches = page.eval_on_selector_all(
        ".detail-table tbody th",
        "all => all.map(e => [e.innerText.split(' ')[0], e.querySelector('.swatch').style.background])",
    )
    marks = style.marks(["momentum", "adam"])
    assert dict(swatches) == {name: in_css(mark.colour) for name, mark in marks.items()}
