"""The page on the listings speaks of the files that there are, and of their own numbers."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
LISTINGS = sorted(p for p in (ROOT / "examples").glob("*.py") if p.name != "common.py")


def test_the_page_names_every_listing_and_no_other():
    named = set(re.findall(r"`(\w+\.py)`", PAGE)) - {"common.py"}
    assert named == {listing.name for listing in LISTINGS}


def test_every_listing_has_its_twin_in_the_other_framework():
    stems = {listing.stem.removesuffix("_torch").removesuffix("_keras") for listing in LISTINGS}
    assert len(LISTINGS) == 2 * len(stems)


def test_the_page_gives_the_step_size_and_epochs_that_the_listings_have():
    for listing in LISTINGS:
        row = next(line for line in PAGE.splitlines() if f"`{listing.name}`" in line)
        code = listing.read_text(encoding="utf-8")
        epochs, lr = re.search(r"epochs=(\d+), lr=([\d.]+)", code).groups()
        assert f"lr {lr}," in row, listing.name
        assert f"{epochs} epochs" in row, listing.name


def test_a_listing_can_be_read_in_minutes():
    for listing in LISTINGS:
        assert len(listing.read_text(encoding="utf-8").splitlines()) <= 80, listing.name
