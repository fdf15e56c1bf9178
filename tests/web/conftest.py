"""A server on a port of its own with a store of its own, and a real browser where there is one."""

from __future__ import annotations

import socket
import threading
import time

import pytest

pytest.importorskip("starlette", reason="the web extra is not installed")
pytest.importorskip("uvicorn", reason="the web extra is not installed")

from descenso import language


@pytest.fixture(autouse=True)
def _in_english():
    language.use("en")
    yield
    language.use("en")


@pytest.fixture(scope="session")
def store_place(tmp_path_factory):
    return str(tmp_path_factory.mktemp("web") / "studies.db")


@pytest.fixture(scope="session")
def finished(store_place):
    """The identity of a small finished study in the store."""
    from descenso import api

    language.use("en")
    study = api.compare("line", "momentum,adam", epochs=8, seeds=2, trials=3, store=store_place)
    return study.result.identity


@pytest.fixture(scope="session")
def address(store_place, finished):
    """The address of a running server."""
    import uvicorn

    from descenso.web import create_app

    language.use("en")
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(store_place), log_level="error", lifespan="on", http="h11")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.started
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=20)
    listening.close()


def until(page, expression, seconds=30):
    """Wait for an expression to hold. (The page's policy forbids the evaluation inside a page that
    Playwright's own waiting uses.)"""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        shown = page.evaluate("document.body.innerText") if time.monotonic() > deadline else ""
        assert not shown, f"not in time: {expression}; the page shows: {shown}"
        page.wait_for_timeout(40)


class Page:
    """A page that remembers what it complained of."""

    def __init__(self, page, address):
        self.page, self.address, self.complaints = page, address, []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, message):
        if message.type == "error" and not any(
            w in message.text for w in ("status of 4", "ERR_FAILED")
        ):
            self.complaints.append(message.text)

    def open(self, path="/"):
        self.page.goto(self.address + path)
        return self.page


@pytest.fixture
def opened(browser, address):
    """Open pages in a context of their own; any error in the browser fails the test."""
    contexts = []

    def open_page(path="/", width=1300, height=1000, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
        contexts.append(context)
        page = Page(context.new_page(), address)
        contexts.append(page)
        return page.open(path)

    yield open_page
    pages = [c for c in contexts if isinstance(c, Page)]
    for context in (c for c in contexts if not isinstance(c, Page)):
        context.close()
    assert [complaint for page in pages for complaint in page.complaints] == []
