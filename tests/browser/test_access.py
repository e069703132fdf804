"""Accessibility: acceptance check 40, by axe-core in every state, and by the keyboard alone."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.acting import (
    focused,
    opened,
    position,
    search,
    search_box,
    shown,
    start_at,
    tile,
    until,
    wait_for_focus,
    wait_until_at_rest,
)
from tests.browser.conftest import IMAGES
from tests.faults.serving import Served

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
COLOURS = ["color-contrast", "link-in-text-block"]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    with opened(browser, served, scripts=(AXE.read_text("utf-8"),)) as page:
        page.wait_for_selector("[role=gridcell]")
        yield page


def faults(page: Page) -> list[tuple[Any, ...]]:
    """What axe finds that is serious or critical, in light and in dark: rule, how bad, where."""
    return [fault for scheme in SCHEMES for fault in _faults(page, scheme)]


def _faults(page: Page, scheme: Literal["light", "dark"]) -> list[tuple[Any, ...]]:
    page.emulate_media(color_scheme=scheme)
    # Nothing is judged while it fades in.
    wait_until_at_rest(page)
    # Only what has to do with colours can differ between the two.
    looked_for = TAGS if scheme == "dark" else {"type": "rule", "values": COLOURS}
    found = page.evaluate("(rules) => window.axe.run(document, { runOnly: rules })", looked_for)
    assert scheme != "dark" or len(found["passes"]) > 10
    return [
        (scheme, fault["id"], fault["impact"], [node["html"][:160] for node in fault["nodes"]][:3])
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


def test_the_grid_and_what_lies_over_it_have_no_serious_fault(page: Page) -> None:
    until(page, lambda: shown(page))
    assert faults(page) == []
    start_at(page, 3)
    tile(page, 6).click(modifiers=["Shift"])
    page.keyboard.press("4")
    page.wait_for_selector(".toast")
    tile(page, 8).hover()
    assert faults(page) == []
    page.keyboard.press("0")
    page.keyboard.press("Escape")


def test_headings_lie_beside_the_grid_not_in_it(page: Page) -> None:
    grid = page.get_by_role("grid")
    assert grid.get_by_role("heading").count() == 0
    assert page.locator("#grid").get_by_role("heading").count() > 0
    assert int(grid.get_attribute("aria-rowcount") or 0) > 10
    assert grid.get_attribute("aria-multiselectable") == "true"


def test_the_viewer_has_no_serious_fault(page: Page) -> None:
    start_at(page, 3)
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("img").last.wait_for()
    assert faults(page) == []
    page.keyboard.press("i")
    assert faults(page) == []
    page.keyboard.press("i")


@pytest.mark.parametrize("key", ["?", "g"])
def test_the_dialogs_have_no_serious_fault(page: Page, key: str) -> None:
    page.keyboard.press(key)
    page.get_by_role("dialog").wait_for()
    assert faults(page) == []


def test_finding_has_no_serious_fault(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("model:")
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("ArrowDown")
    assert faults(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("\\")
    page.locator(".value").first.wait_for()
    search(page, "model:night_xl -rating:5")
    page.locator(".chip.negated").wait_for()
    assert faults(page) == []
    page.keyboard.press("/")
    page.get_by_role("group", name="Recent searches").wait_for()
    page.keyboard.press("ArrowDown")
    assert faults(page) == []
    search(page, "zeppelin model:nihgt_xl")
    page.get_by_test_id("no-match").wait_for()
    assert faults(page) == []


def test_the_other_pages_have_no_serious_fault(page: Page) -> None:
    names = page.get_by_role("navigation").get_by_role("button").evaluate_all("(all) => all.map((b) => b.ariaLabel)")
    assert {"Library", "Favorites", "Statistics", "Jobs"} <= set(names)
    for name in names:
        page.get_by_role("navigation").get_by_role("button", name=name).click()
        assert (name, faults(page)) == (name, [])


def test_the_first_page_of_all_has_no_serious_fault(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    server = Served(tmp_path / "library", []).wait_until_up()
    try:
        with opened(browser, server, scripts=(AXE.read_text("utf-8"),)) as page:
            page.get_by_text("Add a folder of images").wait_for()
            assert faults(page) == []
    finally:
        server.stop()


def test_a_page_that_is_not_signed_in_has_no_serious_fault(browser: Browser, served: Served) -> None:
    script = AXE.read_text("utf-8")
    with opened(browser, served, scripts=(script,), allowed="401|Failed to fetch") as page:
        page.wait_for_selector("[role=gridcell]")
        page.context.clear_cookies()
        page.goto(str(served.http.base_url))
        page.get_by_role("heading", name="Open your library").wait_for()
        assert faults(page) == []


def test_every_control_is_large_enough_to_hit(page: Page) -> None:
    start_at(page, 3)
    tile(page, 5).click(modifiers=["Shift"])
    tile(page, 7).hover()
    wait_until_at_rest(page)
    small = page.evaluate(
        """[...document.querySelectorAll('button, input, [role=slider]')].map((control) => {
            const at = control.getBoundingClientRect();
            return [control.ariaLabel || control.innerText, Math.round(at.width), Math.round(at.height)];
        }).filter(([, width, height]) => width > 0 && (width < 24 || height < 24))"""
    )
    assert small == []


def test_at_twice_the_size_everything_is_still_there(browser: Browser, served: Served) -> None:
    # A window of 1400 × 900 at 200 %.
    with opened(browser, served, width=700, height=450) as page:
        page.wait_for_selector("[role=gridcell]")
        for control in (
            search_box(page),
            page.get_by_test_id("total"),
            page.get_by_role("slider", name="Time"),
            page.get_by_role("button", name="Jobs"),
            page.get_by_role("button", name="shortcuts"),
        ):
            expect(control).to_be_in_viewport(ratio=1)
        start_at(page, 1)
        page.keyboard.press("x")
        expect(page.get_by_role("toolbar").get_by_role("button", name="Clear selection")).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_whole_way_by_the_keyboard_alone(page: Page, served: Served) -> None:  # 26, 28, 29, 34 to 36
    keyboard = page.keyboard
    keyboard.press("Tab")
    expect(page.get_by_role("button", name="Skip to images")).to_be_focused()
    expect(page.get_by_role("button", name="Skip to images")).to_be_in_viewport()
    keyboard.press("Enter")
    wait_for_focus(page, 0)

    for _ in range(3):
        keyboard.press("ArrowRight")
    wait_for_focus(page, 3)
    for _ in range(2):
        keyboard.press("Shift+ArrowRight")
    wait_for_focus(page, 5)
    expect(page.get_by_test_id("selected")).to_have_text("3 selected")
    keyboard.press("f")
    until(page, lambda: served.get("/api/v1/images", q="is:favourite")["total"] == 3)
    keyboard.press("Control+z")
    until(page, lambda: served.get("/api/v1/images", q="is:favourite")["total"] == 0)
    keyboard.press("Escape")
    expect(page.get_by_test_id("selected")).to_have_count(0)

    before = position(page)
    keyboard.press("4")
    expect(tile(page, 5).locator(".stars")).to_have_text("★★★★")
    assert position(page) == before
    keyboard.press("0")
    expect(tile(page, 5).locator(".stars")).to_have_count(0)

    keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text(f"6 / {IMAGES}")
    keyboard.press("ArrowRight")
    expect(page.get_by_role("dialog")).to_contain_text(f"7 / {IMAGES}")
    expect(page.get_by_role("dialog").get_by_test_id("prompt")).to_have_text("a red fox in snow, number 6")
    keyboard.press("p")
    expect(page.locator(".toast").last).to_contain_text("Prompt copied")
    assert page.evaluate("navigator.clipboard.readText()") == "a red fox in snow, number 6"
    keyboard.press("Escape")
    wait_for_focus(page, 6)

    keyboard.press("Shift+P")
    expect(page.locator(".toast").last).to_contain_text("Generation data copied")
    assert "Steps: 20, Sampler: Euler a" in page.evaluate("navigator.clipboard.readText()")
    expect(page.locator("#inspector")).to_contain_text("Euler a")
    keyboard.press("i")
    expect(page.locator("#inspector")).to_have_count(0)
    assert focused(page) == 6
    keyboard.press("i")


def test_each_tile_says_what_it_is(page: Page) -> None:
    said = re.compile("^Image 1, July 25, 2026, 64 by 96, .*a red fox in snow, number 0$")
    expect(tile(page, 0)).to_have_attribute("aria-label", said)
