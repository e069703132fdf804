"""Settings, About: the version, and the license of everything that MystiCanvas contains."""

import json
from pathlib import Path

from playwright.sync_api import Browser, expect

from mysticanvas import __version__
from tests.browser.acting import opened
from tests.browser.test_access import AXE, faults
from tests.faults.serving import Served

LICENSES = Path(__file__).parents[2] / "LICENSES"


def test_the_settings_show_the_version_and_every_license_text(browser: Browser, served: Served) -> None:
    with opened(browser, served, scripts=(AXE.read_text("utf-8"),)) as page:
        page.get_by_role("navigation", name="Pages").get_by_role("button", name="Settings").click()
        about = page.get_by_role("region", name="About")
        expect(about).to_contain_text(f"MystiCanvas {__version__} is free software")
        for one in json.loads((LICENSES / "bundled.json").read_text("utf-8")):
            entry = about.get_by_role("listitem").filter(has_text=one["source"])
            text = entry.locator("pre")
            expect(text).to_be_hidden()
            entry.get_by_text(one["name"], exact=True).click()
            expect(text).to_be_visible()
            assert text.inner_text().split() == (LICENSES / one["text"]).read_text("utf-8").split()
        assert faults(page) == []
