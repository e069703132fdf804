"""Deeds over very many images: asked for, with progress, and back by one key."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from mysticanvas.db.database import Database
from tests.browser.acting import opened, start_at, total, until
from tests.browser.test_access import AXE, faults
from tests.faults.serving import Served
from tests.synthetic import fill

pytestmark = pytest.mark.long

IMAGES = 30_000
LONG_MS = 120_000


@pytest.fixture(scope="module")
def served(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Needs `browser` first, so that nothing is made where there is none."""
    library = tmp_path_factory.mktemp("large") / "library"
    library.mkdir()
    with Database.open(library) as database:
        fill(database, IMAGES, seconds_apart=120)
    server = Served(library, []).wait_until_up()
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    # There are no thumbnails.
    with opened(browser, served, scripts=(AXE.read_text("utf-8"),), allowed="status of 404") as page:
        page.wait_for_selector("[role=gridcell]")
        yield page


def test_everything_is_trashed_after_a_question_with_progress_and_comes_back(page: Page, served: Served) -> None:
    start_at(page, 0)
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Move {IMAGES:,} images to Trash?")
    assert faults(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert served.get("/api/v1/trash")["images"] == 0
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    progress = page.get_by_role("progressbar", name="Moving to Trash")
    expect(progress).to_be_visible()
    until(page, lambda: 0 < float(progress.get_attribute("value") or 0) < 1)
    expect(page.locator(".toast").last).to_contain_text(f"{IMAGES:,} images moved to Trash", timeout=LONG_MS)
    expect(progress).to_have_count(0)
    expect(total(page)).to_have_text("0")
    page.keyboard.press("Control+z")
    expect(page.get_by_role("progressbar", name="Undoing")).to_be_visible()
    expect(total(page)).to_have_text(f"{IMAGES:,}", timeout=LONG_MS)
    assert served.get("/api/v1/trash")["images"] == 0
