"""The gallery as a person uses it (U1; the numbers are those of the acceptance checks)."""

import os
import re
from itertools import pairwise

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import IMAGES
from tests.faults.serving import Served
from tests.pictures import a1111_png


def wait_for_focus(page: Page, index: int) -> None:
    expect(page.locator(f"[role=gridcell][data-index='{index}']:focus")).to_have_count(1)


def focused(page: Page) -> int:
    return int(page.evaluate("document.activeElement.getAttribute('data-index')"))


def tile(page: Page, index: int) -> Locator:
    return page.locator(f"[role=gridcell][data-index='{index}']")


def start_at(page: Page, index: int) -> None:
    tile(page, index).click()


def total(page: Page) -> Locator:
    return page.get_by_test_id("total")


def test_only_this_machine_is_asked(page: Page, served: Served) -> None:  # 1
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.reload()
    page.wait_for_selector("[role=gridcell] img[src*=thumbs]")
    assert hosts == {str(served.http.base_url).split("/")[2]}


def test_the_count_is_the_servers(page: Page, served: Served) -> None:  # 2
    expect(total(page)).to_have_text(f"{served.get('/api/status')['total']:,}")


def test_few_nodes_however_far_one_scrolls(page: Page) -> None:  # 3
    for y in (0, 2_000, 8_000, 100_000):
        page.evaluate(f"document.getElementById('grid').scrollTop = {y}")
        page.wait_for_timeout(150)
        assert page.evaluate("document.getElementsByTagName('*').length") < 800


def test_end_and_home_focus_the_last_and_the_first(page: Page) -> None:  # 4, 11
    start_at(page, 0)
    page.keyboard.press("End")
    wait_for_focus(page, IMAGES - 1)
    page.keyboard.press("Home")
    wait_for_focus(page, 0)
    assert page.locator("[role=gridcell][tabindex='0']").count() == 1


def test_every_tile_is_where_it_is_computed_to_be(page: Page) -> None:  # 5
    for share in (0.1, 0.9, 0.4, 0.7, 0):
        page.evaluate(f"(g => g.scrollTop = g.scrollHeight * {share})(document.getElementById('grid'))")
        page.wait_for_timeout(100)
        boxes = page.evaluate(
            """[...document.querySelectorAll('[role=row]')].map(row => [...row.children].map(tile => {
                const box = tile.getBoundingClientRect(); return [box.left, box.right, box.top, box.height] }))"""
        )
        for row in boxes:
            for left, right in pairwise(row):
                assert abs(right[0] - left[1] - 4) < 1.5
                assert abs(right[2] - left[2]) < 1.5


def test_right_moves_one_and_down_lands_beneath(page: Page) -> None:  # 12
    start_at(page, 0)
    page.keyboard.press("ArrowRight")
    wait_for_focus(page, 1)
    before = tile(page, 1).bounding_box()
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(300)
    after = tile(page, focused(page)).bounding_box()
    assert before is not None
    assert after is not None
    assert after["y"] > before["y"]
    assert after["x"] <= before["x"] + before["width"] / 2 <= after["x"] + after["width"] + 4


def test_the_scrubber_moves_a_year_and_says_so(page: Page) -> None:  # 14
    scrubber = page.get_by_role("slider", name="Time")
    scrubber.focus()
    before = scrubber.get_attribute("aria-valuetext")
    page.keyboard.press("PageDown")
    expect(scrubber).not_to_have_attribute("aria-valuetext", before or "")


def test_a_date_is_gone_to(page: Page) -> None:  # 17
    start_at(page, 0)
    page.keyboard.press("g")
    page.keyboard.type("2026-03")
    page.keyboard.press("Enter")
    expect(page.locator("[role=gridcell][tabindex='0']")).to_have_attribute("aria-label", re.compile("March 2026"))


