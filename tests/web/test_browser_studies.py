"""The page of studies in a real browser."""

from __future__ import annotations

import pytest
from tests.web.conftest import until


def ready(page):
    until(page, "document.querySelectorAll('#list tbody tr').length > 0")
    return page


def test_studies_are_listed_filtered_and_opened(opened, finished):
    page = ready(opened("/studies"))
    assert "line" in page.locator("#list tbody").inner_text()
    page.fill("#filter", "nothing like it")
    assert page.locator("#none").inner_text() == "No study fits."
    page.fill("#filter", "line ADAM")
    page.select_option("#state", "unfinished")
    assert page.locator("#list tbody tr").count() == 0
    page.select_option("#state", "finished")
    page.locator("#list").get_by_role("button").first.click()
    until(page, "document.querySelector('.verdict')")
    assert "momentum" in page.locator(".detail-table").inner_text()
    assert page.evaluate("document.activeElement.id") == "detail-title"
    assert page.url.endswith(f"#{finished}")


def test_a_report_opens_and_draws_its_figures(opened, finished, address):
    page = ready(opened(f"/studies#{finished}"))
    until(page, "document.querySelector('.verdict')")
    page.get_by_role("link", name="Report", exact=True).click()
    page.wait_for_selector(".plot svg")
    assert page.locator("h1").is_visible()


def test_data_and_report_are_downloaded(opened, finished):
    page = ready(opened(f"/studies#{finished}"))
    until(page, "document.querySelector('.verdict')")
    for name, ending in (("Data (JSON)", ".json"), ("Report ↓", ".html")):
        with page.expect_download() as waiting:
            page.get_by_role("link", name=name).click()
        assert waiting.value.suggested_filename.endswith(ending)


def test_a_study_is_started_followed_live_compared_and_cancelled(opened, finished):
    page = ready(opened("/studies"))
    page.select_option("#problem", "ravine")
    page.fill("#methods", "momentum,adam")
    page.fill("#epochs", "5")
    page.fill("#trials", "3")
    page.fill("#seeds", "2")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector("#jobs progress")
    until(page, "document.querySelector('#jobs').innerText.includes('finished')", 90)
    until(page, "document.querySelectorAll('#list input:not(:disabled)').length > 1")
    for box in page.locator("#list input:not(:disabled)").all()[:2]:
        box.check()
    page.click("#compare")
    until(page, "document.querySelectorAll('.compared .verdict').length === 2")
    page.select_option("#problem", "digits")
    page.fill("#methods", "")
    page.fill("#epochs", "200")  # long enough to be seen running; it is cancelled
    page.fill("#trials", "40")
    page.get_by_role("button", name="Start").click()
    newest = "[...document.querySelectorAll('#jobs .job')][0].innerText"
    until(page, f"{newest}.includes('digits') && {newest}.includes('Open')", 60)
    page.locator("#jobs .job").first.get_by_role("button", name="Open").click()
    until(page, "document.querySelector('#detail-body').innerText.includes('still running')", 60)
    page.locator("#jobs .job").first.get_by_role("button", name="Cancel").click()
    until(page, f"{newest}.includes('cancelled')", 60)


def test_a_method_that_does_not_exist_is_refused_in_words(opened, finished):
    page = ready(opened("/studies"))
    page.fill("#methods", "<img src=x onerror=alert(1)>")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector("#error:visible")
    page.wait_for_timeout(3500)  # the list is read again twice: the error stays
    assert "could not be started" in page.locator("#error").inner_text()
    assert page.locator("main img").count() == 0
    below = page.evaluate(
        "document.getElementById('start').nextElementSibling === document.getElementById('error')"
    )
    assert below  # where the eyes are
    page.fill("#methods", "adam(lr=-1)")
    page.get_by_role("button", name="Start").click()
    until(page, "document.getElementById('error').innerText.includes('lr must lie in')")


def test_an_error_of_the_list_ends_with_it_and_one_of_an_address_stays(opened, finished):
    page = ready(opened("/studies#%E0%A4%A<b>"))
    page.wait_for_selector("#error:visible")
    assert "names no study" in page.locator("#error").inner_text()
    page.route("**/api/studies?**", lambda route: route.abort())
    until(page, "document.getElementById('error').innerText.includes('does not answer')")
    page.unroute("**/api/studies?**")
    until(page, "document.getElementById('error').innerText.includes('names no study')")
    page.locator("#list").get_by_role("button").first.click()
    page.wait_for_selector("#error", state="hidden")


@pytest.mark.parametrize("language", ["en", "es"])
def test_on_a_phone_nothing_is_cut_off(opened, finished, language):
    page = ready(opened(f"/studies?lang={language}#{finished}", width=390, height=844))
    until(page, "document.querySelector('.verdict')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_an_unknown_study_in_the_address_is_said(opened, finished):
    page = ready(opened("/studies#abcdef012345"))
    page.wait_for_selector("#error:visible")
    assert "there is no study" in page.locator("#error").inner_text()
