"""Navigation: acceptance checks 11 to 18."""

import re

from playwright.sync_api import Page, expect

from tests.browser.acting import (
    focused,
    position,
    scroll_to,
    scrubber,
    seen,
    shown,
    start_at,
    tile,
    until,
    wait_for_focus,
    wait_until_at_rest,
)
from tests.browser.conftest import IMAGES


def test_one_tile_alone_is_a_tab_stop(page: Page) -> None:  # 11
    stops = page.locator("[role=gridcell][tabindex='0']")
    expect(stops).to_have_count(1)
    start_at(page, 3)
    for key in ("ArrowDown", "End", "PageUp", "Home"):
        page.keyboard.press(key)
        wait_until_at_rest(page)
        assert stops.count() == 1
    scroll_to(page, 9_000)
    assert stops.count() == 1


def test_right_moves_one_and_down_lands_beneath(page: Page) -> None:  # 12
    start_at(page, 0)
    page.keyboard.press("ArrowRight")
    wait_for_focus(page, 1)
    for start in (1, 13, 24):
        page.keyboard.press("Home")
        for _ in range(start):
            page.keyboard.press("ArrowRight")
        wait_for_focus(page, start)
        before = tile(page, start).bounding_box()
        row = tile(page, start).locator("..").get_attribute("aria-rowindex")
        assert before is not None
        page.keyboard.press("ArrowDown")
        until(page, lambda at=start: focused(page) > at)
        after = tile(page, focused(page)).bounding_box()
        below = tile(page, focused(page)).locator("..").get_attribute("aria-rowindex")
        assert after is not None
        assert int(below or 0) == int(row or 0) + 1
        middle = before["x"] + before["width"] / 2
        last = tile(page, focused(page)).locator("..").locator("[role=gridcell]").last.bounding_box()
        assert last is not None
        # A short row's last tile is under what is to the right of it.
        assert after["x"] - 4 <= middle
        assert middle <= after["x"] + after["width"] + 4 or after == last


def test_half_way_down_the_scrubber_is_the_middle(page: Page) -> None:  # 13
    box = scrubber(page).bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(middle, box["y"] + box["height"] / 2, steps=5)
    label = page.locator(".scrubber .label")
    expect(label).to_have_text(re.compile(r"^(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec) 202\d$"))
    expect(label).to_have_css("opacity", "1")
    page.mouse.up()
    in_view = seen(page)
    assert in_view[0] >= IMAGES * 0.4
    assert in_view[-1] <= IMAGES * 0.6


def test_a_page_of_the_scrubber_is_a_year_exactly(page: Page) -> None:  # 14
    scrubber(page).focus()
    before = scrubber(page).get_attribute("aria-valuetext") or ""
    month, year = before.split()
    page.keyboard.press("PageDown")
    expect(scrubber(page)).to_have_attribute("aria-valuetext", f"{month} {int(year) - 1}")
    page.keyboard.press("PageUp")
    expect(scrubber(page)).to_have_attribute("aria-valuetext", before)


def resize(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    until(page, lambda: page.evaluate("innerWidth") == width)
    wait_until_at_rest(page)


def test_the_window_and_the_size_change_around_what_is_at_the_top(page: Page) -> None:  # 15
    scroll_to(page, 6_000)
    top = seen(page)[0]
    for width in (1_000, 760, 1_400):
        resize(page, width)
        assert top in seen(page)
    slider = page.get_by_role("slider", name="Thumbnail size")
    for size in ("150", "320", "220"):
        slider.fill(size)
        wait_until_at_rest(page)
        assert top in seen(page)


def test_there_and_back_is_the_same_place(page: Page) -> None:  # 15; an anchor in pixels drifted
    scroll_to(page, 6_130)
    before = position(page)
    for _ in range(4):
        for width in (900, 1_400):
            resize(page, width)
    assert seen(page)
    assert abs(position(page) - before) < 250


def left_at(page: Page) -> tuple[float, int]:
    """A place that is not where focusing would put it: scrolled by hand after the focus was set."""
    start_at(page, 3)
    page.keyboard.press("g")
    expect(page.get_by_label("Year, month or day")).to_be_focused()
    page.keyboard.type("2025-11")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    until(page, lambda: focused(page) > 50)
    page.evaluate("document.getElementById('grid').scrollBy(0, 57)")
    wait_until_at_rest(page)
    return position(page), focused(page)


def test_back_from_the_viewer_is_exactly_where_one_was(page: Page) -> None:  # 16
    where = left_at(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    wait_for_focus(page, where[1])
    assert (position(page), focused(page)) == where
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.go_back()
    wait_for_focus(page, where[1])
    assert (position(page), focused(page)) == where


def test_back_from_another_page_is_exactly_where_one_was(page: Page) -> None:  # 16
    where = left_at(page)
    page.get_by_role("button", name="Jobs").click()
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    page.go_back()
    wait_for_focus(page, where[1])
    assert (position(page), focused(page)) == where
    page.get_by_role("button", name="Jobs").click()
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    page.get_by_role("button", name="Library").click()
    wait_for_focus(page, where[1])
    assert (position(page), focused(page)) == where


def test_the_place_survives_a_reload(page: Page) -> None:  # G10
    _, index = left_at(page)
    page.get_by_role("button", name="Jobs").click()
    page.go_back()
    wait_for_focus(page, index)
    page.reload()
    until(page, lambda: shown(page))
    expect(tile(page, index)).to_have_attribute("tabindex", "0")
    assert index in seen(page)


def test_a_date_is_gone_to(page: Page) -> None:  # 17
    start_at(page, 0)
    page.keyboard.press("g")
    expect(page.get_by_label("Year, month or day")).to_be_focused()
    page.keyboard.type("2025-03")
    page.keyboard.press("Enter")
    stop = page.locator("[role=gridcell][tabindex='0']")
    expect(stop).to_have_attribute("aria-label", re.compile(r"March \d+, 2025"))
    expect(stop).to_be_in_viewport()
    expect(stop).to_be_focused()


def test_arrows_bring_a_focus_back_that_was_scrolled_away(page: Page) -> None:  # 18
    start_at(page, 2)
    scroll_to(page, 9_000)
    expect(tile(page, 2)).not_to_be_in_viewport()
    # The focused tile is still there, and still has the focus.
    wait_for_focus(page, 2)
    page.keyboard.press("ArrowRight")
    wait_for_focus(page, 3)
    expect(tile(page, 3)).to_be_in_viewport()
