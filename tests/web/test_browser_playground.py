"""The playground in a real browser: every control, both languages, a phone, errors."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlparse

import pytest
from tests.web.conftest import until


def settled(page):
    """Wait until the page has asked for what is set, and drawn it."""
    page.wait_for_timeout(60)  # for what was just set to be asked for
    until(page, "document.getElementById('main').getAttribute('aria-busy') === 'false'")
    return page


def address_of(page):
    return parse_qs(urlparse(page.url).fragment)


def ends(page):
    return page.locator("#ends tbody tr").all_inner_texts()


def slide(page, setting, place, card=0):
    slider = page.locator(f"#methods .method >> nth={card} >> input[data-setting={setting}]")
    slider.evaluate("(e, v) => { e.value = v; e.dispatchEvent(new Event('input')); }", place)
    return settled(page)


def ink(page, canvas):
    """Return how many different colours a canvas shows."""
    return page.evaluate(
        """id => { const c = document.getElementById(id); const d = c.getContext('2d')
        .getImageData(0, 0, c.width, c.height).data; const s = new Set();
        for (let i = 0; i < d.length; i += 40) s.add(d[i] << 16 | d[i+1] << 8 | d[i+2]);
        return s.size; }""",
        canvas,
    )


def test_it_opens_with_paths_numbers_formula_and_code(opened):
    page = settled(opened())
    assert page.locator("h1").inner_text() == "Watch how optimizers move"
    assert len(ends(page)) == 3
    assert ink(page, "paths") > 50
    assert ink(page, "losses") > 5
    assert page.locator("#rule-formula math").count() == 1
    assert "descenso.torch" in page.locator("#code").inner_text()


def test_dragging_a_learning_rate_moves_the_path_and_the_address(opened):
    page = settled(opened())
    before = ends(page)[0]
    slide(page, "lr", 700)
    assert ends(page)[0] != before
    assert "lr=0.794" in address_of(page)["m"][0]
    assert "diverges" in ends(page)[0]


def test_beta_and_epsilon_and_dampening_can_be_dragged(opened):
    page = settled(opened())
    slide(page, "beta", 600, card=1)
    assert "beta=0.99" in address_of(page)["m"][1]
    page.locator("#methods .method >> nth=2 >> summary").click()
    slide(page, "eps", 770, card=2)
    assert re.search(r"eps=\d", address_of(page)["m"][2])
    page.locator("#methods .method >> nth=1 >> summary").click()
    slide(page, "dampening", 0, card=1)
    assert "dampening=0" in address_of(page)["m"][1]
    page.get_by_label("as beta").check()
    settled(page)
    assert "dampening" not in address_of(page)["m"][1]


def test_it_opens_at_the_start_ready_to_be_played(opened):
    page = settled(opened())
    assert page.locator("#k-shown").inner_text() == "0 / 60"
    assert page.locator("#numbers-title").inner_text() == "step t = 1"
    assert not any("diverges" in row for row in ends(page))
    page.click("#play")
    until(page, "Number(document.getElementById('k').value) > 2")
    page.click("#play")


def test_a_change_at_the_start_shows_the_whole_path(opened):
    page = settled(opened())
    slide(page, "lr", 400)
    assert page.locator("#k-shown").inner_text() == "60 / 60"


def test_another_surface_gets_learning_rates_that_fit_it(opened):
    page = settled(opened())
    for name in ("rosenbrock", "beale", "himmelblau", "regression", "ravine"):
        page.select_option("#surface", name)
        settled(page)
        assert not any("diverges" in row for row in ends(page)), (name, ends(page))
    slide(page, "lr", 500, card=2)  # set by hand: it is kept
    before = address_of(page)["m"]
    page.select_option("#surface", "rosenbrock")
    settled(page)
    after = address_of(page)["m"]
    assert after[2] == before[2]
    assert after[0] != before[0]
    shown = page.locator("#methods .method >> nth=0 >> .shown >> nth=0").inner_text()
    assert f"lr={shown}" in after[0]


def test_rosenbrock_in_an_address_without_methods_opens_without_divergence(opened):
    page = settled(opened("/#surface=rosenbrock"))
    until(page, "document.querySelectorAll('#ends tbody tr').length === 3")
    assert not any("diverges" in row for row in ends(page))


def test_after_a_refused_request_title_code_and_table_are_of_one_method(opened):
    page = settled(opened("/#surface=ravine&m=adam(lr=0.1)&steps=30"))
    page.fill("#steps", "99999")
    page.wait_for_selector("#error:visible")
    page.locator("#methods .method >> nth=0 >> select >> nth=0").select_option("rmsprop")
    settled(page)
    assert "The picture shows the last settings" in page.locator("#error").inner_text()
    assert page.locator("#stage.stale").count() == 1
    page.locator("#k").evaluate("e => { e.value = 5; e.dispatchEvent(new Event('input')); }")
    assert page.locator("#rule-title").inner_text().startswith("Adam:")
    assert "Adam(" in page.locator("#code").inner_text()
    assert "adam" in ends(page)[0]
    assert address_of(page)["m"] == ["adam(lr=0.1)"]
    page.fill("#steps", "30")
    page.wait_for_selector("#error", state="hidden")
    settled(page)
    assert page.locator("#rule-title").inner_text().startswith("RMSprop:")
    assert "RMSprop(" in page.locator("#code").inner_text()


def touch(page):
    """Return what sends touches to a page, in its coordinates."""
    session = page.context.new_cdp_session(page)

    def send(kind, *points):
        session.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]},
        )

    return send


def test_on_a_phone_a_scroll_leaves_the_start_a_tap_and_a_drag_of_the_dot_move_it(opened):
    page = settled(opened(width=390, height=844, has_touch=True, is_mobile=True))
    page.locator("#paths").evaluate("e => e.scrollIntoView({block: 'center'})")
    page.wait_for_timeout(100)
    box, send = page.locator("#paths").bounding_box(), touch(page)
    x, y = box["x"] + 0.7 * box["width"], box["y"] + 0.8 * box["height"]
    before, scrolled = address_of(page)["x"], page.evaluate("scrollY")
    send("touchStart", (x, y))
    for i in range(1, 9):
        send("touchMove", (x, y - 25 * i))
        page.wait_for_timeout(16)
    send("touchEnd")
    settled(page)
    page.wait_for_timeout(200)
    assert page.evaluate("scrollY") > scrolled + 50
    assert address_of(page)["x"] == before
    page.locator("#paths").evaluate("e => e.scrollIntoView({block: 'center'})")
    page.wait_for_timeout(100)
    box = page.locator("#paths").bounding_box()
    page.touchscreen.tap(box["x"] + 0.7 * box["width"], box["y"] + 0.7 * box["height"])
    settled(page)
    tapped = [float(address_of(page)[axis][0]) for axis in "xy"]
    assert tapped[0] > 0 > tapped[1]
    x, y = box["x"] + 0.7 * box["width"], box["y"] + 0.7 * box["height"]
    scrolled = page.evaluate("scrollY")
    send("touchStart", (x, y))
    for i in range(1, 9):
        send("touchMove", (x - 8 * i, y - 20 * i))
        page.wait_for_timeout(16)
    send("touchEnd")
    settled(page)
    dragged = [float(address_of(page)[axis][0]) for axis in "xy"]
    assert dragged[0] < tapped[0]
    assert dragged[1] > tapped[1] + 1
    assert page.evaluate("scrollY") == scrolled


@pytest.mark.parametrize(
    ("fragment", "said"),
    [
        ("m=constructor", "m=constructor"),
        ("m=__proto__(lr=1)&m=toString&m=adam(lr=0.1)", "m=__proto__(lr=1), m=toString"),
        ("surface=constructor", "no surface named 'constructor'"),
        ("surface=__proto__&m=hasOwnProperty", "no surface named '__proto__'"),
        ("function=x**&m=adam(lr=0.1)", "it ends too early"),
        ("function=((((3*x)**64)**64)**64)**64", "its degree is"),
        ("steps=NaN&x=Infinity&k=-1e99", "steps=NaN"),
        ("m=%E0%A4%A&m=" + "a" * 7000, "m="),
        ("m=adam(lr=1e308)&m=adam(lr=-5)", "lr must lie in"),
        ("w=1e300,2e300,1e300,2e300", "a window lies between"),
        ("m=" + " " * 5000 + "!", "m="),
    ],
)
def test_what_an_address_cannot_mean_is_said_and_a_picture_is_shown(opened, fragment, said):
    page = settled(opened("/#" + fragment))
    until(page, "document.querySelectorAll('#ends tbody tr').length > 0")
    settled(page)
    until(page, "!document.getElementById('note').hidden")
    assert said in page.locator("#note").inner_text()
    assert ink(page, "paths") > 50
    assert page.locator("#code").inner_text()


def test_every_surface_can_be_chosen(opened):
    page = settled(opened())
    names = page.locator("#surface option").all_inner_texts()
    assert "regression" in names
    for name in names[:-1]:
        page.select_option("#surface", name)
        settled(page)
        assert address_of(page)["surface"] == [name]
        assert not page.locator("#error").is_visible()
        assert page.locator("#surface-formula math").count() == 1


def test_a_formula_of_ones_own_is_drawn_and_a_bad_one_is_refused_in_words(opened):
    page = settled(opened())
    page.select_option("#surface", "function")
    page.fill("#function", "sin(x) + 0.2*(x**2 + y**2)")
    page.keyboard.press("Enter")
    settled(page)
    assert address_of(page)["function"] == ["sin(x) + 0.2*(x**2 + y**2)"]
    page.fill("#function", "alert(document.cookie)")
    page.keyboard.press("Enter")
    page.wait_for_selector("#error:visible")
    assert "not allowed" in page.locator("#error").inner_text()
    page.fill("#function", "x**2 + y**2")
    page.keyboard.press("Enter")
    page.wait_for_selector("#error", state="hidden")


def test_start_steps_seeds_and_noise_are_asked_for(opened):
    page = settled(opened())
    page.fill("#x", "5")
    page.fill("#y", "-2")
    page.fill("#steps", "20")
    page.fill("#seeds", "4")
    page.locator("#noise").evaluate("e => { e.value = 60; e.dispatchEvent(new Event('input')); }")
    settled(page)
    asked = address_of(page)
    assert (asked["x"], asked["y"], asked["steps"], asked["seeds"]) == (
        ["5"],
        ["-2"],
        ["20"],
        ["4"],
    )
    assert float(asked["noise"][0]) > 1
    assert page.locator("#k").get_attribute("max") == "20"


def test_too_many_steps_are_refused_in_words_and_the_page_goes_on(opened):
    page = settled(opened())
    page.fill("#steps", "10000000")
    page.wait_for_selector("#error:visible")
    assert "from 1 to 1000" in page.locator("#error").inner_text()
    page.fill("#steps", "30")
    page.wait_for_selector("#error", state="hidden")


def test_the_start_can_be_dragged_and_moved_by_keys(opened):
    page = settled(opened())
    box = page.locator("#paths").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 200, steps=5)
    page.mouse.up()
    settled(page)
    dragged = float(address_of(page)["x"][0])
    assert dragged != -10
    page.locator("#paths").focus()
    page.keyboard.press("ArrowRight")
    settled(page)
    assert float(address_of(page)["x"][0]) == pytest.approx(dragged + 0.24, abs=1e-3)
    assert (
        page.locator("#x").input_value()
        == str(float(address_of(page)["x"][0])).rstrip("0").rstrip(".")[:6]
    )


def test_steps_are_walked_one_by_one_and_played(opened):
    page = settled(opened())
    page.locator("#k").evaluate("e => { e.value = 5; e.dispatchEvent(new Event('input')); }")
    assert page.locator("#k-shown").inner_text() == "5 / 60"
    page.click("#next")
    page.click("#next")
    page.click("#previous")
    assert page.locator("#k-shown").inner_text() == "6 / 60"
    assert page.locator("#numbers-title").inner_text() == "step t = 7"
    page.click("#play")
    until(page, "Number(document.getElementById('k').value) > 8")
    page.click("#play")
    stopped = page.locator("#k").input_value()
    page.wait_for_timeout(400)
    assert page.locator("#k").input_value() == stopped


def test_numbers_of_the_step_are_those_of_the_formula(opened):
    page = settled(opened("/#surface=ravine&m=momentum(lr=0.05,beta=0.9)&k=1"))
    rows = dict(
        row.split("\t") for row in page.locator("#numbers tr").all_inner_texts() if "\t" in row
    )
    # After one step from (-10, 1): v = 0.1 (-10, 100) = (-1, 10), so θ = (-9.95, 0.5).
    assert rows["position θₜ₋₁"] == "(−9.95, 0.5)"
    assert rows["gradient gₜ"] == "(−9.95, 50)"
    assert rows["vₜ₋₁"] == "(−1, 10)"
    assert rows["vₜ"] == "(−1.895, 14)"
    assert rows["step taken θₜ − θₜ₋₁"] == "(0.09475, −0.7)"
    assert rows["position θₜ"] == "(−9.8552, −0.2)"


def test_a_step_is_taken_apart(opened):
    page = settled(opened("/#surface=ravine&m=momentum(lr=0.1)&k=3"))
    page.check("#arrows")
    settled(page)
    assert page.locator("#arrow-legend").inner_text().split("\n")[:1] != [""]
    assert "velocity carried along" in page.locator("#arrow-legend").inner_text()
    assert address_of(page)["arrows"] == ["1"]


def test_methods_are_added_changed_tuned_and_removed(opened):
    page = settled(opened())
    page.click("#add")
    settled(page)
    assert len(ends(page)) == 4
    page.locator("#methods .method >> nth=3 >> select >> nth=0").select_option("nesterov")
    settled(page)
    assert "nesterov" in ends(page)[3]
    page.locator("#methods .method >> nth=3").get_by_text("Tune the learning rate").click()
    settled(page)
    until(page, "location.hash.includes('nesterov(lr=0.0')")
    page.locator("#methods .method >> nth=3").get_by_label("Remove nesterov").click()
    settled(page)
    assert len(ends(page)) == 3


def test_the_picture_zooms_to_the_paths_and_back(opened):
    page = settled(opened())
    page.click("#zoom")
    settled(page)
    left, right, bottom, top = map(float, address_of(page)["w"][0].split(","))
    assert -14 < left < -10
    assert 0 < right < 4
    assert -1.6 < bottom < -0.8
    assert 0.9 < top < 1.6
    assert page.locator("#zoom").inner_text() == "Whole view"
    page.click("#zoom")
    settled(page)
    assert "w" not in address_of(page)


def test_a_schedule_is_chosen(opened):
    page = settled(opened())
    page.locator("#methods .method >> nth=0 >> summary").click()
    page.locator("#methods .method >> nth=0 >> details >> select").select_option("cosine")
    settled(page)
    assert address_of(page)["m"][0].endswith("~cosine")


def test_the_code_follows_method_and_framework_by_mouse_and_keys(opened):
    page = settled(opened())
    page.locator("#ends input >> nth=2").check()
    page.click("#tab-keras")
    assert "from descenso.keras import Adam" in page.locator("#code").inner_text()
    page.keyboard.press("ArrowRight")
    assert "from descenso.jax import adam" in page.locator("#code").inner_text()
    page.click("#copy-code")
    until(page, "document.getElementById('code-copied').textContent")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#code").inner_text()


def test_an_address_brings_back_what_was_shared(opened):
    page = settled(opened("/#surface=beale&x=2&y=1&steps=33&m=adam(lr=0.2,beta1=0.8)~cosine&k=7"))
    page.click("#share")
    shared = page.url
    other = settled(opened("/" + shared[shared.index("#") :]))
    assert other.locator("#surface").input_value() == "beale"
    assert other.locator("#k-shown").inner_text() == "7 / 33"
    assert ends(other) == ends(page)


@pytest.mark.parametrize(
    "fragment",
    ["surface=<script>alert(1)</script>", "m=<img src=x onerror=alert(1)>", "steps=1e99&k=-5&sel=99",
     "x=NaN&y=Infinity", "function=<b>x</b>", "m=adam(lr=abc)&m=adam(__proto__=1)", "%%%"],
)  # fmt: skip
def test_a_hostile_address_runs_nothing(opened, fragment):
    page = opened("/#" + fragment)
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    page.wait_for_timeout(500)
    assert page.locator("main img, main b").count() == 0
    assert page.locator("h1").is_visible()


def test_the_tours_set_the_playground_and_speak(opened):
    page = settled(opened())
    for i in range(page.locator("#tour-list button").count()):
        page.locator("#tour-list button").nth(i).click()
        texts = []
        while True:
            settled(page)
            texts.append(page.locator("#tour-text").inner_text())
            assert not page.locator("#error").is_visible(), page.locator("#error").inner_text()
            if page.locator("#tour-next").is_disabled():
                break
            page.click("#tour-next")
        assert len(set(texts)) == len(texts) >= 2
    page.click("#tour-end")
    assert not page.locator("#tour").is_visible()


def test_what_the_tours_say_is_what_is_seen(opened):
    page = settled(opened())
    page.locator("#tour-list button").nth(0).click()
    settled(page)
    page.click("#tour-next")
    page.click("#tour-next")
    until(page, "location.hash.includes('0.0203')")
    settled(page)
    heights = page.evaluate(
        "async () => (await (await fetch('/api/paths?' + location.hash.slice(1))).json()).paths[0].values"
    )
    assert heights[-1] > heights[20]


def test_the_language_changes_and_what_is_set_stays(opened):
    page = settled(opened("/?lang=en#surface=beale&m=adam(lr=0.2)"))
    page.click("text=Español")
    settled(page)
    assert page.locator("html").get_attribute("lang") == "es"
    assert page.locator("h1").inner_text() == "Mire cómo se mueven los optimizadores"
    assert page.locator("#surface").input_value() == "beale"
    assert page.locator("#ends thead").inner_text().split("\t")[0] == "método"


def test_on_a_phone_nothing_is_cut_off(opened):
    for language in ("en", "es"):
        page = settled(opened(f"/?lang={language}", width=390, height=844, has_touch=True))
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.locator("#paths").bounding_box()["width"] > 340


def test_everything_can_be_reached_by_keyboard_and_has_a_name(opened):
    page = settled(opened())
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, canvas, a')].filter(e => {
        const name = e.getAttribute('aria-label') || e.textContent.trim() || e.title
          || (e.labels && e.labels.length && e.labels[0].textContent.trim());
        return !name; }).map(e => e.outerHTML)"""
    )
    page.wait_for_timeout(700)
    assert [e for e in unnamed if 'id="paths"' not in e and 'id="losses"' not in e] == []
    assert "paths of gradient_descent" in page.locator("#paths").get_attribute("aria-label")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"


