"""Exclude patterns of a folder: patterns are previewed, applied and undone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.acting import opened, until
from tests.browser.conftest import write_images
from tests.browser.test_access import AXE, faults
from tests.faults.serving import Served

OWN, DRAFTS = 12, 7


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    pictures = tmp_path / "pictures"
    write_images(pictures, OWN)
    write_images(pictures / "drafts", DRAFTS, first=OWN)
    write_images(pictures / "@eaDir", 2, first=100)
    (pictures / "sketch.psd").write_bytes(b"not an image")
    (tmp_path / "library").mkdir()
    server = Served(tmp_path / "library", [pictures]).wait_until_up()
    server.wait_until_idle(OWN + DRAFTS)
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    with opened(browser, served, scripts=(AXE.read_text("utf-8"),), allowed="Failed to load resource") as page:
        page.wait_for_selector("[role=gridcell]")
        page.get_by_role("navigation", name="Pages").get_by_role("button", name="Folders").click()
        page.locator("[data-root]").wait_for()
        yield page


def test_patterns_are_previewed_applied_and_undone(page: Page, served: Served) -> None:
    card = page.locator("[data-root]")
    expect(card).to_contain_text("1 excluded folder, 1 PSD not shown")
    card.get_by_role("button", name="Exclude patterns…").click()
    dialog = page.get_by_role("dialog", name="Exclude patterns")
    save = dialog.get_by_role("button", name="Save")
    expect(dialog).to_contain_text("This will not hide any images")
    expect(save).to_be_disabled()
    dialog.get_by_label("Exclude patterns").fill("!")
    expect(dialog.get_by_role("alert")).to_contain_text("is not an exclude pattern")
    expect(save).to_be_disabled()
    dialog.get_by_label("Exclude patterns").fill("drafts/\n*.tmp.png")
    expect(dialog).to_contain_text(f"This will hide {DRAFTS} images.")
    dialog.get_by_text("Images to hide").click()
    expect(dialog.get_by_role("listitem")).to_have_count(DRAFTS)
    assert faults(page) == []
    save.click()
    expect(dialog).to_have_count(0)

    expect(card.get_by_role("button", name=f"{DRAFTS} excluded")).to_be_visible()
    assert served.get("/api/v1/status")["total"] == OWN
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(card.get_by_role("button", name=f"{DRAFTS} excluded")).to_have_count(0)
    until(page, lambda: served.get("/api/v1/status")["total"] == OWN + DRAFTS)
    card.get_by_role("button", name="Exclude patterns…").click()
    expect(dialog.get_by_label("Exclude patterns")).to_have_value("")
