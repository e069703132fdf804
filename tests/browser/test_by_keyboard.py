"""Choosing, marking, trashing, restoring and undoing as one flow, by the keyboard alone (checks 26 to 30, 33, 40)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.acting import opened, search, total, until, wait_for_focus
from tests.browser.conftest import write_images
from tests.browser.test_access import AXE, faults
from tests.faults.serving import Served

IMAGES = 60


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    write_images(tmp_path / "pictures", IMAGES)
    (tmp_path / "library").mkdir()
    server = Served(tmp_path / "library", [tmp_path / "pictures"]).wait_until_up()
    server.wait_until_idle(IMAGES)
    yield server
    server.stop()


def uuids(served: Served, query: str = "") -> list[str]:
    return [one["uuid"] for one in served.get("/api/v1/images", q=query, limit=1_000)["items"]]


def walk_to(page: Page, name: str) -> None:
    """By Shift+Tab to an entry of the rail, and into it."""
    entry = page.get_by_role("navigation", name="Pages").get_by_role("button", name=name)
    for _ in range(60):
        if entry.evaluate("(button) => button === document.activeElement"):
            break
        page.keyboard.press("Shift+Tab")
    expect(entry).to_be_focused()
    page.keyboard.press("Enter")


def test_the_whole_flow_needs_no_pointer(browser: Browser, served: Served) -> None:
    before = uuids(served)
    with opened(browser, served, scripts=(AXE.read_text("utf-8"),)) as page:
        page.wait_for_selector("[role=gridcell]")
        page.keyboard.press("Home")
        wait_for_focus(page, 0)
        # A range, less one (26), and everything (27).
        for _ in range(4):
            page.keyboard.press("Shift+ArrowRight")
        expect(page.get_by_test_id("selected")).to_have_text("5 selected")
        page.keyboard.press("x")
        expect(page.get_by_test_id("selected")).to_have_text("4 selected")
        # Favorites with undo (28), stars (29).
        page.keyboard.press("f")
        until(page, lambda: uuids(served, "is:favourite") == before[:4])
        page.keyboard.press("Control+z")
        until(page, lambda: uuids(served, "is:favourite") == [])
        page.keyboard.press("Control+Shift+z")
        until(page, lambda: uuids(served, "is:favourite") == before[:4])
        page.keyboard.press("4")
        until(page, lambda: uuids(served, "rating:4") == before[:4])
        page.keyboard.press("Escape")
        page.keyboard.press("Control+a")
        expect(page.get_by_test_id("selected")).to_have_text(f"{IMAGES} selected (all matching)")
        page.keyboard.press("2")
        until(page, lambda: len(uuids(served, "rating:2")) == IMAGES)
        page.keyboard.press("Control+z")
        until(page, lambda: uuids(served, "rating:4") == before[:4])
        page.keyboard.press("Escape")
        # In favorites, an image that is no longer one leaves, and comes back (33).
        search(page, "is:favourite")
        expect(total(page)).to_have_text("4")
        page.keyboard.press("End")
        wait_for_focus(page, 3)
        page.keyboard.press("f")
        expect(total(page)).to_have_text("3")
        wait_for_focus(page, 2)
        page.keyboard.press("Control+z")
        expect(total(page)).to_have_text("4")
        # Into the Trash (30), there with the same keys, out of it, back in place.
        page.keyboard.press("Home")
        wait_for_focus(page, 0)
        page.keyboard.press("Delete")
        expect(total(page)).to_have_text("3")
        wait_for_focus(page, 0)
        walk_to(page, "Trash")
        expect(total(page)).to_have_text("1")
        assert faults(page) == []
        page.keyboard.press("Home")
        wait_for_focus(page, 0)
        page.keyboard.press("r")
        expect(page.get_by_role("heading", name="Trash is empty")).to_be_visible()
        assert uuids(served) == before
        # The history undoes what was done first.
        walk_to(page, "History")
        page.locator("[data-edit]").first.wait_for()
        for _ in range(10):
            page.keyboard.press("ArrowDown")
        expect(page.get_by_role("button", name="Undo: Added 4 images to favorites")).to_be_focused()
        page.keyboard.press("Enter")
        until(page, lambda: uuids(served, "is:favourite") == [])
        walk_to(page, "Library")
        expect(total(page)).to_have_text(str(IMAGES))
        assert uuids(served) == before
