"""Selection and actions: acceptance checks 26 to 29."""

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.acting import position, scroll_to, seen, start_at, tile, until, wait_for_focus, wait_until_at_rest
from tests.browser.conftest import IMAGES
from tests.faults.serving import Served


def chosen(page: Page) -> Locator:
    return page.get_by_test_id("selected")


def selected(page: Page) -> list[int]:
    found: list[int] = page.evaluate(
        """[...document.querySelectorAll("[role=gridcell][aria-selected=true]")].map((t) => Number(t.dataset.index))"""
    )
    return sorted(found)


@pytest.mark.parametrize(("first", "last"), [(1, 5), (7, 2)])
def test_shift_click_selects_the_range_both_ends_included(page: Page, first: int, last: int) -> None:  # 26
    start_at(page, first)
    tile(page, last).click(modifiers=["Shift"])
    meant = list(range(min(first, last), max(first, last) + 1))
    expect(chosen(page)).to_have_text(f"{len(meant)} selected")
    assert selected(page) == meant
    page.keyboard.press("Escape")
    expect(chosen(page)).to_have_count(0)
    assert selected(page) == []


def test_everything_is_chosen_and_one_left_out(page: Page) -> None:  # 27
    start_at(page, 0)
    page.keyboard.press("Control+a")
    expect(chosen(page)).to_have_text(f"{IMAGES} selected (all matching)")
    tile(page, 2).click(modifiers=["Control"])
    expect(chosen(page)).to_have_text(f"{IMAGES - 1} selected")
    assert 2 not in selected(page)
    assert {1, 3} <= set(selected(page))
    page.keyboard.press("Escape")


def test_a_favorite_is_undone_by_its_toast(page: Page, served: Served) -> None:  # 28
    start_at(page, 3)
    page.keyboard.press("f")
    expect(tile(page, 3).locator(".heart")).to_be_visible()
    page.wait_for_selector(".toast")
    assert served.get("/api/v1/images", q="is:favourite")["total"] == 1
    page.get_by_role("button", name="Undo").click()
    expect(tile(page, 3).locator(".heart")).to_have_count(0)
    assert served.get("/api/v1/images", q="is:favourite")["total"] == 0


def test_a_chosen_range_is_favoured_and_each_gets_its_own_former_state_back(page: Page, served: Served) -> None:  # 28
    start_at(page, 4)
    page.keyboard.press("f")
    expect(tile(page, 4).locator(".heart")).to_be_visible()
    start_at(page, 2)
    tile(page, 6).click(modifiers=["Shift"])
    page.get_by_role("toolbar").get_by_role("button", name="Favorite", exact=True).click()
    until(page, lambda: served.get("/api/v1/images", q="is:favourite")["total"] == 5)
    page.keyboard.press("Control+z")
    until(page, lambda: served.get("/api/v1/images", q="is:favourite")["total"] == 1)
    expect(tile(page, 4).locator(".heart")).to_be_visible()
    expect(tile(page, 5).locator(".heart")).to_have_count(0)
    page.keyboard.press("Control+z")
    until(page, lambda: served.get("/api/v1/images", q="is:favourite")["total"] == 0)
    page.keyboard.press("Escape")


def test_hovering_offers_what_the_keys_do(page: Page, served: Served) -> None:  # 28
    tile(page, 5).hover()
    tile(page, 5).get_by_role("button", name="Select", exact=True).click()
    expect(chosen(page)).to_have_text("1 selected")
    page.keyboard.press("Escape")
    tile(page, 5).get_by_role("button", name="Favorite").click()
    expect(tile(page, 5).get_by_role("button", name="Favorite")).to_have_attribute("aria-pressed", "true")
    until(page, lambda: served.get("/api/v1/images", q="is:favourite")["total"] == 1)
    page.keyboard.press("Control+z")
    until(page, lambda: served.get("/api/v1/images", q="is:favourite")["total"] == 0)


@pytest.mark.parametrize("stars", [1, 2, 3, 4, 5])
def test_a_rating_is_shown_and_nothing_scrolls(page: Page, stars: int) -> None:  # 29
    scroll_to(page, 3_000)
    index = seen(page)[len(seen(page)) // 2]
    start_at(page, index)
    before = position(page)
    page.keyboard.press(str(stars))
    expect(tile(page, index).locator(".stars")).to_have_text("★" * stars)
    page.wait_for_selector(".toast")
    assert position(page) == before
    page.keyboard.press("0")
    expect(tile(page, index).locator(".stars")).to_have_count(0)
    expect(page.locator(".toast").last).to_contain_text("cleared")
    wait_until_at_rest(page)
    assert position(page) == before


def test_what_was_pressed_last_stays_however_late_the_first_answer_is(page: Page, served: Served) -> None:  # 29
    held: list[Route] = []
    page.route("**/api/v1/edits", lambda route: route.continue_() if held else held.append(route))
    start_at(page, 7)
    page.keyboard.press("3")
    until(page, lambda: held)
    page.keyboard.press("4")
    expect(tile(page, 7).locator(".stars")).to_have_text("★★★★")
    held[0].continue_()
    expect(page.locator(".toast").last).to_contain_text("rated ★★★★")
    assert served.get("/api/v1/images", q="rating:4")["total"] == 1
    page.keyboard.press("0")
    expect(page.locator(".toast").last).to_contain_text("cleared")


def test_a_rating_survives_a_reload(page: Page) -> None:  # 29
    start_at(page, 6)
    page.keyboard.press("4")
    page.wait_for_selector(".toast")
    page.reload()
    expect(tile(page, 6).locator(".stars")).to_have_text("★★★★")
    start_at(page, 6)
    page.keyboard.press("0")
    expect(tile(page, 6).locator(".stars")).to_have_count(0)
    page.wait_for_selector(".toast")


def test_at_most_three_toasts_and_none_covers_the_panel_or_the_bar(page: Page) -> None:
    start_at(page, 1)
    # One after the other as fast as keys are: each is gone by itself after a while.
    for key in ("1", "2", "3", "4", "0"):
        page.keyboard.press(key)
    expect(page.locator(".toast").last).to_contain_text("cleared")
    tile(page, 3).click(modifiers=["Shift"])
    expect(page.locator(".toast")).to_have_count(3)
    toasts = page.locator(".toasts").bounding_box()
    assert toasts is not None
    for other in (page.locator("#inspector"), page.get_by_role("toolbar")):
        box = other.bounding_box()
        assert box is not None
        beside = toasts["x"] + toasts["width"] <= box["x"] or toasts["y"] + toasts["height"] <= box["y"]
        assert beside
    page.keyboard.press("Escape")
    wait_for_focus(page, 3)
