"""What every test may count on, whichever test ran before it in the same process."""

import shutil
import signal
from collections import Counter

import pytest

from descenso import language
from descenso.engine import prepare_machine
from descenso.rules import _registry

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

# The first JAX operation of a process fixes how many devices it sees, and a program for one stream
# may round differently in the last bit from one for several: lay JAX out as a study does.
prepare_machine()

# A run in the background may have been told to ignore interrupts, and its children with it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Put the files with the most slow tests first: no long one is left when the others end."""
    for item in items:
        if {"browser", "shell"} & set(item.fixturenames):
            item.add_marker("slow")
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(autouse=True)
def _no_language_chosen():
    language._current.set(None)


@pytest.fixture(autouse=True)
def _rules_of_a_test_end_with_it(monkeypatch):
    monkeypatch.setattr(_registry, "_registered", dict(_registry._registered))


@pytest.fixture(scope="session")
def browser():
    """One Chromium for a process: Playwright takes no second session in it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    place = shutil.which("chromium") or shutil.which("chromium-browser")
    if not place:
        pytest.skip("no chromium on this machine")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=place, args=FLAGS)
        yield opened
        opened.close()