def test_arrows_bring_a_focus_back_that_was_scrolled_away(page: Page) -> None:  # 18
    start_at(page, 2)
    page.evaluate("document.getElementById('grid').scrollTop = 9000")
    page.wait_for_timeout(300)
    page.keyboard.press("ArrowRight")
    wait_for_focus(page, 3)
    expect(tile(page, 3)).to_be_in_viewport()


def test_letters_in_the_search_box_change_no_image(page: Page, served: Served) -> None:  # 19
    start_at(page, 4)
    page.keyboard.press("/")
    page.keyboard.type("f1")
    page.keyboard.press("Delete")
    assert page.get_by_role("combobox").input_value() == "f1"
    assert served.get("/api/search", q="is:favourite")["total"] == 0


def test_model_offers_values_with_counts_and_back_takes_the_filter_away(page: Page) -> None:  # 20
    page.keyboard.press("/")
    page.keyboard.type("model:dream")
    expect(page.get_by_role("option").first).to_contain_text("200")
    page.keyboard.press("Enter")
    expect(total(page)).to_have_text("200")
    assert "model" in page.url
    page.go_back()
    expect(total(page)).to_have_text(str(IMAGES))


def test_no_match_names_what_excludes_everything(page: Page) -> None:  # 22
    page.keyboard.press("/")
    page.keyboard.type("zeppelin rating:5")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("no-match")).to_contain_text("zeppelin")
    expect(page.get_by_test_id("no-match")).to_contain_text("rating:5")
    page.get_by_role("button", name="Clear all").first.click()
    expect(total(page)).to_have_text(str(IMAGES))


def test_shift_click_chooses_the_range_and_escape_nothing(page: Page) -> None:  # 26
    start_at(page, 1)
    tile(page, 5).click(modifiers=["Shift"])
    expect(page.get_by_test_id("chosen")).to_have_text("5 selected")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("chosen")).to_have_count(0)


def test_everything_is_chosen_and_one_left_out(page: Page) -> None:  # 27
    start_at(page, 0)
    page.keyboard.press("Control+a")
    expect(page.get_by_test_id("chosen")).to_contain_text(f"{IMAGES} selected (everything matching)")
    tile(page, 2).click(modifiers=["Control"])
    expect(page.get_by_test_id("chosen")).to_have_text(f"{IMAGES - 1} selected")


def test_a_favourite_is_undone_by_its_toast(page: Page, served: Served) -> None:  # 28
    start_at(page, 3)
    page.keyboard.press("f")
    expect(tile(page, 3).locator(".heart")).to_be_visible()
    page.wait_for_selector(".toast")
    assert served.get("/api/search", q="is:favourite")["total"] == 1
    page.get_by_role("button", name="Undo").click()
    expect(tile(page, 3).locator(".heart")).to_have_count(0)
    assert served.get("/api/search", q="is:favourite")["total"] == 0


def test_a_rating_survives_a_reload_and_nothing_scrolls(page: Page) -> None:  # 29
    start_at(page, 6)
    before = page.evaluate("document.getElementById('grid').scrollTop")
    page.keyboard.press("4")
    expect(tile(page, 6).locator(".stars")).to_have_text("★★★★")
    assert page.evaluate("document.getElementById('grid').scrollTop") == before
    page.wait_for_selector(".toast")
    page.reload()
    expect(tile(page, 6).locator(".stars")).to_have_text("★★★★")
    start_at(page, 6)
    page.keyboard.press("0")
    expect(tile(page, 6).locator(".stars")).to_have_count(0)


def test_the_viewer_walks_the_list_and_gives_the_focus_back(page: Page) -> None:  # 34
    start_at(page, 2)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"3 / {IMAGES}")
    page.keyboard.press("ArrowRight")
    expect(dialog).to_contain_text(f"4 / {IMAGES}")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    wait_for_focus(page, 3)


