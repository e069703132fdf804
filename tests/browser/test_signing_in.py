"""The page for who is not signed in: by the keyboard, with a code of the terminal or with a password."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

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
