"""Filters and search: acceptance checks 19 to 23."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.acting import opened, search, search_box, sign_in, start_at, total, until, wait_until_at_rest
from tests.browser.conftest import IMAGES, MODELS, write_images
from tests.faults.serving import Served

# Every frame from the first one on: what the page says while it loads.
SAMPLER = """
window.said = new Set();
window.frames_seen = 0;
const look = () => {
    window.frames_seen++;
    for (const element of document.querySelectorAll('main h1, main h2, main p')) window.said.add(element.innerText);
    requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
SLOW = {"offline": False, "latency": 600, "downloadThroughput": -1, "uploadThroughput": -1}
EMPTY_STATES = ("Add a folder", "No image", "No matching", "Sign in", "Finding images")


def test_letters_in_the_search_box_change_no_image(page: Page, served: Served) -> None:  # 19
    start_at(page, 4)
    page.keyboard.press("/")
    expect(search_box(page)).to_be_focused()
    page.keyboard.type("f1")
    page.keyboard.press("Delete")
    assert search_box(page).input_value() == "f1"
    assert served.get("/api/v1/images", q="is:favourite")["total"] == 0
    assert served.get("/api/v1/images", q="rating:>=1")["total"] == 0


def test_model_offers_values_with_counts_and_back_takes_the_filter_away(page: Page) -> None:  # 20
    page.keyboard.press("/")
    page.keyboard.type("model:")
    for model in MODELS:
        expect(page.get_by_role("option").filter(has_text=f"model:{model}")).to_contain_text(f"{IMAGES // 2}")
    page.keyboard.press("Enter")
    expect(total(page)).to_have_text(f"{IMAGES // 2}")
    expect(page.locator(".chip")).to_contain_text("dreamer_v1")
    assert "q=model%3Adreamer_v1" in page.url
    page.go_back()
    expect(total(page)).to_have_text(f"{IMAGES}")
    expect(page.locator(".chip")).to_have_count(0)
    assert "q=" not in page.url


def test_what_the_server_knows_is_offered_for_every_field(page: Page) -> None:  # 20
    page.keyboard.press("/")
    page.keyboard.type("samp")
    expect(page.get_by_role("option").first).to_contain_text("sampler:")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(search_box(page)).to_have_value("sampler:")
    expect(page.get_by_role("option").first).to_contain_text("Euler a")
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_contain_text("Euler a")
    # Counts are of what is left under the filter, and an exact value is not replaced by a longer one.
    page.keyboard.press("/")
    page.keyboard.type("size:")
    expect(page.get_by_role("option").filter(has_text="size:64x96")).to_contain_text(f"{IMAGES // 3}")
    page.keyboard.type("portrait")
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_have_count(2)
    expect(total(page)).to_have_text(f"{IMAGES // 3}")


def test_enter_takes_a_value_that_stands_by_itself_as_it_is(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("date:2026")
    expect(page.get_by_role("option").filter(has_text="date:2026-07")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_have_text("date: 2026")


def test_a_group_is_one_chip_and_stays_apart_from_the_others(page: Page) -> None:
    search(page, "model:dreamer_v1")
    expect(page.locator(".chip")).to_have_count(1)
    search(page, "size:portrait OR size:landscape")
    expect(page.locator(".chip")).to_have_count(2)
    expect(page.locator(".chip").first).to_contain_text("size:portrait OR size:landscape")
    expect(total(page)).to_have_text(f"{IMAGES // 3}")


def test_a_chip_is_edited_in_the_box_and_escape_leaves_it_as_it_was(page: Page) -> None:
    search(page, "fox model:dreamer_v1")
    chip = page.get_by_role("button", name="model: dreamer_v1")
    chip.click()
    expect(search_box(page)).to_have_value("fox model:dreamer_v1")
    expect(chip).to_have_count(0)
    page.keyboard.press("Escape")
    expect(chip).to_be_visible()
    expect(search_box(page)).to_have_value("fox")
    chip.click()
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.type("night_xl")
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_have_text("model: night_xl")
    expect(search_box(page)).to_have_value("fox")
    expect(total(page)).to_have_text(f"{IMAGES // 2}")


def test_backspace_in_the_empty_box_takes_the_last_chip(page: Page) -> None:
    search(page, "model:dreamer_v1 rating:0")
    expect(page.locator(".chip")).to_have_count(2)
    page.keyboard.press("/")
    page.keyboard.press("Backspace")
    expect(page.locator(".chip")).to_have_text(["model: dreamer_v1"])
    expect(search_box(page)).to_be_focused()


def test_a_chip_is_turned_into_its_opposite_and_all_are_cleared(page: Page) -> None:  # 21
    search(page, "model:dreamer_v1 is:favourite")
    expect(page.locator(".chip")).to_have_count(2)
    page.get_by_role("button", name="is: favorite").click(modifiers=["Alt"])
    expect(page.locator(".chip.negated")).to_have_count(1)
    expect(total(page)).to_have_text(f"{IMAGES // 2}")
    assert "-is%3Afavorite" in page.url
    page.get_by_role("button", name="Remove model:dreamer_v1").click()
    expect(total(page)).to_have_text(f"{IMAGES}")
    search(page, "model:night_xl")
    page.get_by_role("button", name="Clear all").click()
    expect(total(page)).to_have_text(f"{IMAGES}")
    expect(page.locator(".chip")).to_have_count(0)


def test_searches_of_before_are_offered_and_can_be_forgotten(page: Page) -> None:
    for query in ("fox", "snow rating:0"):
        search(page, query)
        expect(search_box(page)).not_to_be_focused()
        page.goto(page.url.partition("/library")[0])
        page.wait_for_selector("[role=gridcell]")
    page.keyboard.press("/")
    recent = page.get_by_role("group", name="Recent searches").get_by_role("option")
    expect(recent).to_have_text(["snow rating:0", "fox"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Delete")
    expect(recent).to_have_text(["fox"])
    page.keyboard.press("Enter")
    expect(search_box(page)).to_have_value("fox")
    assert "q=fox" in page.url
    page.keyboard.press("/")
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    recent.locator(".forget").click()
    expect(recent).to_have_count(0)


def test_the_same_search_asked_anew_takes_nothing_from_who_is_typing(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("half a wo")
    with page.expect_response(lambda response: response.url.endswith("/api/v1/snapshots")):
        # As another tab tells that something was missed.
        page.evaluate("new BroadcastChannel('mysticanvas-live').postMessage({ kind: 'reset', data: {}, id: 1e9 })")
    wait_until_at_rest(page)
    expect(search_box(page)).to_have_value("half a wo")


def test_an_answer_that_is_late_takes_nothing_from_who_is_typing(page: Page) -> None:
    held: list[Route] = []
    page.route("**/api/v1/snapshots", lambda route: route.continue_() if held else held.append(route))
    search(page, "model:night_xl")
    until(page, lambda: held)
    page.keyboard.press("/")
    page.keyboard.type("half a wo")
    held[0].continue_()
    expect(page.locator(".chip")).to_have_count(1)
    wait_until_at_rest(page)
    expect(search_box(page)).to_have_value("half a wo")
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_have_count(1)
    expect(search_box(page)).to_have_value("half a wo")


def test_no_match_names_what_excludes_everything(page: Page) -> None:  # 22
    search(page, "zeppelin rating:5 model:night_xl")
    state = page.get_by_test_id("no-match")
    for name in ("zeppelin", "rating:5", "model:night_xl"):
        expect(state.get_by_role("button", name=f"Remove {name}")).to_be_visible()
    expect(page.get_by_text("Add a folder")).to_have_count(0)
    state.get_by_role("button", name="Remove rating:5").click()
    expect(state).not_to_contain_text("rating:5")
    state.get_by_role("button", name="Clear all").click()
    expect(total(page)).to_have_text(f"{IMAGES}")


def test_a_misspelt_field_offers_the_nearest(browser: Browser, served: Served) -> None:  # 22
    # The browser itself reports the refusal.
    with opened(browser, served, allowed="status of 400") as page:
        page.wait_for_selector("[role=gridcell]")
        search(page, "fox modle:night_xl rating:0")
        expect(page.get_by_test_id("no-match")).to_contain_text("modle")
        expect(page.locator("mark")).to_have_text("modle:night_xl")
        expect(search_box(page)).to_have_value("fox modle:night_xl rating:0")
        page.get_by_role("button", name="Search for model:night_xl").click()
        expect(total(page)).to_have_text(f"{IMAGES // 2}")
        expect(search_box(page)).to_have_value("fox")
        expect(page.locator(".chip")).to_have_count(2)


def test_a_misspelt_name_is_told_with_the_nearest(page: Page) -> None:  # 22
    search(page, "rating:0 model:nihgt_xl")
    state = page.get_by_test_id("no-match")
    expect(state).to_contain_text("No model “nihgt_xl”")
    state.get_by_role("button", name="Search for model:night_xl").click()
    expect(total(page)).to_have_text(f"{IMAGES // 2}")
    search(page, "-model:nihgt_xl")
    expect(page.get_by_text("No model “nihgt_xl”")).to_be_visible()
    page.get_by_role("button", name="Search for model:night_xl").click()
    expect(page.get_by_text("No model")).to_have_count(0)


def loaded_slowly(browser: Browser, served: Served, path: str, *, done: str) -> list[str]:
    """What the page said in every frame of its loading from a slow server, and some frames more."""
    with opened(browser, served, scripts=(SAMPLER,)) as page:
        page.locator("[role=gridcell], main h2").first.wait_for()
        devtools = page.context.new_cdp_session(page)
        devtools.send("Network.enable")
        devtools.send("Network.emulateNetworkConditions", SLOW)
        page.goto(sign_in(served).partition("/#")[0] + path, wait_until="commit")
        page.locator(done).first.wait_for()
        wait_until_at_rest(page)
        loaded_at = page.evaluate("window.frames_seen")
        assert loaded_at > 0
        until(page, lambda: page.evaluate("window.frames_seen") > loaded_at + 30)
        said: list[str] = page.evaluate("[...window.said]")
    return said


@pytest.mark.parametrize("path", ["/library", "/library?q=model%3Anight_xl"])
def test_nothing_claims_to_be_empty_while_it_loads(browser: Browser, served: Served, path: str) -> None:  # 23
    said = loaded_slowly(browser, served, path, done="[role=gridcell]")
    assert [text for text in said if any(state in text for state in EMPTY_STATES)] == []


def test_no_first_run_flashes_before_no_match_or_the_other_way_round(browser: Browser, served: Served) -> None:  # 23
    said = loaded_slowly(browser, served, "/library?q=zeppelin", done="[data-testid=no-match]")
    assert any("No matching images" in text for text in said)
    assert not any("Add a folder" in text or "No images yet" in text for text in said)


def test_a_new_library_offers_folders_and_nothing_else(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # 22, 23
    (tmp_path / "ComfyUI" / "output").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "library").mkdir()
    server = Served(tmp_path / "library", []).wait_until_up()
    try:
        said = loaded_slowly(browser, server, "/library", done="text=Add a folder of images")
        assert any("Add a folder" in text for text in said)
        assert not any("No image" in text for text in said)
        with opened(browser, server) as page:
            expect(page.get_by_role("button", name="ComfyUI")).to_be_visible()
            write_images(tmp_path / "pictures", 20)
            page.get_by_label("Folder", exact=True).fill(str(tmp_path / "pictures"))
            page.get_by_role("button", name="Add folder").click()
            expect(total(page)).to_have_text("20")
    finally:
        server.stop()
