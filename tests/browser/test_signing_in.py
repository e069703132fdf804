"""The page for who is not signed in: by the keyboard, with a code of the terminal or with a password."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from mysticanvas.fs.instance_file import read_token
from mysticanvas.http.passwords import save_password
from tests.browser.acting import opened, sign_in
from tests.browser.test_access import AXE, faults
from tests.faults.serving import Served

PASSWORD = "correct horse battery"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    save_password(tmp_path / "library", PASSWORD)
    server = Served(tmp_path / "library", []).wait_until_up()
    yield server
    server.stop()


def test_a_password_or_a_pasted_code_opens_the_library(browser: Browser, served: Served) -> None:
    script = AXE.read_text("utf-8")
    with opened(browser, served, scripts=(script,), allowed="40[13]|Failed to fetch") as page:
        page.get_by_text("Add a folder of images").wait_for()
        for secret in (PASSWORD, sign_in(served)):
            page.context.clear_cookies()
            page.goto(str(served.http.base_url))
            page.get_by_role("heading", name="Open your library").wait_for()
            expect(page.get_by_label("Code or password")).to_be_focused()
            # No key of the gallery does anything here.
            page.keyboard.type("?wrong")
            page.keyboard.press("Enter")
            expect(page.get_by_role("alert")).to_contain_text("not valid")
            assert faults(page) == []
            page.keyboard.type(secret)
            page.keyboard.press("Enter")
            page.get_by_text("Add a folder of images").wait_for()


def test_the_browser_that_replaces_the_token_stays_and_the_others_must_sign_in(
    browser: Browser, served: Served
) -> None:
    with (
        opened(browser, served, allowed="401") as other,
        opened(browser, served, scripts=(AXE.read_text("utf-8"),), allowed="ERR_|Failed to") as page,
    ):
        other.get_by_text("Add a folder of images").wait_for()
        before = read_token(served.library)
        page.get_by_role("navigation", name="Pages").get_by_role("button", name="Settings").click()
        page.get_by_role("button", name="Replace token…").click()
        page.get_by_role("button", name="Cancel").click()
        assert read_token(served.library) == before
        page.get_by_role("button", name="Replace token…").click()
        page.get_by_role("button", name="Replace token", exact=True).click()
        page.get_by_text("Other browsers are signed out").wait_for()
        assert read_token(served.library) != before
        assert faults(page) == []
        page.reload()
        page.get_by_role("button", name="Replace token…").wait_for()
        other.reload()
        other.get_by_role("heading", name="Open your library").wait_for()
