"""A journal that is harmed while the gallery is open: the page says so, and says when it cannot be written."""

import shutil
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.acting import opened
from tests.browser.conftest import write_images
from tests.faults.serving import Served

IMAGES = 20


def test_the_page_says_that_the_journal_was_written_again_until_this_is_dismissed(
    browser: Browser, tmp_path: Path
) -> None:
    write_images(tmp_path / "pictures", IMAGES)
    library = tmp_path / "library"
    library.mkdir()
    served = Served(library, [tmp_path / "pictures"]).wait_until_up()
    try:
        served.wait_until_idle(IMAGES)
        with opened(browser, served) as page:
            page.wait_for_selector("[role=gridcell]")
            notice = page.locator(".banner", has_text="The journal was removed.")
            expect(notice).to_have_count(0)
            shutil.rmtree(library / "journal")
            expect(notice).to_be_visible()
            page.reload()
            expect(notice).to_be_visible()
            notice.get_by_role("button", name="Dismiss").click()
            expect(notice).to_have_count(0)
            page.reload()
            page.wait_for_selector("[role=gridcell]")
            expect(notice).to_have_count(0)
    finally:
        served.stop()


def test_the_page_says_while_the_journal_cannot_be_written(browser: Browser, tmp_path: Path) -> None:
    write_images(tmp_path / "pictures", IMAGES)
    library = tmp_path / "library"
    library.mkdir()
    served = Served(library, [tmp_path / "pictures"]).wait_until_up()
    try:
        served.wait_until_idle(IMAGES)
        with opened(browser, served) as page:
            page.wait_for_selector("[role=gridcell]")
            problem = page.get_by_role("alert").filter(has_text="cannot be written")
            shutil.rmtree(library / "journal")
            (library / "journal").write_text("a file is in the way")
            expect(problem).to_be_visible()
            (library / "journal").unlink()
            expect(problem).to_have_count(0)
    finally:
        served.stop()