def test_it_speaks_to_nobody_else_and_is_light_and_soon_ready(opened, address, record_property):
    page = opened()
    settled(page)
    seen = page.evaluate(
        """() => ({all: performance.getEntriesByType('resource').map(e => [e.name, e.encodedBodySize]),
        page: performance.getEntriesByType('navigation')[0].encodedBodySize,
        ready: performance.getEntriesByType('navigation')[0].domInteractive})"""
    )
    assert all(name.startswith(address) for name, _size in seen["all"])
    weight = seen["page"] + sum(size for _name, size in seen["all"])
    record_property("weight", json.dumps(seen))
    assert weight < 200_000
    assert seen["ready"] < 3_000


def test_a_server_that_is_gone_is_said(opened):
    page = settled(opened())
    page.route("**/api/**", lambda route: route.abort())
    slide_without_waiting = page.locator("#methods input[data-setting=lr] >> nth=0")
    slide_without_waiting.evaluate("e => { e.value = 300; e.dispatchEvent(new Event('input')); }")
    page.wait_for_selector("#error:visible")
    assert "does not answer" in page.locator("#error").inner_text()


def test_the_dark_theme_draws_dark(opened):
    page = settled(opened(color_scheme="dark"))
    corner = page.evaluate(
        "[...document.getElementById('paths').getContext('2d').getImageData(80, 30, 1, 1).data]"
    )
    assert max(corner[:3]) < 140
