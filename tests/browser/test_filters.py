"""Filters for the mouse, orders, found words, and the page of plots."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.acting import opened, search, start_at, tile, total, until
from tests.browser.conftest import IMAGES, MODELS
from tests.faults.serving import Served
from tests.pictures import a1111_png


def facet(page: Page, field: str) -> Locator:
    return page.locator(f"details[data-field={field}]")


@pytest.fixture
def panel(page: Page) -> Locator:
    page.keyboard.press("\\")
    panel = page.get_by_role("complementary", name="Filters")
    facet(page, "date").wait_for()
    return panel


def test_facets_count_under_the_filter_and_a_click_adds_to_it(page: Page, panel: Locator) -> None:
    expect(facet(page, "model").locator(".value")).to_have_text([f"{name} {IMAGES // 2}" for name in MODELS])
    facet(page, "model").get_by_role("button", name="night_xl").click()
    expect(total(page)).to_have_text(f"{IMAGES // 2}")
    expect(page.locator(".chip")).to_have_text("model: night_xl")
    expect(facet(page, "model").locator(".value")).to_have_text([f"night_xl {IMAGES // 2}"])
    expect(facet(page, "size").locator(".value")).to_contain_text([f"{IMAGES // 6}"] * 3)
    pressed = facet(page, "model").get_by_role("button", name="night_xl")
    expect(pressed).to_have_attribute("aria-pressed", "true")
    pressed.click()
    expect(total(page)).to_have_text(f"{IMAGES}")


def test_alt_excludes_with_the_mouse_and_with_the_keyboard(page: Page, panel: Locator) -> None:
    facet(page, "model").get_by_role("button", name="night_xl").click(modifiers=["Alt"])
    expect(page.locator(".chip.negated")).to_contain_text("night_xl")
    expect(total(page)).to_have_text(f"{IMAGES // 2}")
    facet(page, "size").locator("summary").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Alt+Enter")
    expect(page.locator(".chip.negated")).to_have_count(2)
    page.go_back()
    expect(page.locator(".chip.negated")).to_have_count(1)


def test_a_long_list_is_searched_and_shows_more(page: Page, panel: Locator) -> None:
    months = facet(page, "date").locator(".value")
    expect(months).to_have_count(8)
    page.get_by_role("button", name="More months").click()
    expect(months).to_have_count(20)
    page.get_by_role("searchbox", name="Find in months").fill("2025-12")
    expect(months).to_have_count(1)
    expect(months).to_contain_text("Dec 2025")


def test_the_panel_is_remembered_and_its_lists_stay_shut(page: Page, panel: Locator) -> None:
    facet(page, "model").locator("summary").click()
    page.reload()
    expect(facet(page, "size").locator(".value").first).to_be_visible()
    expect(facet(page, "model").locator(".value").first).to_be_hidden()
    page.get_by_role("button", name="Close filters").click()
    expect(panel).to_have_count(0)
    page.reload()
    page.wait_for_selector("[role=gridcell]")
    expect(panel).to_have_count(0)


def test_counts_stay_in_view_until_the_next_ones_are_there(page: Page, panel: Locator) -> None:
    page.evaluate(
        """() => {
            window.least = Infinity;
            const generators = 'details[data-field=generator] .value';
            const look = () => {
                window.least = Math.min(window.least, document.querySelectorAll(generators).length);
                requestAnimationFrame(look);
            };
            look();
        }"""
    )
    facet(page, "model").get_by_role("button", name="night_xl").click()
    expect(facet(page, "generator").locator(".value")).to_contain_text([f"{IMAGES // 2}"])
    assert page.evaluate("window.least") == 1


@pytest.fixture
def folders(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The gallery on a tree of folders."""
    for number, folder in enumerate(("2025/11", "2026/01", "2026/01", "2026/02", "2026")):
        path = tmp_path / "pictures" / folder / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(a1111_png(number))
    (tmp_path / "library").mkdir()
    server = Served(tmp_path / "library", [tmp_path / "pictures"]).wait_until_up()
    try:
        server.wait_until_idle(5)
        with opened(browser, server) as page:
            page.wait_for_selector("[role=gridcell]")
            yield page
    finally:
        server.stop()


def test_folders_are_a_tree(folders: Page) -> None:
    folders.keyboard.press("\\")
    tree = facet(folders, "path").locator(".value")
    expect(tree).to_have_text(["pictures 5", "2025 1", "2026 4"])
    folders.get_by_role("button", name="Subfolders of 2026").click()
    expect(tree).to_have_text(["pictures 5", "2025 1", "2026 4", "01 2", "02 1"])
    tree.filter(has_text="01").click()
    expect(total(folders)).to_have_text("2")
    folders.get_by_role("button", name=re.compile("^Remove path:")).click()
    expect(total(folders)).to_have_text("5")


