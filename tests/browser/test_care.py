"""Folders, Events and Backups: a folder is looked after, an event found, a backup restored."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.acting import opened, until
from tests.browser.conftest import write_images
from tests.browser.test_access import AXE, faults
from tests.faults.serving import Served

IMAGES = 130


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("care")


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Served]:
    write_images(home / "pictures", IMAGES)
    (home / "library").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYSTICANVAS_WATCH", "false")
        server = Served(home / "library", [home / "pictures"]).wait_until_up()
    server.wait_until_idle(IMAGES)
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    # While a backup is restored nobody answers.
    with opened(browser, served, scripts=(AXE.read_text("utf-8"),), allowed="Failed to load resource") as page:
        page.wait_for_selector("[role=gridcell]")
        page.get_by_role("navigation", name="Pages").get_by_role("button", name="Folders").click()
        page.locator("[data-root]").wait_for()
        yield page


def test_a_lost_file_is_found_by_hand_and_the_brake_asks(page: Page, home: Path) -> None:
    folder = home / "pictures"
    lost, content = folder / "00005.png", (folder / "00005.png").read_bytes()
    lost.unlink()
    page.get_by_role("button", name="Preview scan").click()
    would = page.get_by_role("dialog", name="Preview scan")
    expect(would).to_contain_text("1 missing")
    assert faults(page) == []
    would.get_by_role("button", name="Scan now").click()
    page.get_by_role("button", name="1 missing").click()
    missing = page.get_by_role("dialog", name="Missing files")
    missing.get_by_role("button", name="Locate 00005.png").click()
    assert faults(page) == []
    (folder / "again.png").write_bytes(content[:-20] + b"x" * 20)
    page.keyboard.type(str(folder / "again.png"))
    page.keyboard.press("Enter")
    expect(missing.get_by_role("alert")).to_be_visible()
    (folder / "again.png").write_bytes(content)
    page.keyboard.press("Enter")
    expect(missing).to_have_count(0)
    expect(page.get_by_role("button", name="1 missing")).to_have_count(0)

    kept = {path: path.read_bytes() for path in sorted(folder.iterdir())[:110]}
    for path in kept:
        path.unlink()
    page.get_by_role("button", name="Scan now").click()
    expect(page.get_by_role("alert")).to_contain_text("85% of this folder is missing: 110 of 130")
    assert faults(page) == []
    for path, content in kept.items():
        path.write_bytes(content)
    page.get_by_role("button", name="Scan again").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_removed_folder_is_added_again(page: Page, home: Path, served: Served) -> None:
    page.get_by_role("button", name="Remove…").click()
    page.get_by_role("dialog").get_by_text("Nothing is deleted").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="No folders yet").wait_for()
    assert faults(page) == []
    assert len(os.listdir(home / "pictures")) >= IMAGES
    assert served.get("/api/v1/status")["total"] == IMAGES
    page.get_by_text("1 removed folder").click()
    page.get_by_role("button", name="Add again").click()
    page.locator("[data-root]").wait_for()


def test_events_are_filtered_and_come_by_themselves(page: Page, served: Served) -> None:
    page.get_by_role("navigation", name="Library maintenance").get_by_role("button", name="Events").click()
    rows = page.get_by_role("list", name="Events").get_by_role("listitem")
    rows.first.wait_for()
    assert faults(page) == []
    page.get_by_label("Type").select_option("Backups")
    page.get_by_text("No events match these filters").wait_for()
    served.post("/api/v1/backups", {})
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("verified")


def test_a_backup_is_made_tried_out_and_restored_with_the_keyboard(page: Page, served: Served) -> None:
    page.get_by_role("navigation", name="Library maintenance").get_by_role("button", name="Backups").click()
    served.post("/api/v1/edits", {"query": "", "set": {"rating": 5}})
    page.get_by_role("button", name="Back up now").press("Enter")
    expect(page.locator(".toast").last).to_contain_text("Backup created and verified")
    served.post("/api/v1/edits", {"query": "", "set": {"rating": 1}})
    page.get_by_role("button", name="Test now").press("Enter")
    page.get_by_text("all checks passed").first.wait_for()
    assert faults(page) == []
    page.get_by_role("button", name="Restore backup").first.press("Enter")
    page.get_by_role("dialog").get_by_text("is made first").wait_for()
    assert faults(page) == []
    page.keyboard.press("Enter")
    page.get_by_text("before a restore").wait_for()

    def everything_is_back() -> bool:
        try:
            # A restored gallery is a new launch, to which old keys mean nothing.
            return bool(served.wait_until_up().get("/api/v1/images", q="rating:5")["total"] == IMAGES)
        except httpx.HTTPError:
            # It is still away.
            return False

    until(page, everything_is_back)
