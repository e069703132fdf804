"""Comparing two to four images: acceptance check 37."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.acting import opened, position, scroll_to, seen, start_at, until, wait_for_focus
from tests.browser.test_access import AXE, faults
from tests.faults.serving import Served


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    with opened(browser, served, scripts=(AXE.read_text("utf-8"),)) as page:
        page.wait_for_selector("[role=gridcell]")
        yield page


def compare(page: Page, first: int, count: int) -> None:
    start_at(page, first)
    for _ in range(count - 1):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("c")
    expect(page.locator("[data-pane]")).to_have_count(count)


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name, exact=True))


def transforms(page: Page) -> list[str]:
    found: list[str] = page.locator("[data-pane] [role=presentation] > div").evaluate_all(
        "(all) => all.map((one) => one.style.transform)"
    )
    return found


def prompts(page: Page) -> list[str]:
    return row(page, "Prompt").get_by_role("cell").all_text_contents()


def test_panes_are_zoomed_and_moved_as_one(page: Page) -> None:  # 37
    compare(page, 2, 2)
    page.locator("[data-pane='0']").get_by_role("img").last.wait_for()
    box = page.locator("[data-pane='0'] [role=presentation]").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 3)
    page.mouse.wheel(0, -300)
    until(page, lambda: "scale(2" in transforms(page)[0])
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    moved = transforms(page)
    assert moved[0] == moved[1]
    assert "translate(0px, 0px)" not in moved[0]
    page.keyboard.press("z")
    until(page, lambda: transforms(page) == ["translate(0px, 0px) scale(1)"] * 2)


def test_the_table_lists_only_what_differs_and_marks_the_words(page: Page) -> None:  # 37
    compare(page, 2, 2)
    expect(row(page, "Seed").get_by_role("cell")).to_have_text(["2", "3"])
    expect(row(page, "Model").get_by_role("cell")).to_have_text(["dreamer_v1", "night_xl"])
    for same in ("Steps", "Sampler", "CFG scale", "Negative prompt"):
        expect(row(page, same)).to_have_count(0)
    expect(row(page, "Prompt").locator("mark")).to_have_text(["2", "3"])
    assert faults(page) == []
    page.keyboard.press("a")
    expect(row(page, "Steps").get_by_role("cell")).to_have_text(["20", "20"])
    expect(row(page, "Negative prompt").get_by_role("cell")).to_have_text(["blurry", "blurry"])
    assert faults(page) == []
    page.keyboard.press("a")
    expect(row(page, "Steps")).to_have_count(0)


def test_keys_swap_drop_and_favour_a_pane(page: Page, served: Served) -> None:
    compare(page, 4, 3)
    number = ["a red fox in snow, number 4", "a red fox in snow, number 5", "a red fox in snow, number 6"]
    assert prompts(page) == number
    page.keyboard.press("s")
    assert prompts(page) == [number[1], number[0], number[2]]
    expect(page.locator("[data-pane='1']")).to_have_attribute("aria-current", "true")
    page.keyboard.press("f")
    until(page, lambda: served.get("/api/v1/images", q="is:favourite")["total"] == 1)
    expect(page.locator("[data-pane='1']").get_by_role("button", name="Favorite")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.keyboard.press("Control+z")
    until(page, lambda: served.get("/api/v1/images", q="is:favourite")["total"] == 0)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    expect(page.locator("[data-pane]")).to_have_count(2)
    assert prompts(page) == [number[1], number[0]]
    page.reload()
    expect(page.locator("[data-pane]")).to_have_count(2)
    until(page, lambda: prompts(page) == [number[1], number[0]])


def test_escape_leads_back_to_the_same_place(page: Page) -> None:
    scroll_to(page, 3_000)
    index = seen(page)[len(seen(page)) // 2]
    start_at(page, index)
    before = position(page)
    page.keyboard.press("c")
    expect(page.locator("[data-pane]")).to_have_count(2)
    page.keyboard.press("Escape")
    wait_for_focus(page, index)
    assert position(page) == before


def test_four_are_compared_and_five_are_too_many(page: Page) -> None:
    compare(page, 1, 4)
    assert faults(page) == []
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("2 / 600")
    page.keyboard.press("Escape")
    expect(page.locator("[data-pane]")).to_have_count(4)
    page.keyboard.press("Escape")
    start_at(page, 1)
    for _ in range(4):
        page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_role("toolbar").get_by_role("button", name="Compare")).to_have_count(0)
    page.keyboard.press("c")
    expect(page.locator(".toast")).to_contain_text("You can compare two to four images")