def test_every_order_of_the_language_is_in_the_menu_and_the_address(page: Page) -> None:
    menu = page.get_by_label("Sort order")
    expect(menu.locator("option")).to_have_text(
        ["Newest", "Oldest", "Added", "Rating", "Random", "Relevance", "Size", "Name", "Manual"], use_inner_text=True
    )
    start_at(page, 0)
    menu.select_option(label="Oldest")
    expect(tile(page, 0)).to_have_attribute("aria-label", re.compile(f"number {IMAGES - 1}$|number {IMAGES - 10}$"))
    assert "sort%3Aoldest" in page.url
    # The order is no filter, and searching keeps it.
    expect(page.locator(".chip")).to_have_count(0)
    search(page, "model:night_xl")
    expect(total(page)).to_have_text(f"{IMAGES // 2}")
    expect(menu).to_have_value("oldest")
    page.go_back()
    page.go_back()
    expect(menu).to_have_value("newest")
    expect(tile(page, 0)).to_have_attribute("aria-label", re.compile("number 0$"))


def test_the_scrubber_shows_positions_where_there_are_no_dates(page: Page) -> None:
    page.get_by_label("Sort order").select_option(label="Size")
    scrubber = page.get_by_role("slider", name="Position")
    expect(scrubber).to_have_attribute("aria-valuetext", f"1 of {IMAGES}")
    expect(page.locator("#grid h2")).to_have_count(0)
    scrubber.focus()
    page.keyboard.press("PageDown")
    said = re.compile(rf"^(5[0-9]|6[0-9]) of {IMAGES}$")
    expect(scrubber).to_have_attribute("aria-valuetext", said)
    page.keyboard.press("Home")
    expect(scrubber).to_have_attribute("aria-valuetext", f"1 of {IMAGES}")
    page.get_by_label("Sort order").select_option(label="Oldest")
    time = page.get_by_role("slider", name="Time")
    time.focus()
    before = time.get_attribute("aria-valuetext")
    page.keyboard.press("PageDown")
    expect(time).not_to_have_attribute("aria-valuetext", before or "")
    page.keyboard.press("PageUp")
    expect(time).to_have_attribute("aria-valuetext", before or "")


def test_an_order_by_chance_stays_until_it_is_shuffled(page: Page) -> None:
    page.get_by_label("Sort order").select_option(label="Random")
    page.wait_for_url(re.compile(r"sort%3Arandom%3A\d+"))
    expect(page.get_by_role("button", name="Shuffle again")).to_be_visible()
    expect(tile(page, 0)).to_have_attribute("aria-label", re.compile(r"number \d+$"))
    first = tile(page, 0).get_attribute("aria-label")
    url = page.url
    page.reload()
    expect(tile(page, 0)).to_have_attribute("aria-label", first or "")
    page.get_by_role("button", name="Shuffle again").click()
    until(page, lambda: page.url != url)
    expect(page.get_by_label("Sort order")).to_have_value("random")


def test_found_words_are_marked_in_the_prompt(page: Page) -> None:
    search(page, '"red fox" OR snow')
    expect(page.locator(".chip")).to_have_count(1)
    start_at(page, 2)
    expect(page.get_by_test_id("prompt")).to_have_text("a red fox in snow, number 2")
    expect(page.get_by_test_id("prompt").locator("mark")).to_have_text(["red fox", "snow"])
    page.get_by_role("button", name=re.compile("^Remove")).click()
    expect(total(page)).to_have_text(f"{IMAGES}")
    expect(page.get_by_test_id("prompt").locator("mark")).to_have_count(0)


def test_every_bar_of_the_statistics_leads_to_its_images(page: Page) -> None:
    page.get_by_role("button", name="Statistics").click()
    expect(page.get_by_test_id("stats-total")).to_have_text(f"{IMAGES} images, Dec 2024 to Jul 2026")
    expect(page.locator(".column")).to_have_count(20)
    links = page.locator("main a")
    for at in range(links.count()):
        said = links.nth(at).get_attribute("aria-label") or ""
        links.nth(at).click()
        expect(total(page)).to_have_text(said.rpartition(": ")[2])
        page.go_back()
        expect(page.get_by_test_id("stats-total")).to_be_visible()


def test_statistics_are_of_what_is_searched_for_when_one_asks(page: Page) -> None:
    search(page, "model:night_xl")
    expect(total(page)).to_have_text(f"{IMAGES // 2}")
    page.get_by_role("button", name="Statistics").click()
    expect(page.get_by_test_id("stats-total")).to_contain_text(f"{IMAGES} images")
    page.get_by_role("group", name="Images included").get_by_role("button", name="model:night_xl").click()
    expect(page.get_by_test_id("stats-total")).to_contain_text(f"{IMAGES // 2} images")
    page.get_by_role("link", name=re.compile("^Jul 2026")).click()
    expect(page.locator(".chip")).to_have_text(["model: night_xl", "date: 2026-07"])