def test_the_prompt_and_all_parameters_are_copied(page: Page) -> None:  # 35
    start_at(page, 7)
    page.keyboard.press("p")
    expect(page.locator(".toast").first).to_contain_text("Prompt copied")
    assert page.evaluate("navigator.clipboard.readText()") == "a red fox in snow, number 7"
    page.keyboard.press("Shift+P")
    expect(page.locator(".toast").nth(1)).to_contain_text("All parameters copied")
    assert "Steps: 20, Sampler: Euler a" in page.evaluate("navigator.clipboard.readText()")


def test_the_inspector_says_how_it_was_made(page: Page) -> None:  # 36
    start_at(page, 7)
    inspector = page.locator("#inspector")
    expect(page.get_by_test_id("prompt")).to_have_text("a red fox in snow, number 7")
    for said in ("blurry", "night_xl", "20", "Euler a", "64 × 64"):
        expect(inspector).to_contain_text(said)
    page.keyboard.press("i")
    expect(inspector).to_have_count(0)
    page.keyboard.press("i")


def test_half_way_down_the_scrubber_is_the_middle(page: Page) -> None:  # 13
    scrubber = page.get_by_role("slider", name="Time")
    box = scrubber.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    expect(tile(page, IMAGES // 2)).to_have_count(1)


def top_index(page: Page) -> int:
    return int(
        page.evaluate(
            """(top => [...document.querySelectorAll('[role=gridcell]')]
                .filter(tile => tile.getBoundingClientRect().bottom > top + 60)
                .map(tile => Number(tile.dataset.index)).sort((a, b) => a - b)
                .find(index => index > 50))(document.getElementById('grid').getBoundingClientRect().top)"""
        )
    )


def test_resizing_keeps_what_is_at_the_top(page: Page) -> None:  # 15
    page.evaluate("document.getElementById('grid').scrollTop = 6000")
    page.wait_for_timeout(400)
    before = top_index(page)
    page.set_viewport_size({"width": 1000, "height": 900})
    page.wait_for_timeout(400)
    assert abs(top_index(page) - before) <= 10
    page.get_by_role("slider", name="Size of the thumbnails").fill("150")
    page.wait_for_timeout(400)
    assert abs(top_index(page) - before) <= 20


def test_back_from_the_jobs_restores_the_place_and_the_focus(page: Page) -> None:  # 16
    start_at(page, 3)
    page.keyboard.press("End")
    wait_for_focus(page, IMAGES - 1)
    page.get_by_role("button", name="Jobs").click()
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    page.go_back()
    expect(tile(page, IMAGES - 1)).to_be_in_viewport()
    expect(tile(page, IMAGES - 1)).to_have_attribute("tabindex", "0")


def test_nothing_claims_to_be_empty_while_it_loads(page: Page) -> None:  # 23
    page.route("**/api/queries*", lambda route: (page.wait_for_timeout(400), route.continue_()))
    page.evaluate("sessionStorage.setItem('x', '1')")
    page.reload()
    for _ in range(20):
        text = page.locator("main").first.inner_text() if page.locator("main").count() else ""
        assert "Add a folder" not in text
        assert "No image" not in text
        page.wait_for_timeout(50)
    page.wait_for_selector("[role=gridcell]")


def test_the_seventh_tab_loads_too(page: Page) -> None:  # 10
    tabs = [page.context.new_page() for _ in range(6)]
    for tab in tabs:
        tab.goto(page.url)
        tab.wait_for_selector("[role=gridcell]")
    for tab in tabs:
        tab.close()


def test_a_new_file_appears_by_itself(page: Page, served: Served) -> None:  # 39
    folder = served.get("/api/status")["roots"][0]["path"]
    new = os.path.join(folder, "arrived.png")
    with open(new, "wb") as file:
        file.write(a1111_png(99_999))
    # The last test of this file: the library keeps what it has seen.
    expect(total(page)).to_have_text(str(IMAGES + 1), timeout=15_000)
    expect(tile(page, 0)).to_have_attribute("aria-label", re.compile("number 99999"))
